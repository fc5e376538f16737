// Files of tiles as samples: decoded by the core, so that the same tiles give the same bytes everywhere; what it does not know the browser decodes.

import { IiifError } from "../error.js";
import type { IiifImage, Settings } from "../image.js";
import type { Dimensions } from "../request/size.js";
import type { TileFile } from "./files.js";
import { isNear } from "./pyramid.js";

/** `open` of the package, or of a Service Worker that has its pages decode. */
export type Open = (bytes: Uint8Array, options: { signal?: AbortSignal; settings?: Settings }) => Promise<IiifImage>;

/** A PNG is on its way for a moment only. */
const QUICK: Settings = { pngCompression: "fastest", incomplete: "refuse" };

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
  const foreign = file.format === "avif" || file.format === "jxl";
  if (foreign && typeof createImageBitmap === "function" && typeof OffscreenCanvas === "function") return openInBrowser(file);
  const image = await open(file.bytes, { settings: QUICK, ...(signal && { signal }) });
  return {
    width: image.width,
    height: image.height,
    async pixels(top, rows) {
      const { bytes } = await image.render(`0,${top},${image.width},${rows}/max/0/default.png`, signal ? { signal } : {});
      return samplesOfPng(bytes);
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

const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** The samples of a PNG as the core writes them: 8 bits, not interlaced. */
async function samplesOfPng(bytes: Uint8Array): Promise<Raw> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const channels = CHANNELS[bytes[25]!] ?? 0;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 8; at < bytes.length; at += view.getUint32(at) + 12) {
    if (view.getUint32(at + 4) === IDAT) parts.push(bytes.slice(at + 8, at + 8 + view.getUint32(at)));
  }
  const stored = await inflate(parts);
  const stride = width * channels;
  const samples = new Uint8Array(stride * height);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const from = y * (stride + 1);
    const row = samples.subarray(y * stride, (y + 1) * stride);
    row.set(stored.subarray(from + 1, from + 1 + stride));
    unfilter(stored[from]!, row, above, channels);
    above = row;
  }
  return { width, height, channels, samples };
}

const IDAT = 0x49444154;

/** PNG §9.2: what a sample was predicted from is added to it. */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, step: number): void {
  const { length } = row;
  if (filter === 1) for (let x = step; x < length; x++) row[x]! += row[x - step]!;
  else if (filter === 2) for (let x = 0; x < length; x++) row[x]! += above[x]!;
  else if (filter === 3) for (let x = 0; x < length; x++) row[x]! += ((x < step ? 0 : row[x - step]!) + above[x]!) >> 1;
  else if (filter === 4) for (let x = 0; x < length; x++) row[x]! += x < step ? above[x]! : paeth(row[x - step]!, above[x]!, above[x - step]!);
}

function paeth(left: number, up: number, corner: number): number {
  const a = Math.abs(up - corner);
  const b = Math.abs(left - corner);
  const c = Math.abs(left + up - 2 * corner);
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

async function inflate(parts: Uint8Array<ArrayBuffer>[]): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
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
