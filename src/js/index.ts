// The npm package `azulejo`: a IIIF server for one's own images, in a page, a worker, Node or workerd.

import { workers } from "#load";
import { type CodecChoice, type Wasm, choose, chosenModules } from "./engine.js";
import { IiifError } from "./error.js";
import { type IiifImage, type OpenOptions, type WorkerOptions, openImage } from "./image.js";
import { BlobSpools, type PyramidFile, type PyramidOptions, type Spool, writePyramid } from "./ingest.js";
import { type Level0Options, stitched, withStored } from "./level0.js";
import { type Host, pool, workerAt } from "./pool.js";
import { type Probe, probed } from "./probe.js";
import { type Source, bytesSource, toSource } from "./sources.js";
import { thread } from "./thread.js";

export { IiifError } from "./error.js";
export { type Chunk, type HttpOptions, type ReadOptions, type Source, blobSource, bytesSource, httpSource } from "./sources.js";
export type { IiifImage, ImageInfo, Incomplete, OpenOptions, RenderOptions, Rendered, Settings, SourceFormat, Version, WorkerOptions } from "./image.js";
export type { Associated, Page } from "./page.js";
export type { ImageRequest } from "./request/image-request.js";
export type { VersionLike } from "./request/version.js";
export type { Wasm } from "./engine.js";
export type { Level0Options } from "./level0.js";
export type { Probe } from "./probe.js";
export type { PyramidFile, PyramidOptions, Spool } from "./ingest.js";
export { type Features, type ImageFormat, type Support, support } from "./support.js";

/** What can be opened. */
export type Input = Blob | URL | string | Uint8Array | Source;

/** More decode no faster: tiles are small, and reading is what they wait for. */
const MOST_WORKERS = 4;

/** Opens an image: a Blob or File, a URL, bytes, or any source of one's own. */
export async function open(input: Input, options: OpenOptions = {}): Promise<IiifImage> {
  options.signal?.throwIfAborted();
  const source = toSource(input);
  return withStored(await openImage(hostOf(options), source, options), source);
}

/**
 * A service of level 0 as a source: opened, its static tiles are stitched into any region, size, rotation and quality.
 * By the URL of its info.json, or the parsed document, whose id must then be a URL.
 */
export function level0Source(info: URL | string | object, options: Level0Options = {}): Source {
  return stitched(info, options, (bytes, opening) => openImage(tilesHost(), bytesSource(bytes), opening));
}

/** What a file is, without keeping it open: only its headers are read. */
export async function probe(input: Input, options: WorkerOptions & { signal?: AbortSignal } = {}): Promise<Probe> {
  const image = await open(input, options);
  try {
    return probed(image);
  } finally {
    image.close();
  }
}

/**
 * Writes an image, whatever it is stored in, as a tiled TIFF with all its levels (a cloud-optimized GeoTIFF's layout, without the Geo): every tile of it can
 * then be read by itself, and is sent as it is stored.
 *
 * The image is decoded once, in a worker of its own where there are workers, in the memory of a row of tiles of each level; finished tiles become parts of
 * the Blob at once, so that a browser may put them on disk. The same input and options give the same bytes.
 */
export async function toPyramid(input: Input, options: PyramidOptions = {}): Promise<Blob> {
  const spools = new BlobSpools();
  return spools.join(await spoolPyramid(input, (index, bytes) => spools.write(index, bytes), options));
}

/** `toPyramid` for whoever keeps the tiles elsewhere, in files for instance: the file is the head, then the spools in the order that is told at the end. */
export async function spoolPyramid(input: Input, spool: Spool, options: PyramidOptions = {}): Promise<PyramidFile> {
  const source = toSource(input);
  const { create, own } = creator(options);
  const host = create ? pool({ size: 1, createWorker: create, modules: chosenModules, ...(!own && { instead: thread() }) }) : thread();
  try {
    return await writePyramid(host, source, spool, options);
  } finally {
    host.close();
  }
}

/**
 * Loads the engine early, or from elsewhere: a compiled module, its bytes, its URL or an answer with it. Never required.
 * Call it before the first `open`: what runs already stays as it is. A module from elsewhere is compiled once, and is sent to the workers.
 * `codecs` are modules of codecs that are loaded when an image or a request needs them: `bmp`, `gif`, `icc` (profiles with tables), `mozjpeg` (`jpegSmall`), `tiff` (LZW and Zstandard in TIFF),
 * `webp`. If the engine is a URL, those that are not given are looked for beside it, in the folder `codecs`.
 *
 * Vite and webpack find the engine and the worker by themselves. esbuild does not: give it `azulejo/pool-worker` as an entry point of the name `pool-worker`,
 * copy `azulejo/engine.wasm` and the folder `codecs` that lies beside it to the output, and call `init(new URL("./engine.wasm", import.meta.url))`.
 */
export async function init(wasm?: Wasm | Promise<Wasm>, codecs?: CodecChoice): Promise<void> {
  if (wasm !== undefined) await choose(wasm, codecs);
  const host = hostOf({});
  const lane = host.take(() => true);
  await lane.core.ready().catch((error: unknown) => {
    host.drop(lane);
    throw error;
  });
}

/** Ends all workers and engines that images share; they are started anew when they are needed. */
export function terminate(): void {
  for (const { host } of pools) host.close();
  here?.close();
}

/** Of their tiles' own engines, stitched images need fewer: tiles are small. */
const TILE_WORKERS = 2;

/** Tiles are decoded apart: an answer that is being made of them may fill its engine's memory. */
function tilesHost(): Host {
  let found = pools.find(({ by }) => by === tilesHost);
  if (!found) {
    const create = workers();
    const instead = thread();
    const size = Math.min(TILE_WORKERS, usualSize());
    found = { size, by: tilesHost, host: create ? pool({ size, createWorker: create, modules: chosenModules, instead }) : instead };
    pools.push(found);
  }
  return found.host;
}

const usualSize = (): number => Math.min(MOST_WORKERS, Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1));

let here: Host | undefined;
const pools: { size: number; by: unknown; host: Host }[] = [];

/** One pool for each number of workers and way to make them. */
function hostOf(options: WorkerOptions): Host {
  here ??= thread();
  const { create, own } = creator(options);
  if (!create) return here;
  const size = options.threads || usualSize();
  let found = pools.find((pool) => pool.size === size && pool.by === own);
  if (!found) {
    // One's own worker that cannot be started is a mistake to hear of; the package's has a substitute.
    found = { size, by: own, host: pool({ size, createWorker: create, modules: chosenModules, ...(own === undefined && { instead: here }) }) };
    pools.push(found);
  }
  return found.host;
}

/** How workers are made, if there are to be any, and by what of the caller's own. */
function creator({ threads, createWorker, workerUrl }: WorkerOptions): { create?: (() => Worker) | undefined; own?: unknown } {
  if (threads === false) return {};
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 64)) {
    throw new IiifError("invalid-argument", 400, `threads is ${String(threads)}, and should be a number of workers from 1 to 64, or false.`);
  }
  if (createWorker && workerUrl !== undefined) throw new IiifError("invalid-argument", 400, "createWorker and workerUrl are two ways to say the same: give one of them.");
  const url = workerUrl === undefined || typeof Worker === "undefined" ? undefined : address(workerUrl);
  return { create: createWorker ?? (url ? () => workerAt(url) : workers()), own: createWorker ?? url?.href };
}

function address(url: string | URL): URL {
  try {
    return new URL(url, globalThis.location?.href);
  } catch (cause) {
    throw new IiifError("invalid-argument", 400, `workerUrl is ${JSON.stringify(String(url))}, which is not a URL.`, { cause });
  }
}
