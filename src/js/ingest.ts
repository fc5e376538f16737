import { drive } from "./drive.js";
import { IiifError } from "./error.js";
import { check } from "./check.js";
import { type Settings, type WorkerOptions, openFirst } from "./image.js";
import { type Page, checkPage } from "./page.js";
import type { Host } from "./pool.js";
import type { Source } from "./sources.js";

// Writing pyramids.

/** What the engine is told. */
export interface IngestOptions {
  tile: number | undefined;
  quality: number | undefined;
  compression: PyramidOptions["compression"];
  memory: number | undefined;
  work: number | undefined;
}

/** How a pyramid is written. */
export interface PyramidOptions extends WorkerOptions {
  /** Side of a tile, px: a multiple of 16 from 64 to 2048. Default 512. */
  tile?: number | undefined;
  /**
   * 1 to 100, of JPEG and WebP. Default 88. From 90 on JPEG keeps colours at full resolution; WebP of 100 is lossless.
   * The full size of what is a plain JPEG keeps its own quality, whatever is said here: its coefficients are copied.
   */
  quality?: number | undefined;
  /** Default "jpeg", or "deflate" for an image with alpha. */
  compression?: "jpeg" | "deflate" | "webp" | undefined;
  /** Which page of a document, from 1, or which image beside the scan of a slide. Default 1. */
  page?: Page | undefined;
  /**
   * Of opening the source. `memory` is also that of writing, whose default is 112 MiB; a source that is not a TIFF must fit it as a whole. `work` is also that of
   * writing, whose default is 3600 seconds.
   */
  settings?: Settings;
  signal?: AbortSignal;
  /** Told whenever tiles are finished: how many rows of the image are done, of all. */
  onProgress?: ((rows: number, of: number) => void) | undefined;
}

/** Takes what is finished of a pyramid, and is waited for. */
export type Spool = (spool: number, bytes: Uint8Array) => unknown;

/** How the file of a pyramid is put together. */
export interface PyramidFile {
  /** What it begins with. */
  head: Uint8Array;
  /** The order in which the spools follow. */
  spools: number[];
  /** px, orientation applied. */
  width: number;
  height: number;
}

const COMPRESSIONS: readonly unknown[] = ["jpeg", "deflate", "webp"] satisfies PyramidOptions["compression"][];

/** Writes a pyramid in a host of its own: the job takes more memory than an engine that others use has to spare. @internal */
export async function writePyramid(host: Host, source: Source, spool: Spool, options: PyramidOptions): Promise<PyramidFile> {
  const { tile, quality, compression, page = 1, settings = {}, signal, onProgress } = options;
  check(settings);
  checkPage(page);
  if (tile !== undefined && !(Number.isInteger(tile) && tile % 16 === 0 && tile >= 64 && tile <= 2048)) throw invalid("tile", tile, "a multiple of 16 from 64 to 2048");
  if (quality !== undefined && !(Number.isInteger(quality) && quality >= 1 && quality <= 100)) throw invalid("quality", quality, "a whole number from 1 to 100");
  if (compression !== undefined && !COMPRESSIONS.includes(compression)) throw invalid("compression", compression, `one of ${COMPRESSIONS.join(", ")}`);
  signal?.throwIfAborted();
  const { core } = host.take(() => true);
  const { image, pin, source: warm } = await openFirst(core, source, settings, page, signal);
  const { width, height } = image;
  const job = await image.ingest({ tile, quality, compression, memory: settings.memory, work: settings.work });
  let told = 0;
  const { head, spools } = await drive(job, warm, pin, signal, async (bytes, { spool: index = 0, rows }) => {
    await spool(index, bytes);
    if (!rows || rows[0] === told) return;
    told = rows[0];
    onProgress?.(...rows);
  });
  return { head, spools, width, height };
}

/** Bytes that are collected before they become a Blob, which a browser may put on disk. */
const PART = 1 << 20;

/** Spools that are parts of a Blob. @internal */
export class BlobSpools {
  readonly #spools: { parts: Blob[]; pending: Uint8Array<ArrayBuffer>[]; bytes: number }[] = [];

  write(index: number, bytes: Uint8Array): void {
    const spool = (this.#spools[index] ??= { parts: [], pending: [], bytes: 0 });
    spool.pending.push(bytes as Uint8Array<ArrayBuffer>);
    spool.bytes += bytes.length;
    if (spool.bytes < PART) return;
    spool.parts.push(new Blob(spool.pending.splice(0)));
    spool.bytes = 0;
  }

  /** The file. */
  join({ head, spools }: PyramidFile): Blob {
    const parts = spools.flatMap((index): BlobPart[] => [...(this.#spools[index]?.parts ?? []), ...(this.#spools[index]?.pending ?? [])]);
    return new Blob([head as Uint8Array<ArrayBuffer>, ...parts], { type: "image/tiff" });
  }
}

function invalid(name: string, value: unknown, expected: string): IiifError {
  return new IiifError("invalid-argument", 400, `${name} is ${JSON.stringify(value)}, and should be ${expected}.`);
}
