// The levels as an uncompressed, tiled, pyramidal BigTIFF that is nowhere: its directories are made up, a tile is fetched and decoded when its bytes are read.
// Sizes of TIFF tiles should be multiples of 16 (TIFF 6.0 §15); the core, which alone reads this, takes any.

import { IiifError } from "../error.js";
import type { Dimensions } from "../request/size.js";
import type { Level } from "./pyramid.js";

/** A part of the file; what lies between parts is zeros. */
interface Part {
  readonly start: number;
  readonly end: number;
  /** Its bytes, all or those from `from` to before `to`, counted from its start. */
  make(from: number, to: number, signal?: AbortSignal): Uint8Array | Promise<Uint8Array>;
}

export interface VirtualFile {
  readonly size: number;
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Gives the samples of a cell, row by row. */
export type ReadCell = (level: Level, cell: Cell, signal?: AbortSignal) => Promise<Uint8Array>;

/** A TIFF tile: a static tile or a part of one. */
export interface Cell extends Dimensions {
  readonly column: number;
  readonly row: number;
  /** Its static tile. */
  readonly tile: { readonly column: number; readonly row: number };
  /** Where it lies in that, px. */
  readonly left: number;
  readonly top: number;
}

/** Cells are at most so large: the core holds a row of them. */
const MOST_SIDE = 1024;
const LEAST_SIDE = 16;
/** What larger ones are cut to where nothing else stands in the way. */
const USUAL_SIDE = 512;
/** Between cells: nearer ranges are read as one, and with them what nobody asked for. */
const APART = 32 << 10;
/** The tables and the pixels are apart too: opening must not fetch a tile. */
const PIXELS_AT = 64 << 10;

const [SHORT, LONG, LONG8] = [3, 4, 16];

/** `samples` is 3 for RGB, 4 with straight alpha. */
export function virtualTiff(levels: readonly Level[], samples: 3 | 4, readCell: ReadCell): VirtualFile {
  const parts: Part[] = [];
  const grids = levels.map((level) => gridOf(level, samples));
  // Header and directories are a few kilobytes and are made at once.
  const entries = grids.map((grid, index) => entriesOf(grid, index, samples));
  const directoryAt: number[] = [];
  let end = 16;
  for (const list of entries) {
    directoryAt.push(end);
    end += 8 + 20 * list.length + 8;
  }
  const head = new DataView(new ArrayBuffer(end));
  head.setUint32(0, 0x002b4949, true);
  head.setUint32(4, 8, true);
  put8(head, 8, directoryAt[0]!);
  parts.push({ start: 0, end, make: (from, to) => new Uint8Array(head.buffer).slice(from, to) });

  const add = (length: number, make: Part["make"]): number => {
    const start = end;
    end = checked(start + length);
    parts.push({ start, end, make });
    return start;
  };
  // The tables: they have an entry for each of perhaps a million cells, and are made where they are read.
  const tables = grids.map((grid) => {
    const place = { pixels: 0 };
    const offsets = grid.count > 1 ? add(grid.count * 8, table(8, (view, at, index) => put8(view, at, place.pixels + index * grid.stride))) : 0;
    const counts = grid.count > 2 ? add(grid.count * 4, table(4, (view, at) => view.setUint32(at, grid.bytes, true))) : 0;
    return { place, offsets, counts };
  });
  for (const [index, grid] of grids.entries()) {
    end = Math.ceil(Math.max(end + APART, PIXELS_AT) / APART) * APART;
    tables[index]!.place.pixels = add(grid.count * grid.stride, (from, to, signal) => pixels(grid, readCell, from, to, signal));
  }

  for (const [index, list] of entries.entries()) {
    const { count, bytes } = grids[index]!;
    const { place, offsets, counts } = tables[index]!;
    const at = directoryAt[index]!;
    put8(head, at, list.length);
    for (const [row, [tag, type, values]] of list.entries()) {
      const to = at + 8 + 20 * row;
      head.setUint16(to, tag, true);
      head.setUint16(to + 2, type, true);
      const isTable = tag === 324 || tag === 325;
      put8(head, to + 4, isTable ? count : values.length);
      if (tag === 324) put8(head, to + 12, count > 1 ? offsets : place.pixels);
      else if (tag === 325 && count > 2) put8(head, to + 12, counts);
      else for (const [n, value] of (isTable ? Array<number>(count).fill(bytes) : values).entries()) type === SHORT ? head.setUint16(to + 12 + 2 * n, value, true) : head.setUint32(to + 12 + 4 * n, value, true);
    }
    put8(head, at + 8 + 20 * list.length, directoryAt[index + 1] ?? 0);
  }

  const size = end;
  return {
    size,
    async read(offset, length, signal) {
      const [from, to] = [Math.min(offset, size), Math.min(offset + length, size)];
      const result = new Uint8Array(to - from);
      const made = parts
        .filter(({ start, end }) => start < to && end > from)
        .map(async (part) => result.set(await part.make(Math.max(from, part.start) - part.start, Math.min(to, part.end) - part.start, signal), Math.max(part.start - from, 0)));
      await Promise.all(made);
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
}

function gridOf(level: Level, samples: number): Grid {
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
  };
}

type Entry = readonly [tag: number, type: number, values: readonly number[]];

/** The directory, less what the tables hold. */
function entriesOf({ level, cell }: Grid, index: number, samples: 3 | 4): Entry[] {
  return [
    // NewSubfileType: a reduced image.
    [254, LONG, [index === 0 ? 0 : 1]],
    [256, LONG, [level.width]],
    [257, LONG, [level.height]],
    [258, SHORT, Array<number>(samples).fill(8)],
    [259, SHORT, [1]],
    // Photometric: RGB.
    [262, SHORT, [2]],
    [277, SHORT, [samples]],
    [284, SHORT, [1]],
    [322, LONG, [cell.width]],
    [323, LONG, [cell.height]],
    [324, LONG8, []],
    [325, LONG, []],
    // ExtraSamples: straight alpha.
    ...(samples === 4 ? [[338, SHORT, [2]] as const] : []),
  ];
}

/** Makes the entries of a table that a range touches. */
function table(width: number, put: (view: DataView, at: number, index: number) => void): Part["make"] {
  return (from, to) => {
    const first = Math.floor(from / width);
    const last = Math.ceil(to / width);
    const view = new DataView(new ArrayBuffer((last - first) * width));
    for (let index = first; index < last; index++) put(view, (index - first) * width, index);
    return new Uint8Array(view.buffer, from - first * width, to - from);
  };
}

/** The cells that a range touches. */
async function pixels(grid: Grid, readCell: ReadCell, from: number, to: number, signal?: AbortSignal): Promise<Uint8Array> {
  const result = new Uint8Array(to - from);
  const work = [];
  for (let index = Math.floor(from / grid.stride); index * grid.stride < to; index++) {
    const at = index * grid.stride;
    const [start, end] = [Math.max(from, at), Math.min(to, at + grid.bytes)];
    if (start >= end) continue;
    work.push(readCell(grid.level, cellOf(grid, index), signal).then((bytes) => result.set(bytes.subarray(start - at, end - at), start - from)));
  }
  await Promise.all(work);
  return result;
}

function cellOf({ cell, columns, across, down }: Grid, index: number): Cell {
  const [column, row] = [index % columns, Math.floor(index / columns)];
  const tile = { column: Math.floor(column / across), row: Math.floor(row / down) };
  return { ...cell, column, row, tile, left: (column % across) * cell.width, top: (row % down) * cell.height };
}

function put8(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** Offsets are JavaScript's numbers. */
function checked(size: number): number {
  if (size > Number.MAX_SAFE_INTEGER) throw new IiifError("source-too-costly", 503, "The image is too large: its info.json may be wrong about its size.");
  return size;
}
