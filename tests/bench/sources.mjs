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

/** Each: its picture, and how sharp writes it. */
const FILES = {
  "photograph.jpg": ["photograph", WIDTH, HEIGHT, (image) => image.jpeg({ quality: 92 })],
  "text.jpg": ["text", WIDTH, HEIGHT, (image) => image.jpeg({ quality: 85 })],
  "map.jpg": ["map", WIDTH, HEIGHT, (image) => image.jpeg({ quality: 85 })],
  "progressive.jpg": ["photograph", WIDTH, HEIGHT, (image) => image.jpeg({ quality: 85, progressive: true })],
  "vast.jpg": ["photograph", VAST, VAST, (image) => image.jpeg({ quality: 85 })],
  "pyramid-jpeg.tif": ["photograph", WIDTH, HEIGHT, (image) => image.tiff({ ...TILED, compression: "jpeg", quality: 85 })],
  "pyramid-deflate.tif": ["photograph", WIDTH, HEIGHT, (image) => image.tiff({ ...TILED, compression: "deflate", predictor: "horizontal" })],
  "tile.tif": ["photograph", 512, 512, (image) => image.tiff({ compression: "none" })],
};

/** Makes what is missing. Gives `{ name: path }`. */
export async function sources(sharp, say) {
  const folder = at("tests", "out", "bench", createHash("sha256").update(readFileSync(new URL(import.meta.url))).digest("hex").slice(0, 12));
  mkdirSync(folder, { recursive: true });
  const paths = Object.fromEntries(Object.keys(FILES).map((name) => [name, `${folder}/${name}`]));
  let last;
  for (const [name, [kind, width, height, write]] of Object.entries(FILES)) {
    if (existsSync(paths[name])) continue;
    say(`Making ${name}`);
    const key = `${kind} ${width}`;
    if (last?.key !== key) last = { key, ...painted(kind, width, height) };
    const image = sharp(last.pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false });
    writeFileSync(paths[name], await write(image).toBuffer());
  }
  return paths;
}

/** What is said of them. */
export function described(paths) {
  return Object.entries(FILES).map(([name, [kind, width, height]]) => {
    const bytes = readFileSync(paths[name]).length;
    return [name, kind, `${width} × ${height}`, `${(bytes / 1e6).toFixed(2)} MB`, ((bytes * 8) / width / height).toFixed(2)];
  });
}
