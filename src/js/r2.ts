// Objects of a Cloudflare R2 bucket as sources: ranges of one version of an object.

import { IiifError } from "./error.js";
import type { Chunk, ReadOptions, Source } from "./sources.js";

/** What is used of an R2 object; one that does not fulfil the condition comes without a body. */
export interface BucketObject {
  readonly size: number;
  readonly etag: string;
  readonly uploaded: Date;
  readonly customMetadata?: Record<string, string> | undefined;
  readonly body?: { cancel(): Promise<void> } | null | undefined;
  arrayBuffer?(): Promise<ArrayBuffer>;
}

/** What is used of an R2 binding. */
export interface Bucket {
  head(key: string): Promise<BucketObject | null>;
  get(key: string, options?: { range?: { offset: number; length: number } }): Promise<BucketObject | null>;
  /** Only for `writeIndex`. */
  put?(key: string, bytes: Uint8Array, options: { customMetadata: Record<string, string> }): Promise<unknown>;
}

/** A version of a file. */
export interface FileVersion {
  /** Bytes. */
  size: number;
  etag?: string;
  modified?: Date;
}

/** A source that can tell which version of the file is there without reading it. */
export interface VersionedSource extends Source {
  /** null if there is no such file. */
  head(): Promise<FileVersion | null>;
  /** Room beside the file. */
  readonly index?: IndexRoom;
}

/** Where is kept what was learnt of a version of a JPEG file. Whatever it gives is checked. */
export interface IndexRoom {
  read(etag: string): Promise<Uint8Array | undefined>;
  write(etag: string, bytes: Uint8Array): Promise<void>;
}

export interface R2Options {
  /** Whether what is learnt of a JPEG file is put beside it, as `KEY.azulejo-index`: then its tiles are cheap for all isolates everywhere. Default false. */
  writeIndex?: boolean;
}

/** What the key of an object ends in that holds an index, and its metadata: the etag of the image. */
const SUFFIX = ".azulejo-index";
const OF = "image-etag";
/** R2 takes no longer key, in bytes. */
const LONGEST_KEY = 1024;
/** An index of this many bytes is of no file that R2 takes. */
const MOST = 16 << 20;

function indexRoom(bucket: Bucket, key: string): IndexRoom {
  return {
    async read(etag) {
      const object = await bucket.get(key + SUFFIX);
      const same = object?.customMetadata?.[OF] === etag && object.size <= MOST;
      return same && object.arrayBuffer ? new Uint8Array(await object.arrayBuffer()) : undefined;
    },
    async write(etag, bytes) {
      await bucket.put?.(key + SUFFIX, bytes, { customMetadata: { [OF]: etag } });
    },
  };
}

/** An object of a bucket. Every read is of the version that was seen first, or fails with `source-changed`. */
export function r2Source(bucket: Bucket, key: string, { writeIndex = false }: R2Options = {}): VersionedSource {
  const name = `r2:${key}`;
  const changed = (): IiifError => new IiifError("source-changed", 503, `${name} was replaced while it was read.`);
  const storage = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw new IiifError("source-read", 503, `${name} could not be read: the storage did not answer. Try again.`, { cause });
    }
  };

  // An index is no image.
  const hidden = key.endsWith(SUFFIX);

  async function head(): Promise<FileVersion | null> {
    const object = hidden ? null : await storage(() => bucket.head(key));
    return object && { size: object.size, etag: object.etag, modified: object.uploaded };
  }

  /** The answer tells its version: a condition in the request would be one more thing to be written and read with each. */
  async function read(offset: number, length: number, { signal, etag }: ReadOptions = {}): Promise<Chunk> {
    signal?.throwIfAborted();
    const object = hidden ? null : await storage(() => bucket.get(key, { range: { offset, length } }));
    signal?.throwIfAborted();
    if (!object) throw etag === undefined ? new IiifError("not-found", 404, `There is no object ${name}.`) : changed();
    const body = object.arrayBuffer?.bind(object);
    if (!body || (etag !== undefined && object.etag !== etag)) {
      await object.body?.cancel();
      throw changed();
    }
    return { bytes: new Uint8Array(await storage(body)), size: object.size, etag: object.etag, modified: object.uploaded };
  }

  const roomy = writeIndex && new TextEncoder().encode(key + SUFFIX).length <= LONGEST_KEY;
  return {
    key: name,
    head,
    ...(roomy && { index: indexRoom(bucket, key) }),
    async read(offset, length, options) {
      try {
        return await read(offset, length, options);
      } catch (error) {
        if (!(error instanceof IiifError) || error.code !== "source-read") throw error;
        const version = await head();
        // Another version may have no such range.
        if (options?.etag !== undefined && version?.etag !== options.etag) throw changed();
        // Of an empty object no range can be asked for.
        if (offset !== 0 || version?.size !== 0) throw error;
        return { bytes: new Uint8Array(), ...version };
      }
    },
  };
}
