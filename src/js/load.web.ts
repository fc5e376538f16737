// In pages and workers.

import type { EachCodec } from "./codecs.js";
import { workerAt } from "./pool.js";

/** The module lies one folder up in the package, where bundlers find it. */
export const packaged = (): URL => new URL("../engine.wasm", import.meta.url);

/** Beside it, the codecs, which are loaded when they are needed. Each has an expression of its own, as bundlers find files by that. */
export const packagedCodecs: EachCodec<() => URL> = {
  bmp: () => new URL("../codecs/bmp.wasm", import.meta.url),
  gif: () => new URL("../codecs/gif.wasm", import.meta.url),
  icc: () => new URL("../codecs/icc.wasm", import.meta.url),
  mozjpeg: () => new URL("../codecs/mozjpeg.wasm", import.meta.url),
  tiff: () => new URL("../codecs/tiff.wasm", import.meta.url),
  webp: () => new URL("../codecs/webp.wasm", import.meta.url),
};

/**
 * How to start a worker, where that can be done: not within a Service Worker.
 * Bundlers know the worker by the form of this expression.
 */
export function workers(): (() => Worker) | undefined {
  if (typeof Worker === "undefined") return undefined;
  // The whole package on another site, a CDN.
  const { origin, href, protocol } = packaged();
  if (origin !== globalThis.origin && protocol !== "data:") return () => workerAt(new URL("./web/pool-worker.js", href));
  return () => new Worker(new URL("./pool-worker.js", import.meta.url), { type: "module", name: "azulejo" });
}
