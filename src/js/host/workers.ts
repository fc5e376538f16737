// Where the service runs for files: in one module with all codecs, over one memory.
//
// After a trap the same WebAssembly.Memory is zeroed and used by a new instance, because a fresh one per trap would leak the old one until the isolate dies.

import { create } from "#worker";
import { packaged } from "#worker-module";
import { once, started } from "../wasm.js";
import { Isolate } from "./isolate.js";

const FILE = "worker.wasm";
const module = once(packaged, FILE);
let memory: WebAssembly.Memory | undefined;

/** The isolate that all services of files share. */
export const isolate = new Isolate(async () => {
  const compiled = await module();
  if (memory) new Uint8Array(memory.buffer).fill(0);
  const glue = create();
  const exports = await started(glue.default({ module_or_path: compiled, ...(memory && { memory }) }), FILE);
  memory = exports.memory;
  return { engine: glue, exhausted: () => glue.exhausted() };
});
