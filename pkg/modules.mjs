// The modules of WebAssembly: cargo → wasm-bindgen → wasm-opt. The package loads them, and the Worker is deployed with one of them.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at, cargoTarget, engineName, files, fingerprint, finishWasm, run, sameEverywhere, say } from "./lib.mjs";
import { wasmBindgen } from "./setup.mjs";

// Who loads a page waits for every kilobyte: less is inlined than LLVM would (its threshold is 225), which costs a few percent of speed and saves five of size.
const SMALL = "llvm-args=-inline-threshold=90";
// Twice what the limits allow to be held at a time: a heap has gaps, and a page need not share an isolate as the Worker does.
const MOST = (mebibytes) => `link-arg=--max-memory=${mebibytes << 20}`;

/** Each module: its crate and features, and how it is linked. */
export const MODULES = [
  // The core, and the codecs that few pages need: they are loaded when one does.
  { name: "engine", features: "web", link: [SMALL, MOST(128)] },
  { name: "extra", features: "extra-module", link: [SMALL, MOST(128)] },
  // The HTTP service for images that are opened elsewhere.
  { name: "service", features: "http", link: [SMALL, MOST(128)] },
  // All of it in one, for Workers. The memory comes from outside, so that it can be used again after a trap (src/js/host/workers.ts). 64 MiB is the most that it can ever be:
  // beyond it an allocation fails, and the Worker recovers.
  { name: "worker", crate: "azulejo-worker", link: ["link-arg=--import-memory", MOST(64)] },
];

/** The wasm of a module, and its JavaScript as a function. */
export const wasmOf = ({ dist }, name) => join(dist, `${name}.wasm`);
export const glueOf = ({ packageGlue: glue }, name) => join(glue, `${name}.factory.js`);

/** Builds those that are out of date. */
export async function buildModules(kind, names = MODULES.map(({ name }) => name)) {
  for (const module of MODULES) if (names.includes(module.name)) await buildModule(kind, module);
}

async function buildModule(kind, module) {
  const { name, crate } = module;
  const sources = files(at("src"), at("Cargo.toml"), at("Cargo.lock"), at(".cargo", "config.toml"), at("rust-toolchain.toml"), ...(crate ? [at("worker", "src"), at("worker", "Cargo.toml")] : []));
  const inputs = sources.filter((file) => !file.endsWith(".ts"));
  const stamp = join(kind.dist, `.${name}.stamp`);
  const now = fingerprint(inputs, [compile, factory, finishWasm].map(String), JSON.stringify(module));
  if ([wasmOf(kind, name), glueOf(kind, name)].every(existsSync) && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  rmSync(stamp, { force: true });
  compile(kind, module);
  await factory(kind, name);
  writeFileSync(stamp, now);
}

function compile({ profile, packageGlue: glue, ...kind }, { name, crate = "azulejo", features, link }) {
  say(`Building: ${name}.wasm`);
  mkdirSync(kind.dist, { recursive: true });
  const from = ["-p", crate, "--lib", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown", ...(features ? ["--no-default-features", "--features", features] : [])];
  const flags = link.flatMap((flag) => ["-C", flag]);
  run("cargo", [...sameEverywhere, "rustc", "--profile", profile, "--locked", ...from, "--", ...flags], { env: engineName() });
  const raw = join(cargoTarget, "wasm32-unknown-unknown", profile, `${crate.replace("-", "_")}.wasm`);
  run(wasmBindgen, [raw, name, glue]);
  // Packed memory is smaller as it is, and larger once it is compressed.
  finishWasm(kind, join(glue, `${name}_bg.wasm`), wasmOf(kind, name), "--skip-pass=memory-packing");
}

/**
 * wasm-bindgen's glue holds one instance for good. As a function it can be had again after a trap, each with an instance of its own.
 * Its finalizers would call into an instance that is given up: what is not freed is freed by the package (`image.ts`).
 */
async function factory(kind, name) {
  const { packageGlue: glue } = kind;
  const esbuild = await import("esbuild");
  const built = await esbuild.build({ entryPoints: [join(glue, `${name}.js`)], bundle: true, format: "iife", globalName: "glue", target: "es2022", write: false, logLevel: "warning" });
  writeFileSync(glueOf(kind, name), `export function create() {\nconst FinalizationRegistry = undefined;\n${built.outputFiles[0].text}\nreturn glue;\n}\n`);
  writeFileSync(join(glue, `${name}.factory.d.ts`), `import type * as Glue from "./${name}.js";\nexport declare function create(): typeof Glue;\n`);
}
