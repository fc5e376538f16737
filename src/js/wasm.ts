// Modules of WebAssembly: loaded, compiled, started; with errors that say what to do.

import { read } from "#read";
import { IiifError } from "./error.js";

/** What a module can be made from. */
export type Wasm = WebAssembly.Module | BufferSource | URL | Response;

/** Compiles a module; `file` is its name, for errors. @internal */
export async function compile(wasm: Wasm, file: string): Promise<WebAssembly.Module> {
  if (wasm instanceof WebAssembly.Module) return wasm;
  const from = wasm instanceof URL ? ` from ${wasm}` : wasm instanceof Response && wasm.url ? ` from ${wasm.url}` : "";
  try {
    const input = wasm instanceof URL ? await read(wasm) : wasm;
    if (!(input instanceof Response)) return await WebAssembly.compile(input);
    if (!input.ok) throw new Error(`the answer has status ${input.status}`);
    // Compiles while it loads, and is cached; but only what is declared to be wasm.
    const streams = typeof WebAssembly.compileStreaming === "function" && input.headers.get("content-type") === "application/wasm";
    return await (streams ? WebAssembly.compileStreaming(input) : WebAssembly.compile(await input.arrayBuffer()));
  } catch (cause) {
    throw explain(cause, file, `could not be loaded${from}`);
  }
}

/** A Content-Security-Policy without `wasm-unsafe-eval` is a failure that only the page can mend. */
function explain(cause: unknown, file: string, what: string): IiifError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (/unsafe-eval|Content.Security.Policy|blocked by CSP|disallowed by embedder/i.test(reason)) {
    return new IiifError("engine-forbidden", 500, "WebAssembly is forbidden on this page: its Content-Security-Policy needs script-src 'wasm-unsafe-eval'.", { cause });
  }
  return new IiifError("engine", 500, `azulejo's ${file} ${what}: ${reason}. See that it is served there, or tell where it is: init(url).`, { cause });
}

/** Waits for a module to be started. @internal */
export const started = <T>(starting: Promise<T>, file: string): Promise<T> =>
  starting.catch((cause: unknown) => {
    throw explain(cause, file, "could not be started");
  });

/** A function that compiles a module once. If that fails, the next call tries again. @internal */
export function once(from: () => Wasm, file: string): () => Promise<WebAssembly.Module> {
  let compiling: Promise<WebAssembly.Module> | undefined;
  return () =>
    (compiling ??= compile(from(), file).catch((error: unknown) => {
      compiling = undefined;
      throw error;
    }));
}
