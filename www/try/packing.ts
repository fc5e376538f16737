// "As level 0 zip": the form, and the work behind it.

import type { IiifImage } from "azulejo";
import { need, say, whenQuiet } from "../page/dom.js";
import { Progress, type Report } from "../page/progress.js";
import { Trouble } from "../page/trouble.js";
import { bytes, duration } from "../page/words.js";
import { advised } from "./advice.js";
import type { Lease } from "./album.js";
import { type Level0, type Level0Options, type StaticFile, level0 } from "./level0.js";
import { type Target, target } from "./save.js";
import { type Entry, zip } from "./zip.js";

/** What can be packed: an image that is rendered here. */
export interface Packable {
  readonly name: string;
  readonly image: IiifImage;
  readonly maxArea: number;
  /** Keeps it open while it is packed, whatever else is shown meanwhile. */
  acquire(signal: AbortSignal): Promise<Lease>;
}

/** Rendered ahead of what is written. */
const AHEAD = 4;

export class Packing {
  readonly #form = need("pack", HTMLFormElement);
  readonly #section = need("packing", HTMLElement);
  readonly #progress = new Progress(need("pack-progress", HTMLElement));
  readonly #trouble = new Trouble(need("pack-trouble", HTMLElement));
  readonly #moved: (id: string) => void;
  readonly #leaving: AbortSignal;
  #subject: Packable | null = null;
  #running = false;

  /** `moved` hears of every other address for the image on the bench. */
  constructor(moved: (id: string) => void, leaving: AbortSignal) {
    this.#moved = moved;
    this.#leaving = leaving;
    const tell = whenQuiet(250, () => this.#moved(this.id));
    this.#form.addEventListener("input", (event) => {
      this.#trouble.clear();
      this.#describe();
      if (event.target instanceof HTMLElement && event.target.id === "pack-base") tell();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#pack();
    });
  }

  /** The address that the image would have. */
  get id(): string {
    return `${this.#base}/${encodeURIComponent(this.#folder)}`;
  }

  /** Offers to pack this image, or nothing. */
  show(subject: Packable | null): void {
    this.#subject = subject;
    this.#section.hidden = !subject && !this.#running;
    this.#trouble.clear();
    if (subject) this.#describe();
  }

  get #base(): string {
    return need("pack-base", HTMLInputElement).value.trim().replace(/\/+$/, "");
  }

  /** A name for a folder on every system. */
  get #folder(): string {
    const plain = (this.#subject?.name ?? "").replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/[^\p{L}\p{N}._-]+/gu, "-");
    return plain.replace(/^[.-]+|[.-]+$/g, "") || "image";
  }

  #plan(subject: Packable): Level0 {
    const picked = (name: string): string => String(new FormData(this.#form).get(name) ?? "");
    const { width, height } = subject.image;
    const options = { version: picked("pack-version"), tile: Number(picked("pack-tile")), format: picked("pack-format"), id: this.id, maxArea: subject.maxArea };
    return level0({ width, height }, options as Level0Options);
  }

  #describe(): void {
    if (!this.#subject) return;
    const { files } = this.#plan(this.#subject);
    need("pack-id", HTMLElement).textContent = `${this.id}/info.json`;
    need("pack-count", HTMLElement).textContent = `${(files.length + 1).toLocaleString("en")} files`;
    say(need("pack-done", HTMLElement), "");
  }

  async #pack(): Promise<void> {
    const subject = this.#subject;
    if (!subject || this.#running) return;
    this.#trouble.clear();
    say(need("pack-done", HTMLElement), "");
    if (!/^https?:\/\/[^\s/]/.test(this.#base)) {
      return this.#trouble.tell("The base URL should begin with http:// or https://: it is where the unpacked folder will lie, and stands in the info.json.");
    }
    const plan = this.#plan(subject);
    const folder = this.#folder;
    this.#run(true);
    try {
      const to = await target(`${folder}.zip`);
      const start = performance.now();
      const written = await this.#progress.run(`Packing ${subject.name}`, (signal, report) => write(subject, plan, folder, to, signal, report), this.#leaving);
      const words = `${folder}.zip: ${(plan.files.length + 1).toLocaleString("en")} files, ${bytes(written)}, in ${duration(performance.now() - start)}.`;
      say(need("pack-done", HTMLElement), `${words} Unpack it so that ${folder}/info.json is found at ${String(plan.document["id"] ?? plan.document["@id"])}/info.json.`);
    } catch (error) {
      const cancelled = error instanceof DOMException && error.name === "AbortError";
      if (cancelled) say(need("pack-done", HTMLElement), "Cancelled. Nothing was written.");
      else this.#trouble.tell(`${subject.name} could not be packed. ${advised(error)}`);
    } finally {
      this.#run(false);
    }
  }

  #run(running: boolean): void {
    this.#running = running;
    need("pack-start", HTMLButtonElement).disabled = running;
    if (!running) this.#section.hidden = !this.#subject;
  }
}

/** Writes the archive; how many bytes it has. */
async function write(subject: Packable, plan: Level0, folder: string, to: Target, signal: AbortSignal, report: Report): Promise<number> {
  let written = 0;
  let lease: Lease | undefined;
  try {
    lease = await subject.acquire(signal);
    const { image } = lease.opened;
    if (!image) throw new Error("This image is rendered elsewhere.");
    const all = plan.files.length;
    const tell = (done: number): void => report(done, all, `Packing ${subject.name}: ${done.toLocaleString("en")} of ${all.toLocaleString("en")} pictures, ${bytes(written)}`);
    for await (const piece of zip(entries(image, plan, folder, signal, tell))) {
      signal.throwIfAborted();
      await to.write(piece);
      written += piece.length;
    }
    await to.close();
    return written;
  } catch (error) {
    await to.abort().catch(() => undefined);
    throw error;
  } finally {
    lease?.release();
  }
}

async function* entries(image: IiifImage, { document, files }: Level0, folder: string, signal: AbortSignal, tell: (done: number) => void): AsyncGenerator<Entry> {
  yield { path: `${folder}/info.json`, bytes: new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`) };
  // What fails or is cancelled ends what is rendered ahead, too.
  const ending = new AbortController();
  const both = AbortSignal.any([signal, ending.signal]);
  const make = async ({ path, request }: StaticFile): Promise<Entry> => {
    const { bytes } = await image.render(request, { signal: both });
    return { path: `${folder}/${path}`, bytes: bytes as Uint8Array<ArrayBuffer> };
  };
  const ahead: Promise<Entry>[] = [];
  const begin = (at: number): void => {
    const file = files[at];
    if (!file) return;
    const made = make(file);
    made.catch(() => undefined);
    ahead.push(made);
  };
  try {
    for (let at = 0; at < AHEAD; at++) begin(at);
    for (let done = 0; ahead.length; done++) {
      const entry = await ahead.shift()!;
      begin(done + AHEAD);
      yield entry;
      tell(done + 1);
    }
  } finally {
    ending.abort();
  }
}
