// What a service of level 0 has: levels of the image, each cut into static tiles; a service without tiles has each of its sizes as one.

import { IiifError } from "../error.js";
import { Bounds } from "../request/bounds.js";
import type { Info } from "../request/info.js";
import { type Rect, rectText } from "../request/region.js";
import type { Dimensions } from "../request/size.js";
import { sizeOf, tileAt, tileSets } from "../request/tiles.js";

/** One size of the image. */
export interface Level extends Dimensions {
  /** Size of its static tiles, px; those at the right and the bottom are cut. */
  readonly tile: Dimensions;
  readonly columns: number;
  readonly rows: number;
  at(column: number, row: number): StaticTile;
  /** The tile that shows just this region of the image in this size, give or take a pixel: `w,` leaves a height to be rounded. */
  find(region: Rect, size: Dimensions): { readonly column: number; readonly row: number } | undefined;
}

/** A file of the service. */
export interface StaticTile extends Dimensions {
  /** `region/size` in every form that generators are known to name it by, the specification's first. */
  readonly spellings: readonly string[];
}

/** A gigapixel image has about 12; the core reads no more than 48. */
const MOST_LEVELS = 40;

/** The levels, largest first; the first is what is seen as the image. `exists` is asked whether the whole image can be had where its sizes do not tell. */
export async function levelsOf(info: Info, exists: (tile: StaticTile) => Promise<boolean>): Promise<Level[]> {
  const sets = tileSets(info);
  const levels = sets.length ? tiled(info, sets) : await sized(info, exists);
  // A size that is there twice would be two levels that are one.
  const distinct = new Map(levels.reverse().map((level) => [level.width, level]));
  return [...distinct.values()].sort((a, b) => b.width - a.width).slice(0, MOST_LEVELS);
}

function tiled(info: Info, sets: ReturnType<typeof tileSets>): Level[] {
  const factors = new Map<number, Dimensions>();
  for (const { width, height, scaleFactors } of sets) {
    // Beyond that a level is one pixel: whoever lists more is not to be believed.
    for (const factor of scaleFactors) if (factor <= Math.max(info.width, info.height) && !factors.has(factor)) factors.set(factor, { width, height });
  }
  if (!factors.size) throw new IiifError("source-corrupt", 500, "The info.json lists tiles, but no scale factor that the image has.");
  return [...factors].map(([factor, tile]) => {
    const [width, height] = [Math.ceil(info.width / factor), Math.ceil(info.height / factor)];
    return {
      width,
      height,
      tile: { width: Math.min(tile.width, width), height: Math.min(tile.height, height) },
      columns: Math.ceil(width / tile.width),
      rows: Math.ceil(height / tile.height),
      at: (column, row) => {
        const { region, size } = tileAt(info, tile, factor, column, row);
        return { ...size, spellings: spellings(info, region, size) };
      },
      find: (region, size) => {
        const [column, row] = [Math.floor(region.x / (tile.width * factor)), Math.floor(region.y / (tile.height * factor))];
        const found = tileAt(info, tile, factor, column, row);
        return isSame(found.region, region) && isNear(found.size, size) ? { column, row } : undefined;
      },
    };
  });
}

async function sized(info: Info, exists: (tile: StaticTile) => Promise<boolean>): Promise<Level[]> {
  const region: Rect = { x: 0, y: 0, width: info.width, height: info.height };
  const whole = ({ width, height }: Dimensions): Level => ({
    width,
    height,
    tile: { width, height },
    columns: 1,
    rows: 1,
    at: () => ({ width, height, spellings: spellings(info, region, { width, height }) }),
    find: (asked, size) => (isSame(asked, region) && isNear(size, { width, height }) ? { column: 0, row: 0 } : undefined),
  });
  const levels = info.sizes.filter(({ width, height }) => width <= info.width && height <= info.height).map(whole);
  if (levels.some(({ width, height }) => width === info.width && height === info.height)) return levels;
  // Every service has `max` (before 3.0: `full`), though generators that list sizes may have written no other file than those.
  const most = whole(new Bounds(info).shrink(info));
  const larger = levels.every(({ width }) => width < most.width);
  return larger && (!levels.length || (await exists(most.at(0, 0)))) ? [most, ...levels] : levels;
}

const isSame = (a: Rect, b: Rect): boolean => a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;

/** Services round in different ways. */
export const isNear = (a: Dimensions, b: Dimensions): boolean => Math.abs(a.width - b.width) <= 1 && Math.abs(a.height - b.height) <= 1;

function spellings(info: Info, region: Rect, size: Dimensions): string[] {
  const { width, height } = size;
  const whole = region.width === info.width && region.height === info.height;
  const natural = width === region.width && height === region.height;
  const regions = whole ? ["full", rectText(region)] : [rectText(region)];
  const largest = whole && (natural || info.maxWidth !== undefined || info.maxArea !== undefined);
  const sizes = new Set([sizeOf(info, region, size), `${width},${height}`, `${width},`, ...(largest ? ["max", "full"] : [])]);
  return regions.flatMap((region) => [...sizes].map((size) => `${region}/${size}`));
}
