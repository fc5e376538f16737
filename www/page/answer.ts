// What the service answers to the built URI: the picture, its dimensions, bytes and time, or the sentence of the refusal.

import { el, need, say } from "./dom.js";
import { refusal } from "./service.js";
import { bytes, dimensions, duration } from "./words.js";

export interface Answered {
  readonly width: number;
  readonly height: number;
}

/** Shows answers, one at a time: asking anew drops the question before. */
export class Answer {
  readonly #preview = need("preview", HTMLImageElement);
  readonly #figures = need("figures", HTMLDListElement);
  readonly #section = this.#figures.closest("section");
  readonly #leaving: AbortSignal;
  #asking: AbortController | null = null;
  #shown = "";

  constructor(leaving: AbortSignal) {
    this.#leaving = leaving;
  }

  /** Drops the running question and what is shown. */
  clear(): void {
    this.#asking?.abort();
    this.#show("");
    this.#figures.replaceChildren();
    say(need("refused", HTMLElement), "");
    say(need("unshown", HTMLElement), "");
    this.#busy(false);
  }

  /** Asks for the picture at `url` and shows it under the description `alt`; null when it was refused or dropped. */
  async ask(url: string, alt: string): Promise<Answered | null> {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.#busy(true);
    try {
      return await this.#fetch(url, alt, AbortSignal.any([asking.signal, this.#leaving]));
    } catch (error) {
      if (asking.signal.aborted || this.#leaving.aborted) return null;
      this.clear();
      say(need("refused", HTMLElement), `No answer came: ${error instanceof Error ? error.message : String(error)}.`);
      return null;
    } finally {
      if (this.#asking === asking) this.#busy(false);
    }
  }

  async #fetch(url: string, alt: string, signal: AbortSignal): Promise<Answered | null> {
    const start = performance.now();
    const response = await fetch(url, { signal, headers: { accept: "image/*, text/plain, application/json;q=0.9" } });
    if (!response.ok) {
      const refused = await refusal(response);
      signal.throwIfAborted();
      this.clear();
      say(need("refused", HTMLElement), refused.message);
      this.#figures.append(...figure("Status", String(refused.status)));
      return null;
    }
    const blob = await response.blob();
    const time = performance.now() - start;
    const size = await this.#decode(blob, alt, signal);
    say(need("refused", HTMLElement), "");
    need("status", HTMLElement).textContent = `The answer has ${size ? `${dimensions(size.width, size.height)} pixels and ` : ""}${bytes(blob.size)}.`;
    const canonical = /<([^>]*)>\s*;\s*rel="?canonical"?/.exec(response.headers.get("link") ?? "")?.[1];
    this.#figures.replaceChildren(
      ...figure("Pixels", size ? dimensions(size.width, size.height) : "not known"),
      ...figure("Bytes", `${bytes(blob.size)}, ${blob.type || "no type given"}`),
      ...figure("Time", duration(time)),
      ...timings(response.headers.get("server-timing")),
      ...(canonical ? figure("Canonical", decodedTail(canonical)) : []),
    );
    return size;
  }

  /** Puts the picture on the page; formats that the browser does not show are measured by their header. */
  async #decode(blob: Blob, alt: string, signal: AbortSignal): Promise<Answered | null> {
    const next = new Image();
    const url = URL.createObjectURL(blob);
    next.src = url;
    const readable = await next.decode().then(
      () => true,
      () => false,
    );
    if (signal.aborted) URL.revokeObjectURL(url);
    signal.throwIfAborted();
    const unshown = need("unshown", HTMLElement);
    if (readable) {
      say(unshown, "");
      this.#show(url);
      this.#preview.alt = alt;
      return { width: next.naturalWidth, height: next.naturalHeight };
    }
    URL.revokeObjectURL(url);
    this.#show("");
    say(unshown, `This browser does not show ${blob.type || "this format"}. Download it to look at it.`);
    return blob.type === "image/tiff" ? tiffSize(new DataView(await blob.arrayBuffer())) : null;
  }

  #show(url: string): void {
    if (this.#shown) URL.revokeObjectURL(this.#shown);
    this.#shown = url;
    this.#preview.hidden = url === "";
    if (url) this.#preview.src = url;
    else this.#preview.removeAttribute("src");
  }

  #busy(busy: boolean): void {
    this.#section?.classList.toggle("waiting", busy);
    this.#section?.setAttribute("aria-busy", String(busy));
  }
}

function figure(name: string, value: string): [HTMLElement, HTMLElement] {
  return [el("dt", {}, name), el("dd", {}, value)];
}

/** `fetch;dur=4.2, reads;desc="2"` becomes: fetch 4.2 ms, reads 2. */
function timings(header: string | null): HTMLElement[] {
  const said = (header?.match(/(?:[^,"]|"(?:\\.|[^"\\])*")+/g) ?? []).map((entry) => {
    const name = entry.split(";", 1)[0]?.trim() ?? "";
    const time = /;\s*dur="?([\d.]+)/i.exec(entry)?.[1];
    const words = /;\s*desc=(?:"((?:\\.|[^"\\])*)"|([^;]+))/i.exec(entry);
    return [name, time === undefined ? "" : `${Number(Number(time).toFixed(1))} ms`, words?.[1] ?? words?.[2] ?? ""].filter((part) => part !== "").join(" ");
  });
  return said.length === 0 ? [] : figure("Inside", said.join(", "));
}

/** The four slots at the end of an image URI. */
function decodedTail(uri: string): string {
  return uri.split("/").slice(-4).join("/");
}

/** Width and height out of a classic TIFF's first directory. */
function tiffSize(view: DataView): Answered | null {
  try {
    const little = view.getUint16(0) === 0x4949;
    const directory = view.getUint32(4, little);
    const found = new Map<number, number>();
    for (let entry = 0; entry < view.getUint16(directory, little); entry += 1) {
      const at = directory + 2 + 12 * entry;
      found.set(view.getUint16(at, little), view.getUint16(at + 2, little) === 3 ? view.getUint16(at + 8, little) : view.getUint32(at + 8, little));
    }
    const [width, height] = [found.get(256), found.get(257)];
    return width !== undefined && height !== undefined ? { width, height } : null;
  } catch {
    return null;
  }
}
