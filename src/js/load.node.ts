// In Node.

export const packaged = (): URL => new URL("../engine.wasm", import.meta.url);

export const packagedExtra = (): URL => new URL("../extra.wasm", import.meta.url);

/** Everything happens in this thread. */
export const workers = (): (() => Worker) | undefined => undefined;
