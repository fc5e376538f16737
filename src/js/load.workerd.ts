// In workerd, where a static import is the only way, and gives a module.

import module from "../engine.wasm";
import extra from "../extra.wasm";

export const packaged = (): WebAssembly.Module => module;

export const packagedExtra = (): WebAssembly.Module => extra;

/** Everything happens in this thread. */
export const workers = (): (() => Worker) | undefined => undefined;
