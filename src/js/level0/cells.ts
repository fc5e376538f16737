// The levels of a service as one file that is nowhere: a header, and the decoded pixels of each level in cells. A cell is fetched and decoded when its bytes are read.
// The core reads it by `src/pyramid/level0.rs`, which describes the header.

import { IiifError } from "../error.js";
import type { Dimensions } from "../request/size.js";
import type { Level } from "./pyramid.js";

export interface VirtualFile {
  readonly size: number;
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Gives the samples of a cell, row by row. */
export type ReadCell = (level: Level, cell: Cell, signal?: AbortSignal) => Promise<Uint8Array>;

/** A static tile or a part of one. */
export interface Cell extends Dimensions {
  readonly column: number;
  readonly row: number;
  /** Its static tile. */
  readonly tile: { readonly column: number; readonly row: number };
  /** Where it lies in that, px. */
  readonly left: number;
  readonly top: number;
}

const SIGNATURE = "azu level 0\n";
/** Bytes of the header before its levels, and of each level in it. */
const HEADER = 20;
const LEVEL = 32;

/** Cells are at most so large: the core holds a row of them. */
const MOST_SIDE = 1024;
const LEAST_SIDE = 16;
/** What larger ones are cut to where nothing else stands in the way. */
const USUAL_SIDE = 512;
/** Between cells, bytes: nearer ranges are read as one, and with them what nobody asked for. */
const APART = 32 << 10;
/** Header and pixels are apart too, bytes: opening must not fetch a tile. */
const PIXELS_AT = 64 << 10;

/** `samples` is 3 for RGB, 4 with straight alpha. */
export function cellFile(levels: readonly Level[], samples: 3 | 4, readCell: ReadCell): VirtualFile {
  let end = PIXELS_AT;
  const grids = levels.map((level) => {
    const grid = gridOf(level, samples, end);
    end = checked(end + grid.count * grid.stride);
    return grid;
  });
  const head = header(grids, samples);
  const size = end;
  return {
    size,
    async read(offset, length, signal) {
      const [from, to] = [Math.min(offset, size), Math.min(offset + length, size)];
      const result = new Uint8Array(to - from);
      if (from < head.length) result.set(head.subarray(from, to));
      await Promise.all(grids.map((grid) => pixels(grid, readCell, from, result, signal)));
      return result;
    },
  };
}

/** A level as rows of cells. */
interface Grid {
  readonly level: Level;
  readonly cell: Dimensions;
  readonly columns: number;
  readonly count: number;
  /** Cells to a static tile. */
  readonly across: number;
  readonly down: number;
  /** Of a cell, and from one to the next. */
  readonly bytes: number;
  readonly stride: number;
  /** Where the first begins. */
  readonly start: number;
}

function gridOf(level: Level, samples: number, start: number): Grid {
  const side = (tile: number, tiles: number): number => {
    if (tile <= MOST_SIDE) return tile;
    if (tiles === 1) return USUAL_SIDE;
    // The cells of a tile must fill it: only the last row and column of the level may stand over.
    for (let parts = Math.ceil(tile / MOST_SIDE); parts <= tile / 128; parts++) if (tile % parts === 0) return tile / parts;
    return tile;
  };
  const few = Math.max(level.tile.width, level.tile.height) < LEAST_SIDE && level.columns * level.rows > 1;
  if (few) throw new IiifError("source-too-costly", 503, `The tiles of ${level.tile.width} × ${level.tile.height} pixels are too small: no answer can be made of so many.`);
  const cell = { width: side(level.tile.width, level.columns), height: side(level.tile.height, level.rows) };
  const [columns, rows] = [Math.ceil(level.width / cell.width), Math.ceil(level.height / cell.height)];
  const bytes = cell.width * cell.height * samples;
  if (bytes > 64 << 20) throw new IiifError("source-too-costly", 503, `The tiles of ${level.tile.width} × ${level.tile.height} pixels are too large to be cut.`);
  return {
    level,
    cell,
    columns,
    count: columns * rows,
    across: Math.ceil(level.tile.width / cell.width),
    down: Math.ceil(level.tile.height / cell.height),
    bytes,
    stride: bytes + APART,
    start,
  };
}

function header(grids: readonly Grid[], samples: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER + LEVEL * grids.length));
  const bytes = new Uint8Array(view.buffer);
  bytes.set(new TextEncoder().encode(SIGNATURE));
  view.setUint32(12, samples, true);
  view.setUint32(16, grids.length, true);
  for (const [index, { level, cell, start, stride }] of grids.entries()) {
    const at = HEADER + LEVEL * index;
    for (const [n, side] of [level.width, level.height, cell.width, cell.height].entries()) view.setUint32(at + 4 * n, side, true);
    view.setBigUint64(at + 16, BigInt(start), true);
    view.setBigUint64(at + 24, BigInt(stride), true);
  }
  return bytes;
}

/** Puts the pixels of the cells that a range touches into `result`, which begins at `from`. */
async function pixels(grid: Grid, readCell: ReadCell, from: number, result: Uint8Array, signal?: AbortSignal): Promise<void> {
  const to = from + result.length;
  const work = [];
  const first = Math.max(0, Math.floor((from - grid.start) / grid.stride));
  for (let index = first; index < grid.count && grid.start + index * grid.stride < to; index++) {
    const at = grid.start + index * grid.stride;
    const [start, end] = [Math.max(from, at), Math.min(to, at + grid.bytes)];
    if (start >= end) continue;
    work.push(readCell(grid.level, cellOf(grid, index), signal).then((bytes) => result.set(bytes.subarray(start - at, end - at), start - from)));
  }
  await Promise.all(work);
}

function cellOf({ cell, columns, across, down }: Grid, index: number): Cell {
  const [column, row] = [index % columns, Math.floor(index / columns)];
  const tile = { column: Math.floor(column / across), row: Math.floor(row / down) };
  return { ...cell, column, row, tile, left: (column % across) * cell.width, top: (row % down) * cell.height };
}

/** Offsets are JavaScript's numbers. */
function checked(size: number): number {
  if (size > Number.MAX_SAFE_INTEGER) throw new IiifError("source-too-costly", 503, "The image is too large: its info.json may be wrong about its size.");
  return size;
}
