import type { Core } from "./core.js";
import { IiifError } from "./error.js";
import { remoteCore } from "./rpc.js";

/** A worker with a core in it. */
export interface Lane {
  readonly core: Core;
  /** Calls that have not returned. */
  readonly pending: number;
  readonly alive: boolean;
}

/** Workers that images share; they are started when they are first needed, and replaced when one is lost. */
export interface Pool {
  /** The lane with the least to do, of those that `prefer` likes if it is idle. */
  take(prefer: (lane: Lane) => boolean): Lane;
  /** Ends a lane after a trap: its memory is in no known state. */
  drop(lane: Lane): void;
  close(): void;
}

export function pool(size: number, createWorker: () => Worker): Pool {
  let lanes: { lane: Lane; worker: Worker }[] = [];

  function start(): Lane {
    const worker = createWorker();
    const core = remoteCore(worker);
    let alive = true;
    const lane: Lane = {
      core,
      get pending() {
        return core.pending;
      },
      get alive() {
        return alive;
      },
    };
    const lose = (message: string): void => {
      alive = false;
      lanes = lanes.filter((each) => each.lane !== lane);
      worker.terminate();
      core.fail(new IiifError("worker-lost", 500, message));
    };
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      lose(`A worker of azulejo could not run: ${event.message || "it could not be loaded (Content-Security-Policy needs worker-src 'self' and script-src 'wasm-unsafe-eval')"}`);
    });
    lanes.push({ lane, worker });
    endings.set(lane, lose);
    return lane;
  }
  const endings = new WeakMap<Lane, (message: string) => void>();

  return {
    take(prefer) {
      const idle = lanes.map(({ lane }) => lane).filter((lane) => lane.pending === 0);
      const known = idle.find(prefer) ?? idle[0];
      if (known) return known;
      if (lanes.length < size) return start();
      return lanes.map(({ lane }) => lane).reduce((least, lane) => (lane.pending < least.pending ? lane : least));
    },
    drop: (lane) => endings.get(lane)?.("A worker of azulejo was ended."),
    close() {
      for (const { lane } of [...lanes]) endings.get(lane)?.("The workers of azulejo were ended.");
    },
  };
}
