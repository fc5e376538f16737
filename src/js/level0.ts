// A service of level 0 as an ordinary source: its static tiles are stitched into any region, size, rotation and quality.

import { type Cell, type VirtualFile, cellFile } from "./level0/cells.js";
import { type Files, type FilesOptions, type TileFile, openFiles } from "./level0/files.js";
import { type Open, type Pixels, decode } from "./level0/pixels.js";
import { type Level, levelsOf } from "./level0/pyramid.js";
import { Shared, slots, unlessAborted } from "./level0/shared.js";
import type { StitchedSource } from "./level0/stored.js";
import type { IiifImage } from "./image.js";
import { mediaType } from "./request/format.js";

export { withStored } from "./level0/stored.js";

export type Level0Options = FilesOptions;

interface Service {
  readonly files: Files;
  readonly levels: readonly Level[];
  /** Of all tiles. */
  readonly format: string;
  readonly file: VirtualFile;
}

/** Fetched and decoded at once. */
const AT_ONCE = 6;
/** What all services of this thread keep, bytes: decoded tiles, and the files of large ones, which are decoded in parts. */
const KEPT = 64 << 20;
const KEPT_FILES = 16 << 20;
/** Rows of a tile that are decoded together have about so many pixels: a large one is taken in parts. */
const TOGETHER = 4 << 20;

let services = 0;
const kept = /* @__PURE__ */ new Shared<Pixels>(KEPT, ({ samples }) => samples.length);
const keptFiles = /* @__PURE__ */ new Shared<TileFile>(KEPT_FILES, ({ bytes }) => bytes.length);

/**
 * The source of a service of level 0, by the URL of its info.json or the parsed document: opened, it gives what a service of level 2 gives. `open` decodes the tiles.
 *
 * The image is as large as the largest level that is there: of a service whose `tiles` or `sizes` do not reach the full size, that.
 */
export function stitched(info: URL | string | object, options: Level0Options, open: Open): StitchedSource {
  const number = ++services;
  const room = slots(() => AT_ONCE);
  const nameOf = (level: Level, column: number, row: number): string => `${number} ${level.width} ${column} ${row}`;
  let opening: Promise<Service> | undefined;

  const start = async (): Promise<Service> => {
    const files = await openFiles(info, options);
    const levels = await levelsOf(files.info, (tile) => files.exists(tile));
    // The smallest level tells the format: alpha must be known before the file is laid out.
    const format = files.formats.length > 1 ? (await tileFile(files, levels.at(-1)!, 0, 0)).format : files.formats[0]!;
    const channels = format === "jpg" ? 3 : 4;
    const file = cellFile(levels, channels, (level, cell, signal) => readCell(files, level, cell, channels, signal));
    return { files, levels, format, file };
  };

  const tileFile = (files: Files, level: Level, column: number, row: number, signal?: AbortSignal): Promise<TileFile> => {
    const tile = level.at(column, row);
    return keptFiles.get(nameOf(level, column, row), (signal) => room(() => files.tile(tile, signal), signal), signal);
  };

  async function readCell(files: Files, level: Level, cell: Cell, channels: 3 | 4, signal?: AbortSignal): Promise<Uint8Array> {
    const { column, row } = cell.tile;
    const tile = level.at(column, row);
    const rows = cell.height * Math.max(1, Math.floor(TOGETHER / (level.tile.width * cell.height)));
    const top = Math.floor(cell.top / rows) * rows;
    const name = `${nameOf(level, column, row)} ${top}`;
    const pixels = await kept.get(
      name,
      async (signal) => {
        const file = await tileFile(files, level, column, row, signal);
        return room(() => decode(open, file, tile, top, Math.min(rows, tile.height - top), channels, signal), signal).catch((error: unknown) => {
          // The next time it may have been mended.
          keptFiles.forget(nameOf(level, column, row));
          throw error;
        });
      },
      signal,
    );
    return cut(pixels, cell, cell.top - top, channels);
  }

  const opened = (): Promise<Service> =>
    (opening ??= start().catch((error: unknown) => {
      opening = undefined;
      throw error;
    }));

  return {
    key: `level0:${typeof info === "object" && !(info instanceof URL) ? number : String(info)}`,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted();
      const { file } = await (signal ? unlessAborted(opened(), signal) : opened());
      return { bytes: await file.read(offset, length, signal), size: file.size };
    },
    async stored({ region, size, rotation, quality, format: wanted, canonical }, signal) {
      const { files, levels, format } = await opened();
      const plain = rotation.degrees === 0 && !rotation.mirror && quality === "default" && wanted === format;
      // Where the largest level is not the image's full size, the places are others.
      if (!plain || levels[0]!.width !== files.info.width) return undefined;
      for (const level of levels) {
        const place = level.find(region, size);
        if (!place) continue;
        const { bytes } = await tileFile(files, level, place.column, place.row, signal);
        const is = await measure(open, bytes, signal);
        const sound = is?.format === FORMATS[format] && is?.width === size.width && is.height === size.height;
        return sound ? { bytes, type: mediaType(format), ...size, canonical, passthrough: true } : undefined;
      }
      return undefined;
    },
  };
}

/** The formats of the core by IIIF's names. */
const FORMATS: Readonly<Record<string, string>> = { jpg: "jpeg", png: "png", webp: "webp", gif: "gif", tif: "tiff" };

async function measure(open: Open, bytes: Uint8Array, signal?: AbortSignal): Promise<Pick<IiifImage, "width" | "height" | "format"> | undefined> {
  let image: IiifImage;
  try {
    image = await open(bytes, signal ? { signal } : {});
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
  const { width, height, format } = image;
  image.close();
  return { width, height, format };
}

/** A cell of a tile's pixels; beyond the tile there is nothing. */
function cut({ width, height, samples }: Pixels, cell: Cell, top: number, channels: number): Uint8Array {
  const result = new Uint8Array(cell.width * cell.height * channels);
  const across = Math.min(cell.width, width - cell.left);
  for (let y = 0; y < Math.min(cell.height, height - top); y++) {
    const from = ((top + y) * width + cell.left) * channels;
    result.set(samples.subarray(from, from + across * channels), y * cell.width * channels);
  }
  return result;
}
