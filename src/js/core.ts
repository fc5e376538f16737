import { Admission, admitted } from "./admission.js";
import { IiifError, fromWasm, isThrown, lost } from "./error.js";
import type { IngestOptions } from "./ingest.js";
import type { Answer, Incomplete, SourceFormat, Version } from "./image.js";
import type { Associated, Page } from "./page.js";
import type { Settings } from "./settings.js";

export type { Answer } from "./image.js";

// The core as the rest of the package sees it: asynchronous, so that it may be here or in a worker.

/**
 * Now, where the engine is in this thread, or later. A stored tile is so little work that promises would be a good part of it. For the same reason objects on
 * its way are written out, not spread: what V8 clones is garbage only for a collection of all of the heap, which takes as long as some hundred tiles.
 */
export type Soon<T> = T | Promise<T>;

/** Something that is stepped until it is done; between steps the bytes it names are provided. */
export interface CoreJob<T> {
  /** Starts and ends of the ranges it lacks, a piece of a result that is made in pieces, or the result (of one in pieces, its end). */
  step(): Soon<{ needed: Float64Array } | Piece | { done: T }>;
  /** Hands bytes over; they may be moved away. */
  provide(offset: number, bytes: Uint8Array): Soon<void>;
  free(): void;
  /** Bytes of the engine's memory that it takes at most, where the engine is in this thread. */
  readonly memory?: number | undefined;
  /** Whether it is next to no work. */
  readonly light?: boolean | undefined;
}

export interface Piece {
  piece: Uint8Array;
  /** Of a pyramid, the level whose spool it belongs to. */
  spool?: number;
  /** Rows of the image that are done, of all. */
  rows?: readonly [number, number];
  /** Of an answer, as `Answer.unused`. */
  unused?: string;
  /** Of an answer to a damaged file. */
  incomplete?: Incomplete;
}

/** How the file of a pyramid is put together: its head, then the spools in this order. */
export interface Head {
  head: Uint8Array;
  spools: number[];
}

/** Where the MCUs of a JPEG file lie; it grows with what is rendered. */
export interface CoreIndex {
  /** Whether nothing is known yet, and it is worth knowing. */
  readonly wanted: boolean;
  /** Takes what was kept; whether it is of this file. */
  take(bytes: Uint8Array): boolean;
  /** What is to be kept, if it is much more than when this was last asked. */
  grown(): Uint8Array | undefined;
}

export interface CoreImage {
  readonly width: number;
  readonly height: number;
  readonly format: SourceFormat;
  /** How many pages the document has, if that is known. */
  readonly pages: number | undefined;
  /** The images beside the scan of a slide. */
  readonly associated: readonly Associated[];
  /** Whether there is a page after this one. */
  readonly hasNext: boolean;
  /** The information documents, with an empty id. */
  readonly documents: Readonly<Record<Version, string>>;
  render(version: Version, request: string): Promise<CoreJob<Answer>>;
  /** Of an image in this thread: what it learns of where its MCUs lie. */
  readonly index?: CoreIndex;
  /** Writes it as a pyramid. */
  ingest(options: IngestOptions): Promise<CoreJob<Head>>;
  free(): void;
}

export interface Core {
  /** Resolves once the engine runs, rejects if it cannot. */
  ready(): Promise<void>;
  /** Of a document, its page `page` (from 1); or an image beside the scan of a slide. */
  open(size: number, settings: Settings, page?: Page): Promise<CoreJob<CoreImage>>;
}

/** A core that can be lost, to a trap of its own or by `end`: from then on every call rejects with `engine-lost`. */
export interface MortalCore extends Core {
  readonly alive: boolean;
  end(error: IiifError): void;
}

interface WasmJob {
  step(): Float64Array | Uint8Array | undefined;
  provide(offset: number, bytes: Uint8Array): void;
  free(): void;
  readonly memory?: number;
  readonly light?: boolean;
}

/** A job that may need codecs which the engine is built without: they must be loaded before its first step. */
interface WasmWork extends WasmJob {
  readonly memory: number;
  readonly modules: string[];
}

interface WasmAnswer extends Omit<Answer, "bytes"> {
  takeBytes(): Uint8Array;
  free(): void;
}

interface WasmIngest extends WasmWork {
  readonly spool: number;
  readonly rows: number;
  readonly allRows: number;
  spools(): Uint32Array;
  head(): Uint8Array;
}

interface WasmImage {
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly pages: number | undefined;
  readonly associated: string[];
  readonly hasNext: boolean;
  /** Modules of codecs that must be loaded before it is asked for anything. */
  readonly modules: string[];
  readonly wantsIndex: boolean;
  takeIndex(bytes: Uint8Array): boolean;
  index(): Uint8Array | undefined;
  info(version: string, id: string): string;
  ingest(tile?: number, quality?: number, compression?: string, memory?: number, work?: number): WasmIngest;
  render(version: string, request: string): WasmWork & { readonly light: boolean; readonly rows: number | undefined; readonly damage: string | undefined; unused(): string | undefined; result(): WasmAnswer | undefined };
  free(): void;
}

/** What is used of what wasm-bindgen makes of `src/web`; one of them is one instance of the module. */
export interface Engine {
  OpenJob: new (size: number, page: string, settings: Settings) => WasmJob & { image(): WasmImage | undefined };
  /** Loads a module of codecs by its name, and makes it its own. */
  install(codec: string): Promise<void>;
}

const VERSIONS = ["1.0", "1.1", "2", "3"] as const;

/** The core in this thread. It lets in as many renders as its memory holds, unless the caller sees to that. */
export function localCore(engine: Promise<Engine>, { admits = true }: { admits?: boolean } = {}): MortalCore {
  const admission = admits ? new Admission() : undefined;
  let dead: IiifError | undefined;
  engine.catch(() => undefined);

  /** Calls into wasm, whose errors are plain objects. Anything else is a trap, after which its memory is in no known state: it is never called again. */
  const call = <T>(work: () => T): T => {
    if (dead) throw dead;
    try {
      return work();
    } catch (thrown) {
      if (!isThrown(thrown)) dead = lost();
      throw fromWasm(thrown);
    }
  };
  /** The modules of codecs, once they are needed; what could not be loaded is tried again. */
  const loading = new Map<string, Promise<void>>();
  const install = (codec: string): Promise<void> => {
    const begun = loading.get(codec) ?? engine.then(({ install }) => install(codec));
    loading.set(codec, begun);
    return begun.catch((error: unknown) => {
      loading.delete(codec);
      if (error instanceof IiifError) throw error;
      // It was installed in an engine that had trapped meanwhile, or trapped by that.
      if (dead) throw dead;
      dead = lost();
      throw fromWasm(error);
    });
  };

  const release = (object: { free(): void }) => () => {
    if (!dead) call(() => object.free());
  };

  function job<T>(job: WasmJob, result: () => Soon<T>, more?: () => Omit<Piece, "piece">): CoreJob<T> {
    // The engine may have trapped while modules of codecs were loaded.
    const [memory, light] = call(() => [job.memory, job.light] as const);
    return {
      step() {
        const step = call(() => job.step());
        if (step === undefined) {
          const done = result();
          return done instanceof Promise ? done.then((done) => ({ done })) : { done };
        }
        return step instanceof Float64Array ? { needed: step } : { piece: step, ...more?.() };
      },
      provide: (offset, bytes) => call(() => job.provide(offset, bytes)),
      free: release(job),
      memory,
      light,
    };
  }

  /** Loads the modules of codecs that a job may need, or frees it. */
  async function equip(work: { free(): void }, modules: readonly string[]): Promise<void> {
    try {
      await Promise.all(modules.map(install));
    } catch (error) {
      release(work)();
      throw error;
    }
  }

  function opened(image: WasmImage): CoreImage {
    const documents = Object.fromEntries(VERSIONS.map((version) => [version, call(() => image.info(version, ""))]));
    // Each is a call into wasm, which must not be made once the engine is lost.
    const { width, height, format, pages, associated, hasNext } = image;
    return {
      width,
      height,
      format: format as SourceFormat,
      pages,
      associated: associated as Associated[],
      hasNext,
      documents: documents as Record<Version, string>,
      index: {
        get wanted() {
          return call(() => image.wantsIndex);
        },
        take: (bytes) => call(() => image.takeIndex(bytes)),
        grown: () => call(() => image.index()),
      },
      async render(version, request) {
        const rendering = call(() => image.render(version, request));
        const modules = call(() => rendering.modules);
        if (modules.length) await equip(rendering, modules);
        // Known when the first piece of the answer is.
        const told = (): Pick<Piece, "unused" | "incomplete"> => {
          const [unused, rows] = [rendering.unused(), rendering.rows];
          return { ...(unused !== undefined && { unused }), ...(rows !== undefined && { incomplete: { rows, damage: rendering.damage ?? "" } }) };
        };
        const begun = job<Answer>(
          rendering,
          () => {
            const { unused, incomplete } = call(told);
            const answer = present(call(() => rendering.result()));
            const { type, width, height, canonical, passthrough } = answer;
            const bytes = call(() => answer.takeBytes());
            answer.free();
            // What is stored is sent as it is only if it is whole.
            return { bytes, type, width, height, canonical, passthrough, ...(unused !== undefined && { unused }), ...(incomplete && !passthrough && { incomplete }) };
          },
          () => call(told),
        );
        return admission ? admitted(admission, begun) : begun;
      },
      async ingest({ tile, quality, compression, memory, work }) {
        const ingesting = call(() => image.ingest(tile, quality, compression, memory, work));
        await equip(ingesting, call(() => ingesting.modules));
        const begun = job(
          ingesting,
          () => call(() => ({ head: ingesting.head(), spools: [...ingesting.spools()] })),
          () => call(() => ({ spool: ingesting.spool, rows: [ingesting.rows, ingesting.allRows] as const })),
        );
        return admission ? admitted(admission, begun) : begun;
      },
      free: release(image),
    };
  }

  return {
    ready: () => engine.then(() => undefined),
    async open(size, settings, page = 1) {
      const { OpenJob } = await engine;
      const opening = call(() => new OpenJob(size, String(page), settings));
      return job(opening, () => {
        const image = present(call(() => opening.image()));
        const modules = call(() => image.modules);
        return modules.length ? equip(image, modules).then(() => opened(image)) : opened(image);
      });
    },
    get alive() {
      return !dead;
    },
    end(error) {
      dead ??= error;
    },
  };
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new IiifError("internal", 500, "Something went wrong inside azulejo.");
  return value;
}
