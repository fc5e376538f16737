// On a page: its workers decode for its Service Worker, which can have none of its own.

import { workers } from "#load";
import { chosenModules } from "../engine.js";
import { IiifError } from "../error.js";
import type { WorkerOptions } from "../image.js";
import { workerAt } from "../pool.js";
import { type Message, said } from "./scope.js";

/** A page that decodes for its Service Worker. */
export interface Connection {
  /** Ends the workers; the Service Worker decodes within itself, or has another page do it. */
  close(): void;
}

export interface RegisterOptions extends WorkerOptions {
  /** Of the Service Worker's script. Default `module`; `service-worker.classic.js` is for those that are none. */
  type?: "module" | "classic";
  /** Default: the folder of the script. */
  scope?: string;
  signal?: AbortSignal;
}

const MOST_WORKERS = 4;

/** Registers a Service Worker, waits until it answers for this page, and lends it the page's workers. */
export async function register(script: string | URL, options: RegisterOptions = {}): Promise<Connection> {
  const { type = "module", scope, signal } = options;
  const container = globalThis.navigator?.serviceWorker;
  if (!container) throw new IiifError("service-worker", 501, "This browser has no Service Workers here: they need https, or localhost.");
  let registration: ServiceWorkerRegistration;
  try {
    registration = await container.register(script, { type, ...(scope !== undefined && { scope }) });
  } catch (cause) {
    throw new IiifError("service-worker", 500, `The Service Worker ${script} could not be registered: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const own = await container.getRegistration();
  if (own !== registration) {
    const why = own ? `another Service Worker answers for this page, with the scope ${own.scope}` : "it answers only for pages below its scope";
    throw new IiifError("service-worker", 500, `The Service Worker ${script} with the scope ${registration.scope} cannot answer for ${location.href}: ${why}.`);
  }
  const connection = connect(options);
  try {
    const active = await activated(registration, signal);
    // Also a page that was reloaded without Service Workers (shift) can be taken over again.
    while (container.controller !== active && active.state === "activated") {
      const changed = once(container, "controllerchange", signal);
      active.postMessage({ azulejo: "claim" } satisfies Message);
      await changed;
    }
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

async function activated(registration: ServiceWorkerRegistration, signal?: AbortSignal): Promise<ServiceWorker> {
  for (;;) {
    // An update that is under way is waited for, lest the page is handed over at once.
    const worker = registration.installing ?? registration.waiting ?? registration.active;
    if (worker?.state === "activated") return worker;
    if (!worker || worker.state === "redundant") {
      if (registration.active?.state === "activated") return registration.active;
      throw new IiifError("service-worker", 500, "The Service Worker could not be installed: its script failed, or was replaced meanwhile.");
    }
    await once(worker, "statechange", signal);
  }
}

function once(target: EventTarget, type: string, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const done = (): void => {
      target.removeEventListener(type, done);
      signal?.removeEventListener("abort", done);
      if (signal?.aborted) reject(signal.reason as Error);
      else resolve();
    };
    target.addEventListener(type, done);
    signal?.addEventListener("abort", done);
  });
}

/** Lends the workers of this page to the Service Worker that answers for it, now and whenever it begins anew. For pages whose Service Worker is registered elsewhere. */
export function connect(options: WorkerOptions = {}): Connection {
  const container = globalThis.navigator?.serviceWorker;
  if (!container) return { close: () => undefined };
  const { threads, createWorker, workerUrl } = options;
  const create = createWorker ?? (workerUrl === undefined ? workers() : () => workerAt(new URL(workerUrl, location.href)));
  const count = threads === false ? 0 : (threads ?? Math.min(MOST_WORKERS, Math.max(1, navigator.hardwareConcurrency - 1)));
  if (!create || !count) return { close: () => undefined };

  let lent: { to: ServiceWorker; workers: Worker[] } | undefined;
  const say = (to: ServiceWorker | null, azulejo: Message["azulejo"], ports: MessagePort[] = []): void => to?.postMessage({ azulejo } satisfies Message, ports);
  const end = (): void => {
    for (const worker of lent?.workers ?? []) worker.terminate();
    lent = undefined;
  };

  function lend(to: ServiceWorker): void {
    // One that asks again has begun anew, and knows nothing of what these hold.
    end();
    const workers: Worker[] = [];
    const ports: MessagePort[] = [];
    lent = { to, workers };
    const unfit = (): void => {
      if (lent?.workers !== workers) return;
      end();
      say(to, "unfit");
    };
    try {
      for (let n = 0; n < count; n++) {
        const worker = create!();
        workers.push(worker);
        worker.addEventListener("error", (event) => {
          event.preventDefault();
          unfit();
        });
        // Two engines: tiles of stitched images are decoded while an answer is made of them.
        for (const { port1, port2 } of [new MessageChannel(), new MessageChannel()]) {
          worker.postMessage({ id: 0, ask: { ask: "lend", modules: chosenModules() } }, [port1]);
          ports.push(port2);
        }
      }
      say(to, "lent", ports);
    } catch {
      unfit();
    }
  }

  const hello = (): void => say(container.controller, "here");
  const bye = (): void => {
    say(lent?.to ?? container.controller, "gone");
    end();
  };
  const hear = ({ data, source }: MessageEvent): void => {
    if (!(source instanceof ServiceWorker)) return;
    const word = said(data);
    if (word === "who") say(source, "here");
    else if (word === "lend") lend(source);
    else if (word === "end" && lent?.to === source) end();
  };
  container.addEventListener("message", hear);
  container.addEventListener("controllerchange", hello);
  // A page that is kept for the way back, or frozen in the background, does not answer.
  addEventListener("pagehide", bye);
  addEventListener("pageshow", hello);
  document.addEventListener("freeze", bye);
  document.addEventListener("resume", hello);
  container.startMessages();
  hello();
  return {
    close() {
      container.removeEventListener("message", hear);
      container.removeEventListener("controllerchange", hello);
      removeEventListener("pagehide", bye);
      removeEventListener("pageshow", hello);
      document.removeEventListener("freeze", bye);
      document.removeEventListener("resume", hello);
      bye();
    },
  };
}
