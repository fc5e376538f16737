import { type Engine, type MortalCore, localCore } from "./core.js";
import { engine } from "./engine.js";
import { lost } from "./error.js";
import type { Host, Lane } from "./pool.js";

/** Decodes in this thread. After a trap the next call gets an engine of its own. */
export function thread(begin: () => Promise<Engine> = engine): Host {
  let lane: (Lane & { core: MortalCore }) | undefined;

  function start(): Lane & { core: MortalCore } {
    const core = localCore(begin());
    return {
      core,
      get alive() {
        return core.alive;
      },
    };
  }

  return {
    take: () => (lane = lane?.alive ? lane : start()),
    drop(gone) {
      if (gone !== lane) return;
      lane.core.end(lost());
      lane = undefined;
    },
    close() {
      lane?.core.end(lost());
      lane = undefined;
    },
  };
}
