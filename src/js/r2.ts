// Objects of a Cloudflare R2 bucket as sources: ranges of one version of an object.

import { IiifError } from "./error.js";
import type { Chunk, ReadOptions, Source } from "./sources.js";

/** What is used of an R2 object; one that does not fulfil the condition comes without a body. */
export interface BucketObject {
  readonly size: number;
  readonly etag: string;
  readonly uploaded: Date;
  arrayBuffer?(): Promise<ArrayBuffer>;
}

/** What is used of an R2 binding. */
export interface Bucket {
  head(key: string): Promise<BucketObject | null>;
  get(key: string, options: { range: { offset: number; length: number }; onlyIf?: { etagMatches: string } }): Promise<BucketObject | null>;
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
}

/** An object of a bucket. Every read is of the version that was seen first, or fails with `source-changed`. */
export function r2Source(bucket: Bucket, key: string): VersionedSource {
  const name = `r2:${key}`;
  const changed = (): IiifError => new IiifError("source-changed", 503, `${name} was replaced while it was read.`);
  const storage = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw new IiifError("source-read", 503, `${name} could not be read: the storage did not answer. Try again.`, { cause });
    }
  };

  async function head(): Promise<FileVersion | null> {
    const object = await storage(() => bucket.head(key));
    return object && { size: object.size, etag: object.etag, modified: object.uploaded };
  }

  async function read(offset: number, length: number, { signal, etag }: ReadOptions = {}): Promise<Chunk> {
    signal?.throwIfAborted();
    const object = await storage(() => bucket.get(key, { range: { offset, length }, ...(etag !== undefined && { onlyIf: { etagMatches: etag } }) }));
    signal?.throwIfAborted();
    if (!object) throw etag === undefined ? new IiifError("not-found", 404, `There is no object ${name}.`) : changed();
    const body = object.arrayBuffer?.bind(object);
    if (!body || (etag !== undefined && object.etag !== etag)) throw changed();
    return { bytes: new Uint8Array(await storage(body)), size: object.size, etag: object.etag };
  }

  return {
    key: name,
    head,
    async read(offset, length, options) {
      try {
        return await read(offset, length, options);
      } catch (error) {
        // Of an empty object no range can be asked for.
        const version = offset === 0 && options?.etag === undefined && error instanceof IiifError && error.code === "source-read" ? await head() : null;
        if (version?.size !== 0) throw error;
        return { bytes: new Uint8Array(), ...version };
      }
    },
  };
}
