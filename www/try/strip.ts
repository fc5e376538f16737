// The strip of thumbnails: one tab for each image. A thumbnail is made when it comes into view, two at a time.

import { el } from "../page/dom.js";
import type { Album, Item, Lease } from "./album.js";

interface Thumb {
  readonly cell: HTMLElement;
  readonly tab: HTMLButtonElement;
  url: string;
}

export interface StripListener {
  select(item: Item): void;
  remove(item: Item): void;
  /** The image could not be opened. */
  failed(item: Item, error: unknown): void;
}

const AT_ONCE = 2;

export class Strip {
  readonly #host: HTMLElement;
  readonly #album: Album;
  readonly #listener: StripListener;
  readonly #leaving: AbortSignal;
  readonly #thumbs = new Map<Item, Thumb>();
  readonly #watch: IntersectionObserver;
  readonly #queue: Item[] = [];
  #running = 0;
  #current: Item | null = null;

  constructor(host: HTMLElement, album: Album, listener: StripListener, leaving: AbortSignal) {
    this.#host = host;
    this.#album = album;
    this.#listener = listener;
    this.#leaving = leaving;
    this.#watch = new IntersectionObserver((entries) => this.#seen(entries), { root: host, rootMargin: "0px 200px" });
    host.addEventListener("keydown", (event) => this.#key(event));
  }

  add(item: Item): void {
    const { name } = item.origin;
    const attributes = { type: "button", role: "tab", class: "thumb", title: name, "aria-selected": "false", "aria-controls": "page", tabindex: -1 };
    const tab = el("button", attributes, el("span", { class: "frame" }), el("span", { class: "name" }, name));
    const close = el("button", { type: "button", class: "close", tabindex: -1, "aria-label": `Remove ${name}`, title: `Remove ${name}` }, "×");
    const cell = el("div", { class: "cell", role: "presentation", "data-state": "waiting" }, tab, close);
    tab.addEventListener("click", () => this.#listener.select(item));
    close.addEventListener("click", () => this.#listener.remove(item));
    this.#thumbs.set(item, { cell, tab, url: "" });
    this.#host.append(cell);
    this.#watch.observe(cell);
  }

  remove(item: Item): void {
    const thumb = this.#thumbs.get(item);
    if (!thumb) return;
    this.#thumbs.delete(item);
    this.#watch.unobserve(thumb.cell);
    thumb.cell.remove();
    if (thumb.url) URL.revokeObjectURL(thumb.url);
    if (this.#current === item) this.#current = null;
  }

  /** Marks the image that is shown. */
  select(item: Item): void {
    this.#current = item;
    for (const [each, { tab }] of this.#thumbs) {
      tab.setAttribute("aria-selected", String(each === item));
      tab.tabIndex = each === item ? 0 : -1;
    }
    this.#thumbs.get(item)?.cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Puts the focus on the image that is shown. */
  focus(): void {
    if (this.#current) this.#thumbs.get(this.#current)?.tab.focus();
  }

  /** Shows whether an image is open. */
  mark(item: Item, open: boolean): void {
    this.#thumbs.get(item)?.cell.setAttribute("data-state", open ? "open" : "resting");
  }

  #key(event: KeyboardEvent): void {
    const items = [...this.#thumbs.keys()];
    const at = items.findIndex((item) => this.#thumbs.get(item)?.tab === event.target);
    const item = items[at];
    if (!item || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1 }[event.key];
    const next = to === undefined ? undefined : items[(to + items.length) % items.length];
    if (next) this.#listener.select(next);
    else if (event.key === "Delete" || event.key === "Backspace") this.#listener.remove(item);
    else return;
    event.preventDefault();
    this.focus();
  }

  #seen(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      this.#watch.unobserve(target);
      const item = [...this.#thumbs].find(([, { cell }]) => cell === target)?.[0];
      if (item) this.#queue.push(item);
    }
    this.#work();
  }

  #work(): void {
    while (this.#running < AT_ONCE && this.#queue.length) {
      const item = this.#queue.shift();
      if (!item || !this.#thumbs.has(item)) continue;
      this.#running++;
      void this.#picture(item).finally(() => {
        this.#running--;
        this.#work();
      });
    }
  }

  async #picture(item: Item): Promise<void> {
    let lease: Lease;
    try {
      lease = await this.#album.acquire(item, this.#leaving);
    } catch (error) {
      return this.#listener.failed(item, error);
    }
    const frame = this.#thumbs.get(item)?.tab.querySelector(".frame");
    try {
      const url = URL.createObjectURL(await lease.opened.thumbnail(this.#leaving));
      const thumb = this.#thumbs.get(item);
      if (!thumb) return URL.revokeObjectURL(url);
      thumb.url = url;
      frame?.replaceChildren(el("img", { src: url, alt: "" }));
    } catch {
      // It can be opened nevertheless; whatever is wrong is told there.
      frame?.replaceChildren("?");
    } finally {
      lease.release();
    }
  }
}
