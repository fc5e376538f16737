// The answer to the built request: the picture, its dimensions, bytes and time, or the sentence of the refusal.

import { el, need, say } from "./dom.js";
import { Progress } from "./progress.js";
import { bytes, dimensions, duration } from "./words.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture as it was made, and what its maker tells of it. */
export interface Made {
  readonly blob: Blob;
  /** px, where the maker knows; the browser is asked otherwise. */
  readonly size?: Size;
  readonly canonical?: string | undefined;
  /** More rows for the table of figures. */
  readonly more?: readonly (readonly [string, string])[];
}

/** Makes the picture, or throws an error whose message says why not; of one with a `status`, that is shown as well. */
export type Make = (signal: AbortSignal) => Promise<Made>;

/** A picture that is shown. */
export interface Answered {
  readonly blob: Blob;
  readonly size: Size | null;
}

/** Shows answers, one at a time: asking anew drops the question before. */
export class Answer {
  readonly #preview = need("preview", HTMLImageElement);
  readonly #figures = need("figures", HTMLDListElement);
  readonly #progress = new Progress(need("making", HTMLElement));
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

  /** Has the picture made and shows it under the description `alt`; null when it was refused or another question came. */
  async ask(make: Make, alt: string): Promise<Answered | "cancelled" | null> {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.#busy(true);
    const signal = AbortSignal.any([asking.signal, this.#leaving]);
    try {
      const start = performance.now();
      const made = await this.#progress.run("Making the picture", make, signal);
      signal.throwIfAborted();
      return await this.#answer(made, performance.now() - start, alt, signal);
    } catch (error) {
      if (signal.aborted) return null;
      this.clear();
      if (error instanceof DOMException && error.name === "AbortError") return "cancelled";
      say(need("refused", HTMLElement), error instanceof Error ? error.message : String(error));
      if (error instanceof Error && "status" in error) this.#figures.append(...figure("Status", String(error.status)));
      return null;
    } finally {
      if (this.#asking === asking) this.#busy(false);
    }
  }

  async #answer({ blob, size: told, canonical, more = [] }: Made, time: number, alt: string, signal: AbortSignal): Promise<Answered> {
    const seen = await this.#decode(blob, alt, signal);
    const size = told ?? seen;
    say(need("refused", HTMLElement), "");
    need("status", HTMLElement).textContent = `The answer has ${size ? `${dimensions(size.width, size.height)} pixels and ` : ""}${bytes(blob.size)}.`;
    this.#figures.replaceChildren(
      ...figure("Pixels", size ? dimensions(size.width, size.height) : "not known"),
      ...figure("Bytes", `${bytes(blob.size)}, ${blob.type || "no type given"}`),
      ...figure("Time", duration(time)),
      ...more.flatMap(([name, value]) => figure(name, value)),
      ...(canonical ? figure("Canonical", canonical) : []),
    );
    return { blob, size };
  }

  /** Puts the picture on the page; formats that the browser does not show are measured by their header. */
  async #decode(blob: Blob, alt: string, signal: AbortSignal): Promise<Size | null> {
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

/** Width and height out of a classic TIFF's first directory. */
function tiffSize(view: DataView): Size | null {
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
