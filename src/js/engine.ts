import { create } from "#engine";
import { create as createExtra } from "#extra";
import { packaged, packagedExtra } from "#load";
import type { Engine } from "./core.js";
import { type Wasm, compile, once, started } from "./wasm.js";

export type { Wasm } from "./wasm.js";

/** The modules that were chosen, in a form that can be sent to workers. @internal */
export interface Modules {
  engine: WebAssembly.Module;
  /** Compiled, or the address of what is loaded once it is needed. */
  extra?: WebAssembly.Module | string;
}

let chosen: Modules | undefined;
const packagedEngine = once(packaged, "engine.wasm");
let compilingExtra: Promise<WebAssembly.Module> | undefined;

/** A new instance of the engine in this thread. Its module is compiled once; one that could not be loaded is forgotten, so that the next call tries again. @internal */
export async function engine(): Promise<Engine> {
  const module = await (chosen?.engine ?? packagedEngine());
  const glue = create();
  await started(glue.default({ module_or_path: module }), "engine.wasm");
  return { OpenJob: glue.OpenJob, extra: async () => glue.installExtra(await extra()) };
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
