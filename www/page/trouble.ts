// What went wrong, told where it arose and read aloud; it stays until it is dismissed or what it is about has changed.

import { el } from "./dom.js";

const MOST = 4;

/** The place for the troubles of one part of the page: an element with the role `alert`. */
export class Trouble {
  readonly #host: HTMLElement;
  #told: string[] = [];
  #untold = 0;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  /** Tells one more, the same one only once; of very many the first. */
  tell(sentence: string): void {
    if (this.#told.includes(sentence)) return;
    if (this.#told.length < MOST) this.#told.push(sentence);
    else this.#untold++;
    this.#show();
  }

  clear(): void {
    this.#told = [];
    this.#untold = 0;
    this.#show();
  }

  #show(): void {
    const sentences = [...this.#told, ...(this.#untold ? [`… and ${this.#untold} more.`] : [])];
    this.#host.hidden = sentences.length === 0;
    if (!sentences.length) return this.#host.replaceChildren();
    const dismiss = el("button", { type: "button", class: "dismiss", "aria-label": "Dismiss", title: "Dismiss" }, "×");
    dismiss.addEventListener("click", () => this.clear());
    this.#host.replaceChildren(el("div", { class: "trouble" }, el("div", {}, ...sentences.map((sentence) => el("p", {}, sentence))), dismiss));
  }
}
