import { readFile } from "node:fs/promises";
import start, * as glue from "#glue";
import type { Engine, Wasm } from "./engine.js";

/** In Node: fetch does not know files. */
export async function load(wasm?: Wasm | Promise<Wasm>): Promise<Engine> {
  await start({ module_or_path: wasm ?? (await readFile(new URL("../engine.wasm", import.meta.url))) });
  return glue;
}

/** Everything happens in this thread. */
export function workers(): (() => Worker) | undefined {
  return undefined;
}
