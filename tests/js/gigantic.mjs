// Images of 100 megapixels, made while the test runs: a tiled pyramid as TIFF and a baseline JPEG, both of a few pieces that are encoded once and repeated.

import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { inflateSync } from "node:zlib";

export const WIDTH = 10_240;
export const HEIGHT = 9_808;
export const TILE = 512;
const VARIANTS = 5;
/** Levels that a colour may be off after JPEG. */
export const TOLERANCE = 12;

/** Which of the pieces lies where; each has a colour of its own. */
export const variantOf = (level, column, row) => (column * 2 + row + level * 3) % VARIANTS;

/** The same of a line of the JPEG, which has bands of 128 pixels. */
export const variantOfBand = (y) => (y >> 7) % VARIANTS;

/** The colour that the middle of a piece has. */
export const colourOf = (variant) => [40 + 40 * variant, 200 - 30 * variant, (60 + 90 * variant) % 256];

/** Texture around the middle, so that a piece costs what a piece of a photograph costs. */
function paint(variant, x, y, width, height, out, at) {
  const calm = Math.abs(x % TILE - TILE / 2) < 48 && (height < TILE || Math.abs(y - height / 2) < 48);
  const noise = calm ? 0 : (Math.imul((x + 7) * 73856093 ^ (y + variant) * 19349663, 83492791) >>> 28) - 8;
  for (const [channel, base] of colourOf(variant).entries()) out[at + channel] = Math.max(0, Math.min(255, base + noise));
}

/** The pieces as JPEG, encoded by the package itself. */
async function pieces(open, width, height) {
  const made = [];
  for (let variant = 0; variant < VARIANTS; variant++) {
    const pixels = Buffer.alloc(width * height * 3);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) paint(variant, x, y, width, height, pixels, (y * width + x) * 3);
    const image = await open(plainTiff(width, height, pixels), { threads: false });
    made.push(Buffer.from((await image.render("full/max/0/default.jpg")).bytes));
    image.close();
  }
  return made;
}

/** A TIFF of 512² JPEG tiles with a pyramid by page. Returns its size. */
export async function writeTiff(path, open) {
  const tiles = await pieces(open, TILE, TILE);
  const sampling = segments(tiles[0]).find(({ marker }) => marker === 0xc0).body[7];
  const out = writer(path);
  await out.write(Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]));
  const pages = [];
  for (let level = 0, [w, h] = [WIDTH, HEIGHT]; ; level++, [w, h] = [Math.ceil(w / 2), Math.ceil(h / 2)]) {
    const [offsets, counts] = [[], []];
    for (let row = 0; row * TILE < h; row++) {
      for (let column = 0; column * TILE < w; column++) {
        const tile = tiles[variantOf(level, column, row)];
        offsets.push(await out.write(tile));
        counts.push(tile.length);
      }
    }
    pages.push({ w, h, offsets, counts });
    if (w <= TILE && h <= TILE) break;
  }
  // The directories stand at the end, as writers of one pass put them; the header is told of the first.
  const links = [];
  for (const [index, { w, h, offsets, counts }] of pages.entries()) {
    const bits = await out.write(shorts([8, 8, 8]));
    const [offsetsAt, countsAt] = offsets.length === 1 ? [offsets[0], counts[0]] : [await out.write(longs(offsets)), await out.write(longs(counts))];
    const entries = [
      [254, 4, 1, index ? 1 : 0],
      [256, 4, 1, w],
      [257, 4, 1, h],
      [258, 3, 3, bits],
      [259, 3, 1, 7],
      [262, 3, 1, 6],
      [277, 3, 1, 3],
      [322, 4, 1, TILE],
      [323, 4, 1, TILE],
      [324, 4, offsets.length, offsetsAt],
      [325, 4, offsets.length, countsAt],
      [530, 3, 2, (sampling >> 4) | ((sampling & 15) << 16)],
    ];
    links.push({ entries, at: await out.write(directory(entries)) });
  }
  const patches = links.map(({ entries, at }, index) => [at + 2 + entries.length * 12, links[index + 1]?.at ?? 0]);
  return out.end([[4, links[0].at], ...patches]);
}

/** A baseline JPEG whose every row of blocks ends in a restart marker. Returns its size. */
export async function writeJpeg(path, open) {
  const rows = await pieces(open, WIDTH, 16);
  const [head] = rows.map((row) => segments(row));
  const frame = head.find(({ marker }) => marker === 0xc0).body;
  if (frame[7] >> 4 !== 2 || (frame[7] & 15) !== 2) throw new Error("a row of blocks is taken to be 16 pixels high");
  frame.writeUInt16BE(HEIGHT, 1);
  const interval = Buffer.alloc(2);
  interval.writeUInt16BE(WIDTH / 16);
  const scan = head.findIndex(({ marker }) => marker === 0xda);
  const out = writer(path);
  await out.write(Buffer.from([0xff, 0xd8]));
  for (const [index, { marker, body }] of head.entries()) {
    if (index === scan) await out.write(segment(0xdd, interval));
    await out.write(segment(marker, body));
  }
  const coded = rows.map((row) => row.subarray(endOfHeaders(row), row.length - 2));
  for (let row = 0; row * 16 < HEIGHT; row++) {
    await out.write(coded[variantOfBand(row * 16)]);
    const last = (row + 1) * 16 >= HEIGHT;
    await out.write(Buffer.from([0xff, last ? 0xd9 : 0xd0 + (row % 8)]));
  }
  return out.end([]);
}

/** The marker segments before the coded data, the scan's header being the last. */
function segments(jpeg) {
  const found = [];
  for (let at = 2; ; ) {
    const [marker, length] = [jpeg[at + 1], jpeg.readUInt16BE(at + 2)];
    found.push({ marker, body: Buffer.from(jpeg.subarray(at + 4, at + 2 + length)) });
    at += 2 + length;
    if (marker === 0xda) return found;
  }
}

const endOfHeaders = (jpeg) => segments(jpeg).reduce((end, { body }) => end + 4 + body.length, 2);

function segment(marker, body) {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

/** Appends to a file, at even offsets if it is told what; `end` patches numbers in. */
function writer(path) {
  const stream = createWriteStream(path);
  let end = 0;
  return {
    async write(bytes) {
      const at = end;
      end += bytes.length;
      if (!stream.write(bytes)) await once(stream, "drain");
      return at;
    },
    async end(patches) {
      stream.end();
      await once(stream, "close");
      const { open } = await import("node:fs/promises");
      const file = await open(path, "r+");
      for (const [at, value] of patches) await file.write(longs([value]), 0, 4, at);
      await file.close();
      return end;
    },
  };
}

function numbers(values, bytes) {
  const buffer = Buffer.alloc(values.length * bytes);
  for (const [index, value] of values.entries()) buffer.writeUIntLE(value, index * bytes, bytes);
  return buffer;
}
const shorts = (values) => numbers(values, 2);
const longs = (values) => numbers(values, 4);

/** [tag, type (3 SHORT, 4 LONG), count, value or where it lies]; the link to the next is 0. */
function directory(entries) {
  const buffer = Buffer.alloc(2 + 12 * entries.length + 4);
  buffer.writeUInt16LE(entries.length, 0);
  for (const [row, [tag, type, count, value]] of entries.entries()) {
    const at = 2 + 12 * row;
    buffer.writeUInt16LE(tag, at);
    buffer.writeUInt16LE(type, at + 2);
    buffer.writeUInt32LE(count, at + 4);
    buffer.writeUInt32LE(value, at + 8);
  }
  return buffer;
}

/** An uncompressed RGB TIFF of one strip. */
function plainTiff(width, height, pixels) {
  const entries = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 3, 8],
    [259, 3, 1, 1],
    [262, 3, 1, 2],
    [273, 4, 1, 14],
    [277, 3, 1, 3],
    [278, 4, 1, height],
    [279, 4, 1, pixels.length],
  ];
  const head = Buffer.concat([Buffer.from([0x49, 0x49, 42, 0]), longs([14 + pixels.length + (pixels.length % 2)]), shorts([8, 8, 8])]);
  return new Uint8Array(Buffer.concat([head, pixels, Buffer.alloc(pixels.length % 2), directory(entries)]));
}

/** A pixel of an RGB PNG of 8 bits. */
export function pixelOf(png, x, y) {
  const view = Buffer.from(png.buffer, png.byteOffset, png.length);
  const [width, samples] = [view.readUInt32BE(16), view[25] === 2 ? 3 : 4];
  const data = [];
  for (let at = 8; at < view.length; at += 12 + view.readUInt32BE(at)) if (view.toString("latin1", at + 4, at + 8) === "IDAT") data.push(view.subarray(at + 8, at + 8 + view.readUInt32BE(at)));
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * samples;
  let above = Buffer.alloc(stride);
  for (let row = 0; ; row++) {
    const [filter, line] = [raw[row * (stride + 1)], Buffer.from(raw.subarray(row * (stride + 1) + 1, (row + 1) * (stride + 1)))];
    for (let at = 0; at < stride; at++) {
      const [left, up, corner] = [line[at - samples] ?? 0, above[at], above[at - samples] ?? 0];
      const guess = left + up - corner;
      const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      line[at] += [0, left, up, (left + up) >> 1, paeth][filter];
    }
    if (row === y) return [...line.subarray(x * samples, x * samples + 3)];
    above = line;
  }
}
