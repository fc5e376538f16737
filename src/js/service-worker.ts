// `azulejo/service-worker`: the Image API for every viewer on a page, from a Service Worker: local files, remote files by Range, and services of level 0.

import type { Engine } from "./core.js";
import { type Wasm, choose, engine } from "./engine.js";
import { IiifError } from "./error.js";
import { type IiifImage, type Incomplete, type Settings, openImage } from "./image.js";
import { type Level0Options, stitched, withStored } from "./level0.js";
import { Shared, slots } from "./level0/shared.js";
import type { Page } from "./page.js";
import type { Host } from "./pool.js";
import { imagesIsolate } from "./host/images.js";
import { type ServedImage, type ServerOptions, prefixes, serving } from "./server.js";
import { type Held, Images } from "./service/images.js";
import { CHANGES, type LocalFile, fileOf, isHandle, kept } from "./service/kept.js";
import { borrowed } from "./service/lanes.js";
import type { FetchEventLike, Scope } from "./service/scope.js";
import { type Source, bytesSource, toSource } from "./sources.js";
import { thread } from "./thread.js";
import { isUrl } from "./url.js";

export { IiifError } from "./error.js";
export { type Chunk, type HttpOptions, type ReadOptions, type Source, blobSource, bytesSource, httpSource } from "./sources.js";
export type { Settings, Version, WorkerOptions } from "./image.js";
export type { Associated, Page } from "./page.js";
export type { Level0Options } from "./level0.js";
export type { Wasm } from "./engine.js";
export type { FetchEventLike } from "./service/scope.js";
export { type KeptFile, type LocalFile, allKept, forget, keep, kept, permit } from "./service/kept.js";
export { type Connection, type RegisterOptions, connect, register } from "./service/lend.js";

/** What an image can be made of. */
export type Resolved = Source | LocalFile | Uint8Array | URL | string;

export interface ServeOptions extends Pick<ServerOptions, "versions" | "allowSlashes" | "cacheControl" | "canonical" | "onError"> {
  /** What is answered for: a path, or a URL of any site, whose images then come from here. `{version}` stands for 1.0, 1.1, 2 and 3. Default `/iiif/{version}/`. */
  prefix?: string;
  /**
   * What the image of an identifier is made of. null: there is none, 404. A Response is given as it is: `fetch(request)` lets a request go to the network.
   * Asked when an image is opened, not for each of its tiles. Default: what `keep` keeps.
   */
  resolve?(identifier: string, request: Request): Promise<Resolved | Response | null> | Resolved | Response | null;
  settings?: Settings;
  /** Whether `name;2` is the second page of `name`, and `name;label` the label of a slide (`macro`, `thumbnail`); `resolve` is asked for `name` first. Default true. */
  pages?: boolean;
  /** How many images are kept open, and how many bytes of answers are kept. Default: 8 images, 32 MiB. */
  cache?: { images?: number; bytes?: number };
  /** `engine.wasm`, for images that are decoded in the Service Worker itself; `service.wasm` and the folder `codecs` are looked for beside its URL. Default: where the package has them; the classic script looks beside the Service Worker's own. */
  engine?: URL | string | (() => Wasm | Promise<Wasm>);
  /** Whether it takes over pages as soon as it is installed. Default true. */
  claim?: boolean;
}

export interface Service {
  /** Answers a request under the prefix; leaves others untouched and is false. For a listener of one's own. */
  fetch(event: FetchEventLike): boolean;
  /** Closes what is open under an identifier: `resolve` is asked anew. */
  forget(identifier: string): void;
}

let tiles: Host | undefined;

/** A service of level 0 as a source for `resolve`: by the URL of its info.json, or the parsed document. */
export function level0Source(info: URL | string | object, options: Level0Options = {}): Source {
  return stitched(info, options, (bytes, opening) => openImage((tiles ??= thread()), bytesSource(bytes), opening));
}

/** In a Service Worker, as its script first runs: answers requests under the prefix from now on. */
export function serve(options: ServeOptions = {}): Service {
  const service = create(globalThis as unknown as Scope, options);
  (globalThis as unknown as Scope).addEventListener("fetch", (event) => void service.fetch(event));
  return service;
}

/** An answer that was made. */
interface Made {
  readonly bytes: Uint8Array;
  readonly incomplete?: Incomplete;
}

/** What is known of one request on its way through the server. */
interface Asking {
  /** The page's own; the server is given another, which can be aborted. */
  readonly request: Request;
  /** After so long the answer begins without its bytes, ms. */
  readonly patience: number;
  readonly held: Held[];
  /** What `resolve` gave in place of an image. */
  response?: Response;
  /** The bytes of an answer that has begun. */
  late?: Promise<Uint8Array>;
}

/**
 * Browsers do not tell a Service Worker that a request was aborted (Chromium 156 fires no `abort` of `event.request.signal`), but they cancel the body of an answer that has begun. So it begins
 * early: soon for an <img>, which shows no one the status of an error anyway, and later for a script that may want to read one.
 */
const PATIENCE = { image: 50, script: 1000 };

function create(scope: Scope, options: ServeOptions): Service {
  const { resolve, settings = {}, cache = {}, pages = true, claim = true, engine: module } = options;
  let chosen = module === undefined;
  const begin = async (): Promise<Engine> => {
    if (!chosen) await choose(typeof module === "function" ? module() : new URL(module!, scope.location.href));
    chosen = true;
    return engine();
  };
  const lanes = borrowed(scope, thread(begin), thread(begin));
  tiles = lanes.tiles;
  const images = new Images(cache.images ?? 8);
  const answers = new Shared<Made>(cache.bytes ?? 32 << 20, ({ bytes }) => bytes.length);
  const room = slots(() => lanes.width);
  const asking = new WeakMap<Request, Asking>();
  /** Of the images that `resolve` made of one. */
  const handles = new Map<string, FileSystemFileHandle>();
  const { origin, path } = parted(options.prefix ?? "/iiif/{version}/", scope.location.origin);
  const { versions, allowSlashes, cacheControl, canonical, onError } = options;
  const given = { versions, allowSlashes, cacheControl, canonical, onError };
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<Pick<ServerOptions, keyof typeof given>>;

  // Beside the engine, if that is at an address of its own.
  const service = module === undefined || typeof module === "function" ? imagesIsolate() : imagesIsolate(() => new URL("service.wasm", new URL(module, scope.location.href)));
  const starts = prefixes({ prefix: path, ...(versions && { versions }) });
  const answer = serving({ ...defined, prefix: path, pages }, service, async (candidates, _, request, stale) => {
      const known = asking.get(request)!;
      let missing: IiifError | undefined;
      for (const { document, page } of candidates) {
        if (stale) images.forget(document);
        const found = await (resolve ? holdResolved(document, page, known) : holdKept(document, page)).catch((error: unknown) => {
          if (!(error instanceof IiifError) || error.code !== "not-found") throw error;
          missing ??= error;
          return undefined;
        });
        if (known.response) return null;
        if (!found) continue;
        known.held.push(found.held);
        return { ...served(found.held, found.etag, known), ...(pages && { document }) };
      }
      if (missing) throw missing;
      return null;
  });

  interface Found {
    readonly held: Held;
    readonly etag?: string;
  }

  async function holdKept(identifier: string, page: Page): Promise<Found | undefined> {
    const found = await kept(identifier);
    if (found) return holdFile(identifier, page, found.file, found.stamp);
    images.forget(identifier);
    return undefined;
  }

  /** A file behind a handle may have been written anew since it was opened. */
  async function holdFile(identifier: string, page: Page, file: LocalFile, stamp: string): Promise<Found> {
    const blob = isHandle(file) ? await fileOf(file) : file;
    const version = isHandle(file) ? `${stamp} ${(blob as File).lastModified} ${blob.size}` : stamp;
    return { held: await images.hold(identifier, page, version, () => open(blob, page)), etag: `${version} ${page} ${JSON.stringify(settings)}` };
  }

  async function holdResolved(identifier: string, page: Page, known: Asking): Promise<Found | undefined> {
    const handle = handles.get(identifier);
    if (images.has(identifier, page)) return handle ? holdFile(identifier, page, handle, "") : { held: await images.hold(identifier, page, "", () => Promise.reject(new Error("It is open."))) };
    const found = await resolve!(identifier, known.request);
    // Only now: until then another page of it may still be open by its handle.
    if (!isHandle(found)) handles.delete(identifier);
    if (found instanceof Response) known.response = found;
    if (found instanceof Response || found === null || found === undefined) return undefined;
    if (!isHandle(found)) return { held: await images.hold(identifier, page, "", () => open(typeof found === "string" ? address(found) : found, page)) };
    handles.set(identifier, found);
    return holdFile(identifier, page, found, "");
  }

  async function open(input: Exclude<Resolved, FileSystemFileHandle>, page: Page): Promise<IiifImage> {
    const source = toSource(input);
    return withStored(await openImage(lanes, source, { settings, page }), source);
  }

  function served({ image, name }: Held, etag: string | undefined, known: Asking): ServedImage {
    return {
      info: (wanted) => image.info(wanted),
      page: image.page,
      hasNext: image.hasNext,
      ...(etag !== undefined && { etag }),
      async render(request, { version, canonical, signal }) {
        // What is asked for twice is made once; what nobody waits for any more is not made.
        const make = (signal: AbortSignal): Promise<Made> =>
          room(async () => {
            const { bytes, incomplete } = await image.render(request, { version, signal });
            return { bytes, ...(incomplete && { incomplete }) };
          }, signal);
        const key = `${name} ${canonical}`;
        const made = answers.get(key, make, signal).then((made) => {
          // Of a damaged file nothing is kept.
          if (made.incomplete) answers.forget(key);
          return made;
        });
        const early = await within(known.patience, made);
        if (early) return early;
        known.late = made.then(({ bytes }) => bytes);
        return { bytes: new Uint8Array(0) };
      },
    };
  }

  async function respond(event: FetchEventLike): Promise<Response> {
    const { request, clientId } = event;
    const control = new AbortController();
    request.signal.addEventListener("abort", () => control.abort());
    const patience = request.method !== "GET" ? Infinity : request.destination === "image" ? PATIENCE.image : PATIENCE.script;
    const known: Asking = { request, patience, held: [] };
    const release = (): void => {
      for (const { release } of known.held.splice(0)) release();
    };
    /** Whether the answer begins before its bytes are there. */
    let leaves = false;
    try {
      await lanes.settle(clientId);
      const asked = new Request(request.url, { method: request.method, headers: request.headers, signal: control.signal });
      asking.set(asked, known);
      const response = await answer(asked);
      if (known.response) return known.response;
      if (!response) return await fetch(request);
      if (!known.late) return response;
      leaves = true;
      const bytes = known.late.finally(release);
      event.waitUntil(bytes.catch(() => undefined));
      return begun(response, bytes, control, (error) => options.onError?.(error, request));
    } catch {
      // Nobody waits for the answer to an aborted request; and what the network refuses is refused.
      known.late?.catch(() => undefined);
      return Response.error();
    } finally {
      if (!leaves) release();
    }
  }

  scope.addEventListener("install", (event) => {
    if (claim) event.waitUntil(scope.skipWaiting());
  });
  scope.addEventListener("activate", (event) => {
    if (claim) event.waitUntil(scope.clients.claim());
  });
  new BroadcastChannel(CHANGES).addEventListener("message", ({ data }: MessageEvent) => images.forget(String(data)));

  return {
    fetch(event) {
      const url = new URL(event.request.url);
      if (url.origin !== origin || !starts.some((start) => url.pathname.startsWith(start))) return false;
      event.respondWith(respond(event));
      return true;
    },
    forget: (identifier) => images.forget(identifier),
  };
}

/** The bytes, if they are there within so many ms. */
async function within<T>(patience: number, made: Promise<T>): Promise<T | undefined> {
  if (patience === Infinity) return made;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, patience)));
  return Promise.race([made, over]).finally(() => clearTimeout(timer));
}

/** An answer whose bytes come later; if the page does not want them any more, they are not made. */
function begun(response: Response, bytes: Promise<Uint8Array>, control: AbortController, report: (error: IiifError) => void): Response {
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const body = new ReadableStream<Uint8Array>({
    start(stream) {
      bytes.then(
        (bytes) => {
          // The kept ones stay as they are.
          stream.enqueue(bytes.slice());
          stream.close();
        },
        (error: unknown) => {
          if (!control.signal.aborted && error instanceof IiifError) report(error);
          stream.error(error);
        },
      );
    },
    cancel: () => control.abort(),
  });
  return new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>, { status: response.status, headers });
}

/** The site and the path of a prefix. */
function parted(prefix: string, own: string): { origin: string; path: string } {
  const [, site, path] = /^([a-z]+:\/\/[^/]*)?(\/.*)$/i.exec(prefix) ?? [];
  if (path === undefined || (site !== undefined && !isUrl(site))) throw new IiifError("invalid-argument", 400, "The option prefix should be a path such as /iiif/{version}/, or a URL with one.");
  return { origin: site === undefined ? own : new URL(site).origin, path };
}

/** Where a text points to; relative to the Service Worker's script. */
function address(text: string): URL {
  if (!isUrl(text, globalThis.location.href)) throw new IiifError("invalid-argument", 400, `resolve gave ${JSON.stringify(text)}, which is not a URL.`);
  return new URL(text, globalThis.location.href);
}
