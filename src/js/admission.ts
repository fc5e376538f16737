// How many renders may be under way in one engine: its memory is one for all, and to run out of it costs every one of them.

import type { CoreJob } from "./core.js";
import { IiifError, lost } from "./error.js";
import type { Settings } from "./image.js";

/** Bytes that renders may take if the settings do not say; an engine can have more, as its heap has gaps. */
export const MEMORY = 56 << 20;

/** The memory is divided into so many shares; a render takes as many as it needs, doubled until it is enough. */
const SHARES = 16;

interface Waiting {
  readonly shares: number;
  enter(): void;
}

/** A queue in which nobody overtakes: who needs much is not kept waiting by many who need little. */
export class Admission {
  #free = SHARES;
  #queue: Waiting[] = [];

  /** Waits for so many shares; what is returned gives them back. */
  async enter(shares: number): Promise<() => void> {
    if (this.#queue.length || shares > this.#free) await new Promise<void>((enter) => this.#queue.push({ shares, enter }));
    else this.#free -= shares;
    return () => {
      this.#free += shares;
      for (let next = this.#queue[0]; next && next.shares <= this.#free; next = this.#queue[0]) {
        this.#free -= next.shares;
        this.#queue.shift();
        next.enter();
      }
    };
  }
}

/** A render that was let in: begun within the least share of the memory that is enough, and out when it is freed. */
export async function admitted<T>(admission: Admission, settings: Settings, begin: (settings: Settings) => CoreJob<T>): Promise<CoreJob<T>> {
  const memory = settings.memory ?? MEMORY;
  let shares = 1;
  let freed = false;
  let held: { job: CoreJob<T>; leave(): void } | undefined;

  /** Whether a larger share may help. */
  const grow = (error: unknown): boolean => {
    const helps = error instanceof IiifError && error.code === "source-too-costly" && shares < SHARES;
    if (helps) shares *= 2;
    return helps;
  };
  const end = (): void => {
    held?.job.free();
    held?.leave();
    held = undefined;
  };
  async function start(): Promise<CoreJob<T>> {
    for (;;) {
      try {
        const job = begin({ ...settings, memory: Math.floor((memory * shares) / SHARES) });
        held = { job, leave: await admission.enter(shares) };
        if (!freed) return job;
        end();
        throw lost();
      } catch (error) {
        if (!grow(error)) throw error;
      }
    }
  }

  let job = await start();
  return {
    async step() {
      for (;;) {
        try {
          return await job.step();
        } catch (error) {
          // Only the table of chunks tells how large they are.
          if (freed || !grow(error)) throw error;
          end();
          job = await start();
        }
      }
    },
    provide: (offset, bytes) => job.provide(offset, bytes),
    free() {
      freed = true;
      end();
    },
  };
}
