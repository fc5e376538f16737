import type * as Glue from "#glue";
import { IiifError, fromWasm } from "./error.js";
import type { Settings, SourceFormat, Version } from "./image.js";

// The core as the rest of the package sees it: asynchronous, so that it may be here or in a worker.

/** Something that is stepped until it is done; between steps the bytes it names are provided. */
export interface CoreJob<T> {
  /** Starts and ends of the ranges it lacks, or the result. */
  step(): Promise<{ needed: Float64Array } | { done: T }>;
  /** Hands bytes over; they may be moved away. */
  provide(offset: number, bytes: Uint8Array): Promise<void>;
  free(): void;
}

export interface CoreImage {
  readonly width: number;
  readonly height: number;
  readonly format: SourceFormat;
  /** The information documents, with an empty id. */
  readonly documents: Readonly<Record<Version, string>>;
  render(version: Version, request: string): Promise<CoreJob<Answer>>;
  free(): void;
}

/** A rendered file and what it is. */
export interface Answer {
  bytes: Uint8Array;
  /** Media type. */
  type: string;
  /** px, rotation applied. */
  width: number;
  height: number;
  /** The canonical form of the request. */
  canonical: string;
  /** Whether stored bytes are given as they are, without decoding. */
  passthrough: boolean;
}

export interface Core {
  open(size: number, settings: Settings): Promise<CoreJob<CoreImage>>;
}

const VERSIONS = ["1.0", "1.1", "2", "3"] as const;

/** The core in this thread. */
export function localCore(glue: typeof Glue): Core {
  return {
    async open(size, settings) {
      const job = call(() => new glue.OpenJob(size, settings));
      return localJob(job, () => {
        const image = call(() => job.image());
        if (!image) throw internal();
        return localImage(image, settings);
      });
    },
  };
}

function localImage(image: Glue.Image, settings: Settings): CoreImage {
  const { width, height } = image;
  const documents = Object.fromEntries(VERSIONS.map((version) => [version, call(() => image.info(version, "", settings))]));
  return {
    width,
    height,
    format: image.format as SourceFormat,
    documents: documents as Record<Version, string>,
    async render(version, request) {
      const job = call(() => image.render(version, request, settings));
      return localJob(job, () => {
        const answer = call(() => job.result());
        if (!answer) throw internal();
        const { type, width, height, canonical, passthrough } = answer;
        const bytes = call(() => answer.takeBytes());
        answer.free();
        return { bytes, type, width, height, canonical, passthrough };
      });
    },
    free: () => image.free(),
  };
}

interface WasmJob {
  step(): Float64Array | undefined;
  provide(offset: number, bytes: Uint8Array): void;
  free(): void;
}

function localJob<T>(job: WasmJob, result: () => T): CoreJob<T> {
  return {
    async step() {
      const needed = call(() => job.step());
      return needed === undefined ? { done: result() } : { needed };
    },
    provide: async (offset, bytes) => call(() => job.provide(offset, bytes)),
    free: () => job.free(),
  };
}

/** Calls into wasm, whose errors are plain objects. */
function call<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw fromWasm(thrown);
  }
}

function internal(): IiifError {
  return new IiifError("internal", 500, "Something went wrong inside azulejo.");
}
