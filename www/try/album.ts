// The images of the page. A file costs nothing, an opened one memory: each is opened when somebody needs it, and of those that nobody needs any more only the last few stay open.

import type { Opened, Origin } from "./origin.js";

export interface Item {
  readonly origin: Origin;
}

/** An image that stays open until it is released. */
export interface Lease {
  readonly opened: Opened;
  release(): void;
}

interface Entry {
  leases: number;
  /** When it was last needed, counted in needs. */
  needed: number;
  opening: Promise<Opened> | null;
  control: AbortController;
  opened: Opened | null;
}

/** So many stay open, besides those that are in use. */
const KEPT_OPEN = 3;

export class Album {
  readonly #entries = new Map<Item, Entry>();
  readonly #changed: (item: Item, open: boolean) => void;
  #needs = 0;

  /** `changed` hears what is opened and closed. */
  constructor(changed: (item: Item, open: boolean) => void) {
    this.#changed = changed;
  }

  get items(): readonly Item[] {
    return [...this.#entries.keys()];
  }

  add(origin: Origin): Item {
    const item = { origin };
    this.#entries.set(item, { leases: 0, needed: 0, opening: null, control: new AbortController(), opened: null });
    return item;
  }

  /** Closes an image and forgets it; what is being done with it rejects. */
  remove(item: Item): void {
    const entry = this.#entries.get(item);
    this.#entries.delete(item);
    entry?.control.abort();
    entry?.opened?.close();
  }

  /** Opens an image, or takes it as it is open. An opening that nobody waits for any more is given up. */
  async acquire(item: Item, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    const entry = this.#entries.get(item);
    if (!entry) throw new DOMException("The image was removed.", "AbortError");
    entry.leases++;
    entry.needed = ++this.#needs;
    try {
      const opened = await unlessAborted((entry.opening ??= this.#open(item, entry)), signal);
      let held = true;
      const release = (): void => {
        if (!held) return;
        held = false;
        entry.leases--;
        this.#tidy();
      };
      return { opened, release };
    } catch (error) {
      if (--entry.leases === 0 && !entry.opened) {
        entry.control.abort();
        entry.control = new AbortController();
        entry.opening = null;
      }
      throw error;
    }
  }

  async #open(item: Item, entry: Entry): Promise<Opened> {
    const { signal } = entry.control;
    const opened = await item.origin.open(signal);
    if (signal.aborted) {
      opened.close();
      throw signal.reason;
    }
    entry.opened = opened;
    this.#changed(item, true);
    return opened;
  }

  #tidy(): void {
    const idle = [...this.#entries].filter(([, { opened, leases }]) => opened && leases === 0).sort(([, a], [, b]) => b.needed - a.needed);
    for (const [item, entry] of idle.slice(KEPT_OPEN)) {
      entry.opened?.close();
      entry.opened = entry.opening = null;
      this.#changed(item, false);
    }
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
