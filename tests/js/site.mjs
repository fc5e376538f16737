// A site for tests in browsers: the built package, the samples, and whatever a test adds.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { at } from "../../pkg/lib.mjs";

const FOLDERS = { dist: "pkg/dist", samples: "www/samples", fixtures: "tests/fixtures", modules: "node_modules", out: "tests/out" };
const TYPES = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".html": "text/html",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".jpg": "image/jpeg",
  ".png": "image/png",
  ".tif": "image/tiff",
};
export const PAGE = '<!doctype html><title>azulejo</title><link rel="icon" href="data:,">';

/**
 * Starts it. `routes` are texts or bytes by path, or functions of the request's URL that give them; a key that ends with a slash is for all below.
 * `?csp=` is sent as the content security policy; Range is answered; `hits` is what was asked for.
 */
export async function site(routes = {}) {
  const hits = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    hits.push(url.pathname);
    const csp = url.searchParams.get("csp") ?? state.csp;
    const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "content-range, etag", "cache-control": "no-store", ...(csp && { "content-security-policy": csp }) };
    const found = await find(url, routes);
    if (found === undefined) return response.writeHead(404, headers).end();
    const type = TYPES[extname(url.pathname)] ?? (url.pathname.endsWith("/") ? "text/html" : "application/octet-stream");
    const body = Buffer.from(found);
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (start === undefined) return response.writeHead(200, { ...headers, "content-type": type, "content-length": body.length }).end(request.method === "HEAD" ? undefined : body);
    const part = body.subarray(Number(start), Number(end) + 1);
    response.writeHead(206, { ...headers, "content-type": type, "content-length": part.length, "content-range": `bytes ${start}-${Number(start) + part.length - 1}/${body.length}` }).end(part);
  });
  const state = {
    hits,
    routes,
    /** A policy for all answers. */
    csp: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return Object.assign(state, { origin: `http://127.0.0.1:${server.address().port}`, port: server.address().port });
}

async function find(url, routes) {
  const { pathname } = url;
  const key = Object.keys(routes).find((key) => key === pathname || (key.endsWith("/") && key !== "/" && pathname.startsWith(key)));
  if (key !== undefined) return typeof routes[key] === "function" ? routes[key](url) : routes[key];
  const [, folder, ...name] = pathname.split("/").map(decodeURIComponent);
  if (!FOLDERS[folder] || name.includes("..")) return undefined;
  try {
    return readFileSync(at(FOLDERS[folder], ...name));
  } catch {
    return undefined;
  }
}
