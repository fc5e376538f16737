import { create } from "#glue";
import { packaged, read } from "#load";
import type { Engine } from "./core.js";
import { IiifError } from "./error.js";

/** What a module can be made from. */
export type Wasm = WebAssembly.Module | BufferSource | URL | Response;

let chosen: WebAssembly.Module | undefined;
let compiling: Promise<WebAssembly.Module> | undefined;

/** A new instance of the engine in this thread. Its module is compiled once; one that could not be loaded is forgotten, so that the next call tries again. @internal */
export async function engine(): Promise<Engine> {
  const module = await (chosen ?? (compiling ??= forgetting(compile(packaged()))));
  const glue = create();
  await glue.default({ module_or_path: module }).catch((cause: unknown) => {
    throw explain(cause, "could not be started");
  });
  return glue;
}

/** Takes a module from elsewhere, for engines that are started from now on. @internal */
export async function choose(wasm: Wasm | Promise<Wasm>): Promise<void> {
  chosen = await compile(await wasm);
}

/** The module that was chosen, if one was: workers are sent it. @internal */
export function chosenModule(): WebAssembly.Module | undefined {
  return chosen;
}

function forgetting(loading: Promise<WebAssembly.Module>): Promise<WebAssembly.Module> {
  loading.catch(() => (compiling = undefined));
  return loading;
}

async function compile(wasm: Wasm): Promise<WebAssembly.Module> {
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
    throw explain(cause, `could not be loaded${from}`);
  }
}

/** A Content-Security-Policy without `wasm-unsafe-eval` is a failure that only the page can mend. */
function explain(cause: unknown, what: string): IiifError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (/unsafe-eval|Content.Security.Policy|blocked by CSP|disallowed by embedder/i.test(reason)) {
    return new IiifError("engine-forbidden", 500, "WebAssembly is forbidden on this page: its Content-Security-Policy needs script-src 'wasm-unsafe-eval'.", { cause });
  }
  return new IiifError("engine", 500, `azulejo's WebAssembly module ${what}: ${reason}. See that engine.wasm is served there, or tell where it is: init(url).`, { cause });
}
