// The same region in every format: bytes and time side by side, each to be taken away.

import type { Made } from "../page/answer.js";
import { el, need, say } from "../page/dom.js";
import { Progress } from "../page/progress.js";
import { bytes, duration } from "../page/words.js";
import { download } from "./save.js";

/** What there is to compare: how a format is made, and what its file is called. */
export interface Comparable {
  readonly formats: readonly string[];
  make(format: string, signal: AbortSignal): Promise<Made>;
  fileName(format: string): string;
}

export class Compare {
  readonly #progress = new Progress(need("compare-progress", HTMLElement));
  readonly #table = need("compare-table", HTMLTableElement);
  readonly #rows = need("compare-rows", HTMLTableSectionElement);
  #comparing = new AbortController();

  constructor(what: () => Comparable | null, leaving: AbortSignal) {
    need("compare-start", HTMLButtonElement).addEventListener("click", () => {
      const comparable = what();
      if (comparable) void this.#run(comparable, leaving);
    });
  }

  /** Drops what is shown and what is being made: the request is another one. */
  clear(): void {
    this.#comparing.abort();
    this.#rows.replaceChildren();
    this.#table.hidden = true;
  }

  async #run(what: Comparable, leaving: AbortSignal): Promise<void> {
    this.clear();
    const { signal } = (this.#comparing = new AbortController());
    const work = async (cancelled: AbortSignal, report: (done: number, total: number, words: string) => void): Promise<void> => {
      for (const [done, format] of what.formats.entries()) {
        report(done, what.formats.length, `Making ${format}`);
        const row = await this.#row(what, format, cancelled);
        cancelled.throwIfAborted();
        this.#rows.append(row);
        this.#table.hidden = false;
      }
    };
    try {
      await this.#progress.run("Making every format", work, AbortSignal.any([signal, leaving]));
      say(need("status", HTMLElement), "All formats are made.");
    } catch {
      // Cancelled: the rows that are there are right.
    }
  }

  async #row(what: Comparable, format: string, signal: AbortSignal): Promise<HTMLTableRowElement> {
    const head = el("th", { scope: "row" }, format);
    const start = performance.now();
    try {
      const { blob } = await what.make(format, signal);
      const time = performance.now() - start;
      const take = el("button", { type: "button", "aria-label": `Download as ${format}` }, "Download");
      take.addEventListener("click", () => download(blob, what.fileName(format)));
      return el("tr", {}, head, el("td", {}, bytes(blob.size)), el("td", {}, duration(time)), el("td", {}, take));
    } catch (error) {
      signal.throwIfAborted();
      return el("tr", {}, head, el("td", { colspan: 3, class: "wide" }, error instanceof Error ? error.message : String(error)));
    }
  }
}
