// The npm package `azulejo`: a IIIF server for one's own images, in a page, a worker, Node or workerd.

import { load, workers } from "#load";
import { localCore } from "./core.js";
import { type Wasm, engine } from "./engine.js";
import { type Host, type IiifImage, type OpenOptions, openImage } from "./image.js";
import { type Pool, pool } from "./pool.js";
import { type Source, toSource } from "./sources.js";

export { IiifError } from "./error.js";
export { type Chunk, type HttpOptions, type ReadOptions, type Source, blobSource, bytesSource, httpSource } from "./sources.js";
export type { IiifImage, OpenOptions, RenderOptions, Rendered, Settings, SourceFormat, Version } from "./image.js";
export type { Wasm } from "./engine.js";

/** More decode no faster: tiles are small, and reading is what they wait for. */
const MOST_WORKERS = 4;

let shared: Pool | undefined;

/** Opens an image: a Blob or File, a URL, bytes, or any source of one's own. */
export async function open(input: Blob | URL | string | Uint8Array | Source, options: OpenOptions = {}): Promise<IiifImage> {
  options.signal?.throwIfAborted();
  return openImage(await host(options), toSource(input), options);
}

async function host({ threads }: OpenOptions): Promise<Host> {
  const create = threads === false ? undefined : workers();
  if (create) return { pool: (shared ??= pool(Math.min(MOST_WORKERS, Math.max(1, navigator.hardwareConcurrency - 1)), create)) };
  return { core: localCore(await engine(() => load())) };
}

/** Loads the engine of this thread from elsewhere, or early. Never required. */
export async function init(wasm?: Wasm | Promise<Wasm>): Promise<void> {
  await engine(() => load(wasm));
}

/** Ends the workers that images share; the next `open` starts new ones. */
export function terminate(): void {
  shared?.close();
  shared = undefined;
}
