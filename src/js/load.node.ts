// In Node, where fetch does not know files.

import { readFile } from "node:fs/promises";

export const packaged = (): URL => new URL("../engine.wasm", import.meta.url);

export const packagedExtra = (): URL => new URL("../extra.wasm", import.meta.url);

export const read = (url: URL): Promise<Response | BufferSource> => (url.protocol === "file:" ? readFile(url) : fetch(url));

/** Everything happens in this thread. */
export const workers = (): (() => Worker) | undefined => undefined;
