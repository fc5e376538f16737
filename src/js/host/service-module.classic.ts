/** In a Service Worker that is no module, the module lies beside its script. */
export const packaged = (): URL => new URL("service.wasm", globalThis.location.href);
