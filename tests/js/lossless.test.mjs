// Answers by coefficients that are copied: the same as jpegtran's, and little memory for much of them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { file } from "./golden.mjs";
import { memories } from "./memory.mjs";

const { open, toPyramid, terminate } = await import("azulejo");

function tool(name, args, input) {
  const { status, stdout, stderr } = spawnSync(name, args, { input, maxBuffer: 1 << 29 });
  assert.deepEqual([status, String(stderr)], [0, ""], `${name} ${args.join(" ")}`);
  return stdout;
}
const missing = ["cjpeg", "djpeg", "jpegtran"].filter((name) => spawnSync(name, ["-version"]).error !== undefined);
const skip = missing.length > 0 ? `${missing.join(", ")} not installed` : false;

/** The same coefficients and tables are the same bytes, whatever codes they came in. */
const plain = (jpeg) => tool("jpegtran", ["-copy", "none", "-optimize"], jpeg);

/** So many pixels of a picture, again and again, with noise. */
function picture(width, height) {
  const small = tool("djpeg", ["-pnm"], file("rocket.jpg"));
  const pixels = small.subarray(small.length - 640 * 427 * 3);
  const ppm = Buffer.alloc(width * height * 3);
  let noise = 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width * 3; x++) {
      noise = (Math.imul(noise, 1664525) + 1013904223) | 0;
      ppm[y * width * 3 + x] = Math.min(255, pixels[(y % 427) * 1920 + (x % 1920)] + (noise >>> 28));
    }
  }
  return Buffer.concat([Buffer.from(`P6 ${width} ${height} 255\n`), ppm]);
}

test("regions of more than a megapixel are jpegtran's, out of a file and out of tiles", { skip }, async () => {
  const ppm = picture(1613, 1211);
  for (const args of [["-sample", "1x1", "-optimize"], ["-sample", "2x1"], ["-sample", "2x2", "-restart", "7B"], ["-sample", "1x2"], ["-grayscale"]]) {
    const source = tool("cjpeg", ["-quality", "91", ...args], ppm);
    const tiff = await toPyramid(new Uint8Array(source), { tile: 256 });
    for (const input of [new Uint8Array(source), tiff]) {
      const image = await open(input);
      for (const [region, ...crop] of [["full"], ["16,32,1200,1100", "-crop", "1200x1100+16+32"], ["256,0,1357,1211", "-crop", "1357x1211+256+0"]]) {
        const { bytes } = await image.render(`${region}/max/0/default.jpg`);
        const expected = crop.length > 0 ? tool("jpegtran", ["-copy", "none", ...crop], source) : source;
        assert.ok(plain(bytes).equals(plain(expected)), `${args.join(" ")}: ${region} of ${input === tiff ? "tiles" : "the file"}`);
      }
      // What is mirrored must end on blocks; what is not in the order of the file is decoded.
      const { bytes } = await image.render("0,0,1600,1211/max/!0/default.jpg");
      const expected = tool("jpegtran", ["-copy", "none", "-flip", "horizontal"], tool("jpegtran", ["-copy", "none", "-crop", "1600x1211+0+0"], source));
      assert.ok(plain(bytes).equals(plain(expected)), `${args.join(" ")}: mirrored, of ${input === tiff ? "tiles" : "the file"}`);
      image.close();
    }
  }
});

test("24 megapixels are copied in the memory of a few rows", { skip }, async () => {
  const source = tool("cjpeg", ["-quality", "92", "-sample", "1x1"], picture(6000, 4000));
  const tiff = await toPyramid(new Uint8Array(source), { tile: 256 });
  for (const [name, input] of [["a file", new Blob([source])], ["tiles of 256", tiff]]) {
    terminate();
    const image = await open(input, { settings: { maxArea: 1e8 }, threads: false });
    const { bytes } = await image.render("full/max/0/default.jpg");
    image.close();
    const held = memories.at(-1).buffer.byteLength / (1 << 20);
    console.log(`${(bytes.length / 1e6).toFixed(1)} MB of JPEG out of ${name}: ${held.toFixed(1)} MiB of wasm memory`);
    assert.ok(plain(bytes).equals(plain(source)), name);
    // All coefficients are 144 MB; a run of the file is 8, and is handed over by copying.
    assert.ok(held <= 32, `${held} MiB`);
  }
});
