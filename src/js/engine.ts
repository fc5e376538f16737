import type * as Glue from "#glue";
import { IiifError } from "./error.js";

/** What wasm-bindgen exports. */
export type Engine = typeof Glue;

/** What a module can be made from. */
export type Wasm = WebAssembly.Module | BufferSource | URL | Response;

let loading: Promise<Engine> | undefined;

/** The engine, instantiated on first use and once. A load that failed is forgotten, so that the next call tries again. */
export function engine(load: () => Promise<Engine>): Promise<Engine> {
  loading ??= load().catch((cause: unknown) => {
    loading = undefined;
    throw cause instanceof IiifError ? cause : explain(cause);
  });
  return loading;
}

/** A Content-Security-Policy without `wasm-unsafe-eval` is the one failure that a page can mend. */
function explain(cause: unknown): IiifError {
  const forbidden = cause instanceof Error && (cause.name === "CompileError" || /unsafe-eval|Content Security Policy|disallowed by embedder/i.test(cause.message));
  const message = forbidden
    ? "WebAssembly is forbidden on this page: its Content-Security-Policy needs script-src 'wasm-unsafe-eval'."
    : "azulejo's WebAssembly module could not be loaded.";
  return new IiifError("engine", 500, message, { cause });
}
