// An image as a service of level 0: the information document and the files that any static host can serve for it.

import { tilesOf } from "azulejo/request";

export interface Level0Options {
  readonly version: "2" | "3";
  /** Side of a tile, px. */
  readonly tile: number;
  /** Besides jpg, which every service has. */
  readonly format: "jpg" | "png" | "webp";
  /** Where its folder will lie: the image's `id`. */
  readonly id: string;
  /** The most pixels that a single file may have. */
  readonly maxArea: number;
}

/** A file of the service: its name in the folder, and the request of version 3 that makes it. */
export interface StaticFile {
  readonly path: string;
  readonly request: string;
}

export interface Level0 {
  readonly document: Readonly<Record<string, unknown>>;
  readonly files: readonly StaticFile[];
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The document and all files of an image of this size: its tiles, and itself in several sizes. */
export function level0({ width, height }: Size, options: Level0Options): Level0 {
  const { version, tile, format, maxArea } = options;
  const scaleFactors = [1];
  for (let factor = 1; Math.max(width, height) > tile * factor; ) scaleFactors.push((factor *= 2));
  const scaled = scaleFactors.map((factor) => ({ width: Math.ceil(width / factor), height: Math.ceil(height / factor) }));
  // The whole in full resolution may be more than one picture can hold.
  const sizes = scaled.filter((size) => size.width * size.height <= maxArea);
  const limited = sizes.length < scaled.length ? { maxWidth: sizes[0]!.width, maxHeight: sizes[0]!.height } : {};
  const shape = { width, height, sizes: [...sizes].reverse(), tiles: [{ width: tile, scaleFactors }] };
  const document = version === "3" ? document3(shape, limited, options) : document2(shape, limited, options);

  const formats = format === "jpg" ? ["jpg"] : ["jpg", format];
  const files = new Map<string, string>();
  for (const each of formats) {
    for (const { path, region, size } of tilesOf(document, { format: each })) {
      files.set(path, `${region.x},${region.y},${region.width},${region.height}/${size.width},${size.height}/0/default.${each}`);
    }
    const last = `0/default.${each}`;
    for (const [at, { width, height }] of sizes.entries()) {
      // The largest also under the name that says so; 2.1 has two.
      const names = at > 0 ? [] : version === "3" ? ["max"] : ["full", "max"];
      for (const name of [version === "3" ? `${width},${height}` : `${width},`, ...names]) files.set(`full/${name}/${last}`, `full/${width},${height}/${last}`);
    }
  }
  return { document, files: [...files].map(([path, request]) => ({ path, request })) };
}

type Shape = Size & { readonly sizes: readonly Size[]; readonly tiles: readonly object[] };

/** 3.0 §5. */
function document3(shape: Shape, limited: object, { id, format }: Level0Options): Record<string, unknown> {
  const more = format === "jpg" ? {} : { preferredFormats: [format], extraFormats: [format] };
  const head = { "@context": "http://iiif.io/api/image/3/context.json", id, type: "ImageService3", protocol: "http://iiif.io/api/image", profile: "level0" };
  return { ...head, ...shape, ...limited, ...more };
}

/** 2.1 §5. */
function document2(shape: Shape, limited: object, { id, format }: Level0Options): Record<string, unknown> {
  const more = { ...limited, ...(format === "jpg" ? {} : { formats: ["jpg", format] }) };
  const level = "http://iiif.io/api/image/2/level0.json";
  const profile = Object.keys(more).length ? [level, more] : [level];
  const head = { "@context": "http://iiif.io/api/image/2/context.json", "@id": id, protocol: "http://iiif.io/api/image", profile };
  return { ...head, ...shape };
}
