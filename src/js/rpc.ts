import type { Core, CoreImage, CoreJob, Head, MortalCore, Piece } from "./core.js";
import type { Modules } from "./engine.js";
import { IiifError } from "./error.js";
import type { IngestOptions } from "./ingest.js";
import type { Answer, Settings, SourceFormat, Version } from "./image.js";
import type { Associated, Page } from "./page.js";

// The core in a worker: numbered handles on one side, promises on the other.

/** What is asked of a worker. */
type Ask =
  | { ask: "start"; modules?: Modules }
  | { ask: "open"; size: number; settings: Settings; page: Page }
  | { ask: "render"; handle: number; version: Version; request: string }
  | { ask: "ingest"; handle: number; options: IngestOptions }
  | { ask: "step"; handle: number }
  | { ask: "provide"; handle: number; offset: number; bytes: Uint8Array }
  | { ask: "free"; handle: number };

interface Question {
  id: number;
  ask: Ask;
}

/** The description of an opened image, which stays in the worker. */
interface ImageHandle {
  handle: number;
  width: number;
  height: number;
  format: SourceFormat;
  pages: number | undefined;
  associated: readonly Associated[];
  hasNext: boolean;
  documents: Record<Version, string>;
}

type Step = { needed: Float64Array } | Piece | { image: ImageHandle } | { answer: Answer } | { head: Head };

/** What a worker keeps under a handle. */
type Kept = CoreJob<CoreImage | Answer | Head> | CoreImage;

type Reply = { id: number; value: unknown } | { id: number; code: string; status: number; message: string };

/** The part of `Worker` and of a worker's own scope that is used. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** In the worker: answers questions. The first brings the modules, or says that they are the worker's to load. */
export function serve(port: Port, begin: (modules?: Modules) => Core): void {
  let core: Core | undefined;
  const kept = new Map<number, Kept>();
  let handles = 0;
  const keep = (value: Kept): number => {
    kept.set(++handles, value);
    return handles;
  };
  const find = <T>(handle: number): T => kept.get(handle) as T;

  async function answer(ask: Ask): Promise<unknown> {
    switch (ask.ask) {
      case "start":
        return (core ??= begin(ask.modules)).ready();
      case "open":
        return keep(await (core ??= begin()).open(ask.size, ask.settings, ask.page));
      case "render":
        return keep(await find<CoreImage>(ask.handle).render(ask.version, ask.request));
      case "ingest":
        return keep(await find<CoreImage>(ask.handle).ingest(ask.options));
      case "step": {
        const step = await find<CoreJob<CoreImage | Answer | Head>>(ask.handle).step();
        if (!("done" in step)) return step satisfies Step;
        if ("head" in step.done) return { head: step.done } satisfies Step;
        if ("bytes" in step.done) return { answer: step.done } satisfies Step;
        const { width, height, format, pages, associated, hasNext, documents } = step.done;
        return { image: { handle: keep(step.done), width, height, format, pages, associated, hasNext, documents } } satisfies Step;
      }
      case "provide":
        return find<CoreJob<unknown>>(ask.handle).provide(ask.offset, ask.bytes);
      case "free":
        find<{ free(): void } | undefined>(ask.handle)?.free();
        kept.delete(ask.handle);
        return undefined;
    }
  }

  port.addEventListener("message", ({ data }: MessageEvent<Question>) => {
    const { id, ask } = data;
    answer(ask).then(
      (value) => {
        const { answer, piece } = (value ?? {}) as { answer?: Answer; piece?: Uint8Array };
        const bytes = answer?.bytes ?? piece;
        port.postMessage({ id, value } satisfies Reply, bytes ? [bytes.buffer as ArrayBuffer] : []);
      },
      (error: unknown) => {
        const { code, status, message } = error instanceof IiifError ? error : new IiifError("internal", 500, String(error));
        port.postMessage({ id, code, status, message } satisfies Reply, []);
      },
    );
  });
}

/** A core that answers from elsewhere. */
export interface RemoteCore extends MortalCore {
  /** Questions without an answer. */
  readonly pending: number;
  /** Whether it has ever answered. */
  readonly heard: boolean;
}

/** On the page: the core behind a port. */
export function remoteCore(port: Port, modules: Modules | undefined): RemoteCore {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let ids = 0;
  let heard = false;
  let dead: IiifError | undefined;

  function ask<T>(ask: Ask, transfer: Transferable[] = []): Promise<T> {
    if (dead) return Promise.reject(dead);
    const id = ++ids;
    return new Promise<T>((resolve, reject) => {
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      port.postMessage({ id, ask } satisfies Question, transfer);
    });
  }
  const release = (handle: number): void => void ask({ ask: "free", handle }).catch(() => undefined);

  port.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
    heard = true;
    const promise = waiting.get(data.id);
    waiting.delete(data.id);
    if ("value" in data) promise?.resolve(data.value);
    else promise?.reject(new IiifError(data.code, data.status, data.message));
  });

  function job<T>(handle: number, done: (step: Exclude<Step, { needed: Float64Array } | Piece>) => T): CoreJob<T> {
    return {
      async step() {
        const step = await ask<Step>({ ask: "step", handle });
        return "needed" in step || "piece" in step ? step : { done: done(step) };
      },
      provide(offset, bytes) {
        // A view of something larger must not take the rest with it.
        const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
        return ask({ ask: "provide", handle, offset, bytes: own }, [own.buffer as ArrayBuffer]);
      },
      free: () => release(handle),
    };
  }

  const image = ({ handle, width, height, format, pages, associated, hasNext, documents }: ImageHandle): CoreImage => ({
    width,
    height,
    format,
    pages,
    associated,
    hasNext,
    documents,
    async render(version, request) {
      const rendering = await ask<number>({ ask: "render", handle, version, request });
      return job(rendering, (step) => (step as { answer: Answer }).answer);
    },
    async ingest(options) {
      const ingesting = await ask<number>({ ask: "ingest", handle, options });
      return job(ingesting, (step) => (step as { head: Head }).head);
    },
    free: () => release(handle),
  });

  const ready = ask<void>({ ask: "start", ...(modules && { modules }) });
  ready.catch(() => undefined);

  return {
    ready: () => ready,
    async open(size, settings, page = 1) {
      const opening = await ask<number>({ ask: "open", size, settings, page });
      return job(opening, (step) => image((step as { image: ImageHandle }).image));
    },
    end(error) {
      dead ??= error;
      for (const { reject } of waiting.values()) reject(dead);
      waiting.clear();
    },
    get alive() {
      return !dead;
    },
    get pending() {
      return waiting.size;
    },
    get heard() {
      return heard;
    },
  };
}
