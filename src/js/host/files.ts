// Files for the service: any source, by versions and ranges.

import { IiifError } from "../error.js";
import type { FileVersion, VersionedSource } from "../r2.js";
import type { Chunk, ReadOptions, Source } from "../sources.js";
import type { Reply } from "./ask.js";

const text = ({ size, etag, modified }: FileVersion): string => `${etag ?? ""}\n${size}\n${modified?.getTime() ?? ""}`;

/** The version that is there now. */
export async function look(source: Source, signal: AbortSignal | undefined): Promise<Reply> {
  const { head } = source as Partial<VersionedSource>;
  if (!head) return { text: (await begin(source, 1, signal)).text };
  const version = await head.call(source);
  return version ? { text: text(version) } : {};
}

/** The version that is there now, and so many of its first bytes. */
export async function begin(source: Source, length: number, signal: AbortSignal | undefined): Promise<Reply> {
  const { head } = source as Partial<VersionedSource>;
  let first: Chunk;
  try {
    first = await source.read(0, length, { ...(signal && { signal }) });
  } catch (error) {
    if (error instanceof IiifError && error.code === "not-found") return {};
    // A source of somebody's own may have no word for that.
    if (head && !(await head.call(source))) return {};
    throw error;
  }
  const size = first.size ?? (first.bytes.length < length ? first.bytes.length : undefined);
  if (size !== undefined) return { text: text({ ...first, size }), bytes: first.bytes };
  const version = await head?.call(source);
  if (!version) throw new IiifError("source-read", 503, `${source.key} does not tell its size.`);
  return { text: text(version) };
}

/** Bytes of a version of the file. */
export async function read(source: Source, offset: number, length: number, pin: { size: number; etag?: string | undefined }, signal: AbortSignal | undefined): Promise<Reply> {
  const options: ReadOptions = { ...(signal && { signal }), ...(pin.etag !== undefined && { etag: pin.etag }) };
  const { bytes, size, etag } = await source.read(offset, length, options);
  const changed = (size !== undefined && size !== pin.size) || (pin.etag !== undefined && etag !== undefined && etag !== pin.etag);
  if (changed) throw new IiifError("source-changed", 503, `${source.key} was replaced while it was read.`);
  return { bytes };
}

const PUBLIC: Readonly<Record<string, string>> = {
  "source-changed": "The image was replaced while it was read. Try again.",
  "source-too-costly": "The image is too large to be read from where it lies.",
};

/** Where a file lies is nobody's business: the key may be a URL with a secret in it. What was thrown is the cause, for the log, without the key. */
export async function discreet<T>(source: Source, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof IiifError) || !error.message.includes(source.key)) throw error;
    const cause = new IiifError(error.code, error.status, error.message.replaceAll(source.key, "The source"), { cause: error.cause });
    throw new IiifError(error.code, error.status, PUBLIC[error.code] ?? "The image could not be read. Try again.", { cause });
  }
}
