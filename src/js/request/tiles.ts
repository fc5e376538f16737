// The tiles of an image as viewers ask for them: 2.1 and 3.0, implementation notes on tiles.

import { withWidth } from "./bounds.js";
import { type Format, defaultFormat } from "./format.js";
import { type Info, type TileSet, readInfo } from "./info.js";
import { type Quality, qualityText } from "./quality.js";
import { type Rect, canonicalRegion } from "./region.js";
import type { Dimensions } from "./size.js";

/** One tile. */
export interface Tile {
  /** By what the image is divided. */
  readonly scaleFactor: number;
  /** Column, from 0. */
  readonly x: number;
  /** Row, from 0. */
  readonly y: number;
  /** The pixels of the image that it shows. */
  readonly region: Rect;
  /** Its own size, px. */
  readonly size: Dimensions;
  /** `region/size/0/quality.format`, to stand after the image's base URI. */
  readonly path: string;
}

/** How the tiles are asked for. */
export interface TileOptions {
  readonly quality?: Quality;
  /** Default `jpg`, or the first format offered. */
  readonly format?: Format;
}

/** Tiles of a service of level 1 or 2 that publishes none. */
const USUAL = 512;

/**
 * All tiles of an image, of each set and scale factor those that cover it once, the coarsest first, row by row. `document` is a parsed `info.json` of any version.
 *
 * A service of level 0 without tiles has its sizes instead, each as one tile. Throws a {@link RequestError} if the document is no `info.json`.
 */
export function* tilesOf(document: unknown, options: TileOptions = {}): Generator<Tile, void, undefined> {
  const info = readInfo(document);
  const last = `0/${qualityText(info.version, options.quality ?? "default")}.${options.format ?? defaultFormat(info.formats)}`;
  const sets = tileSets(info);
  const whole = { x: 0, y: 0, width: info.width, height: info.height };
  if (!sets.length) {
    for (const size of info.sizes) yield { scaleFactor: info.width / size.width, x: 0, y: 0, region: whole, size, path: `full/${sizeOf(info, whole, size)}/${last}` };
  }
  for (const { width, height, scaleFactors } of sets) {
    for (const scaleFactor of [...scaleFactors].sort((a, b) => b - a)) {
      const [across, down] = [width * scaleFactor, height * scaleFactor];
      for (let y = 0; y * down < info.height; y++) {
        for (let x = 0; x * across < info.width; x++) {
          const { region, size } = tileAt(info, { width, height }, scaleFactor, x, y);
          yield { scaleFactor, x, y, region, size, path: `${canonicalRegion(region, info)}/${sizeOf(info, region, size)}/${last}` };
        }
      }
    }
  }
}

/** The sets of tiles of a service; one of level 0 may have none. */
export const tileSets = (info: Info): readonly TileSet[] => (info.tiles.length || info.level === 0 ? info.tiles : [usual(info)]);

/** What a tile shows and its own size, px. */
export function tileAt(image: Dimensions, tile: Dimensions, scaleFactor: number, x: number, y: number): Pick<Tile, "region" | "size"> {
  const [across, down] = [tile.width * scaleFactor, tile.height * scaleFactor];
  const [left, top] = [x * across, y * down];
  const region = { x: left, y: top, width: Math.min(across, image.width - left), height: Math.min(down, image.height - top) };
  return { region, size: { width: Math.ceil(region.width / scaleFactor), height: Math.ceil(region.height / scaleFactor) } };
}

/** The size as static tiles are named and viewers ask: `w,h` in 3.0, `w,` before, and the whole in its own size as `max` or `full`. */
export function sizeOf(info: Info, region: Rect, { width, height }: Dimensions): string {
  if (region.width === info.width && region.height === info.height && width === info.width && height === info.height) return info.version === "3" ? "max" : "full";
  // `w,` may round to another height than the grid has; only level 2 takes both sides before 3.0.
  const both = info.version === "3" || (info.level === 2 && withWidth(region, width)?.height !== height);
  return both ? `${width},${height}` : `${width},`;
}

function usual({ width, height, maxWidth = Infinity, maxHeight = maxWidth, maxArea = Infinity }: Info): TileSet {
  let side = USUAL;
  while (side > 1 && (side > maxWidth || side > maxHeight || side * side > maxArea)) side /= 2;
  const scaleFactors = [1];
  for (let factor = 1; Math.max(width, height) > side * factor; ) scaleFactors.push((factor *= 2));
  return { width: side, height: side, scaleFactors };
}
