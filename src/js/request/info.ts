// The information document as clients read it: 1.0 §5, 1.1 §5, 2.1 §5, 3.0 §5. What is missing or malformed and can be done without is left out.

import type { Service } from "./bounds.js";
import { syntax } from "./error.js";
import type { Format } from "./format.js";
import { checkSides } from "./resolve.js";
import type { Dimensions } from "./size.js";
import type { Version } from "./version.js";

/** Tiles of one shape, px of the answer; each scale factor is by what the image is divided. */
export interface TileSet extends Dimensions {
  readonly scaleFactors: readonly number[];
}

/** What an `info.json` of any version says, in one shape. It can be given to `resolve`. */
export interface Info extends Service {
  readonly version: Version;
  /** The image's base URI; in 1.0 its identifier. */
  readonly id: string;
  /** The compliance level. */
  readonly level: 0 | 1 | 2;
  readonly formats: readonly Format[];
  readonly upscaling: boolean;
  /** Preferred sizes of the whole image. */
  readonly sizes: readonly Dimensions[];
  readonly tiles: readonly TileSet[];
}

type Json = Readonly<Record<string, unknown>>;

/** Reads a parsed `info.json` of 1.0, 1.1, 2 or 3. Throws a `RequestError` whose part is `info` if it is none. */
export function readInfo(document: unknown): Info {
  const json = object(document);
  const version = versionOf(json);
  const { width, height } = json;
  checkSides({ width, height });
  const profile = list(json["profile"]);
  const level = levelOf(profile);
  // 2.1 §5.3: the service's own description stands after the level.
  const extras = version === "3" ? json : object(profile.find((entry) => typeof entry === "object"));
  const limits = version === "3" || version === "2" ? extras : {};
  const maxWidth = whole(limits["maxWidth"]);
  const features = [...list(extras["supports"]), ...list(extras["extraFeatures"])];
  const inProfile = level === 2 ? ["jpg", "png"] : ["jpg"];
  const named = [...list(json["formats"]), ...list(extras["formats"]), ...list(extras["extraFormats"])].filter((name) => typeof name === "string");
  return {
    version,
    id: String(json["id"] ?? json["@id"] ?? json["identifier"] ?? "").replace(/\/$/, ""),
    width: Number(width),
    height: Number(height),
    level,
    maxWidth,
    maxHeight: maxWidth && whole(limits["maxHeight"]),
    maxArea: whole(limits["maxArea"]),
    formats: [...new Set([...inProfile, ...named])],
    // 1.x does not say, and its servers do as they like.
    upscaling: version[0] === "1" || features.includes(version === "3" ? "sizeUpscaling" : "sizeAboveFull"),
    sizes: list(json["sizes"]).flatMap((entry) => dimensions(object(entry))),
    tiles: version[0] === "1" ? tileSet(json["tile_width"], json["tile_height"], json["scale_factors"]) : list(json["tiles"]).flatMap(tileSetOf),
  };
}

function versionOf(json: Json): Version {
  const contexts = list(json["@context"]).join(" ");
  if (contexts.includes("/image/3/") || json["type"] === "ImageService3") return "3";
  if (contexts.includes("/image/2/") || json["protocol"] === "http://iiif.io/api/image") return "2";
  if (contexts.includes("/image-api/1.1/")) return "1.1";
  if (typeof json["identifier"] === "string" || contexts.includes("/image-api/")) return "1.0";
  throw syntax("info", contexts, "an info.json of the IIIF Image API 1.0, 1.1, 2 or 3");
}

function levelOf(profile: readonly unknown[]): 0 | 1 | 2 {
  const found = /level([012])/.exec(profile.filter((entry) => typeof entry === "string").join(" "))?.[1];
  return found === "2" ? 2 : found === "1" ? 1 : 0;
}

function tileSetOf(entry: unknown): TileSet[] {
  const { width, height, scaleFactors } = object(entry);
  return tileSet(width, height, scaleFactors);
}

function tileSet(width: unknown, height: unknown, factors: unknown): TileSet[] {
  const scaleFactors = [...new Set(list(factors).flatMap((factor) => whole(factor) ?? []))];
  return scaleFactors.length ? dimensions({ width, height: height ?? width }).map((size) => ({ ...size, scaleFactors })) : [];
}

function dimensions(json: Json): Dimensions[] {
  const [width, height] = [whole(json["width"]), whole(json["height"])];
  return width && height ? [{ width, height }] : [];
}

const whole = (value: unknown): number | undefined => (Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : undefined);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const object = (value: unknown): Json => (typeof value === "object" && value !== null ? { ...value } : {});
