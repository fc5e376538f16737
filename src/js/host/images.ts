// Where the service runs for images that are opened elsewhere: in a small module of its own, which decodes nothing.

import { create } from "#service";
import { packaged } from "#service-module";
import { type Wasm, once, started } from "../wasm.js";
import { Isolate } from "./isolate.js";

const FILE = "service.wasm";

/** An isolate over the service, whose module is loaded from there by the first request. */
export function imagesIsolate(from: () => Wasm = packaged): Isolate {
  const module = once(from, FILE);
  return new Isolate(async () => {
    const glue = create();
    await started(glue.default({ module_or_path: await module() }), FILE);
    return { engine: glue };
  });
}

let shared: Isolate | undefined;

/** The isolate that all servers of this thread share. */
export const isolate = (): Isolate => (shared ??= imagesIsolate());
