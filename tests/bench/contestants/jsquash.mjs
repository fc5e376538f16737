// @jsquash: the codecs of Squoosh, each a function on all pixels. JPEG only.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import decode, { init as initDecoder } from "@jsquash/jpeg/decode.js";
import encode, { init as initEncoder } from "@jsquash/jpeg/encode.js";
import resize, { initResize } from "@jsquash/resize";

// It is made for browsers and asks for their class.
globalThis.ImageData ??= class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height, colorSpace: "srgb" });
  }
};
const require = createRequire(import.meta.url);
const folder = (name) => require.resolve(`${name}/package.json`).replace("package.json", "");
const wasm = (name, path) => WebAssembly.compile(readFileSync(folder(name) + path));
await initDecoder(await wasm("@jsquash/jpeg", "codec/dec/mozjpeg_dec.wasm"));
await initEncoder(await wasm("@jsquash/jpeg", "codec/enc/mozjpeg_enc.wasm"));
await initResize(await wasm("@jsquash/resize", "lib/resize/pkg/squoosh_resize_bg.wasm"));

export const name = "@jsquash";
export const version = () => ["jpeg", "resize"].map((each) => `${each} ${JSON.parse(readFileSync(`${folder(`@jsquash/${each}`)}package.json`, "utf8")).version}`).join(", ");

export const prepare = (files) => (job) => {
  if (job.kind !== "image" || job.few || !job.file.endsWith(".jpg") || job.file === "progressive.jpg") return undefined;
  const file = readFileSync(files[job.file]);
  const input = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  return async () => {
    let image = await decode(input);
    if (job.whole === undefined) image = cut(image, job);
    const width = job.whole ?? job.to;
    if (image.width !== width) image = await resize(image, { width, height: Math.round((image.height * width) / image.width) });
    return { bytes: new Uint8Array(await encode(image, { quality: 80 })) };
  };
};

function cut({ data, width }, { x, y, size }) {
  const out = new Uint8ClampedArray(size * size * 4);
  for (let row = 0; row < size; row++) out.set(data.subarray(((y + row) * width + x) * 4, ((y + row) * width + x + size) * 4), row * size * 4);
  return new ImageData(out, size, size);
}
