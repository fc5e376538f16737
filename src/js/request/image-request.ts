// An image request: 1.x §3, 2.1 §2.1, 3.0 §2.1.

import { type Part, syntax } from "./error.js";
import { type Format, missingFormat, parseFormat } from "./format.js";
import { type Quality, parseQuality, qualityText } from "./quality.js";
import { type Region, parseRegion, regionText } from "./region.js";
import { type Rotation, parseRotation, rotationText } from "./rotation.js";
import { type Size, parseSize, sizeText } from "./size.js";
import { type Version, type VersionLike, isFirst, readVersion } from "./version.js";

/** The parameters of an image request, not yet held against an image. */
export interface ImageRequest {
  /** The version whose rules and names hold. */
  readonly version: VersionLike;
  readonly region: Region;
  readonly size: Size;
  readonly rotation: Rotation;
  readonly quality: Quality;
  /** May be absent only in 1.x, where the service chooses one. */
  readonly format?: Format | undefined;
}

/**
 * Reads `region/size/rotation/quality.format` as it stands in a URL: split at the slashes, then each segment percent-decoded once.
 * Throws a {@link RequestError}.
 */
export function parse(path: string, version: VersionLike = "3"): ImageRequest & { readonly version: Version } {
  const known = checked(version);
  const [region, size, rotation, name, ...more] = path.split("/");
  if (region === undefined || size === undefined || rotation === undefined || name === undefined || more.length) {
    throw syntax("path", path, "{region}/{size}/{rotation}/{quality}.{format}");
  }
  const parameters = {
    version: known,
    region: parseRegion(known, decode("region", region)),
    size: parseSize(known, decode("size", size)),
    rotation: parseRotation(known, decode("rotation", rotation)),
  };
  const last = decode("quality", name);
  const dot = last.lastIndexOf(".");
  const quality = parseQuality(known, dot < 0 ? last : last.slice(0, dot));
  if (dot >= 0) return { ...parameters, quality, format: parseFormat(known, last.slice(dot + 1)) };
  if (!isFirst(known)) throw missingFormat(last);
  return { ...parameters, quality };
}

/** The request as `region/size/rotation/quality.format`, not percent-encoded. What `parse` gave comes out with numbers in their shortest form. */
export function format({ version, region, size, rotation, quality, format }: ImageRequest): string {
  const last = qualityText(checked(version), quality) + (format === undefined ? "" : `.${format}`);
  return [regionText(region), sizeText(size), rotationText(rotation), last].join("/");
}

function checked(version: VersionLike): Version {
  const known = readVersion(version);
  if (!known) throw syntax("path", String(version), "version 1.0, 1.1, 2 or 3");
  return known;
}

function decode(part: Part, raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw syntax(part, raw, "percent-encoded UTF-8");
  }
}
