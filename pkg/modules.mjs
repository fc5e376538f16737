// The modules of WebAssembly: cargo → wasm-bindgen → wasm-opt. The package loads them, and the Worker is deployed with one of them.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { at, cargoTarget, engineName, fail, files, fingerprint, finishWasm, run, sameEverywhere, say } from "./lib.mjs";
import { wasmBindgen } from "./setup.mjs";

// Who loads a page waits for every kilobyte: less is inlined than LLVM would (its threshold is 225), which costs a few percent of speed and saves five of size.
const SMALL = "llvm-args=-inline-threshold=90";
// Twice what the limits allow to be held at a time: a heap has gaps, and a page need not share an isolate as the Worker does.
const MOST = (mebibytes) => `link-arg=--max-memory=${mebibytes << 20}`;

/** Codecs that few images and requests need. Each is a module of its own, which is loaded when it is needed. Their names: `Codec` in codecs/src/lib.rs. */
export const CODECS = ["bmp", "gif", "icc", "mozjpeg", "tiff", "webp"];

/** Each module: its crate and features, and how it is linked. */
export const MODULES = [
  // The core.
  { name: "engine", features: "web", link: [SMALL, MOST(128)] },
  ...CODECS.map((name) => ({ name: `codecs/${name}`, crate: "azulejo-codecs", features: `module,${name}`, link: [SMALL, MOST(128)] })),
  // The HTTP service for images that are opened elsewhere.
  { name: "service", features: "http", link: [SMALL, MOST(128)] },
  // All of it in one, for Workers. The memory comes from outside, so that it can be used again after a trap (src/js/host/workers.ts). 64 MiB is the most that it can ever be:
  // beyond it an allocation fails, and the Worker recovers.
  { name: "worker", crate: "azulejo-worker", link: ["link-arg=--import-memory", MOST(64)] },
];

/** The wasm of a module, and its JavaScript as a function. All modules of codecs have the same JavaScript. */
export const wasmOf = ({ dist }, name) => join(dist, `${name}.wasm`);
export const glueOf = ({ packageGlue: glue }, name) => join(glue, `${basename(name)}.factory.js`);
export const CODEC = `codecs/${CODECS[0]}`;
/** The name that wasm-bindgen gives it. WebAssembly imports its JavaScript by this name, so it is the same for all that share that. */
const boundAs = (name) => (name.startsWith("codecs/") ? "codec" : name);

/** Builds those that are out of date. */
export async function buildModules(kind, names = MODULES.map(({ name }) => name)) {
  for (const module of MODULES) if (names.includes(module.name)) await buildModule(kind, module);
  if (!names.includes(CODEC)) return;
  const [first, ...others] = CODECS.map((name) => readFileSync(glueOf(kind, `codecs/${name}`), "utf8"));
  if (others.some((text) => text !== first)) fail("The JavaScript of the modules of codecs differs, so that one of them cannot serve all: see codecs/src/module.rs.");
}

/** What a module is made of. */
const FOLDERS = { "azulejo-codecs": ["codecs"], "azulejo-worker": ["src", "codecs", "worker/src", "worker/Cargo.toml"], azulejo: ["src", "codecs"] };

async function buildModule(kind, module) {
  const { name, crate = "azulejo" } = module;
  const sources = files(...FOLDERS[crate].map((folder) => at(folder)), at("Cargo.toml"), at("Cargo.lock"), at(".cargo", "config.toml"), at("rust-toolchain.toml"));
  const inputs = sources.filter((file) => !file.endsWith(".ts"));
  const stamp = join(kind.dist, `.${basename(name)}.stamp`);
  const now = fingerprint(inputs, [compile, factory, finishWasm].map(String), JSON.stringify(module));
  if ([wasmOf(kind, name), glueOf(kind, name)].every(existsSync) && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  rmSync(stamp, { force: true });
  compile(kind, module);
  await factory(kind, name);
  writeFileSync(stamp, now);
}

function compile({ profile, packageGlue: glue, ...kind }, { name, crate = "azulejo", features, link }) {
  say(`Building: ${name}.wasm`);
  mkdirSync(dirname(wasmOf(kind, name)), { recursive: true });
  const from = ["-p", crate, "--lib", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown", ...(features ? ["--no-default-features", "--features", features] : [])];
  const flags = link.flatMap((flag) => ["-C", flag]);
  run("cargo", [...sameEverywhere, "rustc", "--profile", profile, "--locked", ...from, "--", ...flags], { env: engineName() });
  const raw = join(cargoTarget, "wasm32-unknown-unknown", profile, `${crate.replace("-", "_")}.wasm`);
  run(wasmBindgen, [raw, boundAs(name), glue]);
  // Packed memory is smaller as it is, and larger once it is compressed.
  finishWasm(kind, join(glue, `${boundAs(name)}_bg.wasm`), wasmOf(kind, name), "--skip-pass=memory-packing");
}

/**
 * wasm-bindgen's glue holds one instance for good. As a function it can be had again after a trap, each with an instance of its own.
 * Its finalizers would call into an instance that is given up: what is not freed is freed by the package (`image.ts`).
 */
async function factory(kind, name) {
  const { packageGlue: glue } = kind;
  const esbuild = await import("esbuild");
  const built = await esbuild.build({ entryPoints: [join(glue, `${boundAs(name)}.js`)], bundle: true, format: "iife", globalName: "glue", target: "es2022", write: false, logLevel: "warning" });
  writeFileSync(glueOf(kind, name), `export function create() {\nconst FinalizationRegistry = undefined;\n${built.outputFiles[0].text}\nreturn glue;\n}\n`);
  writeFileSync(join(glue, `${basename(name)}.factory.d.ts`), `import type * as Glue from "./${boundAs(name)}.js";\nexport declare function create(): typeof Glue;\n`);
}
