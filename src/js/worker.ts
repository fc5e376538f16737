// `azulejo/worker`: a IIIF service as a Cloudflare Worker of one's own, over an R2 bucket or any other source. A host of the core's HTTP service.

import { respond } from "./host/exchange.js";
import type { FilesEngine } from "./host/isolate.js";
import { isolate } from "./host/workers.js";
import { check, checkService } from "./check.js";
import type { Settings } from "./image.js";
import type { ServerListeners } from "./server.js";
import type { ServiceSettings } from "./settings.js";
import type { Source } from "./sources.js";

export { IiifError } from "./error.js";
export type { Settings, Version } from "./image.js";
export type { Associated, Page } from "./page.js";
export { type Bucket, type BucketObject, type FileVersion, type IndexRoom, type R2Options, type VersionedSource, r2Source } from "./r2.js";
export { type ServedImage, type ServedRequest, type ServerListeners, type ServerOptions, server } from "./server.js";
export type { ServiceSettings } from "./settings.js";
export { type Chunk, type HttpOptions, type ReadOptions, type Source, bytesSource, httpSource } from "./sources.js";

export interface HandlerOptions<Env> extends ServerListeners, ServiceSettings {
  /**
   * Where the image of an identifier (decoded) lies, or null where there is none: `r2Source(env.BUCKET, identifier)`.
   * Images are known again by the source's key and etag.
   */
  resolve(identifier: string, env: Env, request: Request): Source | null | Promise<Source | null>;
  /** Limits and qualities. `memory` is for all requests together. */
  settings?: Settings;
  /** Whether finished answers are kept in the Cache API; those that are made in pieces, of many megabytes, never are. Default true. */
  cache?: boolean;
}

/** What is used of an ExecutionContext. */
export interface Context {
  waitUntil(work: Promise<unknown>): void;
}

export interface Handler<Env> {
  fetch(request: Request, env: Env, context: Context): Promise<Response>;
}

/** The default export of a Worker's module: answers every request under the prefix, and all others with 404. */
export function createHandler<Env = unknown>(options: HandlerOptions<Env>): Handler<Env> {
  const { resolve, settings = {}, cache = true, onError, onIncomplete, ...service } = options;
  check(settings, true);
  checkService(service);
  const all = { ...service, log: service.log ?? "errors", ...settings };
  const served = { isolate, make: (engine: FilesEngine) => engine.filesService(all, cache), ...(onError && { onError }), ...(onIncomplete && { onIncomplete }) };
  return {
    fetch(request, env, context) {
      const wait = (work: Promise<unknown>): void => context.waitUntil(work.catch(() => undefined));
      const answer = respond(served, request, { file: (key) => resolve(key, env, request) }, wait).then(
        (response) => response ?? new Response(null, { status: 404 }),
        // The client has left, and hears nothing of it.
        () => new Response(null, { status: 499 }),
      );
      // To the end, even if the client leaves: what is never resumed would keep its memory and its place in the queue.
      wait(answer);
      return answer;
    },
  };
}
