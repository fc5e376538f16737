// The files that are measured: three kinds of picture, painted by arithmetic and written by sharp as its users write them. Made once, kept in tests/out/bench.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { at } from "../../pkg/lib.mjs";

const [WIDTH, HEIGHT] = [4000, 3000];
const VAST = 10_000;
const TILED = { tile: true, tileWidth: 512, tileHeight: 512, pyramid: true };

/** Evenly spread bits of two coordinates. */
function hash(x, y) {
  let bits = Math.imul(x + 1, 0x85ebca6b) ^ Math.imul(y + 77, 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  return (bits ^ (bits >>> 13)) >>> 0;
}

/** A noise of waves of this length, -1 to 1. */
function value(x, y, length) {
  const [column, row] = [Math.floor(x / length), Math.floor(y / length)];
  const [u, v] = [x / length - column, y / length - row].map((part) => part * part * (3 - 2 * part));
  const corner = (right, down) => hash(column + right, row + down) / 2 ** 31 - 1;
  return (corner(0, 0) * (1 - u) + corner(1, 0) * u) * (1 - v) + (corner(0, 1) * (1 - u) + corner(1, 1) * u) * v;
}

/** Painters write the three bytes of a pixel. */
const PAINTERS = {
  /** Shapes and textures of all sizes under the grain of a sensor. */
  photograph(x, y, out, at) {
    let light = 120;
    for (let length = 512, weight = 46; length >= 4; length /= 4, weight *= 0.62) light += weight * value(x, y, length);
    const hue = value(x + 9000, y, 300);
    const grain = ((hash(x, y) & 15) - 7.5) * 1.4;
    out[at] = clamp(light + 24 * hue + grain);
    out[at + 1] = clamp(light + grain);
    out[at + 2] = clamp(light - 30 * hue + grain);
  },
  /** Lines of letters, dark on yellowish paper. */
  text(x, y, out, at) {
    const [column, line] = [Math.floor(x / 22), Math.floor(y / 48)];
    const [u, v] = [x % 22, y % 48];
    const letter = hash(column, line);
    const inside = u > 3 && u < 18 && v > 12 && v < 38 && x > 240 && letter % 7 !== 0;
    const stroke = inside && ((letter & 16 && u < 7) || (letter & 32 && u > 14) || (letter & 64 && v < 16) || (letter & 128 && v > 34) || (letter & 256 && Math.abs(v - 25) < 2) || (letter & 512 && Math.abs(u - (v - 12) / 1.7 - 3) < 2));
    const paper = 236 + (hash(x, y) & 3);
    out[at] = stroke ? 42 : paper;
    out[at + 1] = stroke ? 38 : paper - 6;
    out[at + 2] = stroke ? 40 : paper - 24;
  },
  /** Smooth areas, contour lines, a grid. */
  map(x, y, out, at) {
    const height = value(x, y, 900) + 0.4 * value(x, y, 260);
    const step = Math.floor(height * 5);
    const line = Math.abs(height * 5 - Math.round(height * 5)) < 0.015 || x % 1000 < 2 || y % 1000 < 2;
    out[at] = line ? 130 : 190 + step * 8;
    out[at + 1] = line ? 100 : 215 - step * 3;
    out[at + 2] = line ? 80 : 170 - step * 6;
  },
};

const clamp = (number) => Math.max(0, Math.min(255, number));

function painted(kind, width, height) {
  const pixels = Buffer.alloc(width * height * 3);
  const paint = PAINTERS[kind];
  for (let y = 0, at = 0; y < height; y++) for (let x = 0; x < width; x++, at += 3) paint(x, y, pixels, at);
  return { pixels, width, height };
}

/** The same with 16 bits a sample: the low ones are noise, as a sensor's are. */
function deepened(pixels, width) {
  return Uint16Array.from(pixels, (value, at) => value * 256 + (hash(at % (3 * width), Math.floor(at / 3 / width)) & 255));
}

const pyramidOf = (compression, more = {}) => (image) => image.tiff({ ...TILED, compression, ...more });
const strips = (compression, more = {}) => (image) => image.tiff({ compression, ...more });

/** Each: its picture, how sharp writes it, and the bits of a sample. */
const FILES = {
  "photograph.jpg": ["photograph", WIDTH, HEIGHT, (image) => image.jpeg({ quality: 92 })],
  "text.jpg": ["text", WIDTH, HEIGHT, (image) => image.jpeg({ quality: 85 })],
  "map.jpg": ["map", WIDTH, HEIGHT, (image) => image.jpeg({ quality: 85 })],
  "progressive.jpg": ["photograph", WIDTH, HEIGHT, (image) => image.jpeg({ quality: 85, progressive: true })],
  "vast.jpg": ["photograph", VAST, VAST, (image) => image.jpeg({ quality: 85 })],
  "pyramid-jpeg.tif": ["photograph", WIDTH, HEIGHT, pyramidOf("jpeg", { quality: 85 })],
  "pyramid-deflate.tif": ["photograph", WIDTH, HEIGHT, pyramidOf("deflate", { predictor: "horizontal" })],
  "pyramid-deflate16.tif": ["photograph", WIDTH, HEIGHT, (image) => pyramidOf("deflate", { predictor: "horizontal" })(image.toColourspace("rgb16")), 16],
  "pyramid-webp.tif": ["photograph", WIDTH, HEIGHT, pyramidOf("webp", { quality: 85 })],
  "pyramid-lzw.tif": ["photograph", WIDTH, HEIGHT, pyramidOf("lzw", { predictor: "horizontal" })],
  "strips-none.tif": ["photograph", WIDTH, HEIGHT, strips("none")],
  "strips-lzw.tif": ["photograph", WIDTH, HEIGHT, strips("lzw", { predictor: "horizontal" })],
  "strips-deflate.tif": ["photograph", WIDTH, HEIGHT, strips("deflate", { predictor: "horizontal" })],
  "strips-jpeg.tif": ["photograph", WIDTH, HEIGHT, strips("jpeg", { quality: 85 })],
  "photograph.png": ["photograph", WIDTH, HEIGHT, (image) => image.png()],
  "photograph.gif": ["photograph", WIDTH, HEIGHT, (image) => image.gif({ effort: 1 })],
  "lossy.webp": ["photograph", WIDTH, HEIGHT, (image) => image.webp({ quality: 85 })],
  "lossless.webp": ["photograph", WIDTH, HEIGHT, (image) => image.webp({ lossless: true, effort: 1 })],
  "cmyk.jpg": ["photograph", WIDTH, HEIGHT, (image) => image.toColourspace("cmyk").jpeg({ quality: 85 })],
  "tile.tif": ["photograph", 512, 512, (image) => image.tiff({ compression: "none" })],
};

/** Makes what is missing of the files of these jobs. Gives `{ name: path }`. */
export async function sources(sharp, jobs, say) {
  const folder = at("tests", "out", "bench", createHash("sha256").update(readFileSync(new URL(import.meta.url))).digest("hex").slice(0, 12));
  mkdirSync(folder, { recursive: true });
  const wanted = new Set(jobs.map(({ file }) => file));
  const made = Object.entries(FILES).filter(([name]) => wanted.has(name));
  const paths = Object.fromEntries(made.map(([name]) => [name, `${folder}/${name}`]));
  let last;
  for (const [name, [kind, width, height, write, bits]] of made) {
    if (existsSync(paths[name])) continue;
    say(`Making ${name}`);
    const key = `${kind} ${width}`;
    if (last?.key !== key) last = { key, ...painted(kind, width, height) };
    const pixels = bits === 16 ? deepened(last.pixels, width) : last.pixels;
    const image = sharp(pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false });
    writeFileSync(paths[name], await write(image).toBuffer());
  }
  return paths;
}

/** What is said of them. */
export function described(paths) {
  return Object.keys(paths).map((name) => {
    const [kind, width, height, , bits = 8] = FILES[name];
    const bytes = readFileSync(paths[name]).length;
    return [name, bits === 8 ? kind : `${kind}, ${bits} bits`, `${width} × ${height}`, `${(bytes / 1e6).toFixed(2)} MB`, ((bytes * 8) / width / height).toFixed(2)];
  });
}
