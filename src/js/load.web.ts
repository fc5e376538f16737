import start, * as glue from "#glue";
import type { Engine, Wasm } from "./engine.js";

/** In pages and workers: the module lies one folder up in the package, where bundlers find it. */
export async function load(wasm?: Wasm | Promise<Wasm>): Promise<Engine> {
  await start({ module_or_path: wasm ?? new URL("../engine.wasm", import.meta.url) });
  return glue;
}

/** How to start a worker, where that can be done: not within a Service Worker, nor where there is no origin to load it from. */
export function workers(): (() => Worker) | undefined {
  if (typeof Worker === "undefined") return undefined;
  return () => new Worker(new URL("./pool-worker.js", import.meta.url), { type: "module", name: "azulejo" });
}
