// The size: 1.x §4.2, 2.1 §4.2, 3.0 §4.2.

import { Bounds, type Service, largestThat, withHeight, withWidth } from "./bounds.js";
import { RequestError, empty, quoted, syntax, tooLarge } from "./error.js";
import type { Format } from "./format.js";
import { type Decimal, HUNDRED, MOST, decimal, decimalText, integer, percentOf, plain } from "./number.js";
import { type Rotation, isRightAngle, rotatedBox } from "./rotation.js";
import { type Version, isFirst } from "./version.js";

/** Width and height, px. */
export interface Dimensions {
  readonly width: number;
  readonly height: number;
}

/**
 * The size to which the region is scaled: `full` (1.x, 2), `max` (2.1, 3), `w,`, `,h`, `pct:n`, `w,h` and, confined, `!w,h`.
 * `upscale` is the `^` of 3.0: it may be larger than the region.
 */
export type Size =
  | "full"
  | "max"
  | "^max"
  | { readonly width: number; readonly height?: undefined; readonly upscale?: boolean }
  | { readonly width?: undefined; readonly height: number; readonly upscale?: boolean }
  | { readonly width: number; readonly height: number; readonly confined?: boolean; readonly upscale?: boolean }
  | { readonly pct: Decimal; readonly upscale?: boolean };

/** Reads the (decoded) parameter. */
export function parseSize(version: Version, text: string): Size {
  const malformed = (): RequestError => syntax("size", text, expected(version));
  const caret = text[0] === "^";
  if (caret && version !== "3") throw malformed();
  const rest = caret ? text.slice(1) : text;
  if (rest === "full" && version !== "3") return rest;
  if (rest === "max" && !isFirst(version)) return caret ? "^max" : rest;
  const upscale = caret ? { upscale: true } : {};
  if (rest.startsWith("pct:")) {
    const units = decimal(rest.slice(4));
    if (units === undefined) throw malformed();
    if (!units) throw empty("size", text);
    return { pct: decimalText(units), ...upscale };
  }
  const confined = rest[0] === "!";
  const sides = (confined ? rest.slice(1) : rest).split(",");
  const [width, height] = sides.map((side) => (side || confined ? integer(side) : NaN));
  if (sides.length !== 2 || width === undefined || height === undefined || (Number.isNaN(width) && Number.isNaN(height))) throw malformed();
  if (width === 0 || height === 0) throw empty("size", text);
  if (Number.isNaN(height)) return { width, ...upscale };
  if (Number.isNaN(width)) return { height, ...upscale };
  return { width, height, ...(confined && { confined }), ...upscale };
}

/** The text of the parameter. */
export function sizeText(size: Size): string {
  if (typeof size === "string") return size;
  const caret = size.upscale ? "^" : "";
  if ("pct" in size) return `${caret}pct:${plain(size.pct)}`;
  return `${caret}${"confined" in size && size.confined ? "!" : ""}${size.width ?? ""},${size.height ?? ""}`;
}

/** The size in pixels for a region of an image (before rotation) in a format. */
export function resolveSize(asked: Size, version: Version, region: Dimensions, format: Format, service: Service): Dimensions {
  const bounds = new Bounds(service, format);
  const upscale = asked === "^max" || (typeof asked === "object" && asked.upscale === true);
  const { size, shape = region, over } = pixels(asked, version, region, format, service, bounds, upscale);
  const upscaled = size.width > region.width || size.height > region.height;
  if (version === "3" && !upscale && (upscaled || over)) {
    throw new RequestError(
      "upscale-needs-caret",
      400,
      "size",
      `The size ${quoted(sizeText(asked))} is larger than the region, which is ${region.width} × ${region.height} pixels: put ^ before it to scale up.`,
    );
  }
  const limit = bounds.over(size);
  if (limit !== undefined) throw tooLarge(sizeText(asked), limit, bounds.fit(shape, size));
  if (upscaled && service.upscaling === false) {
    throw new RequestError("upscale-unsupported", 501, "size", `The size ${quoted(sizeText(asked))} needs scaling up, which this service does not do.`);
  }
  return size;
}

/** Refuses a size whose box is over the limits once it is rotated. Right angles are left alone: the limits are those of the size (3.0 §5.2). */
export function checkRotated(asked: Size, size: Dimensions, rotation: Rotation, format: Format, service: Service): void {
  if (isRightAngle(rotation)) return;
  const bounds = new Bounds(service, format);
  const rotated = rotatedBox(size, rotation);
  const limit = bounds.over(rotated);
  if (limit === undefined) return;
  const largest = largestThat(size, (size) => bounds.over(rotatedBox(size, rotation)) === undefined);
  throw tooLarge(sizeText(asked), limit, largest, rotated);
}

/** The canonical text of a resolved size: 2.1 §4.7, 3.0 §4.8. 1.x has none and borrows that of 2.1. */
export function canonicalSize(version: Version, size: Dimensions, region: Dimensions, format: Format, service: Service): string {
  const { width, height } = size;
  if (version === "3") {
    const bounds = new Bounds(service, format);
    if (same(size, bounds.shrink(region))) return "max";
    if (same(size, bounds.enlarge(region))) return "^max";
    return `${width > region.width || height > region.height ? "^" : ""}${width},${height}`;
  }
  if (same(size, region)) return "full";
  // Only where `w,` gives this height again; `,h` may have rounded the other way.
  return withWidth(region, width)?.height === height ? `${width},` : `${width},${height}`;
}

/** The size, its shape if it is not that of the region, and whether it is a percentage over 100, be it larger or not. */
function pixels(
  asked: Size,
  version: Version,
  region: Dimensions,
  format: Format,
  service: Service,
  bounds: Bounds,
  upscale: boolean,
): { size: Dimensions; shape?: Dimensions; over?: boolean } {
  if (asked === "full") return { size: new Bounds(region, format).shrink(region) };
  if (asked === "max") return { size: bounds.shrink(region) };
  if (asked === "^max") return { size: bounds.enlarge(region) };
  if ("pct" in asked) {
    const units = decimal(plain(asked.pct)) ?? 0n;
    const side = (side: number): number => Math.max(1, percentOf(units, side) ?? MOST);
    return { size: { width: side(region.width), height: side(region.height) }, over: units > HUNDRED };
  }
  const { width, height } = asked;
  // A computed side beyond 32 bits is over the longest side of every format.
  if (height === undefined) return { size: withWidth(region, width) ?? { width, height: MOST } };
  if (width === undefined) return { size: withHeight(region, height) ?? { width: MOST, height } };
  if (!("confined" in asked) || !asked.confined) return { size: { width, height }, shape: { width, height } };
  // Where upscaling was not asked for (3.0) or is off (before 3.0, where stopping is the server's right) the region itself is the most.
  const clamp = version === "3" ? !upscale && service.confinedUpscale !== "reject" : service.upscaling === false;
  const into = clamp ? { width: Math.min(width, region.width), height: Math.min(height, region.height) } : { width, height };
  return { size: bounds.fit(region, into) };
}

const same = (a: Dimensions, b: Dimensions): boolean => a.width === b.width && a.height === b.height;

function expected(version: Version): string {
  if (version === "3") return "max, w,  ,h  pct:n  w,h or !w,h, with ^ before it to scale up";
  return `full, ${version === "2" ? "max, " : ""}w,  ,h  pct:n  w,h or !w,h`;
}
