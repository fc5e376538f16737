// Files of tiles as samples: decoded by the core, so that the same tiles give the same bytes everywhere; what it does not know the browser decodes.

import { IiifError } from "../error.js";
import type { IiifImage } from "../image.js";
import type { Dimensions } from "../request/size.js";
import type { TileFile } from "./files.js";
import { isNear } from "./pyramid.js";

/** `open` of the package, or of a Service Worker that has its pages decode. */
export type Open = (bytes: Uint8Array, options: { signal?: AbortSignal }) => Promise<IiifImage>;

/** 8-bit samples, row by row. */
export interface Pixels extends Dimensions {
  readonly samples: Uint8Array;
}

/** Decodes `rows` of a tile's rows from `top`. A tile that is a pixel larger or smaller than announced is cut, or its last row or column repeated. */
export async function decode(open: Open, file: TileFile, size: Dimensions, top: number, rows: number, channels: 3 | 4, signal?: AbortSignal): Promise<Pixels> {
  const image = await openTile(open, file, signal).catch((error: unknown) => {
    throw about(file, error);
  });
  try {
    if (!isNear(image, size)) {
      const message = `${file.url} is ${image.width} × ${image.height} pixels, but by the info.json of its service it should be ${size.width} × ${size.height}.`;
      throw new IiifError("source-corrupt", 500, message);
    }
    const first = Math.min(top, image.height - 1);
    const found = await image.pixels(first, Math.min(rows, image.height - first), signal);
    return settle(found, { width: size.width, height: rows }, channels);
  } catch (error) {
    throw about(file, error);
  } finally {
    image.close();
  }
}

/** The error with the tile's name. */
function about({ url }: TileFile, cause: unknown): unknown {
  if (!(cause instanceof IiifError) || !cause.code.startsWith("source-") || cause.message.includes(url)) return cause;
  return new IiifError(cause.code, cause.status, `${url} cannot be used as a tile. ${cause.message}`, { cause });
}

interface Opened extends Dimensions {
  pixels(top: number, rows: number, signal?: AbortSignal): Promise<Raw>;
  close(): void;
}

interface Raw extends Pixels {
  readonly channels: number;
}

async function openTile(open: Open, file: TileFile, signal?: AbortSignal): Promise<Opened> {
  const options = signal ? { signal } : {};
  const foreign = file.format === "avif" || file.format === "jxl";
  if (foreign && typeof createImageBitmap === "function" && typeof OffscreenCanvas === "function") return openInBrowser(file);
  const image = await open(file.bytes, options);
  return {
    width: image.width,
    height: image.height,
    async pixels(top, rows) {
      const { bytes } = await image.render(`0,${top},${image.width},${rows}/max/0/default.tif`, options);
      return samplesOfTiff(bytes);
    },
    close: () => image.close(),
  };
}

async function openInBrowser(file: TileFile): Promise<Opened> {
  const bitmap = await createImageBitmap(new Blob([file.bytes as Uint8Array<ArrayBuffer>])).catch((cause: unknown) => {
    throw new IiifError("source-unsupported", 501, `${file.url} is in a format that this browser does not decode.`, { cause });
  });
  const { width, height } = bitmap;
  return {
    width,
    height,
    async pixels(top, rows) {
      const context = new OffscreenCanvas(width, rows).getContext("2d");
      if (!context) throw new IiifError("source-unsupported", 501, `${file.url} cannot be decoded: this browser has no canvas to spare.`);
      context.drawImage(bitmap, 0, -top);
      return { width, height: rows, channels: 4, samples: new Uint8Array(context.getImageData(0, 0, width, rows).data.buffer) };
    },
    close: () => bitmap.close(),
  };
}

/** The samples of a TIFF as the core writes them: little-endian, strips of 8-bit gray, RGB or RGBA in Deflate. */
async function samplesOfTiff(bytes: Uint8Array): Promise<Raw> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directory = view.getUint32(4, true);
  const tags = new Map<number, (index: number) => number>();
  const counts = new Map<number, number>();
  for (let entry = 0; entry < view.getUint16(directory, true); entry++) {
    const at = directory + 2 + 12 * entry;
    const width = view.getUint16(at + 2, true) === 3 ? 2 : 4;
    const count = view.getUint32(at + 4, true);
    const values = width * count <= 4 ? at + 8 : view.getUint32(at + 8, true);
    tags.set(view.getUint16(at, true), (index) => (width === 2 ? view.getUint16(values + 2 * index, true) : view.getUint32(values + 4 * index, true)));
    counts.set(view.getUint16(at, true), count);
  }
  const value = (tag: number, index = 0): number => tags.get(tag)?.(index) ?? 0;
  const [width, height, channels] = [value(256), value(257), value(277)];
  const samples = new Uint8Array(width * height * channels);
  let at = 0;
  for (let strip = 0; strip < (counts.get(273) ?? 0); strip++) {
    const stored = bytes.slice(value(273, strip), value(273, strip) + value(279, strip));
    const plain = await inflate(stored);
    samples.set(plain.subarray(0, samples.length - at), at);
    at += plain.length;
  }
  return { width, height, channels, samples };
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
}

/** The size and the channels that are wanted: gray becomes colour, alpha is added or left out, what is missing at the right and the bottom repeats what is there. */
function settle(raw: Raw, { width, height }: Dimensions, channels: 3 | 4): Pixels {
  if (raw.width === width && raw.height === height && raw.channels === channels) return { width, height, samples: raw.samples };
  const samples = new Uint8Array(width * height * channels);
  const colour = raw.channels >= 3 ? 1 : 0;
  const alpha = raw.channels % 2 === 0 ? raw.channels - 1 : undefined;
  for (let y = 0; y < height; y++) {
    const row = Math.min(y, raw.height - 1) * raw.width;
    for (let x = 0; x < width; x++) {
      const from = (row + Math.min(x, raw.width - 1)) * raw.channels;
      const to = (y * width + x) * channels;
      for (let n = 0; n < 3; n++) samples[to + n] = raw.samples[from + n * colour]!;
      if (channels === 4) samples[to + 3] = alpha === undefined ? 255 : raw.samples[from + alpha]!;
    }
  }
  return { width, height, samples };
}
