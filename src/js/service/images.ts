// The images that a Service Worker has open: the last few, each closed once it is forgotten and nobody uses it.

import type { IiifImage } from "../image.js";
import type { Page } from "../page.js";

/** An opened image in use. */
export interface Held {
  readonly image: IiifImage;
  /** Names this opening of it, and no other. */
  readonly name: string;
  release(): void;
}

interface Entry {
  readonly image: Promise<IiifImage>;
  readonly name: string;
  /** Of the file as it was when it was opened. */
  readonly stamp: string;
  users: number;
  forgotten: boolean;
}

const keyOf = (identifier: string, page: Page): string => `${page} ${identifier}`;

export class Images {
  readonly #most: number;
  readonly #entries = new Map<string, Entry>();
  #opened = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** This page of the image that is open under this identifier and is of this version, or one that is opened now. */
  async hold(identifier: string, page: Page, stamp: string, open: () => Promise<IiifImage>): Promise<Held> {
    const key = keyOf(identifier, page);
    let entry = this.#entries.get(key);
    if (entry && entry.stamp !== stamp) {
      this.#drop(key, entry);
      entry = undefined;
    }
    if (!entry) {
      const opening: Entry = { image: open(), name: String(++this.#opened), stamp, users: 0, forgotten: false };
      opening.image.catch(() => this.#drop(key, opening));
      entry = opening;
    }
    // The last of a Map is the one that was used last.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const used = entry;
    used.users++;
    for (const [oldest, entry] of [...this.#entries]) {
      if (this.#entries.size <= this.#most) break;
      this.#drop(oldest, entry);
    }
    const release = (): void => {
      used.users--;
      this.#close(used);
    };
    try {
      return { image: await used.image, name: used.name, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Whether this page of the identifier is open, or being opened. */
  has(identifier: string, page: Page): boolean {
    return this.#entries.has(keyOf(identifier, page));
  }

  /** All its pages. */
  forget(identifier: string): void {
    for (const [key, entry] of [...this.#entries]) if (key.slice(key.indexOf(" ") + 1) === identifier) this.#drop(key, entry);
  }

  clear(): void {
    for (const [key, entry] of [...this.#entries]) this.#drop(key, entry);
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    entry.forgotten = true;
    this.#close(entry);
  }

  #close(entry: Entry): void {
    if (entry.forgotten && entry.users === 0) entry.image.then((image) => image.close()).catch(() => undefined);
  }
}
