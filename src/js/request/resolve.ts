// A request held against an image: 2.1 §4.7, 3.0 §4.8, canonical URI syntax.

import type { Service } from "./bounds.js";
import { syntax, unsupportedFormat } from "./error.js";
import { FORMATS, type Format, defaultFormat } from "./format.js";
import { type ImageRequest, format, parse } from "./image-request.js";
import { MOST, plain } from "./number.js";
import { type Quality, qualityText } from "./quality.js";
import { type Rect, canonicalRegion, resolveRegion } from "./region.js";
import { rotationText } from "./rotation.js";
import { type Dimensions, canonicalSize, checkRotated, resolveSize } from "./size.js";
import type { Version } from "./version.js";

/** A request that is legal for its image. */
export interface ResolvedRequest {
  readonly version: Version;
  /** The pixels of the image that are shown. */
  readonly region: Rect;
  /** The size to which the region is scaled, before it is turned. */
  readonly size: Dimensions;
  /** How it is then mirrored and turned clockwise, 0 ≤ degrees < 360. */
  readonly rotation: { readonly mirror: boolean; readonly degrees: number };
  readonly quality: Quality;
  readonly format: Format;
  /** `region/size/rotation/quality.format` in the version's canonical form, not percent-encoded. 1.x has none of its own and borrows that of 2.1. */
  readonly canonical: string;
}

/** Holds a request against an image and its service. Throws a {@link RequestError}, also for what a request made by hand has wrong. */
export function resolve(request: ImageRequest, info: Service): ResolvedRequest {
  checkSides(info);
  const { version, region, size, rotation, quality, format: asked } = parse(format(request), request.version);
  const formats = info.formats ?? FORMATS;
  const chosen = asked ?? defaultFormat(formats);
  if (!formats.includes(chosen)) throw unsupportedFormat(chosen, version, formats);
  const rect = resolveRegion(region, info);
  const scaled = resolveSize(size, version, rect, chosen, info);
  checkRotated(size, scaled, rotation, chosen, info);
  return {
    version,
    region: rect,
    size: { width: scaled.width, height: scaled.height },
    rotation: { mirror: rotation.mirror === true, degrees: Number(plain(rotation.degrees)) },
    quality,
    format: chosen,
    canonical: [
      canonicalRegion(rect, info),
      canonicalSize(version, scaled, rect, chosen, info),
      rotationText(rotation),
      `${qualityText(version, quality)}.${chosen}`,
    ].join("/"),
  };
}

/** The canonical form of a request for an image, not percent-encoded. */
export const canonical = (request: ImageRequest, info: Service): string => resolve(request, info).canonical;

/** Refuses an image without whole sides. */
export function checkSides({ width, height }: { width: unknown; height: unknown }): void {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || Number(side) < 1 || Number(side) > MOST) throw syntax("info", `${String(width)} × ${String(height)}`, "width and height in pixels");
  }
}
