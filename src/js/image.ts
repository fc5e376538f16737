import type { Answer, Core, CoreImage } from "./core.js";
import { type Pin, drive } from "./drive.js";
import { IiifError } from "./error.js";
import type { Lane, Pool } from "./pool.js";
import type { Source } from "./sources.js";

/** The formats of files that can be opened. */
export type SourceFormat = "jpeg" | "png" | "webp" | "gif" | "tiff";

/** Versions of the Image API. */
export type Version = "1.0" | "1.1" | "2" | "3";

/** What a request may ask for and cost, and how answers are encoded; everything has a default. */
export interface Settings {
  maxWidth?: number;
  maxHeight?: number;
  maxArea?: number;
  /** Bytes of memory that a request may take. */
  memory?: number;
  /** Bytes that a request may fetch. */
  fetched?: number;
  /** Pixels of the source that a request may decode. */
  sourcePixels?: number;
  /** 1 to 100. */
  jpegQuality?: number;
  /** 0 to 100. */
  webpQuality?: number;
  webpLossless?: boolean;
  pngCompression?: "fastest" | "fast" | "balanced" | "high";
}

export interface OpenOptions {
  settings?: Settings;
  signal?: AbortSignal;
  /** `false` decodes in this thread; default: in the workers that all images share, where there are workers. */
  threads?: false;
}

export interface RenderOptions {
  signal?: AbortSignal;
  /** Version of the Image API that the request is in. Default "3". */
  version?: Version;
}

/** An answer: a file and what it is. */
export interface Rendered extends Answer {
  blob(): Blob;
}

/** An opened image. */
export interface IiifImage extends AsyncDisposable {
  /** px, orientation applied. */
  readonly width: number;
  readonly height: number;
  readonly format: SourceFormat;
  /** The information document. */
  info(options: { id: string; version?: Version }): Record<string, unknown>;
  /** Renders `"square/max/0/default.webp"`. */
  render(request: string, options?: RenderOptions): Promise<Rendered>;
  /** The same as pixels to draw. Browser only; the caller closes it. */
  bitmap(request: string, options?: RenderOptions): Promise<ImageBitmap>;
  /** Frees what it holds; later calls reject. */
  close(): void;
}

const SETTINGS: Record<keyof Settings, true> = {
  maxWidth: true,
  maxHeight: true,
  maxArea: true,
  memory: true,
  fetched: true,
  sourcePixels: true,
  jpegQuality: true,
  webpQuality: true,
  webpLossless: true,
  pngCompression: true,
};

/** A misspelt setting would silently do nothing. */
function check(settings: Settings): void {
  for (const name of Object.keys(settings)) {
    if (!Object.hasOwn(SETTINGS, name)) throw new IiifError("invalid-argument", 400, `There is no setting ${name}; there are ${Object.keys(SETTINGS).join(", ")}.`);
  }
}

const FIRST_READ = 16 << 10;

/** Where images are decoded: in this thread, or in workers. */
export type Host = { core: Core } | { pool: Pool };

interface Opened {
  image: CoreImage;
  pin: Pin;
}

/** Opens what a source holds. A file that is replaced meanwhile is opened anew, once. */
export async function openImage(host: Host, source: Source, options: OpenOptions): Promise<IiifImage> {
  const { settings = {}, signal } = options;
  check(settings);
  // The first of many: in a worker of the pool, or here.
  const first = "core" in host ? { core: host.core } : host.pool.take(() => false);
  const opened = await once(() => openIn(first.core, source, settings, undefined, signal));
  return wrap(host, source, settings, opened, "pending" in first ? first : undefined);
}

async function openIn(core: Core, source: Source, settings: Settings, known: Pin | undefined, signal?: AbortSignal): Promise<Opened> {
  if (known) return { image: await drive(await core.open(known.size, settings), source, known, signal), pin: known };
  // Nobody knows the size yet: the first read tells it, and its bytes are kept for the first step.
  const first = await source.read(0, FIRST_READ, { ...(signal && { signal }) });
  const size = first.size ?? (first.bytes.length < FIRST_READ ? first.bytes.length : undefined);
  if (size === undefined) throw new IiifError("source-read", 503, `${source.key} does not tell its size (Content-Range is not exposed, CORS).`);
  const pin: Pin = { size, ...(first.etag !== undefined && { etag: first.etag }) };
  const warm: Source = {
    key: source.key,
    async read(offset, length, options) {
      const kept = first.bytes.slice(offset, offset + length);
      return kept.length === length ? { bytes: kept } : source.read(offset, length, options);
    },
  };
  return { image: await drive(await core.open(size, settings), warm, pin, signal), pin };
}

/** A file that changed under the reader is worth a second try from the start, not a third. */
async function once<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof IiifError && error.code === "source-changed") return attempt();
    throw error;
  }
}

function wrap(host: Host, source: Source, settings: Settings, { image, pin }: Opened, lane: Lane | undefined): IiifImage {
  const { width, height, format, documents } = image;
  /** The image in each worker that has opened it. */
  const copies = new Map<Lane, Promise<CoreImage>>();
  if (lane) copies.set(lane, Promise.resolve(image));
  let closed = false;
  const alive = (): void => {
    if (closed) throw new IiifError("closed", 400, "This image was closed.");
  };

  async function renderIn(version: Version, request: string, signal: AbortSignal | undefined) {
    if ("core" in host) return drive(await image.render(version, request), source, pin, signal);
    const lane = host.pool.take((lane) => copies.has(lane));
    try {
      let copy = copies.get(lane);
      if (!copy) {
        copy = openIn(lane.core, source, settings, pin).then(({ image }) => image);
        copies.set(lane, copy);
        copy.catch(() => copies.delete(lane));
      }
      return await drive(await (await copy).render(version, request), source, pin, signal);
    } catch (error) {
      if (!lane.alive) copies.delete(lane);
      if (error instanceof IiifError && error.code === "internal") {
        copies.delete(lane);
        host.pool.drop(lane);
      }
      throw error;
    }
  }

  const render: IiifImage["render"] = async (request, { signal, version = "3" } = {}) => {
    alive();
    signal?.throwIfAborted();
    const attempt = () => renderIn(version, request, signal);
    // A worker that another call brought down is not this one's fault.
    const answer = await attempt().catch((error: unknown) => {
      if (error instanceof IiifError && error.code === "worker-lost") return attempt();
      throw error;
    });
    return { ...answer, blob: () => new Blob([answer.bytes as Uint8Array<ArrayBuffer>], { type: answer.type }) };
  };

  const close = (): void => {
    if (closed) return;
    closed = true;
    if ("core" in host) image.free();
    for (const copy of copies.values()) copy.then((image) => image.free()).catch(() => undefined);
    copies.clear();
  };

  return {
    width,
    height,
    format,
    info({ id, version = "3" }) {
      alive();
      return withId(JSON.parse(documents[version]) as Record<string, unknown>, id);
    },
    render,
    async bitmap(request, options) {
      const rendered = await render(request, options);
      return createImageBitmap(rendered.blob());
    },
    close,
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}

/** Puts the id where a version has it. */
function withId(document: Record<string, unknown>, id: string): Record<string, unknown> {
  if ("id" in document) return { ...document, id };
  if ("@id" in document) return { ...document, "@id": id };
  return { ...document, identifier: decodeURIComponent(id.slice(id.lastIndexOf("/") + 1)) };
}
