// Modules of codecs: each is loaded when it is needed, by its name, and none takes the place of another.

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { RELEASE, at } from "../../pkg/lib.mjs";
import { CODECS, glueOf, wasmOf } from "../../pkg/modules.mjs";
import { file, rowsOf, sha256 } from "./golden.mjs";
import { pixels } from "./pixels.mjs";

const { init, open, terminate } = await import(pathToFileURL(at("pkg/dist/node/index.js")).href);
const { create: createEngine } = await import(pathToFileURL(glueOf(RELEASE, "engine")).href);
const { create: createCodec } = await import(pathToFileURL(glueOf(RELEASE, "codecs/bmp")).href);

const folder = mkdtempSync(join(tmpdir(), "azulejo-codecs-"));
const place = (name) => {
  mkdirSync(join(folder, "codecs"), { recursive: true });
  copyFileSync(wasmOf(RELEASE, name), join(folder, `${name}.wasm`));
};
place("engine");
after(() => {
  terminate();
  rmSync(folder, { recursive: true });
});
beforeEach(() => terminate());

/** Renders a request that the golden list has a digest of. */
async function right(name, request) {
  const image = await open(file(name), { threads: false });
  try {
    const row = rowsOf(name).find((row) => row.request === request) ?? assert.fail(`${name} has no ${request}`);
    assert.equal(sha256((await image.render(request)).bytes), row.digest);
  } finally {
    image.close();
  }
}
const requestOf = (name, ending) => (rowsOf(name).find(({ request }) => request.endsWith(ending)) ?? assert.fail(`${name}: ${ending}`)).request;

test("an image loads the module of its codec, and no other", async () => {
  for (const name of CODECS) rmSync(join(folder, `codecs/${name}.wasm`), { force: true });
  await init(pathToFileURL(join(folder, "engine.wasm")));
  const png = requestOf("animated.gif", "default.png");
  await assert.rejects(right("animated.gif", png), ({ code, message }) => code === "engine" && message.includes("codecs/gif.wasm"));
  // What could not be loaded is tried again.
  place("codecs/gif");
  await right("animated.gif", png);
  await assert.rejects(right("lossy.webp", requestOf("lossy.webp", "default.png")), /codecs\/webp\.wasm/);
  await assert.rejects(right("rle8.bmp", requestOf("rle8.bmp", "default.png")), /codecs\/bmp\.wasm/);
  await assert.rejects(right("strips-lzw.tif", requestOf("strips-lzw.tif", "default.png")), /codecs\/tiff\.wasm/);
  // The conversion of colours by tables is needed to plan a request, so it is loaded when the image is opened.
  await assert.rejects(right("table-profile.jpg", requestOf("table-profile.jpg", "default.png")), /codecs\/icc\.wasm/);
  for (const name of ["codecs/webp", "codecs/bmp", "codecs/tiff", "codecs/icc"]) place(name);
  await right("table-profile.jpg", requestOf("table-profile.jpg", "default.png"));
  await right("lossy.webp", requestOf("lossy.webp", "default.png"));
  await right("rle8.bmp", requestOf("rle8.bmp", "default.png"));
  await right("strips-lzw.tif", requestOf("strips-lzw.tif", "default.png"));
});

test("an answer loads the module of its codec", async () => {
  for (const name of CODECS) rmSync(join(folder, `codecs/${name}.wasm`), { force: true });
  await init(pathToFileURL(join(folder, "engine.wasm")));
  const [gif, webp] = [requestOf("rocket.jpg", "default.gif"), requestOf("rocket.jpg", "default.webp")];
  await assert.rejects(right("rocket.jpg", gif), /codecs\/gif\.wasm/);
  await assert.rejects(right("rocket.jpg", webp), /codecs\/webp\.wasm/);
  const small = async () => {
    const image = await open(file("rocket.jpg"), { threads: false, settings: { jpegSmall: true } });
    const { bytes } = await image.render("square/100,/0/default.jpg").finally(() => image.close());
    return bytes.length;
  };
  await assert.rejects(small(), /codecs\/mozjpeg\.wasm/);
  for (const name of CODECS) place(`codecs/${name}`);
  await right("rocket.jpg", gif);
  await right("rocket.jpg", webp);
  assert.ok((await small()) > 500);
});

test("modules are given by their names, and names that do not exist are refused", async () => {
  const engine = readFileSync(wasmOf(RELEASE, "engine"));
  await assert.rejects(init(engine, { extra: engine }), ({ code, status, message }) => code === "invalid-argument" && status === 400 && CODECS.every((name) => message.includes(name)));
  await init(engine, { gif: readFileSync(wasmOf(RELEASE, "codecs/gif")), webp: WebAssembly.compile(readFileSync(wasmOf(RELEASE, "codecs/webp"))) });
  await right("animated.gif", requestOf("animated.gif", "default.png"));
  await right("lossy.webp", requestOf("lossy.webp", "default.png"));
});

async function started(create, name) {
  const glue = create();
  await glue.default({ module_or_path: await WebAssembly.compile(readFileSync(wasmOf(RELEASE, name))) });
  return glue;
}

test("a module refuses codecs of other modules and names that do not exist", async () => {
  for (const [name, own] of [["bmp", "bmp"], ["gif", "gif"], ["webp", "webp"]]) {
    const { Decoder } = await started(createCodec, `codecs/${name}`);
    for (const other of ["bmp", "gif", "webp"].filter((other) => other !== own)) {
      assert.throws(() => new Decoder(other, file("lossy.webp"), 1, 1, 1e6), (thrown) => thrown === `internal:no decoder of ${other} is compiled in`, name);
    }
    for (const unknown of ["jxl", "WebP", ""]) {
      assert.throws(() => new Decoder(unknown, file("lossy.webp"), 1, 1, 1e6), (thrown) => thrown === `internal:there is no codec ${JSON.stringify(unknown)}`);
    }
  }
  const { Encoder, Unpacker, Decoder } = await started(createCodec, "codecs/tiff");
  assert.throws(() => new Decoder("lzw", new Uint8Array(9), 1, 1, 1e6), /no decoder of lzw/);
  assert.throws(() => new Unpacker("webp", 9), /no unpacker of webp/);
  assert.throws(() => new Encoder("gif", 1, 1, 3, 90, false, false, false), /no encoder of gif/);
});

/** Renders the top left corner of a GIF as PNG by an engine whose module for that is `codec`. */
async function by(codec) {
  const glue = await started(createEngine, "engine");
  glue.install("gif", codec);
  const bytes = file("animated.gif");
  const opening = new glue.OpenJob(bytes.length, "1", {});
  for (let needed; (needed = opening.step()); ) opening.provide(needed[0], bytes.slice(needed[0], needed[1]));
  const image = opening.image();
  const job = image.render("3", "0,0,4,2/max/0/default.png");
  assert.deepEqual(job.modules, ["gif"]);
  for (let needed; (needed = job.step()); ) job.provide(needed[0], bytes.slice(needed[0], needed[1]));
  return { width: image.width, height: image.height, bytes: job.result().takeBytes() };
}

/** A decoder whose rows `rowsOf` gives, and what was asked of it. */
function fake({ channels = 3, wide = false, damage, rows8, rows16 }) {
  const asked = [];
  const decoder = (codec, bytes, width, height, memory) => {
    asked.push({ codec, bytes: bytes.length, width, height, memory });
    return {
      channels,
      wide,
      damage,
      rowsAbove: 1,
      takeIcc: () => undefined,
      dropNeedlessAlpha: () => undefined,
      rows8: (most) => rows8(most, width),
      rows16: (most) => rows16(most, width),
      free: () => asked.push("free"),
    };
  };
  return { asked, decoder };
}

test("rows of 16 bits cross the border, a few at a time", async () => {
  let y = 0;
  const most = [];
  const codec = fake({
    channels: 1,
    wide: true,
    rows16: (count, width) => {
      most.push(count);
      // One row at a time is allowed. Each value is a 257-fold, so that 8 bits of it are exact.
      return new Uint16Array(width).fill(257 * (y++ * 40 + 7));
    },
  });
  const { width, height, bytes } = await by(codec);
  assert.deepEqual(codec.asked, [{ codec: "gif", bytes: file("animated.gif").length, width, height, memory: codec.asked[0].memory }, "free"]);
  assert.ok(codec.asked[0].memory > 1 << 20);
  assert.ok(most.length >= 2 && most.length <= height && most.every((count) => count > 0));
  const { rgba } = pixels(bytes);
  assert.deepEqual([...rgba].filter((_, at) => at % 4 === 0), [7, 7, 7, 7, 47, 47, 47, 47]);
});

test("a decoder that does not do what it says is an error, not a picture", async () => {
  const row = (length) => () => new Uint8Array(length);
  const narrow = new Uint8Array(9);
  for (const [given, code] of [
    [{ channels: 5, rows8: (_, width) => new Uint8Array(5 * width) }, "internal"],
    [{ rows8: () => narrow.slice(0, 0) }, "internal"],
    [{ rows8: () => narrow.slice(0, 7) }, "internal"],
    [{ rows8: (most, width) => new Uint8Array(3 * width * (most + 1)) }, "internal"],
    // Damage is shown: all that is missing is gray.
    [{ rows8: () => { throw "corrupt:what it says"; } }, undefined],
    [{ rows8: () => { throw "unsupported:what it says"; } }, "source-unsupported"],
    [{ rows8: () => { throw "what is this"; } }, "internal"],
  ]) {
    const codec = fake(given);
    const outcome = await by(codec).then(() => undefined, (error) => error);
    assert.equal(outcome?.code, code, JSON.stringify(outcome));
    if (code?.startsWith("source-")) assert.match(outcome.message, /what it says/);
    assert.ok(codec.asked.includes("free") || code === "internal");
  }
  // A trap of the module goes on as it is.
  await assert.rejects(by(fake({ rows8: () => { throw new WebAssembly.RuntimeError("unreachable"); } })), WebAssembly.RuntimeError);
});

test("an engine installs only modules that there are, and misses those that are not installed", async () => {
  const glue = await started(createEngine, "engine");
  assert.throws(() => glue.install("jxl", {}), ({ code }) => code === "internal");
});
