// A plain host of static files: no ranges, no html handling, nothing clever.

import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".jpg": "image/jpeg",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".tif": "image/tiff",
  ".wasm": "application/wasm",
  ".webp": "image/webp",
};

/**
 * Serves the files in `folder` under `prefix`, to pages of other sites too if `cors`. `edit(path, bytes)` may change what is sent, or hold it; `asked` grows with every path and its status.
 */
export async function host(folder, { prefix = "/", cors = false, edit = (_, bytes) => bytes } = {}) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const file = normalize(join(folder, path.slice(prefix.length)));
    const found = path.startsWith(prefix) && (file + sep).startsWith(normalize(folder + sep)) && existsSync(file) && statSync(file).isFile();
    asked.push({ path, status: found ? 200 : 404 });
    const headers = { "cache-control": "no-store", ...(cors && { "access-control-allow-origin": "*" }) };
    if (!found) return response.writeHead(404, headers).end();
    response.writeHead(200, { ...headers, "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(await edit(path, readFileSync(file)));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () =>
    new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections();
    });
  return { url: `http://localhost:${server.address().port}${prefix}`, asked, close };
}
