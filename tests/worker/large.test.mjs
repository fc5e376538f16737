// A hundred megapixels through an isolate: what is asked for streams, turned or not, and the wasm memory stays where it is.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { colourAt, repeatedTiff } from "../generate/pyramid.mjs";
import { bandedJpeg } from "../generate/banded.mjs";
import { cellsOfPng, meansOf } from "../corpus/cells.mjs";
import { dimensions } from "./images.mjs";
import { serve } from "./service.mjs";

const SIDE = 10_000;
const MIB = 1 << 20;
const MOST = 48 * MIB;

describe("a hundred megapixels", () => {
  let service, size;
  before(async () => {
    service = await serve({ samples: false, vars: { MAX_AREA: "none", WORK: "120", WEBP_LOSSLESS: "on", LOG: "errors" } });
    await service.put("jpeg.tif", repeatedTiff(SIDE, SIDE));
    await service.put("deflate.tif", repeatedTiff(SIDE, SIDE, { compression: "deflate" }));
    const plain = bandedJpeg(SIDE, SIDE);
    size = plain.length;
    await service.put("plain.jpg", plain);
  });
  after(() => service.close());
  const memory = async () => (await service.get("/health")).json().memory;

  for (const [path, type] of [
    ["jpeg.tif/full/max/0/default.jpg", "jpg"],
    ["jpeg.tif/full/max/90/default.jpg", "jpg"],
    ["deflate.tif/full/max/180/default.jpg", "jpg"],
    ["jpeg.tif/full/max/!0/gray.png", "png"],
    ["deflate.tif/full/9000,/270/bitonal.png", "png"],
    ["deflate.tif/full/max/0/default.tif", "tif"],
    ["plain.jpg/full/5000,/0/default.jpg", "jpg"],
    ["plain.jpg/full/max/0/default.jpg", "jpg"],
    ["plain.jpg/full/max/0/default.png", "png"],
    ["jpeg.tif/full/max/0/default.webp", "webp"],
    ["deflate.tif/full/max/270/bitonal.webp", "webp"],
    ["plain.jpg/full/max/0/gray.webp", "webp"],
  ]) {
    test(path, async () => {
      const { status, headers, bytes } = await service.get(`/iiif/3/${path}?cache=false`);
      const side = Number(/full\/(\d+),/.exec(path)?.[1] ?? SIDE);
      assert.equal(status, 200, bytes.toString("latin1", 0, 200));
      assert.deepEqual(dimensions(bytes), [type, side, side]);
      if (type === "jpg") assert.equal(bytes.readUInt16BE(bytes.length - 2), 0xffd9);
      else if (type === "png") assert.equal(bytes.toString("latin1", bytes.length - 8, bytes.length - 4), "IEND");
      else if (type === "webp") assert.deepEqual([bytes.readUInt32LE(4) + 8, bytes.length % 2], [bytes.length, 0]);
      else assert.ok(bytes.length > side * side * 3);
      const held = await memory();
      console.log(`${path}: ${(bytes.length / 1e6).toFixed(1)} MB${headers["content-length"] ? "" : ", streamed"}; ${(held / MIB).toFixed(1)} MiB of wasm memory`);
      assert.ok(held <= MOST, `${held} bytes`);
    });
  }

  test("a tile of a plain JPEG that has been seen reads little of it", async () => {
    const path = (column) => `/iiif/3/plain.jpg/${column * 512},9216,512,512/max/0/default.jpg`;
    assert.equal((await service.get("/iiif/3/plain.jpg/full/200,/0/default.jpg")).status, 200);
    const { headers, status } = await service.get(path(17));
    const [, read] = headers["server-timing"].match(/bytes;desc="(\d+)"/);
    console.log(`${read} bytes of ${size}`);
    assert.ok(status === 200 && Number(read) < size * 0.03, headers["server-timing"]);
  });

  test("what does not fit is refused before anything is read, and costs no memory", async () => {
    const before = await memory();
    for (const path of ["jpeg.tif/full/8000,/45/default.webp", "jpeg.tif/full/max/45/default.png", "deflate.tif/full/max/0/default.gif", "jpeg.tif/full/^30000,/0/default.gif"]) {
      const { status, headers, text } = await service.get(`/iiif/3/${path}?cache=false`, { accept: "application/json" });
      assert.equal(status, 503, path);
      assert.match(text(), /source-too-costly/);
      assert.equal(headers["server-timing"], undefined);
    }
    assert.equal(await memory(), before);
  });

  test("a turned answer shows the turned picture", async () => {
    const { bytes } = await service.get("/iiif/3/jpeg.tif/full/max/180/default.jpg?cache=false");
    await service.put("turned.jpg", bytes);
    // Its top left is the bottom right of the original, but for the codec's loss.
    const [turned, original] = await Promise.all(["turned.jpg/16,16,240,240/240,/0", "jpeg.tif/9744,9744,240,240/240,/180"].map((path) => service.get(`/iiif/3/${path}/default.png`)));
    const [a, b] = [turned, original].map(({ bytes }) => meansOf(cellsOfPng(bytes)).slice(0, 3));
    a.forEach((value, index) => assert.ok(Math.abs(value - b[index]) < 3, `${a} and ${b}`));
    const colour = colourAt(SIDE, SIDE, 0, 9856, 9856);
    a.forEach((value, index) => assert.ok(Math.abs(value - colour[index % 3]) < 14, `${a} and ${colour}`));
  });
});
