import type { Core } from "./core.js";
import type { Modules } from "./engine.js";
import { IiifError, lost } from "./error.js";
import { type RemoteCore, remoteCore } from "./rpc.js";

/** One core, in this thread or in a worker, that runs one call at a time. */
export interface Lane {
  readonly core: Core;
  readonly alive: boolean;
}

/** Where images are decoded. */
export interface Host {
  /** The lane with the least to do, of those that `prefer` likes if it is idle. */
  take(prefer: (lane: Lane) => boolean): Lane;
  /** Ends a lane after a trap: its memory is in no known state. */
  drop(lane: Lane): void;
  close(): void;
}

export interface PoolOptions {
  /** How many workers there are at most. */
  size: number;
  createWorker(): Worker;
  /** The modules for them, unless they load those themselves. */
  modules(): Modules | undefined;
  /** Where images are decoded if no worker can be started. */
  instead?: Host;
}

interface Crew extends Lane {
  readonly core: RemoteCore;
  readonly worker: Worker;
}

/** Workers that images share; they are started when they are first needed, and replaced when one is lost. */
export function pool({ size, createWorker, modules, instead }: PoolOptions): Host {
  let crew: Crew[] = [];
  /** Whether one of them has ever run. */
  let proven = false;
  let fallen = false;

  function start(): Crew {
    const worker = createWorker();
    const core = remoteCore(worker, modules());
    const lane: Crew = {
      core,
      worker,
      get alive() {
        return core.alive;
      },
    };
    // Also fired for a script that is not there, and if a policy forbids it.
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      proven ||= core.heard;
      if (proven) end(lane, new IiifError("worker-lost", 500, `A worker ended unexpectedly: ${event.message || "no reason is known"}. Try again.`));
      else if (instead) fall(event.message);
      else end(lane, unstartable(event.message));
    });
    crew.push(lane);
    return lane;
  }

  function end(lane: Crew, error: IiifError): void {
    crew = crew.filter((each) => each !== lane);
    lane.worker.terminate();
    lane.core.end(error);
  }

  function fall(reason: string): void {
    if (!fallen) console.warn(`azulejo decodes in this thread: ${unstartable(reason).message} createWorker or workerUrl can name another.`);
    fallen = true;
    for (const lane of crew) end(lane, lost());
  }

  return {
    take(prefer) {
      if (fallen && instead) return instead.take(prefer);
      const idle = crew.filter(({ core }) => core.pending === 0);
      const known = idle.find(prefer) ?? idle[0];
      if (known) return known;
      if (crew.length >= size) return crew.reduce((least, lane) => (lane.core.pending < least.core.pending ? lane : least));
      try {
        return start();
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        if (!instead) throw unstartable(reason, cause);
        fall(reason);
        return instead.take(prefer);
      }
    },
    drop(lane) {
      const found = crew.find((each) => each === lane);
      if (found) end(found, lost());
      else instead?.drop(lane);
    },
    close() {
      for (const lane of crew) end(lane, lost());
      fallen = false;
    },
  };
}

function unstartable(reason: string, cause?: unknown): IiifError {
  const why = reason || "its script could not be loaded, or the page's Content-Security-Policy lacks it in worker-src";
  return new IiifError("worker", 500, `The worker could not be started: ${why}.`, { cause });
}

/** A worker from a script that may be another site's: such a one cannot be started, but imported by one of ours. */
export function workerAt(url: URL): Worker {
  const options = { type: "module", name: "azulejo" } as const;
  if (url.origin === globalThis.origin || url.protocol === "blob:" || url.protocol === "data:") return new Worker(url, options);
  const script = URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" }));
  const worker = new Worker(script, options);
  // Once the worker says or suffers something it has been read.
  const revoke = (): void => URL.revokeObjectURL(script);
  worker.addEventListener("message", revoke, { once: true });
  worker.addEventListener("error", revoke, { once: true });
  return worker;
}
