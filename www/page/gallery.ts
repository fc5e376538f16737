// A card for each image of the bucket: thumbnail, name, dimensions; read only when it comes into view.

import { el, say } from "./dom.js";
import { type Listed, RefusedError, type Service, newest, pathOf, plainQuality, readInfo, refusal } from "./service.js";
import { bytes, dimensions } from "./words.js";

/** Makes cards and reads their info documents as they are scrolled to. */
export class Gallery {
  readonly #service: Service;
  readonly #signal: AbortSignal;
  readonly #watch: IntersectionObserver;
  readonly #pending = new Map<Element, () => void>();

  constructor(service: Service, signal: AbortSignal) {
    this.#service = service;
    this.#signal = signal;
    this.#watch = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: "200px" });
    signal.addEventListener("abort", () => this.#watch.disconnect());
  }

  /** The card of an image, as an item for a list. */
  card(image: Listed): HTMLLIElement {
    const path = pathOf(this.#service, newest(this.#service), image.id);
    const facts = el("p", { class: "facts" }, bytes(image.bytes));
    const picture = this.#picture(path);
    const folder = image.name.lastIndexOf("/") + 1;
    const name = el("h2", { class: "name" }, ...(folder > 0 ? [el("span", { class: "folder" }, image.name.slice(0, folder))] : []), image.name.slice(folder));
    const link = el("a", { href: `/image?id=${encodeURIComponent(image.name)}`, title: image.name }, picture, el("div", { class: "caption" }, name, facts));
    const card = el("li", { class: "tile" }, link);
    this.#pending.set(card, () => void this.#describe(path, image, facts));
    this.#watch.observe(card);
    return card;
  }

  #picture(path: string): HTMLElement {
    const file = `0/${plainQuality(newest(this.#service))}.jpg`;
    const image = el("img", { alt: "", loading: "lazy", decoding: "async", width: 300, height: 300 });
    const frame = el("div", { class: "picture" }, image);
    image.addEventListener("load", () => frame.classList.add("loaded"));
    image.addEventListener("error", () => void this.#explain(frame, image, path), { once: true });
    image.src = `${path}/full/!300,300/${file}`;
    return frame;
  }

  async #explain(frame: HTMLElement, image: HTMLImageElement, path: string): Promise<void> {
    const reason = el("p", { class: "reason" });
    image.remove();
    frame.classList.add("broken");
    frame.append(reason);
    try {
      const response = await fetch(image.src, { signal: this.#signal, headers: { accept: "text/plain, application/json;q=0.9" } });
      say(reason, response.ok ? "The browser cannot show this picture." : (await refusal(response)).message);
    } catch (error) {
      if (!this.#signal.aborted) say(reason, `No answer for ${path}: ${error instanceof Error ? error.message : "unknown reason"}.`);
    }
  }

  async #describe(path: string, image: Listed, facts: HTMLElement): Promise<void> {
    try {
      const info = await readInfo(path, this.#signal);
      facts.replaceChildren(el("span", {}, dimensions(info.width, info.height)), " · ", el("span", {}, bytes(image.bytes)));
    } catch (error) {
      if (error instanceof RefusedError) facts.textContent = `${bytes(image.bytes)} · answers ${error.status}`;
    }
  }

  #seen(entries: readonly IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      this.#watch.unobserve(entry.target);
      this.#pending.get(entry.target)?.();
      this.#pending.delete(entry.target);
    }
  }
}
