import { create as createCodec } from "#codec";
import { create } from "#engine";
import { packaged, packagedCodecs } from "#load";
import { CODEC_MODULES, type CodecModule } from "./codecs.js";
import type { Engine } from "./core.js";
import { IiifError } from "./error.js";
import { type Wasm, compile, once, started } from "./wasm.js";

export type { Wasm } from "./wasm.js";

/** The modules that were chosen, in a form that can be sent to workers. @internal */
export interface Modules {
  engine: WebAssembly.Module;
  /** Compiled, or the address of what is loaded once it is needed. */
  codecs: Partial<Record<CodecModule, WebAssembly.Module | string>>;
}

/** Modules of codecs from elsewhere, by their names. */
export type CodecChoice = Partial<Record<CodecModule, Wasm | Promise<Wasm>>>;

let chosen: Modules | undefined;
const packagedEngine = once(packaged, "engine.wasm");
const compiling = new Map<CodecModule, Promise<WebAssembly.Module>>();

/** A new instance of the engine in this thread. Its module is compiled once; one that could not be loaded is forgotten, so that the next call tries again. @internal */
export async function engine(): Promise<Engine> {
  const module = await (chosen?.engine ?? packagedEngine());
  const glue = create();
  await started(glue.default({ module_or_path: module }), "engine.wasm");
  return { OpenJob: glue.OpenJob, install: async (name) => glue.install(name, await codec(name)) };
}

/** A new instance of a module of codecs in this thread: an engine has its own. Its constructors are called by functions, as the engine can only call those. */
async function codec(given: string): Promise<Codec> {
  const name = known(given);
  const file = `codecs/${name}.wasm`;
  const from = chosen?.codecs[name] ?? packagedCodecs[name]();
  let module = compiling.get(name);
  if (!module) compiling.set(name, (module = compile(typeof from === "string" ? new URL(from) : from, file)));
  const codec = createCodec();
  const { Converter, Decoder, Encoder, Unpacker } = codec;
  try {
    await started(codec.default({ module_or_path: await module }), file);
  } catch (error) {
    // The next call tries again.
    if (compiling.get(name) === module) compiling.delete(name);
    throw error;
  }
  return {
    converter: (...given) => new Converter(...given),
    decoder: (...given) => new Decoder(...given),
    encoder: (...given) => new Encoder(...given),
    unpacker: (...given) => new Unpacker(...given),
  };
}

type Glue = ReturnType<typeof createCodec>;
/** What the engine calls: `Codecs` in src/web/codecs.rs. */
type Codec = {
  converter(...given: ConstructorParameters<Glue["Converter"]>): InstanceType<Glue["Converter"]>;
  decoder(...given: ConstructorParameters<Glue["Decoder"]>): InstanceType<Glue["Decoder"]>;
  encoder(...given: ConstructorParameters<Glue["Encoder"]>): InstanceType<Glue["Encoder"]>;
  unpacker(...given: ConstructorParameters<Glue["Unpacker"]>): InstanceType<Glue["Unpacker"]>;
};

/** The name of a module of codecs; no other takes the place of one that there is not. */
function known(name: string): CodecModule {
  const found = CODEC_MODULES.find((known) => known === name);
  if (!found) throw new IiifError("invalid-argument", 400, `There is no module of codecs ${JSON.stringify(name)}: there are ${CODEC_MODULES.join(", ")}.`);
  return found;
}

/**
 * Takes modules from elsewhere, for engines that are started from now on. If the engine is an address, codecs that are not given are looked for in a folder
 * `codecs` beside it when they are needed. @internal
 */
export async function choose(wasm: Wasm | Promise<Wasm>, codecs: CodecChoice = {}): Promise<void> {
  Object.keys(codecs).forEach(known);
  const from = await wasm;
  const found: Modules["codecs"] = {};
  for (const name of CODEC_MODULES) {
    const given = (await codecs[name]) ?? (from instanceof URL ? new URL(`codecs/${name}.wasm`, from) : undefined);
    if (given !== undefined) found[name] = given instanceof URL ? given.href : await compile(given, `codecs/${name}.wasm`);
  }
  adopt({ engine: await compile(from, "engine.wasm"), codecs: found });
}

/** What another thread has chosen. @internal */
export function adopt(modules: Modules): void {
  chosen = modules;
  compiling.clear();
}

/** The modules that were chosen, if any were: workers are sent them. @internal */
export function chosenModules(): Modules | undefined {
  return chosen;
}
