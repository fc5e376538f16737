// Images of 100 megapixels: what opening and a tile cost, and that memory stays, in Node and in OpenSeadragon in Chromium.

import assert from "node:assert/strict";
import { closeSync, existsSync, mkdtempSync, readFileSync, openSync, readSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { launch, watched } from "../browser/browser.mjs";
import { bandedJpeg, colourOfLine } from "../generate/banded.mjs";
import { TILE, TOLERANCE, colourAt, pyramidTiff, repeatedTiff } from "../generate/pyramid.mjs";
import { EAR, memories } from "./memory.mjs";
import { pixels } from "./pixels.mjs";

const { open, terminate } = await import("azulejo");

const [WIDTH, HEIGHT] = [10_240, 9_808];
const MIB = 1 << 20;
const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;
const memory = () => memories.at(-1).buffer.byteLength;

let folder;
const files = {};
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "azulejo-"));
  files.tiff = join(folder, "gigantic.tif");
  files.jpeg = join(folder, "gigantic.jpg");
  writeFileSync(files.tiff, repeatedTiff(WIDTH, HEIGHT, { order: "chain", apart: true }));
  writeFileSync(files.jpeg, bandedJpeg(WIDTH, HEIGHT));
  assert.ok(WIDTH * HEIGHT > 100e6);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A file by ranges, which are counted. */
function counted(path) {
  const file = openSync(path, "r");
  const { size } = statSync(path);
  const source = {
    key: path,
    size,
    reads: 0,
    bytes: 0,
    async read(offset, length) {
      const bytes = new Uint8Array(Math.min(length, size - offset));
      readSync(file, bytes, 0, bytes.length, offset);
      source.reads++;
      source.bytes += bytes.length;
      return { bytes, size };
    },
    close: () => closeSync(file),
  };
  return source;
}

/** Measures what `work` takes. */
async function measured(name, source, work) {
  [source.reads, source.bytes] = [0, 0];
  const began = performance.now();
  const result = await work();
  const row = { "": name, ms: Math.round(performance.now() - began), reads: source.reads, read: mib(source.bytes), "of the file": `${((source.bytes / source.size) * 100).toFixed(2)} %`, "wasm memory": mib(memory()) };
  return { result, row };
}

/** The three values of a pixel of a PNG. */
function pixelOf(png, x, y) {
  const { width, rgba } = pixels(png);
  return [...rgba.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)];
}

const near = (found, wanted, what) => assert.ok(found.every((value, channel) => Math.abs(value - wanted[channel]) <= TOLERANCE), `${what}: ${found}, not ${wanted}`);

test("a tiled TIFF: little is read, every level lies where it should, and the memory is that of a tile", async () => {
  terminate();
  const source = counted(files.tiff);
  const { result: image, row: opening } = await measured("open", source, () => open(source));
  assert.deepEqual([image.width, image.height, image.format], [WIDTH, HEIGHT, "tiff"]);
  assert.ok(source.bytes < source.size / 100, `opening read ${source.bytes} of ${source.size} bytes`);
  const aligned = await measured("a tile of 512²", source, () => image.render(`${8 * TILE},${9 * TILE},${TILE},${TILE}/max/0/default.jpg`));
  const across = await measured("512² across four tiles", source, () => image.render("1000,1000,512,512/max/0/default.jpg"));
  const middle = await measured("4096² in 512²", source, () => image.render("2048,2048,4096,4096/512,/0/default.jpg"));
  for (const { result } of [aligned, across, middle]) assert.deepEqual([result.width, result.height], [512, 512]);
  console.log(`TIFF of ${(WIDTH * HEIGHT) / 1e6} megapixels, ${mib(source.size)}`);
  console.table([opening, aligned.row, across.row, middle.row]);
  assert.ok(memory() <= 24 * MIB, `${memory()} bytes of wasm memory for tiles`);

  for (let level = 0, scale = 1; scale * TILE <= Math.max(WIDTH, HEIGHT) * 2; level++, scale *= 2) {
    const [columns, rows] = [Math.floor(WIDTH / scale / TILE), Math.floor(HEIGHT / scale / TILE)];
    for (const [column, row] of [[0, 0], [columns - 1, rows - 1], [columns >> 1, rows >> 2]].filter((place) => Math.min(...place) >= 0)) {
      const [x, y] = [column, row].map((index) => (index * TILE + TILE / 2 - 8) * scale);
      const { bytes } = await image.render(`${x},${y},${16 * scale},${16 * scale}/16,16/0/default.png`);
      near(pixelOf(bytes, 8, 8), colourAt(WIDTH, HEIGHT, level, x / scale + 8, y / scale + 8), `level ${level}, tile ${column},${row}`);
    }
  }
  image.close();
  source.close();
});

test("a baseline JPEG: scaled answers come, and full resolution is right or is clearly refused", async () => {
  terminate();
  const source = counted(files.jpeg);
  const { result: image, row: opening } = await measured("open", source, () => open(source));
  assert.deepEqual([image.width, image.height, image.format], [WIDTH, HEIGHT, "jpeg"]);
  const outcomes = [];
  const tile = await measured("a tile of 512²", source, async () => {
    const answer = await image.render(`${8 * TILE},${9 * TILE},${TILE},${TILE}/max/0/default.png`).catch((error) => error);
    if (answer instanceof Error) {
      assert.deepEqual([answer.name, answer.code, answer.status], ["IiifError", "source-too-costly", 503]);
      assert.match(answer.message, /needs [\d.]+ MiB of memory, and the limit is 42 MiB/);
      assert.equal(source.bytes, 0, "it is refused before anything is read");
      return outcomes.push(answer.message);
    }
    near(pixelOf(answer.bytes, 256, 64), colourOfLine(9 * TILE + 64), "the tile");
    return outcomes.push("it came");
  });
  const whole = await measured("all in 1280²", source, () => image.render("full/1280,/0/default.png"));
  assert.deepEqual([whole.result.width, whole.result.height], [1280, 1226]);
  for (const y of [64, 5184, 9664]) near(pixelOf(whole.result.bytes, 32, y / 8), colourOfLine(y), `line ${y}`);
  const eighth = await measured("a tile of 512², an eighth", source, () => image.render(`0,0,${8 * TILE},${8 * TILE}/${TILE},/0/default.jpg`));
  assert.deepEqual([eighth.result.width, eighth.result.height], [TILE, TILE]);
  const small = await measured("all in 300 pixels", source, () => image.render("full/300,/0/default.jpg"));
  console.log(`JPEG of ${(WIDTH * HEIGHT) / 1e6} megapixels, ${mib(source.size)}; full resolution: ${outcomes}`);
  console.table([opening, tile.row, eighth.row, whole.row, small.row]);
  image.close();
  source.close();
});

test("leaving and entering 20 images keeps the memory", async () => {
  terminate();
  const seen = [];
  for (let times = 0; times < 20; times++) {
    for (const [path, request] of [[files.tiff, `${times * 300},${times * 200},512,512/max/0/default.jpg`], [files.jpeg, "full/640,/0/default.jpg"]]) {
      const source = counted(path);
      const image = await open(source);
      await image.render(request);
      image.close();
      source.close();
    }
    seen.push(memory());
  }
  console.log(`wasm memory after 1, 2, 10 and 20 rounds: ${[0, 1, 9, 19].map((index) => mib(seen[index])).join(", ")}`);
  assert.equal(seen[19], seen[1], "it does not grow");
});

test("many at once wait for memory, large and small, in their order; who leaves the queue keeps nothing", async () => {
  terminate();
  const source = counted(files.tiff);
  const image = await open(source);
  const engines = memories.length;
  const control = new AbortController();
  const asked = Array.from({ length: 80 }, (_, index) => {
    const request = index % 20 === 7 ? "full/2500,/0/default.png" : `${index * 100},${index * 90},1024,1024/max/0/default.jpg`;
    return image.render(request, index % 4 === 3 ? { signal: control.signal } : {});
  });
  control.abort();
  const outcomes = await Promise.allSettled(asked);
  outcomes.forEach(({ status, reason }, index) => {
    if (index % 4 === 3) assert.equal(reason?.name, "AbortError");
    else assert.equal(status, "fulfilled", String(reason));
  });
  assert.equal(memories.length, engines, "no engine was lost");
  console.log(`60 renders at once: ${mib(memory())} of wasm memory`);
  image.close();
  source.close();
});

test("a row of tiles that is larger than what is fetched at a time takes no more than was planned", async () => {
  terminate();
  // Tiles of noise are as large as their pixels.
  const noise = (x, y, out, at) => {
    let hash = Math.imul(x + 1, 0x85ebca6b) ^ Math.imul(y + 77, 0xc2b2ae35);
    for (const factor of [0x2c1b3c6d, 0x297a2d39]) hash = Math.imul(hash ^ (hash >>> 15), factor);
    hash ^= hash >>> 15;
    [out[at], out[at + 1], out[at + 2]] = [hash, hash >>> 8, hash >>> 16];
  };
  const file = new Uint8Array(pyramidTiff(4096, 512, noise));
  const request = "0,0,4096,512/max/0/default.png";
  const tight = await open(file, { settings: { memory: 1 } });
  const { message } = await tight.render(request).catch((error) => error);
  const mebibytes = Number(/needs ([\d.]+) MiB of memory/.exec(message)[1]);
  const needed = Math.ceil(mebibytes * 2 ** 20);
  tight.close();
  const image = await open(file, { settings: { memory: mebibytes } });
  const { bytes } = await image.render(request);
  const wanted = Buffer.alloc(3);
  noise(700, 300, wanted, 0);
  assert.deepEqual(pixelOf(bytes, 700, 300), [...wanted]);
  assert.ok(memory() < needed + (8 << 20), `${mib(memory())} for ${mib(needed)}`);
  image.close();
});

test("a read that fails beside others costs that call, not the engine", async () => {
  terminate();
  const source = counted(files.tiff);
  let fails = false;
  let late = 0;
  const image = await open({
    key: "failing",
    async read(offset, length) {
      if (!fails) return source.read(offset, length);
      if (!late++) throw new Error("this one");
      await new Promise((wake) => setTimeout(wake, 20));
      const chunk = await source.read(offset, length);
      late++;
      return chunk;
    },
  });
  const engines = memories.length;
  fails = true;
  await assert.rejects(image.render("1000,1000,512,512/max/0/default.jpg"), /this one/);
  while (late < 3) await new Promise((wake) => setTimeout(wake, 5));
  fails = false;
  await image.render("1000,1000,512,512/max/0/default.jpg");
  assert.equal(memories.length, engines, "no new engine was needed");
  image.close();
  source.close();
});

describe("in OpenSeadragon 6", () => {
  const PAGE = `<!doctype html><title>azulejo</title><link rel="icon" href="data:,"><style>#viewer { width: 900px; height: 700px }</style>
<input type="file"><div id="viewer"></div><script src="/openseadragon/openseadragon.js"></script>`;
  const SCRIPT = `
import { open } from "/dist/web/index.js";
import { tileSource } from "/dist/web/openseadragon.js";
const failed = [];
let frames = 0, longest = 0, last = performance.now(), viewer, image;
(function frame(now) {
  frames++;
  longest = Math.max(longest, now - last);
  last = now;
  requestAnimationFrame(frame);
})(last);
const once = (target, name) => new Promise((resolve) => target.addOnceHandler(name, resolve));
/** Until the viewer is at rest and has all tiles it wants. */
async function loaded() {
  for (let calm = 0; calm < 3; ) {
    await new Promise(requestAnimationFrame);
    const { viewport } = viewer;
    const still = Math.abs(viewport.getZoom(true) / viewport.getZoom(false) - 1) < 1e-3 && viewport.getCenter(true).distanceTo(viewport.getCenter(false)) < 1e-3;
    calm = still && viewer.world.getItemAt(0).getFullyLoaded() ? calm + 1 : 0;
  }
}
export async function show(from) {
  // Without a GPU, frames of the WebGL drawer would tell only how slowly the browser imitates one.
  image = await open(from ?? document.querySelector("input").files[0]);
  const tiles = [];
  viewer = OpenSeadragon({ element: document.getElementById("viewer"), showNavigationControl: false, drawer: "canvas", maxImageCacheCount: 40, animationTime: 0.3, timeout: 300000 });
  viewer.addHandler("tile-load-failed", ({ message }) => failed.push(message));
  viewer.addHandler("tile-loaded", ({ tile }) => tiles.push(tile.level));
  viewer.open(tileSource(image));
  await once(viewer, "open");
  await loaded();
  return { width: image.width, height: image.height, tiles };
}
/** Zooms in at each place to one pixel for one pixel, pans on from there, and back home. */
export async function tour(places) {
  const tiles = [];
  const count = ({ tile }) => tiles.push(tile.level);
  viewer.addHandler("tile-loaded", count);
  [frames, longest] = [0, 0];
  const steps = [];
  const step = async (move) => {
    const before = frames;
    move();
    await loaded();
    steps.push(frames - before);
  };
  for (const [x, y] of places) {
    const { viewport } = viewer;
    await step(() => { viewport.zoomTo(viewport.imageToViewportZoom(1)); viewport.panTo(new OpenSeadragon.Point(x, y)); });
    await step(() => viewport.panBy(new OpenSeadragon.Point(0.04, 0.03)));
  }
  await step(() => viewer.viewport.goHome());
  viewer.removeHandler("tile-loaded", count);
  return { tiles: tiles.length, deepest: Math.max(...tiles), frames: Math.min(...steps), all: frames, longest: Math.round(longest), failed };
}
export function close() {
  viewer.destroy();
  image.close();
}`;
  /** Other places in each round, so that tiles are fetched in each. */
  const places = (round) => [[0.1, 0.1], [0.75, 0.3], [0.4, 0.75]].map(([x, y]) => [x + 0.07 * round, y]);
  let server, origin, browser;
  before(async () => {
    server = createServer((request, response) => {
      const { pathname } = new URL(request.url, "http://localhost");
      const give = (type, body) => response.writeHead(200, { "content-type": type }).end(body);
      if (pathname === "/") return give("text/html", PAGE);
      if (pathname === "/test.js") return give("text/javascript", SCRIPT);
      if (pathname === "/gigantic.tif") return range(request, response, files.tiff);
      const file = pathname.startsWith("/dist/") ? at("pkg", pathname) : at("node_modules/openseadragon/build", pathname);
      if (!existsSync(file)) return response.writeHead(404).end();
      const text = pathname === "/dist/web/pool-worker.js" ? EAR : "";
      return give(pathname.endsWith(".wasm") ? "application/wasm" : "text/javascript", text ? text + readFileSync(file, "utf8") : readFileSync(file));
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    origin = `http://127.0.0.1:${server.address().port}`;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  const wasm = async (page) => {
    const all = await Promise.all(page.workers().map((worker) => worker.evaluate(() => globalThis.memories.map(({ buffer }) => buffer.byteLength))));
    return all.flat();
  };
  const heap = async (page, session) => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize;
  };

  for (const [name, from] of [["a file of one's own", null], ["a URL", "/gigantic.tif"]]) {
    test(`${name}: no tile fails, frames keep coming, and the memory stays`, async () => {
      const { page, context, troubles } = await watched(browser);
      const session = await context.newCDPSession(page);
      await page.goto(origin);
      if (!from) await page.setInputFiles("input", files.tiff);
      const shown = await page.evaluate(async (from) => (await import("/test.js")).show(from && new URL(from, location.href)), from);
      assert.deepEqual([shown.width, shown.height], [WIDTH, HEIGHT]);
      const rounds = [];
      for (let times = 0; times < 3; times++) {
        const found = await page.evaluate(async (places) => (await import("/test.js")).tour(places), places(times));
        const memories = await wasm(page);
        rounds.push({ ...found, wasm: memories.reduce((sum, bytes) => sum + bytes, 0), engines: memories.length, heap: await heap(page, session) });
      }
      console.table(rounds.map(({ tiles, all, longest, wasm, engines, heap }) => ({ tiles, frames: all, "longest frame, ms": longest, "wasm memory": mib(wasm), engines, "JS heap": mib(heap) })));
      for (const { failed, frames, tiles, deepest } of rounds) {
        assert.deepEqual(failed, []);
        assert.ok(frames > 2, `only ${frames} frames in a step`);
        assert.ok(tiles > 0);
        // Zoomed to the pixels, the last level it is: 20 tiles across.
        assert.equal(deepest, 5);
      }
      const [first, , last] = rounds;
      assert.ok(last.engines >= 1 && last.engines === first.engines, "no engine was lost");
      // What it takes depends on how many tiles happen to be on their way at once, not on how many there have been.
      for (const { wasm, engines } of rounds) assert.ok(wasm <= 24 * MIB * engines, `${wasm} bytes of wasm memory`);
      assert.ok(last.heap <= first.heap + 8 * MIB, `JS heap ${first.heap} → ${last.heap}`);
      assert.deepEqual(troubles, []);
      await page.evaluate(async () => (await import("/test.js")).close());
      await context.close();
    });
  }

  function range(request, response, path) {
    const { size } = statSync(path);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [0, 0, size - 1];
    const bytes = Buffer.alloc(Math.min(Number(to), size - 1) - Number(from) + 1);
    const file = openSync(path, "r");
    readSync(file, bytes, 0, bytes.length, Number(from));
    closeSync(file);
    response.writeHead(206, { "content-range": `bytes ${from}-${Number(from) + bytes.length - 1}/${size}`, "content-type": "image/tiff", etag: '"one"' }).end(bytes);
  }
});
