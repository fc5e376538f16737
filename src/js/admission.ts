// How many renders may be under way in one engine: its memory is one for all, and to run out of it costs every one of them.

import type { CoreJob, Soon } from "./core.js";
import { MEMORY } from "./settings.js";

/** Bytes that the renders of an engine may take together; it has more, as its heap has gaps. What takes more by itself, if its settings let it, is alone. */
const ROOM = MEMORY * 2 ** 20;

interface Waiting {
  readonly memory: number;
  enter(): void;
}

/** A queue in which nobody overtakes: who needs much is not kept waiting by many who need little. */
export class Admission {
  #held = 0;
  #inside = 0;
  #queue: Waiting[] = [];

  /** Waits for so many bytes, if they are not free. */
  enter(memory: number): Soon<void> {
    if (this.#queue.length || !this.#fits(memory)) return new Promise<void>((enter) => this.#queue.push({ memory, enter }));
    this.#take(memory);
  }

  /** Gives them back. */
  leave(memory: number): void {
    this.#inside--;
    this.#held -= memory;
    for (let next = this.#queue[0]; next && this.#fits(next.memory); next = this.#queue[0]) {
      this.#queue.shift();
      this.#take(next.memory);
      next.enter();
    }
  }

  #fits(memory: number): boolean {
    return !this.#inside || this.#held + memory <= ROOM;
  }

  #take(memory: number): void {
    this.#inside++;
    this.#held += memory;
  }
}

/** A render that was let in, and is out when it is freed. */
export function admitted<T>(admission: Admission, job: CoreJob<T>): Soon<CoreJob<T>> {
  const memory = job.memory ?? 0;
  const inside: CoreJob<T> = {
    step: job.step,
    provide: job.provide,
    memory,
    light: job.light,
    free() {
      job.free();
      admission.leave(memory);
    },
  };
  const entering = admission.enter(memory);
  return entering ? entering.then(() => inside) : inside;
}
