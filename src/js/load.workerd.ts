import module from "../engine.wasm";
import start, * as glue from "#glue";
import type { Engine, Wasm } from "./engine.js";

/** In workerd: a static import is the only way, and gives a module. */
export async function load(wasm?: Wasm | Promise<Wasm>): Promise<Engine> {
  await start({ module_or_path: wasm ?? module });
  return glue;
}

/** Everything happens in this thread. */
export function workers(): (() => Worker) | undefined {
  return undefined;
}
