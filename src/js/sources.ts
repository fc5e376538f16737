import { IiifError } from "./error.js";

/** What a read gives: the bytes, and what else became known of the file. */
export interface Chunk {
  bytes: Uint8Array;
  /** Size of the whole file, bytes. */
  size?: number;
  /** The version of the file that the bytes are of. */
  etag?: string;
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
      return { bytes: bytes.slice(offset, offset + length), size: bytes.length };
    },
  };
}

export interface HttpOptions {
  /** Of a server without Range: the most bytes to take in one go. Default 64 MiB. */
  wholeLimit?: number;
  headers?: Record<string, string>;
  fetch?: typeof globalThis.fetch;
}

/** A URL, read by Range; the first answer's etag is pinned. A server that ignores Range is taken whole, once. */
export function httpSource(url: URL | string, options: HttpOptions = {}): Source {
  const { wholeLimit = 64 << 20, headers = {}, fetch = globalThis.fetch.bind(globalThis) } = options;
  const key = String(url);
  let whole: Promise<Chunk> | undefined;

  async function ask(offset: number, length: number, { signal, etag }: ReadOptions): Promise<Chunk> {
    const range = `bytes=${offset}-${offset + length - 1}`;
    let response: Response;
    try {
      response = await fetch(key, { headers: { ...headers, range }, cache: "no-store", ...(signal && { signal }) });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new IiifError("source-read", 503, `${key} could not be fetched. The server may be out of reach, or does not allow other sites to read it (CORS).`, { cause });
    }
    if (response.status === 404 || response.status === 410) throw await refused(response, "not-found", 404, `There is nothing at ${key}.`);
    if (response.status === 416) throw await refused(response, "source-changed", 503, `${key} became shorter while it was read.`);
    if (!response.ok) throw await refused(response, "source-read", 503, `${key} answered with status ${response.status}.`);
    const found = strong(response.headers.get("etag"));
    if (etag !== undefined && found !== undefined && found !== etag) {
      throw await refused(response, "source-changed", 503, `${key} was replaced while it was read.`);
    }
    if (response.status === 206) return partial(response, offset, found);
    return keepWhole(response, found);
  }

  async function partial(response: Response, offset: number, etag: string | undefined): Promise<Chunk> {
    const [, start, , total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "") ?? [];
    const bytes = new Uint8Array(await response.arrayBuffer());
    // Content-Range is only seen across sites if the server exposes it.
    if (start !== undefined && Number(start) !== offset) throw new IiifError("source-read", 503, `${key} sent other bytes than were asked for.`);
    const size = total === undefined || total === "*" ? undefined : Number(total);
    return { bytes, ...(size !== undefined && { size }), ...(etag !== undefined && { etag }) };
  }

  async function keepWhole(response: Response, etag: string | undefined): Promise<Chunk> {
    const length = Number(response.headers.get("content-length") ?? 0);
    const tooLarge = () => new IiifError("source-too-costly", 503, `${key} does not answer to Range, and is larger than ${wholeLimit} bytes.`);
    if (length > wholeLimit) {
      await response.body?.cancel();
      throw tooLarge();
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > wholeLimit) throw tooLarge();
    const chunk = { bytes, size: bytes.length, ...(etag !== undefined && { etag }) };
    whole = Promise.resolve(chunk);
    return chunk;
  }

  return {
    key,
    async read(offset, length, options = {}) {
      options.signal?.throwIfAborted();
      const chunk = whole ? await whole : await ask(offset, length, options);
      if (!whole) return chunk;
      const { bytes, ...rest } = await whole;
      return { ...rest, bytes: bytes.slice(offset, offset + length) };
    },
  };
}

async function refused(response: Response, code: string, status: number, message: string): Promise<IiifError> {
  await response.body?.cancel();
  return new IiifError(code, status, message);
}

/** Weak etags name no bytes. */
function strong(etag: string | null): string | undefined {
  return etag === null || etag.startsWith("W/") ? undefined : etag;
}

/** The source of whatever `open` takes. */
export function toSource(input: Blob | URL | string | Uint8Array | Source): Source {
  if (typeof input === "string" || input instanceof URL) return httpSource(input);
  if (input instanceof Uint8Array) return bytesSource(input);
  if (typeof Blob !== "undefined" && input instanceof Blob) return blobSource(input);
  return input as Source;
}
