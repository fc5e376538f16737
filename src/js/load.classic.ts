// In a Service Worker that is no module, where a script does not know its own address.

/** The module lies next to the page's script of the Service Worker. */
export const packaged = (): URL => new URL("engine.wasm", globalThis.location.href);

export const packagedExtra = (): URL => new URL("extra.wasm", globalThis.location.href);

/** Service Workers start none. */
export const workers = (): (() => Worker) | undefined => undefined;
