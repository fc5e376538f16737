/// <reference lib="esnext.disposable" preserve="true" />

import type { Core, CoreImage } from "./core.js";
import { type Pin, drive, driveWhole } from "./drive.js";
import { IiifError } from "./error.js";
import { type Associated, type Page, checkPage } from "./page.js";
import type { Host, Lane } from "./pool.js";
import { type ImageRequest, format as textOf } from "./request/image-request.js";
import { type VersionLike, readVersion } from "./request/version.js";
import { check } from "./check.js";
import type { Settings } from "./settings.js";
import type { SourceFormat } from "./source-format.js";
import type { Source } from "./sources.js";

export type { Settings } from "./settings.js";
export type { SourceFormat } from "./source-format.js";

/** Versions of the Image API. */
export type Version = "1.0" | "1.1" | "2" | "3";

/** Where images are decoded: by default in the package's own workers, at most four, which all images share. */
export interface WorkerOptions {
  /** How many workers there are at most, 1 to 64; `false` decodes in this thread. Where there are no workers (Node, workerd, Service Workers) it is this thread. */
  threads?: number | false;
  /**
   * Makes a module worker that runs `azulejo/pool-worker`. Images that are opened with the same function and number of threads share workers:
   * keep one function, lest each image starts its own.
   */
  createWorker?: () => Worker;
  /** Where a copy of `azulejo/pool-worker` is served. It may be on another site. */
  workerUrl?: string | URL;
}

export interface OpenOptions extends WorkerOptions {
  /** Of a document, the page, from 1; of a slide also `"label"`, `"macro"` or `"thumbnail"`. `not-found` if it has no such page. Default 1. */
  page?: Page;
  settings?: Settings;
  signal?: AbortSignal;
}

export interface RenderOptions {
  signal?: AbortSignal;
  /** Version of the Image API that the request is in, if it is a text. Default "3". */
  version?: VersionLike;
}

/** A rendered file and what it is. */
export interface Answer {
  bytes: Uint8Array;
  /** Media type. */
  type: string;
  /** px, rotation applied. */
  width: number;
  height: number;
  /** The canonical form of the request. */
  canonical: string;
  /** Whether stored bytes are given as they are, without decoding. */
  passthrough: boolean;
  /** Descriptions of the file's colours that could not be used: a name (`icc`, `cicp`) and the reason each, by commas. Colours may be wrong. */
  unused?: string;
  /** Set if the file is damaged and is shown as far as it can be decoded. */
  incomplete?: Incomplete;
}

/** What could be decoded of a damaged file. */
export interface Incomplete {
  /**
   * Rows of the source, counted from its top at full size and as it is stored, above the first that could not be decoded. Of a file that is stored in several
   * passes these are the rows that show anything of it.
   */
  rows: number;
  /** What is wrong with the file. */
  damage: string;
}

/** An answer. */
export interface Rendered extends Answer {
  blob(): Blob;
}

/** The information document, as JSON; each version has its own properties. */
export type ImageInfo = Record<string, unknown>;

/** An opened image. */
export interface IiifImage extends AsyncDisposable {
  /** px, orientation applied. */
  readonly width: number;
  readonly height: number;
  readonly format: SourceFormat;
  /** Which page of the file this is, from 1, or which image beside the scan of a slide. */
  readonly page: Page;
  /** How many pages the file has; undefined where only reading far into it could tell. */
  readonly pages: number | undefined;
  /** The images beside the scan of a slide, each of which `open` gives as a `page`; empty for any other file. */
  readonly associated: readonly Associated[];
  /** Whether there is a page after this one. */
  readonly hasNext: boolean;
  /** The information document. Default version: 3. */
  info(options: { id: string; version?: VersionLike }): ImageInfo;
  /** Renders `"square/max/0/default.webp"`, or a request of `azulejo/request`. */
  render(request: string | ImageRequest, options?: RenderOptions): Promise<Rendered>;
  /** The same as pixels to draw. Browser only; the caller closes it. */
  bitmap(request: string | ImageRequest, options?: RenderOptions): Promise<ImageBitmap>;
  /** Frees what it holds, once calls that are under way have ended; later calls reject. */
  close(): void;
}

const FIRST_READ = 16 << 10;

/** A call whose worker ended without a word, perhaps because of it, is begun anew so often. */
const ATTEMPTS = 4;

/** After these a lane is of no use: its engine trapped, or could not be loaded, and the next lane tries again. */
const FATAL: readonly string[] = ["internal", "engine-lost", "engine", "engine-forbidden"];

interface Opened {
  image: CoreImage;
  pin: Pin;
  /** The source, with the first bytes at hand for other lanes that open it. */
  source: Source;
}

/** Opens what a source holds. A file that is replaced meanwhile is opened anew, once. @internal */
export async function openImage(host: Host, source: Source, options: OpenOptions): Promise<IiifImage> {
  const { settings = {}, signal, page = 1 } = options;
  check(settings);
  checkPage(page);
  const open = () => undisturbed(host, () => false, async (lane) => ({ lane, ...(await openFirst(lane.core, source, settings, page, signal)) }));
  const { lane, ...opened } = await open().catch((error: unknown) => {
    if (isError(error, "source-changed")) return open();
    throw error;
  });
  const { image, close } = wrap(host, settings, page, lane, opened);
  // An image that nobody has any more is as good as closed.
  forgotten?.register(image, close);
  return image;
}

const forgotten = /* @__PURE__ */ (() => (typeof FinalizationRegistry === "undefined" ? undefined : new FinalizationRegistry<() => void>((close) => close())))();

/** Nobody knows the size yet: the first read tells it. @internal */
export async function openFirst(core: Core, source: Source, settings: Settings, page: Page, signal: AbortSignal | undefined): Promise<Opened> {
  const first = await source.read(0, FIRST_READ, { ...(signal && { signal }) });
  const size = first.size ?? (first.bytes.length < FIRST_READ ? first.bytes.length : undefined);
  if (size === undefined) throw new IiifError("source-read", 503, `${source.key} does not tell its size: its server should expose Content-Range (Access-Control-Expose-Headers).`);
  const pin: Pin = { size, ...(first.etag !== undefined && { etag: first.etag }) };
  const warm: Source = {
    key: source.key,
    async read(offset, length, options) {
      const kept = first.bytes.slice(offset, offset + length);
      return kept.length === length ? { bytes: kept } : source.read(offset, length, options);
    },
  };
  return { image: await drive(await core.open(size, settings, page), warm, pin, signal), pin, source: warm };
}

/** Runs a call in a lane, which is ended if the call broke it or found it broken. What another one's trap brought down is begun anew; whose trap it was is not, so this ends. */
async function undisturbed<T>(host: Host, prefer: (lane: Lane) => boolean, call: (lane: Lane) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; ) {
    const lane = host.take(prefer);
    try {
      return await call(lane);
    } catch (error) {
      if (error instanceof IiifError && FATAL.includes(error.code)) host.drop(lane);
      const innocent = isError(error, "engine-lost") || (isError(error, "worker-lost") && attempt++ < ATTEMPTS);
      if (!innocent) throw error;
    }
  }
}

function wrap(host: Host, settings: Settings, page: Page, first: Lane, opened: Opened): { image: IiifImage; close(): void } {
  const { pin, source } = opened;
  const { width, height, format, pages, associated, hasNext, documents } = opened.image;
  /** The image in each lane that has opened it. */
  const copies = new Map<Lane, Promise<CoreImage>>([[first, Promise.resolve(opened.image)]]);
  let closed = false;
  let running = 0;
  const alive = (): void => {
    if (closed) throw new IiifError("closed", 400, "This image was closed.");
  };
  const free = (): void => {
    if (!closed || running > 0) return;
    for (const copy of copies.values()) copy.then((image) => image.free()).catch(() => undefined);
    copies.clear();
  };
  const close = (): void => {
    closed = true;
    free();
  };

  function copyIn(lane: Lane): Promise<CoreImage> {
    for (const each of copies.keys()) if (!each.alive) copies.delete(each);
    let copy = copies.get(lane);
    if (!copy) {
      copy = lane.core.open(pin.size, settings, page).then((job) => drive(job, source, pin));
      copies.set(lane, copy);
      copy.catch(() => copies.delete(lane));
    }
    return copy;
  }

  const render: IiifImage["render"] = async (request, { signal, version = "3" } = {}) => {
    alive();
    signal?.throwIfAborted();
    const [known, text] = read(request, version);
    running++;
    try {
      const answer = await undisturbed(host, (lane) => copies.has(lane), async (lane) => {
        const image = await copyIn(lane);
        signal?.throwIfAborted();
        return driveWhole(await image.render(known, text), source, pin, signal);
      });
      return Object.assign(answer, { blob: () => new Blob([answer.bytes as Uint8Array<ArrayBuffer>], { type: answer.type }) });
    } finally {
      running--;
      free();
    }
  };

  const image: IiifImage = {
    width,
    height,
    format,
    page,
    pages,
    associated,
    hasNext,
    info({ id, version = "3" }) {
      alive();
      return withId(JSON.parse(documents[known(version)]) as ImageInfo, id);
    },
    render,
    async bitmap(request, options) {
      if (typeof createImageBitmap !== "function") throw new IiifError("bitmaps-unsupported", 501, "There are no bitmaps here, only in browsers. Use render.");
      const rendered = await render(request, options);
      try {
        return await createImageBitmap(rendered.blob());
      } catch (cause) {
        throw new IiifError("unsupported", 400, `This browser does not decode ${rendered.type}. Ask for jpg or png.`, { cause });
      }
    },
    close,
    async [Symbol.asyncDispose]() {
      close();
    },
  };
  return { image, close };
}

/** A request as text and the version it is in; one that is an object knows its own. */
function read(request: string | ImageRequest, version: VersionLike): [Version, string] {
  if (typeof request === "string") return [known(version), request];
  if (typeof request !== "object" || request === null) throw invalid(`A request is a text such as "square/max/0/default.jpg", or what azulejo/request parses; this one is of type ${typeof request}.`);
  return [known(request.version), textOf(request)];
}

function known(version: VersionLike): Version {
  const found = readVersion(version);
  if (!found) throw invalid(`There is no version ${version} of the Image API; there are 1.0, 1.1, 2 and 3.`);
  return found;
}

/** Puts the id where a version has it. @internal */
export function withId(document: ImageInfo, id: string): ImageInfo {
  if ("id" in document) return { ...document, id };
  if ("@id" in document) return { ...document, "@id": id };
  return { ...document, identifier: decodeURIComponent(id.slice(id.lastIndexOf("/") + 1)) };
}

function invalid(message: string): IiifError {
  return new IiifError("invalid-argument", 400, message);
}

const isError = (error: unknown, code: string): boolean => error instanceof IiifError && error.code === code;
