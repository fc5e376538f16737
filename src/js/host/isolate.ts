// The one engine that all requests of an isolate share, and how they outlive its traps.
//
// Whatever is thrown out of a call into wasm, unless the core throws it on purpose, means that Rust stopped half-way: a trap, a stack overflow, an import that threw. The
// memory is then in no known state, so nothing may enter that instance again. The next request starts another. What a request has promised never comes true if
// the runtime ends it, so nobody waits for another request's promise: everybody looks by timers of their own.

import { isThrown } from "../error.js";

/** What every build of `src/web/service.rs` has. */
export interface ServiceEngine {
  imagesService(options: object): number;
  begin(service: number, lines: string, now: number): number | undefined;
  beginRefused(service: number, lines: string, now: number, code: string, status: number, message: string): number | undefined;
  step(exchange: number, now: number): string | undefined;
  take(exchange: number, ask: number): Uint8Array | undefined;
  reply(exchange: number, ask: number, text?: string, bytes?: Uint8Array): void;
  refuse(exchange: number, ask: number, code: string, status: number, message: string): void;
  end(exchange: number): void;
}

/** What a build for files has besides. */
export interface FilesEngine extends ServiceEngine {
  bucketService(variables: object, bound: boolean): number;
  filesService(options: object, caches: boolean): number;
}

/** A started engine. */
export interface Started<E extends ServiceEngine = ServiceEngine> {
  readonly engine: E;
  /** Whether its memory could not grow. */
  exhausted?(): boolean;
}

/** A request has broken its instance: `trapped`, or `exhausted` if memory ran out; or another one has: `lost`. */
export class Broken extends Error {
  constructor(readonly how: "trapped" | "exhausted" | "lost", cause?: unknown) {
    super(cause instanceof Error ? cause.message : String(cause ?? how), { cause });
  }
}

/** ms for which a request waits to be begun anew: viewers give a tile up after that. */
const PATIENCE = 30_000;
/** ms until the longest request has its answer. What is older was ended by the runtime. */
const LONGEST = 40_000;
/** ms after which a start counts as given up: the runtime may have ended the request that began it. */
const LEASE = 10_000;

/** An instance of the engine. */
export class Instance<E extends ServiceEngine = ServiceEngine> {
  #broken = false;
  /** Numbers of services, by what they were made for. */
  readonly #services = new WeakMap<object, number>();

  constructor(readonly started: Started<E>) {}

  get alive(): boolean {
    return !this.#broken;
  }

  /** Calls into wasm. */
  call<T>(work: (engine: E) => T): T {
    if (this.#broken) throw new Broken("lost");
    try {
      return work(this.started.engine);
    } catch (thrown) {
      if (isThrown(thrown)) throw thrown;
      this.#broken = true;
      const exhausted = this.started.exhausted?.() ?? false;
      console.error(JSON.stringify({ event: "trap", error: String(thrown).slice(0, 256), exhausted }));
      throw new Broken(exhausted ? "exhausted" : "trapped", thrown);
    }
  }

  /** The number of a service, which is made the first time that it is asked for. */
  service(of: object, make: (engine: E) => number): number {
    const known = this.#services.get(of);
    if (known !== undefined) return known;
    const made = this.call(make);
    this.#services.set(of, made);
    return made;
  }
}

export class Isolate<E extends ServiceEngine = ServiceEngine> {
  readonly #start: () => Promise<Started<E>>;
  #instance: Instance<E> | undefined;
  #starting: { readonly since: number } | undefined;
  #last = 0;
  /** Requests whose answers have not begun, and when they came. */
  readonly #running = new Map<number, number>();
  /** Requests that another one's trap took down and that wait to start again, and since when. */
  readonly #lost = new Map<number, number>();

  constructor(start: () => Promise<Started<E>>) {
    this.#start = start;
  }

  /** The instance, started anew after a trap. */
  async instance(): Promise<Instance<E>> {
    while (!this.#instance?.alive) {
      if (this.#starting !== undefined && Date.now() - this.#starting.since < LEASE) {
        await pause(5);
        continue;
      }
      const own = { since: Date.now() };
      this.#starting = own;
      try {
        const started = await this.#start();
        // Another start has begun meanwhile, perhaps over the same memory: this one is not used.
        if (this.#starting === own) this.#instance = new Instance(started);
      } finally {
        if (this.#starting === own) this.#starting = undefined;
      }
    }
    return this.#instance;
  }

  /** Does a request's work, again if another one's trap took it down. Throws what it throws, and how it was [broken](Broken) at last. */
  async serve<T>(work: (instance: Instance<E>) => Promise<T>): Promise<T> {
    const patience = Date.now() + PATIENCE;
    // Newcomers stay out until those that were taken down are done.
    if (any(this.#lost)) await until(() => !any(this.#lost), patience);
    let outcome = await this.#once(work);
    while (outcome instanceof Broken && outcome.how !== "trapped" && Date.now() < patience) {
      const first = outcome.how;
      const id = ++this.#last;
      this.#lost.set(id, Date.now());
      // One at a time and alone, so that several that trap do not take each other's neighbours down again and again.
      try {
        const alone = await until(() => !any(this.#running) && id === [...this.#lost].find(recent)?.[0], patience);
        if (!alone) break;
        outcome = await this.#once(work);
      } finally {
        this.#lost.delete(id);
      }
      // Not even alone, on empty memory.
      if (first === "exhausted") break;
    }
    if (outcome instanceof Broken) throw outcome;
    return outcome.value;
  }

  async #once<T>(work: (instance: Instance<E>) => Promise<T>): Promise<{ value: T } | Broken> {
    const id = ++this.#last;
    this.#running.set(id, Date.now());
    try {
      return { value: await work(await this.instance()) };
    } catch (thrown) {
      if (thrown instanceof Broken) return thrown;
      throw thrown;
    } finally {
      this.#running.delete(id);
    }
  }
}

/** A timer of this request's own. */
export const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** Whether the runtime can still be at it. */
const recent = ([, since]: [number, number]): boolean => since > Date.now() - LONGEST;
const any = (requests: ReadonlyMap<number, number>): boolean => [...requests].some(recent);

/** Whether it came true in time. */
async function until(happens: () => boolean, deadline: number): Promise<boolean> {
  while (!happens()) {
    if (Date.now() >= deadline) return false;
    await pause(10);
  }
  return true;
}
