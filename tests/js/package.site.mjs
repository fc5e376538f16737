// A web server for the tests: folders, and answers that are made up.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html", ".json": "application/json" };

/**
 * Serves `folders` (`{ "/dist/": "/a/path" }`), unless `answer(request, response, url)` answers first and returns true. `headers` come with every file.
 * The port is any free one.
 */
export async function site(folders, { answer = () => false, headers = {} } = {}) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (answer(request, response, url)) return;
    const path = decodeURIComponent(url.pathname);
    const prefix = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    try {
      const inside = normalize(`/${path.slice(prefix.length)}`);
      const bytes = readFileSync(join(folders[prefix], inside.endsWith("/") ? `${inside}index.html` : inside));
      response.writeHead(200, { "content-type": TYPES[extname(path) || ".html"] ?? "application/octet-stream", ...headers }).end(bytes);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}
