import type { CoreImage, MortalCore } from "../core.js";
import { drive } from "../drive.js";
import type { Settings } from "../image.js";
import type { Page } from "../page.js";
import type { FileVersion } from "../r2.js";
import type { Source } from "../sources.js";
import { isolateCore } from "./engines.js";

/** Bytes that are kept, at most: what was read to open the images, and what was learnt of them. */
const KEPT = 4 << 20;
/** What is learnt takes so many times the bytes that it is told in. */
const UNPACKED = 3;

/** An opened image, in use by this many requests. It holds nothing of the request that opened it. */
interface Opened {
  readonly key: string;
  /** Key and version; undefined if there is no telling versions apart. */
  readonly name: string | undefined;
  readonly core: MortalCore;
  readonly image: CoreImage;
  weight: number;
  users: number;
  kept: boolean;
}

/** A use of an opened image, to be ended. */
export interface Use {
  readonly image: CoreImage;
  /** Whether its engine still is. */
  readonly alive: boolean;
  /** What has been learnt of it, if that is much more than before. */
  learnt(): Uint8Array | undefined;
  end(): void;
}

/** The images that were opened lately, by key and version; values, never promises of another request's reads. */
export class Images {
  /** Least recently used first. */
  #kept: Opened[] = [];

  /** Whether any version of it is kept. */
  has({ key }: Source, page: Page): boolean {
    const name = JSON.stringify([key, page]);
    return this.#kept.some((opened) => opened.key === name);
  }

  /** The image, opened now if it is not kept or is wanted anew. Without an etag none is kept. */
  async use(source: Source, page: Page, version: FileVersion, settings: Settings, anew: boolean, signal: AbortSignal | undefined): Promise<Use> {
    const core = await isolateCore();
    for (const gone of this.#kept.filter((opened) => opened.core !== core)) this.#drop(gone);
    const name = version.etag === undefined ? undefined : JSON.stringify([source.key, page, version.etag, version.size]);
    const known = anew || name === undefined ? undefined : this.#kept.find((opened) => opened.name === name);
    if (known) {
      this.#kept = [...this.#kept.filter((opened) => opened !== known), known];
      return this.#lend(known);
    }
    let weight = 0;
    const counting: Source = {
      key: source.key,
      async read(offset, length, options) {
        weight += length;
        return source.read(offset, length, options);
      },
    };
    const { size, etag } = version;
    const image = await drive(await core.open(size, settings, page), counting, { size, ...(etag !== undefined && { etag }) }, signal);
    const opened: Opened = { key: JSON.stringify([source.key, page]), name, core, image, weight, users: 0, kept: name !== undefined };
    // Lent first: what is too heavy to be kept is freed only after this use.
    const use = this.#lend(opened);
    if (opened.kept) this.#keep(opened);
    return use;
  }

  #keep(opened: Opened): void {
    // In place of older versions, and of what another request has opened meanwhile.
    for (const same of this.#kept.filter(({ key }) => key === opened.key)) this.#drop(same);
    this.#kept.push(opened);
    this.#trim();
  }

  #trim(): void {
    let weight = this.#kept.reduce((sum, each) => sum + each.weight, 0);
    for (const oldest of [...this.#kept]) {
      if (weight <= KEPT) break;
      weight -= oldest.weight;
      this.#drop(oldest);
    }
  }

  #drop(opened: Opened): void {
    this.#kept = this.#kept.filter((each) => each !== opened);
    opened.kept = false;
    if (!opened.users) opened.image.free();
  }

  #lend(opened: Opened): Use {
    opened.users++;
    let ended = false;
    return {
      image: opened.image,
      get alive() {
        return opened.core.alive;
      },
      learnt: () => {
        const bytes = opened.image.index?.grown();
        if (bytes) {
          opened.weight += bytes.length * UNPACKED;
          this.#trim();
        }
        return bytes;
      },
      end() {
        if (ended) return;
        ended = true;
        if (!--opened.users && !opened.kept) opened.image.free();
      },
    };
  }
}
