// `azulejo/openseadragon`: an opened image as a tile source of OpenSeadragon 4.1, 5 and 6, and better formats for its IIIF sources. OpenSeadragon itself is the caller's.

import type { IiifImage } from "./image.js";
import { readInfo } from "./request/info.js";
import { type ImageFormat, support as askBrowser, supportSync } from "./support.js";

/** What of a download's job is used; `fail` and types of data came with version 6. */
export interface Job {
  src: string;
  userData: object;
  finish(data: unknown, request: unknown, typeOrMessage?: string): void;
  fail?(message: string, request: unknown): void;
}

export interface TileSourceOptions {
  /** px; default: as the image's information document has it. */
  tileSize?: number;
}

/** A plain tile source, for `tileSources`, `open` and `addTiledImage`. */
export interface TileSource {
  width: number;
  height: number;
  tileSize: number;
  tileOverlap: 0;
  minLevel: 0;
  maxLevel: number;
  getTileUrl(level: number, x: number, y: number): string;
  getTileHashKey(level: number, x: number, y: number): string;
  hasTransparency(): boolean;
  downloadTileStart(job: Job): void;
  downloadTileAbort(job: Job): void;
  createTileCache(cache: TileCache, data: HTMLCanvasElement): void;
  destroyTileCache(cache: TileCache): void;
  getTileCacheData(cache: TileCache): HTMLCanvasElement | undefined;
  getTileCacheDataAsImage(cache: TileCache): HTMLCanvasElement | undefined;
  getTileCacheDataAsContext2D(cache: TileCache): CanvasRenderingContext2D | null | undefined;
}

/** Where versions 4 and 5 keep a tile. */
export interface TileCache {
  canvas?: HTMLCanvasElement | undefined;
}

let count = 0;

/** Shows an opened image. It stays the caller's: close it when no viewer shows it any more. */
export function tileSource(image: IiifImage, options: TileSourceOptions = {}): TileSource {
  const { width, height } = image;
  const tileSize = options.tileSize ?? readInfo(image.info({ id: "azulejo:" })).tiles[0]?.width ?? 512;
  const maxLevel = Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / tileSize)));
  // Tiles are cached by it: it differs between images, and between copies of this module.
  const name = `azulejo:${++count}.${Math.random().toString(36).slice(2)}/`;
  /** Whether there is an alpha channel, which the first tiles tell: they are PNG. */
  let transparent = image.format === "jpeg" ? false : undefined;
  const jobs = new WeakMap<Job, AbortController>();

  const url = (level: number, x: number, y: number): string => {
    const factor = 2 ** (maxLevel - level);
    const [left, top] = [x * tileSize * factor, y * tileSize * factor];
    const [w, h] = [Math.min(tileSize * factor, width - left), Math.min(tileSize * factor, height - top)];
    return `${name}${left},${top},${w},${h}/${Math.ceil(w / factor)},${Math.ceil(h / factor)}/0/default`;
  };

  /** One call of the image for each tile: it may be closed as soon as no viewer shows it, and what is under way then still ends well. */
  const picture = async (request: string, signal: AbortSignal): Promise<ImageBitmap> => {
    if (transparent !== undefined) return image.bitmap(`${request}.${transparent ? "png" : "jpg"}`, { signal });
    const { bytes, blob } = await image.render(`${request}.png`, { signal });
    transparent = alphaOfPng(bytes);
    return createImageBitmap(blob());
  };

  const load = async (job: Job, signal: AbortSignal): Promise<HTMLCanvasElement> => {
    const bitmap = await picture(job.src.slice(name.length), signal);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    bitmap.close();
    return canvas;
  };

  return {
    width,
    height,
    tileSize,
    tileOverlap: 0,
    minLevel: 0,
    maxLevel,
    getTileUrl: url,
    getTileHashKey: url,
    hasTransparency: () => transparent ?? false,
    downloadTileStart(job) {
      const control = new AbortController();
      const { signal } = control;
      jobs.set(job, control);
      load(job, signal).then(
        (canvas) => {
          if (signal.aborted) return;
          if (job.fail) job.finish(canvas.getContext("2d"), null, "context2d");
          else job.finish(canvas, null);
        },
        (error: unknown) => {
          if (signal.aborted) return;
          const message = error instanceof Error ? error.message : String(error);
          if (job.fail) job.fail(message, null);
          else job.finish(null, null, message);
        },
      );
    },
    downloadTileAbort(job) {
      jobs.get(job)?.abort();
    },
    // Versions 4 and 5 would copy each canvas into another.
    createTileCache(cache, data) {
      cache.canvas = data;
    },
    destroyTileCache(cache) {
      // Safari frees a canvas late, its pixels at once.
      if (cache.canvas) cache.canvas.width = cache.canvas.height = 0;
      cache.canvas = undefined;
    },
    getTileCacheData: ({ canvas }) => canvas,
    getTileCacheDataAsImage: ({ canvas }) => canvas,
    getTileCacheDataAsContext2D: ({ canvas }) => canvas?.getContext("2d"),
  };
}

/** Its colour type (PNG §11.2.1) has the bit, or a chunk before the pixels gives transparent colours. */
function alphaOfPng(bytes: Uint8Array): boolean {
  if ((bytes[25] ?? 0) & 4) return true;
  const head = String.fromCharCode(...bytes.subarray(0, 4096)).split("IDAT")[0] ?? "";
  return head.includes("tRNS");
}

type Data = Readonly<Record<string, unknown>>;
type Configure = (this: unknown, data: unknown, ...rest: unknown[]) => unknown;
type Download = (this: unknown, job: Job) => void;

/** What of the library is used. */
export interface OpenSeadragonLike {
  IIIFTileSource: {
    prototype: {
      configure(data: never, ...rest: never[]): unknown;
      downloadTileStart(job: never): void;
      downloadTileAbort(job: never): void;
    };
  };
}

/** What the browser shows, as `support()` tells it. */
export type Shown = { readonly [format in ImageFormat]?: boolean | undefined };

export interface FormatOptions {
  /** Formats to ask for, best first. Default: what the service prefers, then jxl, avif, webp. */
  prefer?: readonly string[];
  /** Default: the browser is asked. */
  support?: Shown | Promise<Shown>;
  /** Whether a source whose first tile cannot be had or shown in its format goes on in jpg. Default: true. */
  fallback?: boolean;
}

const ALWAYS = ["jpg", "png", "gif"];
/** So many of a source's tiles are looked at for transparency after the first, which shows the most of the image. */
const LOOKED_AT = 4;

/**
 * Lets IIIF sources ask for the best format that the service advertises and the browser shows. Decided for each information document when it arrives, however the image is opened; services that
 * advertise nothing, such as most of level 0, are asked for jpg as ever. `uninstall()` leaves sources that are opened already as they are.
 */
export function enableFormats(OpenSeadragon: OpenSeadragonLike, options: FormatOptions = {}): { uninstall(): void } {
  const { prefer, fallback = true } = options;
  const prototype = OpenSeadragon.IIIFTileSource.prototype as { configure: Configure; downloadTileStart: Download; downloadTileAbort: Download };
  const original = prototype.configure;
  let shown = isPromise(options.support) ? undefined : (options.support ?? supportSync());
  // Tiles wait for it; without an answer there is jpg.
  const answer: Promise<unknown> = shown
    ? Promise.resolve()
    : Promise.resolve(options.support ?? askBrowser()).then(
        (found) => (shown = found),
        () => (shown = {}),
      );
  let installed = true;

  const configure: Configure = function (data, ...rest) {
    // Version 1.0 has XML as well; who names a format wants that one.
    if (!installed || !isObject(data) || "nodeType" in data || "tileFormat" in data) return original.call(this, data, ...rest);
    // A copy: the library notes its own choice in what it is given.
    const configured = original.call(this, { ...data }, ...rest);
    if (!isObject(configured)) return configured;
    const offered = formatsOf(configured);
    if (!offered) return configured;
    const wanted = [...(prefer ?? [...offered.preferred, "jxl", "avif", "webp"]), "jpg"].filter((format) => offered.all.includes(format));
    const choose = (): string => wanted.find((format) => ALWAYS.includes(format) || shown?.[format as ImageFormat]) ?? "jpg";
    const tileFormat = choose();
    return shown && tileFormat === "jpg" ? { ...configured, tileFormat } : { ...configured, tileFormat, ...downloads(prototype, choose, answer, fallback) };
  };
  prototype.configure = configure;

  return {
    uninstall() {
      installed = false;
      // Another may have wrapped it since: then it only hands on.
      if (prototype.configure === configure) prototype.configure = original;
    },
  };
}

/** How one source downloads tiles: in the format that is decided by then, and the first ones watched. */
function downloads(prototype: { downloadTileStart: Download; downloadTileAbort: Download }, choose: () => string, answer: Promise<unknown>, fallback: boolean) {
  let format: string | undefined;
  let proven = false;
  let transparent = false;
  let looks = 0;
  const aborted = new WeakSet<object>();

  function start(source: { tileFormat: string }, job: Job): void {
    if (aborted.has(job)) return;
    const asked = (format ??= choose());
    source.tileFormat = asked;
    const failed = (give: () => void): void => {
      if (aborted.has(job) || proven || !fallback || asked === "jpg") return give();
      format = "jpg";
      start(source, job);
    };
    const finish: Job["finish"] = (data, request, type) => {
      if (!data) return failed(() => job.finish(data, request, type));
      const give = (): void => {
        // Of the better format only: others that were asked for in it may still fail after the first came in jpg.
        proven ||= asked === format && asked !== "jpg";
        if (!aborted.has(job)) job.finish(data, request, type);
      };
      if (asked === "jpg" || (proven && looks++ >= LOOKED_AT)) return give();
      void hasAlpha(data).then(
        (alpha) => {
          transparent ||= alpha;
          give();
        },
        (error: unknown) => failed(() => (job.fail ? job.fail(String(error), request) : job.finish(null, request, String(error)))),
      );
    };
    // The job itself stays as it is, for its timeout and its abort.
    const watched: Job = Object.create(job, { src: { value: job.src.replace(/\.\w+(?=$|[?#])/, `.${asked}`) }, finish: { value: finish } });
    if (job.fail) Object.defineProperty(watched, "fail", { value: (message: string, request: unknown) => failed(() => job.fail?.(message, request)) });
    prototype.downloadTileStart.call(source, watched);
  }

  return {
    downloadTileStart(this: { tileFormat: string }, job: Job): void {
      // Set anew by each attempt of the same job.
      aborted.delete(job);
      if (format !== undefined) start(this, job);
      else void answer.then(() => start(this, job));
    },
    downloadTileAbort(this: unknown, job: Job): void {
      aborted.add(job);
      prototype.downloadTileAbort.call(this, job);
    },
    hasTransparency: (): boolean => transparent,
  };
}

/** Whether a picture is transparent anywhere, as far as 32 × 32 pixels show it. Rejects if it is none. */
async function hasAlpha(data: unknown): Promise<boolean> {
  const bitmap = data instanceof Blob ? await createImageBitmap(data) : undefined;
  try {
    const context = document.createElement("canvas").getContext("2d");
    if (!context) return true;
    context.drawImage(bitmap ?? (data as CanvasImageSource), 0, 0, 32, 32);
    return context.getImageData(0, 0, 32, 32).data.some((value, index) => index % 4 === 3 && value < 255);
  } catch {
    // Of another origin without CORS: nobody may look, and transparent is the safe guess.
    return true;
  } finally {
    bitmap?.close();
  }
}

/** What a service says that it gives; nothing if the document cannot be read. */
function formatsOf(data: Data): { all: readonly string[]; preferred: readonly string[] } | undefined {
  try {
    const { preferredFormats } = data;
    const preferred = Array.isArray(preferredFormats) ? preferredFormats.filter((format) => typeof format === "string") : [];
    return { all: [...readInfo(data).formats, ...preferred], preferred };
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Data => typeof value === "object" && value !== null;
const isPromise = (value: unknown): value is Promise<Shown> => isObject(value) && typeof value["then"] === "function";
