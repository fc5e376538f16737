// The package in Node: the same bytes as native, and an error with a code for everything that can be wrong with an input.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { at } from "../../pkg/lib.mjs";

const entry = at("pkg", "dist", "node", "index.js");
if (!existsSync(entry)) throw new Error(`${entry} is missing: node pkg/package.mjs`);
const { IiifError, blobSource, httpSource, open } = await import(entry);

const file = (name) => readFileSync([`tests/fixtures/${name}`, `www/samples/${name}`].map((path) => at(path)).find(existsSync));
const rows = readFileSync(at("tests/golden/digests.tsv"), "utf8").trimEnd().split("\n").slice(1).map((line) => line.split("\t"));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

test("every answer is the native one, byte for byte", async () => {
  const images = new Map();
  const different = [];
  for (const [name, request, width, height, digest] of rows) {
    if (!images.has(name)) images.set(name, await open(new Uint8Array(file(name))));
    const answer = await images.get(name).render(request);
    assert.deepEqual([answer.width, answer.height], [Number(width), Number(height)]);
    if (sha256(answer.bytes) !== digest) different.push(`${name} ${request}`);
  }
  for (const image of images.values()) image.close();
  assert.deepEqual(different, []);
});

test("info in every version", async () => {
  const image = await open(new Blob([file("retina-pyramid.tif")]));
  assert.deepEqual([image.width, image.height, image.format], [1411, 1411, "tiff"]);
  const id = "https://example.org/iiif/a";
  assert.equal(image.info({ id }).id, id);
  assert.equal(image.info({ id, version: "2" })["@id"], id);
  assert.deepEqual(image.info({ id }).tiles, [{ width: 256, scaleFactors: [1, 2, 4, 8] }]);
});

test("settings are limits and qualities", async () => {
  const bytes = new Uint8Array(file("rocket.jpg"));
  const small = await open(bytes, { settings: { maxArea: 10_000, jpegQuality: 30 } });
  const { width, height } = await small.render("full/max/0/default.jpg");
  assert.ok(width * height <= 10_000);
  await rejects(small.render("full/640,/0/default.jpg"), "too-large");
  await rejects(open(bytes, { settings: { colour: 1 } }), "invalid-argument");
});

test("a request that cannot be", async () => {
  const image = await open(new Uint8Array(file("rocket.jpg")));
  await rejects(image.render("full/max/0/default"), "syntax");
  await rejects(image.render("700,0,1,1/max/0/default.jpg"), "region-outside");
  await rejects(image.render("full/max/0/default.bmp"), "unsupported");
  image.close();
  await rejects(image.render("full/max/0/default.jpg"), "closed");
});

test("inputs that are no images, or not whole", async () => {
  await rejects(open(new TextEncoder().encode("This is a text, not an image.")), "source-unsupported");
  await rejects(open(new Uint8Array(0)), "source-unsupported");
  const bytes = new Uint8Array(file("rocket.jpg"));
  const cut = await open(bytes.slice(0, bytes.length / 2));
  await rejects(cut.render("full/max/0/default.jpg"), "source-corrupt");
});

test("an abort is an AbortError, before and during", async () => {
  const bytes = file("retina.jpg");
  await assert.rejects(open(new Blob([bytes]), { signal: AbortSignal.abort() }), { name: "AbortError" });
  const inner = blobSource(new Blob([bytes]));
  const control = new AbortController();
  const slow = {
    key: "slow",
    async read(offset, length, options) {
      if (offset > 0) control.abort();
      options?.signal?.throwIfAborted();
      return inner.read(offset, length, options);
    },
  };
  const image = await open(slow);
  await assert.rejects(image.render("full/max/0/default.jpg", { signal: control.signal }), { name: "AbortError" });
});

/** A server that can do wrong. */
let server;
let origin;
const behaviour = { ranges: true, etag: '"1"', requests: 0, bytes: 0 };
before(async () => {
  const body = file("retina-pyramid.tif");
  server = createServer((request, response) => {
    behaviour.requests++;
    if (request.url !== "/map.tif") return response.writeHead(404).end();
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
    const part = behaviour.ranges && start !== undefined ? body.subarray(Number(start), Number(end) + 1) : body;
    behaviour.bytes += part.length;
    const headers = { etag: behaviour.etag, "content-length": part.length };
    if (part === body) return response.writeHead(200, headers).end(part);
    response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${Number(start) + part.length - 1}/${body.length}` }).end(part);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test("a URL is read by Range, and only what is needed", async () => {
  behaviour.bytes = 0;
  const image = await open(`${origin}/map.tif`);
  const tile = await image.render("512,512,256,256/max/0/default.jpg");
  assert.equal(tile.width, 256);
  assert.ok(behaviour.bytes < 120_000, `${behaviour.bytes} bytes were read`);
});

test("a server without Range is taken whole, once, up to a limit", async () => {
  behaviour.ranges = false;
  behaviour.requests = 0;
  const image = await open(`${origin}/map.tif`);
  await image.render("512,512,256,256/max/0/default.jpg");
  assert.equal(behaviour.requests, 1);
  await rejects(open(httpSource(`${origin}/map.tif`, { wholeLimit: 1000 })), "source-too-costly");
  behaviour.ranges = true;
});

test("a URL that is not there, a server that is not there, a file that is replaced", async () => {
  await rejects(open(`${origin}/none.tif`), "not-found");
  await rejects(open("http://127.0.0.1:1/map.tif"), "source-read");
  const image = await open(`${origin}/map.tif`);
  behaviour.etag = '"2"';
  await rejects(image.render("512,512,256,256/max/0/default.jpg"), "source-changed");
  behaviour.etag = '"1"';
});

async function rejects(promise, code) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof IiifError, `${error?.stack ?? error}`);
    assert.equal(error.code, code, error.message);
    return true;
  });
}
