// A small writer of tiled, Deflate-compressed RGB TIFFs with a pyramid by page: large images for the tests, made when they run.

import { deflateSync } from "node:zlib";

const TILE = 512;

/**
 * A classic little-endian TIFF of `width` × `height`, halved page by page until it fits in one tile.
 * `paint(x, y, out, at)` writes the three bytes of a pixel of the full image.
 */
export function pyramidTiff(width, height, paint) {
  const pages = [];
  for (let scale = 1; ; scale *= 2) {
    const [w, h] = [Math.ceil(width / scale), Math.ceil(height / scale)];
    pages.push({ w, h, scale, tiles: tilesOf(w, h, scale, paint) });
    if (w <= TILE && h <= TILE) break;
  }
  const chunks = [Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0])];
  let end = 8;
  const append = (buffer) => {
    const at = end;
    const padded = buffer.length % 2 ? Buffer.concat([buffer, Buffer.alloc(1)]) : buffer;
    chunks.push(padded);
    end += padded.length;
    return at;
  };
  let link = { buffer: chunks[0], at: 4 };
  for (const [index, { w, h, tiles }] of pages.entries()) {
    const offsets = tiles.map(append);
    const words = (values) => Buffer.concat(values.map((value) => uint32(value)));
    const bits = append(Buffer.from([8, 0, 8, 0, 8, 0]));
    const at = (values) => (values.length === 1 ? values[0] : append(words(values)));
    const [offsetsAt, countsAt] = [at(offsets), at(tiles.map((tile) => tile.length))];
    // [tag, type (3 SHORT, 4 LONG), count, value or where it lies]
    const entries = [
      [254, 4, 1, index === 0 ? 0 : 1],
      [256, 4, 1, w],
      [257, 4, 1, h],
      [258, 3, 3, bits],
      [259, 3, 1, 8],
      [262, 3, 1, 2],
      [277, 3, 1, 3],
      [284, 3, 1, 1],
      [322, 4, 1, TILE],
      [323, 4, 1, TILE],
      [324, 4, tiles.length, offsetsAt],
      [325, 4, tiles.length, countsAt],
    ];
    const directory = Buffer.alloc(2 + 12 * entries.length + 4);
    directory.writeUInt16LE(entries.length, 0);
    for (const [row, [tag, type, count, value]] of entries.entries()) {
      const to = 2 + 12 * row;
      directory.writeUInt16LE(tag, to);
      directory.writeUInt16LE(type, to + 2);
      directory.writeUInt32LE(count, to + 4);
      directory.writeUInt32LE(value, to + 8);
    }
    link.buffer.writeUInt32LE(append(directory), link.at);
    link = { buffer: directory, at: directory.length - 4 };
  }
  return Buffer.concat(chunks);
}

function tilesOf(w, h, scale, paint) {
  const tiles = [];
  for (let top = 0; top < h; top += TILE) {
    for (let left = 0; left < w; left += TILE) {
      const raw = Buffer.alloc(TILE * TILE * 3);
      for (let y = 0; y < Math.min(TILE, h - top); y += 1) {
        for (let x = 0; x < Math.min(TILE, w - left); x += 1) paint((left + x) * scale, (top + y) * scale, raw, 3 * (y * TILE + x));
      }
      tiles.push(deflateSync(raw, { level: 1 }));
    }
  }
  return tiles;
}

function uint32(value) {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

/** A wall of blue and white tiles that differ from each other, so that a misplaced tile is seen. */
export function paintWall(x, y, out, at) {
  const [column, row] = [Math.floor(x / 250), Math.floor(y / 250)];
  const [u, v] = [(x % 250) - 125, (y % 250) - 125];
  const radius = Math.hypot(u, v);
  const ring = Math.hypot(125 - Math.abs(u), 125 - Math.abs(v)) < 60 || Math.abs(radius - 70 - 8 * ((column * 7 + row * 3) % 5)) < 9;
  const dot = radius < 14 + 4 * ((column + 2 * row) % 4);
  out[at] = ring ? 30 : dot ? 224 : 200 + ((column * 40) % 55);
  out[at + 1] = ring ? 75 : dot ? 160 : 210 + ((row * 30) % 45);
  out[at + 2] = ring ? 160 : dot ? 40 : 240;
  if (Math.abs(u) > 123 || Math.abs(v) > 123) out[at] = out[at + 1] = out[at + 2] = 170;
}
