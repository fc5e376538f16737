// The package in Node: the same bytes as native, and an error with a code for everything that can be wrong with an input.

import assert from "node:assert/strict";
import { existsSync, openAsBlob, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { at } from "../../pkg/lib.mjs";
import { file, rows, rowsOf, sha256 } from "./golden.mjs";
import { memories } from "./memory.mjs";

const entry = at("pkg", "dist", "node", "index.js");
if (!existsSync(entry)) throw new Error(`${entry} is missing: node pkg/package.mjs`);
const { IiifError, blobSource, bytesSource, httpSource, init, open, probe, support, terminate } = await import(entry);
const { parse } = await import("azulejo/request");

test("every answer is the native one, byte for byte", async () => {
  const images = new Map();
  const different = [];
  for (const { name, request, width, height, digest } of rows) {
    if (!images.has(name)) images.set(name, await open(file(name)));
    const answer = await images.get(name).render(request);
    assert.deepEqual([answer.width, answer.height], [width, height]);
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
  for (const version of [2, "2", "1.1"]) assert.equal(image.info({ id, version })["@id"], id);
  assert.deepEqual(image.info({ id, version: 3 }), image.info({ id }));
  assert.equal(image.info({ id, version: "1.0" }).identifier, "a");
  assert.throws(() => image.info({ id, version: 4 }), { code: "invalid-argument" });
  assert.deepEqual(image.info({ id }).tiles, [{ width: 256, scaleFactors: [1, 2, 4, 8] }]);
});

test("what a file is, without keeping it open", async () => {
  assert.deepEqual(await probe(file("retina-pyramid.tif")), { format: "tiff", width: 1411, height: 1411, levels: 4, tile: { width: 256, height: 256 }, tiled: true });
  assert.deepEqual(await probe(file("rocket.jpg")), { format: "jpeg", width: 640, height: 427, levels: 2, tile: { width: 512, height: 512 }, tiled: false });
  // In strips; or in tiles of just that size, for all that is known.
  assert.equal((await probe(file("row-strips.tif"))).tiled, undefined);
  const whole = bytesSource(file("hubble_deep_field.jpg"));
  let read = 0;
  const { format } = await probe({ key: "counted", read: (offset, length) => ((read += length), whole.read(offset, length)) });
  assert.equal(format, "jpeg");
  assert.ok(read <= 64 << 10, `${read} bytes were read`);
  await rejects(probe(new Uint8Array(100)), "source-unsupported");
});

test("requests that azulejo/request parsed, in the version that they know", async () => {
  const image = await open(file("rocket.jpg"));
  for (const { request, digest } of rowsOf("rocket.jpg")) assert.equal(sha256((await image.render(parse(request))).bytes), digest, request);
  const second = await image.render("full/full/0/default.jpg", { version: 2 });
  assert.deepEqual((await image.render(parse("full/full/0/default.jpg", 2))).bytes, second.bytes);
  await rejects(image.render("full/full/0/default.jpg"), "syntax");
  await rejects(image.render("full/max/0/default.jpg", { version: "4" }), "invalid-argument");
  for (const request of [undefined, null, 7]) await rejects(image.render(request), "invalid-argument");
});

test("there are no bitmaps here, nor anything that is shown, nor workers", async () => {
  const image = await open(file("rocket.jpg"), { threads: 2 });
  await rejects(image.bitmap("full/max/0/default.jpg"), "bitmaps-unsupported");
  assert.equal((await support()).jxl, undefined);
  await rejects(open(file("rocket.jpg"), { threads: 0 }), "invalid-argument");
});

test("images that nobody closes are freed once nobody has them", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const bytes = file("retina-pyramid.tif");
  (await open(bytes)).close();
  const memory = memories.at(-1);
  const leave = async (count) => {
    for (let index = 0; index < count; index++) await open(bytes);
    collect();
    // Finalizers have turns of their own.
    for (let turn = 0; turn < 5; turn++) await new Promise((next) => setImmediate(next));
    return memory.buffer.byteLength;
  };
  const before = await leave(100);
  for (let round = 0; round < 10; round++) await leave(100);
  assert.ok((await leave(100)) - before < 1 << 20, `${before} bytes have become ${memory.buffer.byteLength}`);
});

test("settings are limits and qualities", async () => {
  const bytes = file("rocket.jpg");
  const small = await open(bytes, { settings: { maxArea: 10_000, jpegQuality: 30 } });
  const { width, height } = await small.render("full/max/0/default.jpg");
  assert.ok(width * height <= 10_000);
  await rejects(small.render("full/640,/0/default.jpg"), "too-large");
  const malformed = [{ colour: 1 }, { maxWidth: "1000" }, { maxWidth: -1 }, { memory: NaN }, { maxWidth: 1.5 }, { jpegQuality: 300 }, { webpLossless: 1 }, { jpegSmall: "on" }, { pngCompression: "best" }, { window: "0..1" }];
  for (const settings of malformed) await rejects(open(bytes, { settings }), "invalid-argument", JSON.stringify(settings));
  const length = async (settings) => (await (await open(bytes, { settings })).render("full/300,/0/default.jpg")).bytes.length;
  assert.ok((await length({ jpegSmall: true })) < (await length({})) * 0.95);
  // Not given is the default.
  assert.equal((await open(bytes, { settings: { maxWidth: undefined } })).width, 640);
});

test("a request that cannot be", async () => {
  const image = await open(file("rocket.jpg"));
  await rejects(image.render("full/max/0/default"), "syntax");
  await rejects(image.render("700,0,1,1/max/0/default.jpg"), "region-outside");
  await rejects(image.render("full/max/0/default.bmp"), "unsupported");
  image.close();
  await rejects(image.render("full/max/0/default.jpg"), "closed");
});

test("an abort is an AbortError, before and during", async () => {
  const bytes = file("retina.jpg");
  await assert.rejects(open(new Blob([bytes]), { signal: AbortSignal.abort() }), { name: "AbortError" });
  const inner = blobSource(new Blob([bytes]));
  const control = new AbortController();
  let reads = 0;
  const slow = {
    key: "slow",
    async read(offset, length, options) {
      // The second read of the file is that of its pixels.
      if (++reads > 1) control.abort();
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
const GOOD = { ranges: true, etag: '"1"', modified: undefined, length: true, status: undefined, cut: false };
const behaviour = { ...GOOD, requests: 0, bytes: 0 };
const behave = (wrong) => Object.assign(behaviour, GOOD, { requests: 0, bytes: 0 }, wrong);
before(async () => {
  const body = file("retina-pyramid.tif");
  server = createServer((request, response) => {
    behaviour.requests++;
    if (request.url !== "/map.tif") return response.writeHead(404).end();
    if (behaviour.status) return response.writeHead(behaviour.status).end();
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
    const part = behaviour.ranges && start !== undefined ? body.subarray(Number(start), Number(end) + 1) : body;
    behaviour.bytes += part.length;
    const { etag, modified, length } = behaviour;
    const headers = { ...(etag && { etag }), ...(modified && { "last-modified": modified }), ...(length && { "content-length": part.length }) };
    if (part === body) response.writeHead(200, headers);
    else response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${Number(start) + part.length - 1}/${body.length}` });
    if (behaviour.cut) return response.write(part.subarray(0, 100), () => response.destroy());
    response.end(part);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test("a URL is read by Range, and only what is needed", async () => {
  behave({});
  const image = await open(`${origin}/map.tif`);
  const tile = await image.render("512,512,256,256/max/0/default.jpg");
  assert.equal(tile.width, 256);
  assert.ok(behaviour.bytes < 120_000, `${behaviour.bytes} bytes were read`);
});

test("a server without Range is taken whole, once, up to a limit", async () => {
  behave({ ranges: false });
  const image = await open(`${origin}/map.tif`);
  await image.render("512,512,256,256/max/0/default.jpg");
  assert.equal(behaviour.requests, 1);
  await rejects(open(httpSource(`${origin}/map.tif`, { wholeLimit: 1000 })), "source-too-costly");
  behave({ ranges: false, length: false });
  await rejects(open(httpSource(`${origin}/map.tif`, { wholeLimit: 1000 })), "source-too-costly");
  assert.equal((await open(httpSource(`${origin}/map.tif`, { wholeLimit: 1 << 20 }))).width, 1411);
});

test("an abort of one reader of a server without Range is none of another's", async () => {
  behave({ ranges: false });
  const source = httpSource(`${origin}/map.tif`);
  const control = new AbortController();
  const first = source.read(0, 100, { signal: control.signal });
  control.abort();
  await assert.rejects(first, { name: "AbortError" });
  assert.equal((await source.read(0, 100)).bytes.length, 100);
});

test("a file that is replaced while it is read", async () => {
  for (const [old, young] of [[{ etag: '"1"' }, { etag: '"2"' }], [{ etag: undefined, modified: "Mon, 01 Jun 2026 10:00:00 GMT" }, { etag: undefined, modified: "Tue, 02 Jun 2026 10:00:00 GMT" }]]) {
    behave(old);
    const image = await open(`${origin}/map.tif`);
    behave(young);
    await rejects(image.render("512,512,256,256/max/0/default.jpg"), "source-changed");
  }
  behave({ etag: 'W/"1"' });
  const image = await open(`${origin}/map.tif`);
  behave({ etag: 'W/"2"' });
  // Weak etags name no bytes.
  await image.render("512,512,256,256/max/0/default.jpg");
});

test("one that is replaced while it is opened is opened anew, once", async () => {
  const whole = bytesSource(file("retina-pyramid.tif"));
  let reads = 0;
  const changing = (times) => ({ key: "changing", read: async (offset, length) => ({ ...(await whole.read(offset, length)), etag: String(Math.min(++reads, times)) }) });
  assert.equal((await open(changing(2))).width, 1411);
  reads = 0;
  await rejects(open(changing(Infinity)), "source-changed");
});

test("a damaged file is shown as far as it can be decoded, and says so", async () => {
  for (const [name, length] of [["rocket.jpg", 60_000], ["plain.gif", 1000]]) {
    const whole = file(name);
    const image = await open(whole.slice(0, Math.min(length, whole.length / 2)));
    for (const request of ["full/max/0/default.png", "full/max/0/default.jpg"]) {
      const { incomplete, passthrough } = await image.render(request);
      assert.ok(incomplete.rows > 0 && incomplete.rows < image.height, `${name} ${incomplete.rows}`);
      assert.ok(incomplete.damage.length > 10 && !passthrough);
    }
    image.close();
  }
  const sound = await open(file("rocket.jpg"));
  assert.equal("incomplete" in (await sound.render("full/100,/0/default.jpg")), false);
  sound.close();
  await assert.rejects(open(file("rocket.jpg"), { settings: { incomplete: "maybe" } }), { code: "invalid-argument", message: /show, refuse/ });
});

test("whatever is wrong with an input has a code of its own, which is documented", async () => {
  const documented = readFileSync(at("src", "js", "error.ts"), "utf8");
  const jpeg = file("rocket.jpg");
  const map = () => open(`${origin}/map.tif`);
  const short = { key: "short", read: async (_, length) => ({ bytes: jpeg.slice(0, length / 2), size: jpeg.length }) };
  const reopened = async (wrong) => {
    behave({});
    const image = await map();
    behave(wrong);
    return image.render("512,512,256,256/max/0/default.jpg");
  };
  const cases = [
    ["not an image", () => open(new TextEncoder().encode("This is a text, not an image.")), "source-unsupported", /./],
    ["empty", () => open(new Uint8Array(0)), "source-unsupported", /./],
    ["cut off", async () => (await open(jpeg.slice(0, jpeg.length / 2), { settings: { incomplete: "refuse" } })).render("full/max/0/default.jpg"), "source-corrupt", /./],
    ["cut off, by the old name", async () => (await open(jpeg.slice(0, jpeg.length / 2), { settings: { showIncomplete: false } })).render("full/max/0/default.jpg"), "source-corrupt", /./],
    ["nothing there", () => open(`${origin}/none.tif`), "not-found", /nothing at http.*none\.tif/],
    ["no server there", () => open("http://127.0.0.1:1/map.tif"), "source-unreachable", /out of reach.*CORS/],
    ["forbidden", () => (behave({ status: 403 }), map()), "source-read", /status 403/],
    ["broken off", () => (behave({ cut: true }), map()), "source-read", /broke off/],
    ["without Range, and too large", () => (behave({ ranges: false }), open(httpSource(`${origin}/map.tif`, { wholeLimit: 1000 }))), "source-too-costly", /1000 bytes.*Range/],
    ["replaced", () => reopened({ etag: '"2"' }), "source-changed", /replaced/],
    ["shorter", () => reopened({ status: 416 }), "source-changed", /shorter/],
    ["gone", () => reopened({ status: 410 }), "not-found", /nothing at/],
    ["a source that gives too little", () => open(short), "source-read", /bytes where/],
    ["a setting", () => open(jpeg, { settings: { quality: 80 } }), "invalid-argument", /no setting quality; there are .*jpegQuality/],
    ["no input", () => open(undefined), "invalid-argument", /Blob or File, a URL/],
    ["no URL", () => open("map.tif"), "invalid-argument", /"map\.tif" is not a URL/],
    ["a file's URL", () => open(pathToFileURL(at("www", "samples", "rocket.jpg"))), "invalid-argument", /openAsBlob/],
    ["an engine that is not there", () => init(pathToFileURL(at("none.wasm"))), "engine", /none\.wasm/],
    ["an engine that is none", () => init(new Uint8Array(8)), "engine", /could not be loaded/],
    ["closed", async () => {
      const image = await open(jpeg);
      image.close();
      return image.render("full/max/0/default.jpg");
    }, "closed", /closed/],
  ];
  for (const [what, attempt, code, message] of cases) {
    await assert.rejects(attempt, (error) => {
      assert.ok(error instanceof IiifError, `${what}: ${error?.stack ?? error}`);
      assert.equal(error.code, code, `${what}: ${error.message}`);
      assert.match(error.message, message, what);
      assert.ok(documented.includes(`\`${code}\``), `${code} is not documented`);
      return true;
    });
  }
  // What went wrong last has no consequences.
  assert.equal((await open(await openAsBlob(at("www", "samples", "rocket.jpg")))).width, 640);
});

test("terminate: everything goes on in a new engine", async () => {
  const image = await open(file("rocket.jpg"));
  const before = memories.length;
  terminate();
  const [{ request, digest }] = rowsOf("rocket.jpg");
  assert.equal(sha256((await image.render(request)).bytes), digest);
  assert.equal(memories.length, before + 1);
});

async function rejects(promise, code, what = "") {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof IiifError, `${what} ${error?.stack ?? error}`);
    assert.equal(error.code, code, `${what} ${error.message}`);
    return true;
  });
}
