// Pyramids: what toPyramid makes, what the command makes of it, and what libtiff and libvips say to both, where they are installed.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { deflateSync } from "node:zlib";
import { at } from "../../pkg/lib.mjs";
import { launch, watched } from "../browser/browser.mjs";
import { repeatedTiff } from "../generate/pyramid.mjs";
import { tiff } from "../generate/tiff.mjs";
import { file, sha256 } from "./golden.mjs";
import { memories } from "./memory.mjs";
import { pixels } from "./pixels.mjs";
import { PAGE, site } from "./site.mjs";

const { IiifError, bytesSource, open, probe, spoolPyramid, toPyramid } = await import("azulejo");

const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());
const rejects = (promise, code, message) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof IiifError, error?.stack);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });

let folder;
before(() => (folder = mkdtempSync(join(tmpdir(), "azulejo-"))));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a Blob of TIFF with all levels, whose tiles pass through; the same each time", async () => {
  const heard = [];
  const blob = await toPyramid(new Blob([file("retina.jpg")]), { tile: 256, onProgress: (...told) => heard.push(told) });
  assert.equal(blob.type, "image/tiff");
  assert.deepEqual(await probe(blob), { format: "tiff", width: 1411, height: 1411, levels: 4, tile: { width: 256, height: 256 }, tiled: true });
  const image = await open(blob);
  assert.equal((await image.render("256,512,256,256/max/0/default.jpg")).passthrough, true);
  assert.equal((await image.render("0,0,1024,1024/256,256/0/default.jpg")).passthrough, true);
  image.close();
  assert.ok(heard.length > 3 && heard.every(([rows, of], index) => of === 1411 && rows > (heard[index - 1]?.[0] ?? 0)), JSON.stringify(heard));
  assert.equal(heard.at(-1)[0], 1411);
  assert.equal(sha256(await bytesOf(await toPyramid(file("retina.jpg"), { tile: 256 }))), sha256(await bytesOf(blob)));
});

test("the native bytes", async () => {
  const rows = readFileSync(at("tests/golden/pyramids.tsv"), "utf8").trimEnd().split("\n").slice(1).map((line) => line.split("\t"));
  assert.ok(rows.length >= 24);
  const different = [];
  for (const [name, compression, digest] of rows) {
    if (sha256(await bytesOf(await toPyramid(file(name), { tile: 64, compression }))) !== digest) different.push(`${name} ${compression}`);
  }
  assert.deepEqual(different, []);
});

test("what is lossless keeps every pixel, alpha too, and is the default where there is alpha", async () => {
  for (const [name, options] of [["rgb8.png", { compression: "deflate" }], ["rgba8.png", {}], ["lossy-alpha.webp", {}], ["rgb16.tif", { compression: "webp", quality: 100 }]]) {
    const answers = [];
    for (const input of [file(name), await toPyramid(file(name), options)]) {
      const image = await open(input);
      answers.push(sha256((await image.render("full/max/0/default.png")).bytes));
      image.close();
    }
    assert.equal(answers[0], answers[1], name);
  }
});

test("a page of a document", async () => {
  const pages = [10, 120, 230].map((value, index) => ({ width: 500 - index, height: 400, tiles: [deflateSync(Buffer.alloc(512 * 512 * 3, value))], page: true }));
  const book = tiff(pages);
  for (const [index, page] of [undefined, 2, 3].entries()) {
    const image = await open(await toPyramid(book, { page, compression: "deflate" }));
    assert.deepEqual([image.width, image.height, image.pages], [500 - index, 400, 1]);
    const pixels = (await image.render("250,200,1,1/max/0/gray.tif")).bytes;
    const source = await open(book, { page });
    assert.equal(sha256(pixels), sha256((await source.render("250,200,1,1/max/0/gray.tif")).bytes));
    for (const each of [image, source]) each.close();
  }
  await rejects(toPyramid(book, { page: 4 }), "not-found", /no page 4: the image has 3/);
  for (const page of [0, 1.5, "2"]) await rejects(toPyramid(book, { page }), "invalid-argument", /page is .* from 1/);
});

test("the parts for whoever keeps them: every spool once, the head before them", async () => {
  const spools = [];
  const { head, spools: order, width, height } = await spoolPyramid(bytesSource(file("rocket.jpg")), async (index, bytes) => void (spools[index] ??= []).push(bytes), { tile: 128 });
  assert.deepEqual([width, height, order], [640, 427, [3, 2, 1, 0]]);
  const joined = Buffer.concat([head, ...order.flatMap((index) => spools[index])]);
  assert.equal(sha256(joined), sha256(await bytesOf(await toPyramid(file("rocket.jpg"), { tile: 128 }))));
});

test("what cannot be is said", async () => {
  const rocket = file("rocket.jpg");
  for (const tile of [0, 100, 2064, 256.5, "256", NaN]) await rejects(toPyramid(rocket, { tile }), "invalid-argument", /tile .* multiple of 16/);
  for (const quality of [0, 101, 1.5, "88"]) await rejects(toPyramid(rocket, { quality }), "invalid-argument", /quality .* 1 to 100/);
  await rejects(toPyramid(rocket, { compression: "lzw" }), "invalid-argument", /"lzw".*jpeg, deflate, webp/);
  await rejects(toPyramid(rocket, { settings: { colour: 1 } }), "invalid-argument", /no setting colour/);
  await rejects(toPyramid(rocket, { settings: { memory: 1 } }), "source-too-costly", /memory/);
  await rejects(toPyramid(rocket.slice(0, 40_000)), "source-corrupt", /./);
  await rejects(toPyramid(new Uint8Array(100)), "source-unsupported", /./);
  const control = new AbortController();
  const abort = toPyramid(file("retina.jpg"), { tile: 64, signal: control.signal, onProgress: () => control.abort() });
  await assert.rejects(abort, { name: "AbortError" });
  await assert.rejects(toPyramid(rocket, { signal: AbortSignal.abort() }), { name: "AbortError" });
  await assert.rejects(spoolPyramid(rocket, () => { throw new Error("the disk is full"); }), /the disk is full/);
});

test("in a page, by a worker of its own and without one: the same bytes; what is aborted or wrong ends its worker", async () => {
  const server = await site({ "/": PAGE });
  const browser = await launch();
  try {
    const { page, troubles } = await watched(browser);
    await page.goto(`${server.origin}/`);
    const found = await page.evaluate(async () => {
      const { open, toPyramid } = await import("/dist/web/index.js");
      const input = await (await fetch("/samples/retina.jpg")).blob();
      const hex = async (blob) => [...new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      const digests = [];
      const heard = [];
      for (const options of [{}, { threads: false }]) {
        const onProgress = (...told) => heard.push(told);
        digests.push(await hex(await toPyramid(input, { tile: 256, onProgress, ...options })));
      }
      digests.push(await hex(await toPyramid("/samples/retina.jpg", { tile: 256, compression: "webp" })));
      const image = await open(await toPyramid(input, { tile: 128 }));
      const { passthrough } = await image.render("128,128,128,128/max/0/default.jpg");
      image.close();
      const control = new AbortController();
      const aborted = await toPyramid(input, { tile: 64, signal: control.signal, onProgress: () => control.abort() }).catch(({ name }) => name);
      const wrong = await toPyramid(input.slice(0, 90_000)).catch(({ code }) => code);
      return { digests, last: heard.at(-1), passthrough, aborted, wrong };
    });
    const expected = [sha256(await bytesOf(await toPyramid(file("retina.jpg"), { tile: 256 }))), sha256(await bytesOf(await toPyramid(file("retina.jpg"), { tile: 256, compression: "webp" })))];
    assert.deepEqual(found, { digests: [expected[0], expected[0], expected[1]], last: [1411, 1411], passthrough: true, aborted: "AbortError", wrong: "source-corrupt" });
    for (let turn = 0; page.workers().length > 2 && turn < 100; turn++) await page.waitForTimeout(50);
    // Those that decoded a tile of the result stay.
    assert.ok(page.workers().length <= 2, `${page.workers().length} workers are left`);
    assert.deepEqual(troubles, []);
  } finally {
    await browser.close();
    await server.close();
  }
});

test("an image 40 000 px wide takes the memory of a row of tiles; one that takes more than there is is refused before it is read", async () => {
  const wide = new Uint8Array(repeatedTiff(40_000, 1200));
  let bytes = 0;
  const { width, height, spools } = await spoolPyramid(wide, (_, piece) => (bytes += piece.length));
  assert.deepEqual([width, height, spools.length], [40_000, 1200, 8]);
  assert.ok(bytes > 1 << 20);
  const held = memories.at(-1).buffer.byteLength >> 20;
  console.log(`40 000 × 1200 px: ${held} MiB of wasm memory`);
  // More than a Worker has; a page's engine may have 128.
  assert.ok(held <= 112, `${held} MiB`);
  await rejects(spoolPyramid(new Uint8Array(repeatedTiff(100_000, 600)), () => assert.fail("a tile of it")), "source-too-costly", /needs [\d.]+ MiB of memory, and the limit is 112 MiB: raise the limit/);
});

/** Runs the command. */
function command(...args) {
  const child = spawn(process.execPath, [at("pkg", "pyramid.mjs"), ...args.map(String)], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (said[name] += text));
  return { child, ended: new Promise((resolve) => child.on("close", (status) => resolve({ status, ...said }))) };
}

/** A folder of its own, so that whatever is left can be seen. */
function fresh(name) {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

test("the command: from a file and from a URL, the bytes of toPyramid, and nothing else is left", async () => {
  const out = fresh("command");
  const server = createServer((_, response) => response.end(file("rocket.jpg"))).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const options = ["--tile", 128, "--quality", 70, "--compression", "jpeg"];
  const expected = sha256(await bytesOf(await toPyramid(file("rocket.jpg"), { tile: 128, quality: 70 })));
  for (const input of [at("www", "samples", "rocket.jpg"), `http://127.0.0.1:${server.address().port}/rocket.jpg`]) {
    const { status, stdout, stderr } = await command(input, join(out, "rocket.tif"), ...options).ended;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /rocket\.tif: 640 × 427 px, 4 levels, 0\.\d MB/);
    assert.match(stderr, /^(\d+0 %\n)+$/);
    assert.match(stderr, /100 %\n$/);
    assert.deepEqual(readdirSync(out), ["rocket.tif"]);
    assert.equal(sha256(readFileSync(join(out, "rocket.tif"))), expected);
  }
  server.close();
});

test("the command says what is wrong, and leaves what was there", async () => {
  const out = fresh("wrong");
  const rocket = at("www", "samples", "rocket.jpg");
  const target = join(out, "out.tif");
  writeFileSync(join(out, "cut.jpg"), file("rocket.jpg").subarray(0, 40_000));
  writeFileSync(target, "what was there");
  for (const [args, said] of [
    [[], /0 names.*npm run pyramid -- IN OUT/s],
    [[rocket], /1 name where/],
    [[rocket, target, "--tiles", 5], /--tiles.*npm run pyramid/s],
    [[rocket, target, "--tile", "big"], /--tile is "big"/],
    [[rocket, target, "--tile", 100], /tile is 100, and should be a multiple of 16/],
    [[rocket, target, "--quality", 0], /quality is 0/],
    [[rocket, target, "--compression", "lzw"], /compression is "lzw"/],
    [[join(out, "none.jpg"), target], /no file .*none\.jpg/],
    [[out, target], /is not a file/],
    [[rocket, join(out, "none", "out.tif")], /no folder/],
    [[join(out, "cut.jpg"), target], /cut\.jpg was not converted: The image is a broken JPEG file/],
    [["http://127.0.0.1:1/a.jpg", target], /was not converted: .*could not be fetched/],
  ]) {
    const { status, stderr } = await command(...args).ended;
    assert.equal(status, 1, args.join(" "));
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /\n {4}at /, "no stack");
    assert.deepEqual(readdirSync(out).sort(), ["cut.jpg", "out.tif"]);
    assert.equal(readFileSync(target, "utf8"), "what was there");
  }
});

test("a command that is ended leaves nothing", async () => {
  const out = fresh("ended");
  let asked;
  const waits = new Promise((resolve) => (asked = resolve));
  // The headers come, the rest never does.
  const server = createServer(({ headers }, response) => {
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(headers.range).map(Number);
    if (start > 0 || end > 20_000) return asked();
    const body = file("retina.jpg");
    response.writeHead(206, { "content-range": `bytes 0-${end}/${body.length}`, etag: '"1"' }).end(body.subarray(0, end + 1));
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { child, ended } = command(`http://127.0.0.1:${server.address().port}/a.jpg`, join(out, "out.tif"));
  await waits;
  child.kill("SIGTERM");
  const { status, stderr } = await ended;
  server.closeAllConnections();
  server.close();
  assert.equal(status, 1, stderr);
  assert.match(stderr, /ended by SIGTERM/);
  assert.deepEqual(readdirSync(out), []);
});

const installed = (tool) => spawnSync(tool, ["--version"]).error === undefined;
const skip = (tool) => (installed(tool) ? false : `${tool} is not installed`);

/** Pictures of every kind, as they come out of the writer. */
async function* written() {
  for (const name of ["retina.jpg", "astronaut.png", "gray8.png", "rgba8.png", "orientation-6.jpg", "cmyk.tif"]) {
    for (const compression of ["jpeg", "deflate", "webp"]) {
      const path = join(folder, `${name}-${compression}.tif`);
      if (!existsSync(path)) writeFileSync(path, await bytesOf(await toPyramid(file(name), { tile: 128, quality: 95, compression })));
      yield { name, compression, path };
    }
  }
}

/** What libtiff tells of a file, whose pixels it reads without a word. */
function libtiff(path) {
  const run = (tool, ...args) => {
    const { status, stdout, stderr } = spawnSync(tool, args, { encoding: "utf8" });
    // The tool's own limit: of chroma that is sampled less it does not show the bytes.
    assert.deepEqual([status, stderr.replaceAll("Cannot display data: th * rowsize > tilesize\n", "")], [0, ""], `${tool} ${path}`);
    return stdout;
  };
  // -D reads the pixels, too.
  const told = run("tiffinfo", "-D", path);
  if (/YCbCr Subsampling/.test(told)) run("tiff2rgba", path, join(folder, "rgba.tif"));
  return told;
}

/** Sampling as cjpeg is told, how libtiff tells it, and more that cjpeg is told. */
const SAMPLINGS = [
  ["1x1", "1, 1", "-optimize"],
  ["2x1", "2, 1"],
  ["2x2", "2, 2", "-restart", "3B"],
  ["1x2", "1, 2"],
  ["4x1", "4, 1", "-quality", "97"],
  ["gray", undefined, "-grayscale", "-restart", "1"],
];

test("the largest level of a JPEG is that JPEG, block by block, for libjpeg and for libtiff", { skip: skip("djpeg") || skip("cjpeg") || skip("tiffinfo") || skip("vips") }, async () => {
  const tool = (name, args, input) => {
    const { status, stdout, stderr } = spawnSync(name, args, { input, maxBuffer: 1 << 28 });
    assert.deepEqual([status, String(stderr)], [0, ""], `${name} ${args.join(" ")}`);
    return stdout;
  };
  /** Pixels as they are stored, chroma repeated: what a tile shows at its edge is no other tile's business. */
  const decode = (bytes) => {
    const pnm = tool("djpeg", ["-dct", "int", "-nosmooth", "-pnm"], bytes);
    const [head, , width, height] = /^P([56])\s+(\d+)\s+(\d+)\s+255\s/.exec(pnm.subarray(0, 40).toString("latin1"));
    const channels = head.startsWith("P5") ? 1 : 3;
    return { width: Number(width), height: Number(height), channels, data: pnm.subarray(head.length) };
  };
  const cut = ({ width, channels, data }, x, y, w, h) => Buffer.concat(Array.from({ length: h }, (_, row) => data.subarray(((y + row) * width + x) * channels, ((y + row) * width + x + w) * channels)));
  const picture = tool("djpeg", ["-pnm"], file("rocket.jpg"));
  for (const [sampling, told, ...more] of SAMPLINGS) {
    const source = tool("cjpeg", ["-quality", "80", ...(sampling === "gray" ? [] : ["-sample", sampling]), ...more], picture);
    const whole = decode(source);
    const blob = await toPyramid(new Uint8Array(source), { tile: 128, quality: 30 });
    const image = await open(blob);
    let passed = 0;
    for (let y = 0; y < whole.height; y += 128) {
      for (let x = 0; x < whole.width; x += 128) {
        const [w, h] = [Math.min(128, whole.width - x), Math.min(128, whole.height - y)];
        const { bytes, passthrough } = await image.render(`${x},${y},${w},${h}/max/0/default.jpg`);
        passed += passthrough;
        assert.ok(decode(bytes).data.equals(cut(whole, x, y, w, h)), `${sampling}: ${x},${y},${w},${h}`);
      }
    }
    assert.equal(passed, 15, "whole tiles are sent as they are");
    image.close();
    const path = join(folder, `kept-${sampling}.tif`);
    writeFileSync(path, await bytesOf(blob));
    assert.equal(/YCbCr Subsampling: (.*)/.exec(libtiff(path))?.[1], told);
    // Where chroma is not sampled less, every decoder shows the same.
    if (sampling === "1x1" || sampling === "gray") {
      const ppm = join(folder, `kept.${sampling === "gray" ? "pgm" : "ppm"}`);
      tool("vips", ["copy", path, ppm]);
      assert.ok(readFileSync(ppm).subarray(-whole.data.length).equals(whole.data), `${sampling} by libvips`);
    }
  }
});

test("libtiff reads every directory without a warning", { skip: skip("tiffinfo") }, async () => {
  for await (const { name, compression, path } of written()) {
    const stdout = libtiff(path);
    const image = await open(file(name));
    const sizes = [...stdout.matchAll(/Image Width: (\d+) Image Length: (\d+)/g)].map(([, ...size]) => size.map(Number));
    const expected = [[image.width, image.height]];
    while (Math.max(...expected.at(-1)) > 128) expected.push(expected.at(-1).map((side) => Math.ceil(side / 2)));
    assert.deepEqual(sizes, expected, name);
    assert.equal(stdout.match(/reduced-resolution/g)?.length ?? 0, expected.length - 1);
    image.close();
  }
});

/** A page of a file as libvips reads it: bytes, by pixel. Its own format has 64 bytes of header before them. */
function page(path, number) {
  const to = join(folder, "page.v");
  const { status, stdout, stderr } = spawnSync("vips", ["copy", `${path}[page=${number}]`, to], { encoding: "utf8" });
  assert.deepEqual([status, stdout, stderr], [0, "", ""], `page ${number} of ${path}`);
  const bytes = readFileSync(to);
  const [width, height, bands, , format, coding] = Array.from({ length: 6 }, (_, index) => bytes.readInt32LE(4 + 4 * index));
  assert.deepEqual([bytes.readUInt32BE(0), format, coding], [0xb6a6f208, 0, 0], "bytes as they are");
  return { width, height, bands, data: bytes.subarray(64, 64 + width * height * bands) };
}

test("libvips reads every page, with the pixels of the source", { skip: skip("vips") }, async () => {
  for await (const { name, compression, path } of written()) {
    const image = await open(file(name));
    for (let level = 0, [w, h] = [image.width, image.height]; ; level++, [w, h] = [Math.ceil(w / 2), Math.ceil(h / 2)]) {
      const { width, height, bands, data } = page(path, level);
      assert.deepEqual([width, height], [w, h], `${name} as ${compression}, level ${level}`);
      assert.equal(data.length, w * h * bands);
      if (compression === "jpeg" && name === "rgba8.png") {
        // Laid on white, so there is nothing to compare by.
        assert.equal(bands, 3);
      } else {
        const { rgba } = pixels((await image.render(`full/${w},${h}/0/default.png`)).bytes);
        let sum = 0;
        for (let from = 0, to = 0; to < rgba.length; from += bands, to += 4) {
          for (let n = 0; n < 3; n++) sum += Math.abs(data[from + (bands < 3 ? 0 : n)] - rgba[to + n]);
          sum += Math.abs((bands % 2 ? 255 : data[from + bands - 1]) - rgba[to + 3]);
        }
        // A gray counts once.
        const off = sum / (w * h * (bands < 3 ? 3 : bands));
        // Averages of boxes are softer than what the renderer makes of the full image.
        assert.ok(off < (level === 0 ? (compression === "deflate" ? 0.001 : 4) : 8), `${name} as ${compression}, level ${level}: ${off}`);
      }
      if (Math.max(w, h) <= 128) break;
    }
    image.close();
  }
});

/** GDAL's own judge, by the Python that it was installed for. */
const judge = (...args) => spawnSync("/usr/bin/python3", ["-m", "osgeo_utils.samples.validate_cloud_optimized_geotiff", ...args], { encoding: "utf8" });

test("GDAL finds it cloud-optimized, every leader and trailer in place", { skip: judge("--help").stdout?.includes("Usage") ? false : "GDAL is not installed" }, async () => {
  for await (const { path } of written()) {
    const { status, stdout } = judge("--full-check=yes", path);
    assert.deepEqual([status, /is a valid cloud optimized GeoTIFF/.test(stdout)], [0, true], `${path}: ${stdout}`);
  }
});
