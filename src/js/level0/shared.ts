/** What several ask for is made once, and kept while it is used and there is room; what nobody waits for any more is aborted. */
export class Shared<T> {
  readonly #most: number;
  readonly #weigh: (value: T) => number;
  readonly #kept = new Map<string, T>();
  readonly #made = new Map<string, { promise: Promise<T>; waiting: number; control: AbortController }>();
  #weight = 0;

  constructor(most: number, weigh: (value: T) => number) {
    this.#most = most;
    this.#weigh = weigh;
  }

  async get(key: string, make: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const known = this.#kept.get(key);
    if (known !== undefined) {
      // The last in a Map is the one that was used last.
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known;
    }
    const entry = this.#made.get(key) ?? this.#start(key, make);
    entry.waiting++;
    try {
      return await (signal ? unlessAborted(entry.promise, signal) : entry.promise);
    } finally {
      if (--entry.waiting === 0 && this.#made.get(key) === entry) {
        this.#made.delete(key);
        entry.control.abort();
      }
    }
  }

  forget(key: string): void {
    const value = this.#kept.get(key);
    if (value === undefined) return;
    this.#kept.delete(key);
    this.#weight -= this.#weigh(value);
  }

  #start(key: string, make: (signal: AbortSignal) => Promise<T>) {
    const control = new AbortController();
    const promise = make(control.signal);
    const entry = { promise, waiting: 0, control };
    this.#made.set(key, entry);
    promise.then(
      (value) => {
        if (this.#made.get(key) === entry) this.#made.delete(key);
        this.#keep(key, value);
      },
      () => {
        if (this.#made.get(key) === entry) this.#made.delete(key);
      },
    );
    return entry;
  }

  #keep(key: string, value: T): void {
    if (this.#kept.has(key)) return;
    this.#kept.set(key, value);
    this.#weight += this.#weigh(value);
    for (const [oldest, dropped] of this.#kept) {
      // One larger than all the room is kept alone.
      if (this.#weight <= this.#most || this.#kept.size === 1) break;
      this.#kept.delete(oldest);
      this.#weight -= this.#weigh(dropped);
    }
  }
}

/** The same, but it rejects as soon as the signal is aborted. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort!);
  }
}

/** Lets so many run at once; the others wait their turn, or leave when they are aborted. */
export function slots(most: () => number): <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work, signal) => {
    while (running >= most()) await turn(waiting, signal);
    running++;
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}

async function turn(waiting: (() => void)[], signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  let go: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => waiting.push((go = resolve)));
  try {
    await (signal ? unlessAborted(gone, signal) : gone);
  } catch (error) {
    const at = waiting.indexOf(go);
    if (at >= 0) waiting.splice(at, 1);
    // Its turn came with the abort: it is the next one's.
    else waiting.shift()?.();
    throw error;
  }
}
