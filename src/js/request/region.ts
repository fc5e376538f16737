// The region: 1.x §4.1, 2.1 §4.1, 3.0 §4.1.

import { RequestError, empty, quoted, syntax } from "./error.js";
import { type Decimal, HUNDRED, decimal, decimalText, integer, percentOf, plain } from "./number.js";
import type { Dimensions } from "./size.js";
import { type Version, isFirst } from "./version.js";

/** A rectangle, px. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** `pct:x,y,w,h`, percent of the image's sides. */
export interface PercentRegion {
  readonly pct: readonly [x: Decimal, y: Decimal, width: Decimal, height: Decimal];
}

/** The part of the image that is asked for; `square` from 2.1. */
export type Region = "full" | "square" | Rect | PercentRegion;

/** Reads the (decoded) parameter. */
export function parseRegion(version: Version, text: string): Region {
  if (text === "full" || (text === "square" && !isFirst(version))) return text;
  const percent = text.startsWith("pct:");
  const parts = (percent ? text.slice(4) : text).split(",");
  const [x, y, width, height] = percent ? parts.map(decimal) : parts.map(integer);
  if (parts.length !== 4 || x === undefined || y === undefined || width === undefined || height === undefined) {
    throw syntax("region", text, `full, ${isFirst(version) ? "" : "square, "}x,y,w,h or pct:x,y,w,h`);
  }
  if (!width || !height) throw empty("region", text);
  if (typeof x === "bigint" || typeof y === "bigint" || typeof width === "bigint" || typeof height === "bigint") {
    const canonical = (units: bigint | number): string => decimalText(BigInt(units));
    return { pct: [canonical(x), canonical(y), canonical(width), canonical(height)] };
  }
  return { x, y, width, height };
}

/** The text of the parameter. */
export function regionText(region: Region): string {
  if (typeof region === "string") return region;
  return "pct" in region ? `pct:${region.pct.map(plain).join()}` : rectText(region);
}

/** The pixels this means in an image, cut at its edges; never empty. */
export function resolveRegion(region: Region, image: Dimensions): Rect {
  const { width, height } = image;
  if (region === "full") return { x: 0, y: 0, width, height };
  if (region === "square") {
    const side = Math.min(width, height);
    return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), width: side, height: side };
  }
  let across: Edges, down: Edges;
  if ("pct" in region) {
    const [x, y, w, h] = region.pct;
    across = percentEdges(x, w, width);
    down = percentEdges(y, h, height);
  } else {
    across = [region.x, Math.min(region.x + region.width, width)];
    down = [region.y, Math.min(region.y + region.height, height)];
  }
  const rect = { x: across[0], y: down[0], width: across[1] - across[0], height: down[1] - down[0] };
  if (rect.width > 0 && rect.height > 0) return rect;
  throw new RequestError(
    "region-outside",
    400,
    "region",
    `The region ${quoted(regionText(region))} lies outside the image, which is ${width} × ${height} pixels.`,
  );
}

/** `x,y,w,h`. */
export const rectText = ({ x, y, width, height }: Rect): string => [x, y, width, height].join();

/** The canonical text of a resolved region: 2.1 §4.7, 3.0 §4.8. */
export const canonicalRegion = (rect: Rect, image: Dimensions): string =>
  rect.width === image.width && rect.height === image.height ? "full" : rectText(rect);

type Edges = readonly [first: number, end: number];

/** Both edges are rounded, so that neighbours share one; at least 1 px lies between them. None outside. */
function percentEdges(start: Decimal, length: Decimal, side: number): Edges {
  const from = decimal(plain(start)) ?? HUNDRED;
  const to = from + (decimal(plain(length)) ?? 0n);
  if (from >= HUNDRED) return [0, 0];
  const first = Math.min(percentOf(from, side) ?? side, side - 1);
  return [first, Math.max(percentOf(to < HUNDRED ? to : HUNDRED, side) ?? side, first + 1)];
}
