// In Node, where fetch does not know files.

import { readFile } from "node:fs/promises";

export const read = (url: URL): Promise<Response | BufferSource> => (url.protocol === "file:" ? readFile(url) : fetch(url));
