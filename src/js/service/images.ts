// The images that a Service Worker has open: the last few, each closed once it is forgotten and nobody uses it.

import type { IiifImage } from "../image.js";

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

export class Images {
  readonly #most: number;
  readonly #entries = new Map<string, Entry>();
  #opened = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The image that is open under this identifier and is of this version, or one that is opened now. */
  async hold(identifier: string, stamp: string, open: () => Promise<IiifImage>): Promise<Held> {
    let entry = this.#entries.get(identifier);
    if (entry && entry.stamp !== stamp) {
      this.forget(identifier);
      entry = undefined;
    }
    if (!entry) {
      const opening: Entry = { image: open(), name: String(++this.#opened), stamp, users: 0, forgotten: false };
      opening.image.catch(() => this.#drop(identifier, opening));
      entry = opening;
    }
    // The last of a Map is the one that was used last.
    this.#entries.delete(identifier);
    this.#entries.set(identifier, entry);
    const used = entry;
    used.users++;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most) break;
      this.forget(oldest);
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

  /** Whether one of this identifier is open, or being opened. */
  has(identifier: string): boolean {
    return this.#entries.has(identifier);
  }

  forget(identifier: string): void {
    const entry = this.#entries.get(identifier);
    if (entry) this.#drop(identifier, entry);
  }

  clear(): void {
    for (const identifier of [...this.#entries.keys()]) this.forget(identifier);
  }

  #drop(identifier: string, entry: Entry): void {
    if (this.#entries.get(identifier) === entry) this.#entries.delete(identifier);
    entry.forgotten = true;
    this.#close(entry);
  }

  #close(entry: Entry): void {
    if (entry.forgotten && entry.users === 0) entry.image.then((image) => image.close()).catch(() => undefined);
  }
}
