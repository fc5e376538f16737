// The package in a page and in a dedicated worker of a real browser: the same bytes as native; and what a page hears that forbids WebAssembly.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { after, before, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { launch } from "../browser/browser.mjs";
import { site } from "./package.site.mjs";

const ROWS = 200;
const all = readFileSync(at("tests/golden/digests.tsv"), "utf8").trimEnd().split("\n").slice(1).map((line) => line.split("\t"));
const step = Math.floor(all.length / ROWS);
const rows = all.filter((_, index) => index % step === 0).slice(0, ROWS);

const FOLDERS = { dist: "pkg/dist", fixtures: "tests/fixtures", samples: "www/samples" };
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };
const SCRIPT = `
import { open } from "./dist/web/index.js";
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export async function digests(rows, options) {
  const images = new Map();
  const found = [];
  for (const [name, request] of rows) {
    if (!images.has(name)) {
      let response = await fetch("/fixtures/" + name);
      if (!response.ok) response = await fetch("/samples/" + name);
      images.set(name, await open(await response.blob(), options));
    }
    const { bytes } = await images.get(name).render(request);
    found.push(hex(await crypto.subtle.digest("SHA-256", bytes)));
  }
  for (const image of images.values()) image.close();
  return found;
}
export async function refused(url = "/samples/rocket.jpg", options = { threads: false }) {
  try {
    const { width, height } = await open(url, options);
    return width + " x " + height;
  } catch (error) {
    return error.name + " " + error.code + ": " + error.message;
  }
}
export { open };
`;

/** Another site: what it lets the page read of a file. */
const SHARED = {
  "/refused.jpg": () => null,
  "/open.jpg": () => ({ "access-control-allow-origin": "*", "access-control-expose-headers": "content-range, etag" }),
  "/hidden.jpg": () => ({ "access-control-allow-origin": "*" }),
  "/mute.jpg": ({ method }) => ({ "access-control-allow-origin": method === "HEAD" ? "null" : "*" }),
};

let server;
let other;
let origin;
let browser;
before(async () => {
  server = createServer((request, response) => {
    const { pathname: path, searchParams } = new URL(request.url, "http://localhost");
    // Everything in this folder has the policy, also the worker's script.
    const strict = path.startsWith("/strict/");
    const pathname = strict ? path.slice("/strict".length) : path;
    const csp = strict ? "default-src 'self'" : searchParams.get("csp");
    const head = (type) => response.writeHead(200, { "content-type": type, ...(csp && { "content-security-policy": csp }) });
    if (pathname === "/") return head("text/html").end("<!doctype html><title>azulejo</title>");
    if (pathname === "/test.js") return head("text/javascript").end(SCRIPT);
    if (pathname === "/worker.js") return head("text/javascript").end('import { digests } from "/test.js"; onmessage = async ({ data }) => postMessage(await digests(data));');
    const [, folder, ...name] = pathname.split("/");
    try {
      const bytes = readFileSync(at(FOLDERS[folder] ?? "none", ...name.map(decodeURIComponent)));
      head(TYPES[extname(pathname)] ?? "application/octet-stream").end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${server.address().port}`;
  const rocket = readFileSync(at("www", "samples", "rocket.jpg"));
  other = await site({}, {
    answer(request, response, { pathname }) {
      const { range } = request.headers;
      const [, start, end] = /bytes=(\d+)-(\d+)/.exec(range ?? "") ?? [0, 0, rocket.length - 1];
      const part = rocket.subarray(Number(start), Number(end) + 1);
      const headers = { "content-length": part.length, ...(range && { "content-range": `bytes ${start}-${Number(start) + part.length - 1}/${rocket.length}` }), ...SHARED[pathname](request) };
      response.writeHead(range ? 206 : 200, headers).end(request.method === "HEAD" ? undefined : part);
      return true;
    },
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await other?.close();
  server.close();
});

const expected = rows.map(([, , , , digest]) => digest);

test("a page gives the native bytes", async () => {
  const page = await browser.newPage();
  await page.goto(origin);
  const inWorkers = await page.evaluate(async (rows) => (await import("/test.js")).digests(rows), rows);
  assert.deepEqual(inWorkers, expected);
  const inThePage = await page.evaluate(async (rows) => (await import("/test.js")).digests(rows, { threads: false }), rows);
  assert.deepEqual(inThePage, expected);
  await page.close();
});

test("many tiles at once, a bitmap, an abort, and an image that is closed", async () => {
  const page = await browser.newPage();
  await page.goto(origin);
  const found = await page.evaluate(async () => {
    const { open } = await import("/test.js");
    const image = await open("/samples/retina-pyramid.tif");
    const tiles = [];
    for (let y = 0; y < 1408; y += 128) for (let x = 0; x < 1408; x += 128) tiles.push(image.render(`${x},${y},128,128/max/0/default.jpg`));
    const sizes = new Set((await Promise.all(tiles)).map(({ width, height }) => `${width}x${height}`));
    const bitmap = await image.bitmap("full/!200,200/0/default.png");
    const control = new AbortController();
    const aborted = image.render("full/max/0/default.png", { signal: control.signal }).catch((error) => error.name);
    control.abort();
    const result = { tiles: tiles.length, sizes: [...sizes], bitmap: [bitmap.width, bitmap.height], aborted: await aborted };
    image.close();
    return { ...result, closed: await image.render("full/max/0/default.jpg").catch((error) => error.code) };
  });
  assert.deepEqual(found, { tiles: 121, sizes: ["128x128"], bitmap: [200, 200], aborted: "AbortError", closed: "closed" });
  await page.close();
});

test("a dedicated worker gives the native bytes", async () => {
  const page = await browser.newPage();
  await page.goto(origin);
  const found = await page.evaluate(
    (rows) =>
      new Promise((resolve, reject) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(rows);
      }),
    rows,
  );
  assert.deepEqual(found, expected);
  await page.close();
});

test("a policy that allows wasm is enough, one that does not is named", async () => {
  const page = await browser.newPage();
  const answer = async (csp) => {
    await page.goto(`${origin}/?csp=${encodeURIComponent(csp)}`);
    return page.evaluate(async () => (await import("/test.js")).refused());
  };
  assert.equal(await answer("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"), "640 x 427");
  assert.match(await answer("default-src 'self'; script-src 'self'"), /^IiifError engine-forbidden: .*'wasm-unsafe-eval'/);
  // The workers have the policy of their script.
  await page.goto(`${origin}/strict/`);
  assert.match(await page.evaluate(async () => (await import("/strict/test.js")).refused("/samples/rocket.jpg", {})), /^IiifError engine-forbidden: .*'wasm-unsafe-eval'/);
  await page.close();
});

test("another site that does not share a file is named as that; what it need not share is done without", async () => {
  const page = await browser.newPage();
  await page.goto(origin);
  const answer = (path) => page.evaluate(async (url) => (await import("/test.js")).refused(url, {}), `${other.origin}${path}`);
  assert.equal(await answer("/refused.jpg"), `IiifError source-unreachable: ${other.origin}/refused.jpg could not be fetched. The server may be out of reach, or does not allow this site to read it (CORS: Access-Control-Allow-Origin).`);
  assert.equal(await answer("/open.jpg"), "640 x 427");
  assert.equal(await answer("/hidden.jpg"), "640 x 427");
  assert.match(await answer("/mute.jpg"), /^IiifError source-read: .*Access-Control-Expose-Headers/);
  await page.close();
});

test("lossless WebP shows the pixels of PNG, also where it is made of rows that come twice", async () => {
  const page = await browser.newPage();
  await page.goto(origin);
  const different = await page.evaluate(async () => {
    const { open } = await import("/test.js");
    const settings = { webpLossless: true };
    const pixels = async (image, request) => {
      const bitmap = await image.bitmap(request);
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
    };
    const found = [];
    for (const [url, request] of [
      ["/samples/astronaut.png", "full/max/0/default"],
      ["/samples/astronaut.png", "full/^2000,/0/default"],
      ["/samples/rocket.jpg", "full/^4000,/0/gray"],
      ["/samples/retina-pyramid.tif", "full/^3000,/90/bitonal"],
    ]) {
      const image = await open(url, { settings });
      const [webp, png] = [await pixels(image, `${request}.webp`), await pixels(image, `${request}.png`)];
      if (webp.length !== png.length || webp.some((pixel, index) => pixel !== png[index])) found.push(`${url} ${request}`);
      image.close();
    }
    return found;
  });
  assert.deepEqual(different, []);
  await page.close();
});

test("a bitmap of what this browser does not decode", async () => {
  const page = await browser.newPage();
  await page.goto(origin);
  const error = await page.evaluate(async () => {
    const { open } = await import("/test.js");
    const image = await open("/samples/rocket.jpg");
    return image.bitmap("full/10,/0/default.tif").catch((error) => `${error.code}: ${error.message}`);
  });
  assert.equal(error, "unsupported: This browser does not decode image/tiff. Ask for jpg or png.");
  await page.close();
});
