import { create } from "#engine";
import { create as createExtra } from "#extra";
import { packaged, packagedExtra, read } from "#load";
import type { Engine } from "./core.js";
import { IiifError } from "./error.js";

/** What a module can be made from. */
export type Wasm = WebAssembly.Module | BufferSource | URL | Response;

/** The modules that were chosen, in a form that can be sent to workers. @internal */
export interface Modules {
  engine: WebAssembly.Module;
  /** Compiled, or the address of what is loaded once it is needed. */
  extra?: WebAssembly.Module | string;
}

let chosen: Modules | undefined;
let compiling: Promise<WebAssembly.Module> | undefined;
let compilingExtra: Promise<WebAssembly.Module> | undefined;

/** A new instance of the engine in this thread. Its module is compiled once; one that could not be loaded is forgotten, so that the next call tries again. @internal */
export async function engine(): Promise<Engine> {
  const module = await (chosen?.engine ?? (compiling ??= compile(packaged(), "engine.wasm").catch((error: unknown) => {
    compiling = undefined;
    throw error;
  })));
  const glue = create();
  await started(glue.default({ module_or_path: module }), "engine.wasm");
  return { OpenJob: glue.OpenJob, service: glue, extra: async () => glue.installExtra(await extra()) };
}

/** A new instance of the extra codecs (WebP, GIF, LZW and Zstandard within TIFF, small JPEGs) in this thread: an engine has one of its own. */
async function extra(): Promise<Codecs> {
  const from = chosen?.extra ?? packagedExtra();
  const module = await (compilingExtra ??= compile(typeof from === "string" ? new URL(from) : from, "extra.wasm").catch((error: unknown) => {
    compilingExtra = undefined;
    throw error;
  }));
  const codecs = createExtra();
  await started(codecs.default({ module_or_path: module }), "extra.wasm");
  return codecs;
}

type Codecs = ReturnType<typeof createExtra>;

const started = (starting: Promise<unknown>, file: string): Promise<unknown> =>
  starting.catch((cause: unknown) => {
    throw explain(cause, file, "could not be started");
  });

/**
 * Takes a module from elsewhere, for engines that are started from now on. If it is an address and nothing else is said, the extra codecs are looked for
 * beside it when they are needed. @internal
 */
export async function choose(wasm: Wasm | Promise<Wasm>, extra?: Wasm | Promise<Wasm>): Promise<void> {
  const from = await wasm;
  const beside = (await extra) ?? (from instanceof URL ? new URL("extra.wasm", from) : undefined);
  adopt({
    engine: await compile(from, "engine.wasm"),
    ...(beside !== undefined && { extra: beside instanceof URL ? beside.href : await compile(beside, "extra.wasm") }),
  });
}

/** What another thread has chosen. @internal */
export function adopt(modules: Modules): void {
  chosen = modules;
  compilingExtra = undefined;
}

/** The modules that were chosen, if any were: workers are sent them. @internal */
export function chosenModules(): Modules | undefined {
  return chosen;
}

async function compile(wasm: Wasm, file: string): Promise<WebAssembly.Module> {
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
