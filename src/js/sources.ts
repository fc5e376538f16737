import { IiifError } from "./error.js";

/** What a read gives: the bytes, and what else became known of the file. */
export interface Chunk {
  bytes: Uint8Array;
  /** Size of the whole file, bytes. */
  size?: number;
  /** The version of the file that the bytes are of. */
  etag?: string;
  /** When that version was written. */
  modified?: Date;
}

export interface ReadOptions {
  signal?: AbortSignal;
  /** Only this version will do. */
  etag?: string;
}

/** Bytes by range, wherever they lie. The first read must tell the size. */
export interface Source {
  /** The same for the same file: a name to cache under. */
  readonly key: string;
  read(offset: number, length: number, options?: ReadOptions): Promise<Chunk>;
}

let blobs = 0;

/** A Blob or File. */
export function blobSource(blob: Blob): Source {
  const key = `blob:${++blobs}`;
  return {
    key,
    async read(offset, length, options) {
      options?.signal?.throwIfAborted();
      try {
        const bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
        return { bytes, size: blob.size };
      } catch (cause) {
        // A File on disk that was changed or deleted since it was chosen.
        throw new IiifError("source-changed", 503, "The file was changed or deleted while it was read. Choose it again.", { cause });
      }
    },
  };
}

/** Bytes that are all here. */
export function bytesSource(bytes: Uint8Array): Source {
  const key = `bytes:${++blobs}`;
  return {
    key,
    async read(offset, length, options) {
      options?.signal?.throwIfAborted();
      const part = bytes.subarray(offset, offset + length);
      // What fills its buffer might be moved away with it.
      return { bytes: part.byteLength === bytes.buffer.byteLength ? part.slice() : part, size: bytes.length };
    },
  };
}

export interface HttpOptions {
  /** Of a server without Range: the most bytes to take in one go. Default 64 MiB. */
  wholeLimit?: number;
  headers?: Record<string, string>;
  fetch?: typeof globalThis.fetch;
}

/**
 * A URL, read by Range; the first answer's etag, or else the date of its last change, is pinned. A server that ignores Range is taken whole, once.
 * Files of one's own disk are not fetched: in Node, open `await openAsBlob(path)` of `node:fs`.
 */
export function httpSource(url: URL | string, options: HttpOptions = {}): Source {
  const { wholeLimit = 64 << 20, headers = {}, fetch = globalThis.fetch.bind(globalThis) } = options;
  const key = address(url);
  let whole: Promise<Chunk> | undefined;
  let total: number | undefined;

  async function answer(method: string, more: Record<string, string>, signal: AbortSignal | undefined): Promise<Response> {
    try {
      return await fetch(key, { method, headers: { ...headers, ...more }, cache: "no-store", ...(signal && { signal }) });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new IiifError("source-unreachable", 503, `${key} could not be fetched. The server may be out of reach, or does not allow this site to read it (CORS: Access-Control-Allow-Origin).`, { cause });
    }
  }

  async function ask(offset: number, length: number, { signal, etag }: ReadOptions): Promise<Chunk> {
    const response = await answer("GET", { range: `bytes=${offset}-${offset + length - 1}` }, signal);
    const { status } = response;
    if (status === 404 || status === 410) throw await refused(response, "not-found", 404, `There is nothing at ${key}.`);
    if (status === 416 && offset > 0) throw await refused(response, "source-changed", 503, `${key} became shorter while it was read.`);
    if (status === 416) throw await refused(response, "source-unsupported", 501, `${key} is empty, not an image.`);
    if (!response.ok) throw await refused(response, "source-read", 503, `${key} answered with status ${status}.`);
    const found = versionOf(response);
    if (etag !== undefined && found !== undefined && found !== etag) {
      throw await refused(response, "source-changed", 503, `${key} was replaced while it was read.`);
    }
    if (status === 206) return partial(response, offset, length, found, signal);
    whole = keepWhole(response, found, signal);
    whole.catch(() => (whole = undefined));
    return whole;
  }

  async function partial(response: Response, offset: number, length: number, etag: string | undefined, signal: AbortSignal | undefined): Promise<Chunk> {
    const [, start, , size] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "") ?? [];
    const bytes = await upTo(length, response, signal);
    // Content-Range is only seen across sites if the server exposes it.
    if ((start !== undefined && Number(start) !== offset) || !bytes) throw new IiifError("source-read", 503, `${key} sent other bytes than were asked for.`);
    const seen = size === undefined || size === "*" ? (total ??= await sizeByHead(signal)) : Number(size);
    return { bytes, ...(seen !== undefined && { size: seen }), ...(etag !== undefined && { etag }) };
  }

  /** Across sites Content-Length is seen even where Content-Range is not. */
  async function sizeByHead(signal: AbortSignal | undefined): Promise<number | undefined> {
    try {
      const { ok, headers } = await answer("HEAD", {}, signal);
      const length = headers.get("content-length");
      return ok && length !== null && !headers.has("content-encoding") ? Number(length) : undefined;
    } catch {
      signal?.throwIfAborted();
      return undefined;
    }
  }

  async function keepWhole(response: Response, etag: string | undefined, signal: AbortSignal | undefined): Promise<Chunk> {
    const bytes = await upTo(wholeLimit, response, signal);
    if (!bytes) throw new IiifError("source-too-costly", 503, `${key} is larger than ${wholeLimit} bytes, and its server does not answer to Range.`);
    return { bytes, size: bytes.length, ...(etag !== undefined && { etag }) };
  }

  /** The body, or nothing if it is longer than that; it is not read further then. */
  async function upTo(limit: number, response: Response, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const declared = Number(response.headers.get("content-length") ?? 0);
    const pieces: Uint8Array[] = [];
    let length = 0;
    const reader = response.body?.getReader();
    try {
      while (reader && declared <= limit && length <= limit) {
        const { done, value } = await reader.read();
        if (done) return joined(pieces, length);
        pieces.push(value);
        length += value.length;
      }
    } catch (cause) {
      signal?.throwIfAborted();
      throw new IiifError("source-read", 503, `${key} broke off while it was read.`, { cause });
    }
    await reader?.cancel();
    return reader ? undefined : new Uint8Array(0);
  }

  return {
    key,
    async read(offset, length, options = {}) {
      options.signal?.throwIfAborted();
      // Somebody else's abort of it is none of ours.
      const chunk = (await whole?.catch(() => undefined)) ?? (await ask(offset, length, options));
      if (!whole) return chunk;
      const { bytes, ...rest } = await whole;
      return { ...rest, bytes: bytes.slice(offset, offset + length) };
    },
  };
}

function address(url: URL | string): string {
  const { href, protocol } = absolute(url);
  if (protocol !== "file:") return href;
  throw new IiifError("invalid-argument", 400, `${href} is a file, which is not fetched. Open a Blob of it: in Node await openAsBlob(path), in a page what an input or a drop gives.`);
}

function absolute(url: URL | string): URL {
  try {
    return new URL(url, globalThis.location?.href);
  } catch (cause) {
    throw new IiifError("invalid-argument", 400, `${JSON.stringify(String(url))} is not a URL${globalThis.location ? "" : "; here it must begin with https:// or http://"}.`, { cause });
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function refused(response: Response, code: string, status: number, message: string): Promise<IiifError> {
  await response.body?.cancel();
  return new IiifError(code, status, message);
}

/** Weak etags name no bytes; across sites an etag is only seen if the server exposes it, the date always. */
function versionOf({ headers }: Response): string | undefined {
  const etag = headers.get("etag");
  if (etag !== null && !etag.startsWith("W/")) return etag;
  return headers.get("last-modified") ?? undefined;
}

/** The source of whatever `open` takes. @internal */
export function toSource(input: Blob | URL | string | Uint8Array | Source): Source {
  if (typeof input === "string" || input instanceof URL) return httpSource(input);
  if (input instanceof Uint8Array) return bytesSource(input);
  if (typeof Blob !== "undefined" && input instanceof Blob) return blobSource(input);
  if (typeof input === "object" && input !== null && "read" in input && typeof input.read === "function") return input;
  throw new IiifError("invalid-argument", 400, "There is nothing to open: give a Blob or File, a URL, a Uint8Array, or an object with key and read.");
}
