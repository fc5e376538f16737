// `azulejo/worker`: a IIIF service as a Cloudflare Worker of one's own, over an R2 bucket or any other source.

import type { Answer, CoreJob } from "./core.js";
import { drive } from "./drive.js";
import { IiifError } from "./error.js";
import { type Incomplete, type Settings, check, withId } from "./image.js";
import type { Page } from "./page.js";
import type { FileVersion, VersionedSource } from "./r2.js";
import { checkMethod, failure, preflight, send, toError } from "./server/answer.js";
import { hash } from "./server/hash.js";
import { readPage } from "./server/identifier.js";
import { type ServedImage, type ServedRequest, type ServerOptions, checkLength, prefixes, server } from "./server.js";
import { MEMORY } from "./settings.js";
import type { Chunk, Source } from "./sources.js";
import { find, store } from "./worker/cache.js";
import { enter } from "./worker/gate.js";
import { Images, type Use } from "./worker/images.js";
import { Meter } from "./worker/meter.js";
import { Shelf } from "./worker/shelf.js";
import { type Streamed, whole } from "./worker/stream.js";

export { IiifError } from "./error.js";
export type { Settings, Version } from "./image.js";
export type { Associated, Page } from "./page.js";
export { type Bucket, type BucketObject, type FileVersion, type IndexRoom, type R2Options, type VersionedSource, r2Source } from "./r2.js";
export { type ServedImage, type ServedRequest, type ServerOptions, server } from "./server.js";
export { type Chunk, type HttpOptions, type ReadOptions, type Source, bytesSource, httpSource } from "./sources.js";

export interface HandlerOptions<Env> extends Omit<ServerOptions, "open"> {
  /**
   * Where the image of an identifier (decoded) lies, or null where there is none: `r2Source(env.BUCKET, identifier)`.
   * Images are known again by the source's key and etag.
   */
  resolve(identifier: string, env: Env, request: Request): Source | null | Promise<Source | null>;
  /** Limits and qualities. `memory` is for all requests together. */
  settings?: Settings;
  /** Whether finished answers are kept in the Cache API; those that are made in pieces, of many megabytes, never are. Default true. */
  cache?: boolean;
  /** Whether `name;2` is the second page of `name`, and `name;label` the label of a slide (`macro`, `thumbnail`). Default true. */
  pages?: boolean;
}

/** What is used of an ExecutionContext. */
export interface Context {
  waitUntil(work: Promise<unknown>): void;
}

export interface Handler<Env> {
  fetch(request: Request, env: Env, context: Context): Promise<Response>;
}

const MIB = 2 ** 20;
/** Bytes that are read of a source that cannot tell its version otherwise. */
const FIRST_READ = 16 << 10;
/** A request that others brought down is begun anew so often. */
const ATTEMPTS = 4;

/** What belongs to a request, and is never shared. */
interface Call<Env> {
  readonly env: Env;
  readonly context: Context;
  readonly meter: Meter;
  /** `?cache=false`: asks no cache and fills none. */
  readonly anew: boolean;
  readonly uses: Use[];
  /** Answers that are still being made after they have begun to leave. */
  readonly streams: Promise<void>[];
}

/** The default export of a Worker's module: answers every request under the prefix, and all others with 404. */
export function createHandler<Env = unknown>(options: HandlerOptions<Env>): Handler<Env> {
  const { resolve, settings = {}, cache = true, pages = true, onError = log, ...rest } = options;
  check(settings);
  const kept = { images: new Images(), settings, fingerprint: JSON.stringify(Object.entries(settings).sort()), cache };
  const calls = new WeakMap<Request, Call<Env>>();
  const open: ServerOptions["open"] = async (identifier, request) => {
    const call = calls.get(request);
    if (!call) return null;
    // `name;2` is the second page of `name`, `name;label` the label of a slide, unless only `name;2` itself is there.
    const paged = pages ? readPage(identifier) : undefined;
    for (const { document, page } of [...(paged ? [paged] : []), { document: identifier, page: 1 as const }]) {
      const source = await resolve(document, call.env, request);
      const found = source && (await serve(source, page, kept, call, request.signal));
      if (found) return pages ? { ...found, document } : found;
    }
    return null;
  };
  const answer = server({ ...rest, onError, open });
  const places = prefixes(rest).join(", ");

  async function respond(request: Request, call: Call<Env>): Promise<Response> {
    calls.set(request, call);
    try {
      return (await answer(request)) ?? send(nothing(request, places), request, rest.allowedOrigins ?? "*");
    } catch {
      // The client has left, and hears nothing of it.
      return new Response(null, { status: 499 });
    } finally {
      const end = (): void => call.uses.forEach((use) => use.end());
      if (call.streams.length) call.context.waitUntil(Promise.allSettled(call.streams).then(end));
      else end();
    }
  }

  return {
    fetch(request, env, context) {
      const anew = new URL(request.url).searchParams.get("cache") === "false";
      const response = respond(request, { env, context, meter: new Meter(), anew, uses: [], streams: [] });
      // To the end, even if the client leaves: what is never resumed would keep its memory and its place in the queue.
      context.waitUntil(response);
      return response;
    },
  };
}

interface Kept {
  readonly images: Images;
  readonly settings: Settings;
  /** A text that differs wherever answers may differ. */
  readonly fingerprint: string;
  readonly cache: boolean;
}

/** The image of a source, in the version that is there now. */
async function serve(source: Source, page: Page, kept: Kept, call: Call<unknown>, signal: AbortSignal | undefined): Promise<ServedImage | null> {
  const { meter, anew } = call;
  const { images, settings, fingerprint } = kept;
  const began = Date.now();
  const metered: Source = { key: source.key, read: (offset, length, options) => meter.read(length, () => source.read(offset, length, options)) };
  const found = await discreet(source, () => versionOf(source, metered, meter, !anew && images.has(source, page), signal));
  if (!found) return null;
  const { version, bytes } = found;
  let opened: Use | undefined;
  /** The opened image; another after a trap. */
  const use = async (): Promise<Use["image"]> => {
    if (!opened?.alive) call.uses.push((opened = await images.use(bytes, page, version, settings, anew, signal)));
    return opened.image;
  };
  const { documents, hasNext } = await discreet(source, () => undisturbed(use));
  meter.open = Date.now() - began;
  const { etag, modified } = version;

  async function render(request: string, { version: api, canonical, signal }: ServedRequest): Promise<{ bytes: Uint8Array | ReadableStream<Uint8Array>; timing: string; incomplete?: Incomplete }> {
    const caches = kept.cache && !anew && etag !== undefined;
    const url = caches ? `https://azulejo.invalid/${hash([source.key, String(page), etag, canonical, fingerprint])}` : undefined;
    const cached = async (): Promise<Uint8Array | undefined> => (url === undefined ? undefined : find(url));
    const found = await cached();
    if (found) return { bytes: found, timing: meter.timing("hit") };
    const pin = { size: version.size, ...(etag !== undefined && { etag }) };
    const shelf = url === undefined || etag === undefined ? undefined : new Shelf(source, etag);
    /** What was learnt meanwhile, of an image that is still open. */
    const keep = (): void => {
      try {
        const bytes = shelf && opened?.alive ? opened.learnt() : undefined;
        if (shelf && bytes) call.context.waitUntil(shelf.keep(bytes));
      } catch {
        // Its engine is lost: what was learnt too.
      }
    };
    const made = await undisturbed(async () => {
      const image = await use();
      await shelf?.fetch(image);
      const job = await image.render(api, request);
      return inside(job, (settings.memory ?? MEMORY) * MIB, meter, cached, () => whole(job, (job, hand) => drive(job, metered, pin, signal, hand)));
    });
    if (made instanceof Uint8Array) return { bytes: made, timing: meter.timing("hit") };
    if (made.unused !== undefined) warn(made.unused, request);
    if ("stream" in made) {
      call.streams.push(made.finished);
      call.context.waitUntil(made.finished.then(keep).catch(() => undefined));
      return { bytes: made.stream, timing: meter.timing("off", false, made.unused), ...(made.incomplete && { incomplete: made.incomplete }) };
    }
    const { bytes, incomplete } = made;
    keep();
    // An answer that is kept is whole.
    if (incomplete) return { bytes, timing: meter.timing("off", made.passthrough, made.unused), incomplete };
    if (url) call.context.waitUntil(store(url, bytes.slice(), made.type));
    return { bytes, timing: meter.timing(url ? "miss" : "off", made.passthrough, made.unused) };
  }

  return {
    info: ({ id, version = "3" }) => withId(JSON.parse(documents[version]) as Record<string, unknown>, id),
    render: (request, options) => discreet(source, () => render(request, options)),
    page,
    hasNext,
    ...(etag !== undefined && { etag: `${etag} ${page} ${fingerprint}` }),
    ...(modified && { modified }),
  };
}

/** Renders once there is room for it; or finds, after waiting, that another has made the same. */
async function inside(
  job: CoreJob<Answer>,
  budget: number,
  meter: Meter,
  cached: () => Promise<Uint8Array | undefined>,
  run: () => Promise<Answer | Streamed>,
): Promise<Answer | Streamed | Uint8Array> {
  const came = Date.now();
  const pass = await enter({ memory: job.memory ?? 0, light: job.light ?? false }, budget).catch((error: unknown) => {
    job.free();
    throw error;
  });
  meter.queue += Date.now() - came;
  let streaming: Promise<void> | undefined;
  try {
    const found = pass.waited ? await cached() : undefined;
    if (found) {
      job.free();
      return found;
    }
    const [began, waited] = [Date.now(), meter.waited];
    const answer = await run();
    meter.fetch = meter.waited - waited;
    meter.render = Date.now() - began - meter.fetch;
    if ("stream" in answer) streaming = answer.finished;
    return answer;
  } finally {
    if (streaming) streaming.then(pass.leave, pass.leave);
    else pass.leave();
  }
}

/** The version that is there now, and a source that need not read anew what told it: the first bytes, unless they are of no use, as a version is opened already. */
async function versionOf(source: Source, metered: Source, meter: Meter, opened: boolean, signal: AbortSignal | undefined): Promise<{ version: FileVersion; bytes: Source } | null> {
  const { head } = source as Partial<VersionedSource>;
  const look = head && (async () => {
    const version = await meter.read(0, () => head.call(source));
    return version && { version, bytes: metered };
  });
  if (look && opened) return look();
  let first: Chunk;
  try {
    first = await metered.read(0, FIRST_READ, { ...(signal && { signal }) });
  } catch (error) {
    if (error instanceof IiifError && error.code === "not-found") return null;
    // A source of somebody's own may have no word for that.
    if (look && !(await look())) return null;
    throw error;
  }
  const size = first.size ?? (first.bytes.length < FIRST_READ ? first.bytes.length : undefined);
  if (size === undefined) {
    if (look) return look();
    throw new IiifError("source-read", 503, `${source.key} does not tell its size.`);
  }
  const bytes: Source = {
    key: source.key,
    async read(offset, length, options) {
      const kept = first.bytes.slice(offset, offset + length);
      return kept.length === length ? { bytes: kept } : metered.read(offset, length, options);
    },
  };
  const { etag, modified } = first;
  return { version: { size, ...(etag !== undefined && { etag }), ...(modified && { modified }) }, bytes };
}

/** Begins anew what another request's trap brought down. */
async function undisturbed<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof IiifError) || error.code !== "engine-lost" || attempt === ATTEMPTS) throw error;
    }
  }
}

const PUBLIC: Readonly<Record<string, string>> = {
  "source-changed": "The image was replaced while it was read. Try again.",
  "source-too-costly": "The image is too large to be read from where it lies.",
};

/** Where a file lies is nobody's business: the key may be a URL with a secret in it. What was thrown is the cause, for the log, without the key. */
async function discreet<T>(source: Source, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof IiifError) || !error.message.includes(source.key)) throw error;
    const cause = new IiifError(error.code, error.status, error.message.replaceAll(source.key, "The source"), { cause: error.cause });
    throw new IiifError(error.code, error.status, PUBLIC[error.code] ?? "The image could not be read. Try again.", { cause });
  }
}

/** The answer to what is under no prefix. */
function nothing(request: Request, places: string): ReturnType<typeof failure> {
  try {
    if (request.method === "OPTIONS") return preflight(request.headers.get("access-control-request-headers"));
    checkMethod(request.method);
    checkLength(request.url);
    throw new IiifError("no-such-path", 404, `There is nothing here. Images are at ${places}.`);
  } catch (error) {
    return failure(toError(error), request.headers.get("accept"), undefined);
  }
}

/** A file whose colours may be wrong is for somebody to look at. */
function warn(unused: string, request: string): void {
  console.warn(JSON.stringify({ event: "colors", request: request.slice(0, 256), unused }));
}

/** One line of JSON, without the query. */
function log(error: IiifError, request: Request): void {
  const { code, status } = error;
  const reasons: string[] = [];
  for (let reason: unknown = error; reason instanceof Error; reason = reason.cause) reasons.push(reason.message);
  const detail = [...new Set(reasons)].join(" ").slice(0, 512);
  console.error(JSON.stringify({ event: "request", method: request.method, path: new URL(request.url).pathname.slice(0, 256), status, code, detail }));
}
