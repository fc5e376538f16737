/** The module lies one folder up in the package, where bundlers find it. */
export const packaged = (): URL => new URL("../worker.wasm", import.meta.url);
