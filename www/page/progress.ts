// A bar for work that may last, shown once it does: what it is, how far it is, and a way to cancel it, by button or by Esc.

import { el, need } from "./dom.js";

/** How far work is: parts done of all of them, and words for it. */
export type Report = (done: number, total: number, words: string) => void;

/** Shorter work is over before a bar could be read. */
const PATIENCE = 500;

/** The bar of one place on the page. Of several works at a time it shows the last. */
export class Progress {
  readonly #host: HTMLElement;
  #last = 0;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  /** Does the work; rejects with an `AbortError` when `signal` is aborted or the visitor cancels. */
  async run<T>(label: string, work: (signal: AbortSignal, report: Report) => Promise<T>, signal: AbortSignal): Promise<T> {
    const mine = ++this.#last;
    const cancelling = new AbortController();
    const words = el("span", {}, label);
    const bar = el("progress", { "aria-label": label });
    const cancel = el("button", { type: "button" }, "Cancel");
    const abort = (): void => cancelling.abort(new DOMException(`${label}: cancelled`, "AbortError"));
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.defaultPrevented || this.#last !== mine) return;
      event.preventDefault();
      abort();
    };
    const show = (): void => {
      if (this.#last !== mine) return;
      this.#host.replaceChildren(words, bar, cancel);
      this.#host.hidden = false;
      // Once, and not with every part that is done.
      need("status", HTMLElement).textContent = `${label} …`;
    };
    cancel.addEventListener("click", abort);
    document.addEventListener("keydown", escape);
    const timer = window.setTimeout(show, PATIENCE);
    try {
      return await work(AbortSignal.any([cancelling.signal, signal]), (done, total, text) => {
        bar.max = Math.max(1, total);
        bar.value = done;
        words.textContent = text;
      });
    } finally {
      clearTimeout(timer);
      document.removeEventListener("keydown", escape);
      if (this.#last === mine) {
        // Whoever was on the button is not thrown back to the top of the page.
        const before = this.#host.contains(document.activeElement) ? this.#host : null;
        this.#host.hidden = true;
        this.#host.replaceChildren();
        before?.closest<HTMLElement>("section, main")?.querySelector<HTMLElement>("button, input, [tabindex]")?.focus();
      }
    }
  }
}
