// Pyramids made when they are needed: painted ones, whose every pixel is known, and ones of any size, of a few tiles that are repeated.

import { deflateSync } from "node:zlib";
import { abbreviated, tables } from "./jpeg.mjs";
import { tiff } from "./tiff.mjs";

export const TILE = 512;
const QUALITY = 85;

/** A picture halved until it fits into one tile. */
export function levelsOf(width, height) {
  const levels = [];
  for (let scale = 1; ; scale *= 2) {
    const level = { width: Math.ceil(width / scale), height: Math.ceil(height / scale), scale };
    level.columns = Math.ceil(level.width / TILE);
    level.rows = Math.ceil(level.height / TILE);
    levels.push(level);
    if (level.columns === 1 && level.rows === 1) return levels;
  }
}

const encoder = (compression, level) => (compression === "jpeg" ? (rgb) => abbreviated(TILE, TILE, rgb, QUALITY) : (rgb) => deflateSync(rgb, { level }));
const written = (levels, options) => tiff(levels, { tile: TILE, ...(options.compression === "jpeg" && { tables: tables(QUALITY) }), ...options });

/** A pyramid of a painted picture. `paint(x, y, out, at)` writes the three bytes of a pixel of the full image. */
export function pyramidTiff(width, height, paint, { compression = "deflate", ...options } = {}) {
  const encode = encoder(compression, 1);
  const levels = levelsOf(width, height).map((level) => {
    const tiles = [];
    for (let row = 0; row < level.rows; row++) {
      for (let column = 0; column < level.columns; column++) {
        const [left, top] = [column * TILE, row * TILE];
        const rgb = Buffer.alloc(TILE * TILE * 3);
        for (let y = 0; y < Math.min(TILE, level.height - top); y++) {
          for (let x = 0; x < Math.min(TILE, level.width - left); x++) paint((left + x) * level.scale, (top + y) * level.scale, rgb, 3 * (y * TILE + x));
        }
        tiles.push(encode(rgb));
      }
    }
    return { ...level, tiles };
  });
  return written(levels, { compression, ...options });
}

/** A wall of blue and white tiles that differ from each other, so that a misplaced tile is seen. */
export function paintWall(x, y, out, at) {
  const [column, row] = [Math.floor(x / 250), Math.floor(y / 250)];
  const [u, v] = [(x % 250) - 125, (y % 250) - 125];
  // Not Math.hypot, whose care for large numbers takes most of the time.
  const radius = Math.sqrt(u * u + v * v);
  const corner = Math.sqrt((125 - Math.abs(u)) ** 2 + (125 - Math.abs(v)) ** 2);
  const ring = corner < 60 || Math.abs(radius - 70 - 8 * ((column * 7 + row * 3) % 5)) < 9;
  const dot = radius < 14 + 4 * ((column + 2 * row) % 4);
  out[at] = ring ? 30 : dot ? 224 : 200 + ((column * 40) % 55);
  out[at + 1] = ring ? 75 : dot ? 160 : 210 + ((row * 30) % 45);
  out[at + 2] = ring ? 160 : dot ? 40 : 240;
  if (Math.abs(u) > 123 || Math.abs(v) > 123) out[at] = out[at + 1] = out[at + 2] = 170;
}

/** Distinct tiles of a level beside the one of its bottom right corner. */
const PIECES = 3;

/** Levels of brightness that a colour may be off after JPEG. */
export const TOLERANCE = 12;

/**
 * A pyramid of any size, up to many gigapixels in some two megabytes: each level has a few tiles of its own, again and again, and another one in the bottom right
 * corner. All have a colour, which `colourAt` knows, and the grain of a photograph. It is a BigTIFF where a real one would have to be.
 */
export function repeatedTiff(width, height, { compression = "jpeg", order = "cog", big = width * height >= 1e9, apart = false } = {}) {
  const encode = encoder(compression, 6);
  const levels = levelsOf(width, height).map((level, index) => {
    const pieces = Array.from({ length: PIECES + 1 }, (_, piece) => encode(grained(colourOf(index, piece), piece)));
    const tiles = Array.from({ length: level.columns * level.rows }, (_, at) => pieces[pieceOf(level, at % level.columns, Math.floor(at / level.columns))]);
    return { ...level, tiles };
  });
  return written(levels, { compression, order, big, apart });
}

const pieceOf = ({ columns, rows }, column, row) => (column === columns - 1 && row === rows - 1 ? PIECES : (column * 2 + row) % PIECES);

/** No two that a level away or a tile away could be mistaken for are nearer than the tolerance. */
const colourOf = (level, piece) => (piece === PIECES ? [220, 20 + 20 * level, 30 + 20 * level] : [30 + 20 * level, 60 + 60 * piece, 210 - 20 * level]);

/** The colour of a level (0 is the largest) where it is calm: around each pixel whose coordinates are multiples of 64. */
export function colourAt(width, height, index, x, y) {
  return colourOf(index, pieceOf(levelsOf(width, height)[index], Math.floor(x / TILE), Math.floor(y / TILE)));
}

/** Grain everywhere but in the calm squares. It recurs each 16 lines, so that Deflate has something to find. */
export function grain(x, y, seed) {
  const calm = [x, y].every((value) => Math.abs(((value + 32) & 63) - 32) < 10);
  return calm ? 0 : (Math.imul(((x + 7) * 73856093) ^ (((y & 15) + seed) * 19349663), 83492791) >>> 28) - 8;
}

function grained(colour, seed) {
  const rgb = Buffer.alloc(TILE * TILE * 3);
  for (let y = 0, at = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++) {
      const off = grain(x, y, seed);
      for (const value of colour) rgb[at++] = Math.max(0, Math.min(255, value + off));
    }
  }
  return rgb;
}
