// In workerd, where a static import is the only way, and gives a module.

import module from "../worker.wasm";

export const packaged = (): WebAssembly.Module => module;
