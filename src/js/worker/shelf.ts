// Where the MCUs of JPEG files lie, once that has been learnt: in the Cache API, and beside the file if its source has room for it. They are read
// before the first answer out of a file of which nothing is known, written behind answers, and what they hold is checked by the core.

import type { CoreImage } from "../core.js";
import type { IndexRoom, VersionedSource } from "../r2.js";
import { hash } from "../server/hash.js";
import type { Source } from "../sources.js";
import { find, store } from "./cache.js";

/** A version of a file, and where its index is kept. */
export class Shelf {
  readonly #url: string;
  readonly #etag: string;
  readonly #room: IndexRoom | undefined;

  constructor(source: Source, etag: string) {
    this.#url = `https://azulejo.invalid/${hash(["index", source.key, etag])}`;
    this.#etag = etag;
    this.#room = (source as Partial<VersionedSource>).index;
  }

  /** Gives an image of which nothing is known yet what is known elsewhere. */
  async fetch({ index }: CoreImage): Promise<void> {
    if (!index?.wanted) return;
    const cached = await find(this.#url);
    if (cached && index.take(cached)) return;
    const stored = await this.#room?.read(this.#etag).catch(() => undefined);
    if (stored) index.take(stored);
  }

  /** Keeps what has been learnt. */
  async keep(bytes: Uint8Array): Promise<void> {
    await store(this.#url, bytes, "application/octet-stream");
    // It is made anew another time if this fails.
    await this.#room?.write(this.#etag, bytes).catch(() => undefined);
  }
}
