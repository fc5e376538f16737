// Builds what npm publishes: the core as wasm, one bundle per kind of host, and the types.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { RELEASE, at, cargoTarget, engineName, fail, files, fingerprint, finishWasm, run, sameEverywhere, say } from "./lib.mjs";
import { setup, wasmBindgen } from "./setup.mjs";

const source = (name) => at("src", "js", `${name}.ts`);

/** The core, and the codecs that few pages need: they are loaded when one does. */
const MODULES = [
  { name: "engine", feature: "web" },
  { name: "extra", feature: "extra-module" },
];

/** What can be imported, from every kind of host. */
export const ENTRIES = ["index", "openseadragon", "request", "service-worker", "support", "worker"];

/** What each kind of host gets, in a folder of its own: they differ in how the wasm module is found. */
const HOSTS = { web: [...ENTRIES, "pool-worker"], node: ENTRIES, workerd: ENTRIES };

/** Builds what is out of date. The types are only made for what is published. */
export async function buildPackage(kind = RELEASE) {
  mkdirSync(kind.dist, { recursive: true });
  engine(kind);
  const esbuild = await import("esbuild");
  await factory(kind, esbuild);
  for (const [host, entries] of Object.entries(HOSTS)) await bundle(kind, esbuild, host, entries);
  await classic(kind, esbuild);
  if (kind === RELEASE) types(kind);
}

function engine(kind) {
  const { dist, packageGlue: glue } = kind;
  const inputs = files(at("src"), at("Cargo.toml"), at("Cargo.lock"), at(".cargo", "config.toml"), at("rust-toolchain.toml")).filter((file) => !file.endsWith(".ts"));
  const stamp = join(dist, ".engine.stamp");
  const now = fingerprint(inputs, String(compile), String(finishWasm), JSON.stringify(MODULES));
  const made = MODULES.every(({ name }) => existsSync(join(dist, `${name}.wasm`)) && existsSync(join(glue, `${name}.js`)));
  if (made && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  rmSync(stamp, { force: true });
  rmSync(glue, { recursive: true, force: true });
  for (const module of MODULES) compile(kind, module);
  writeFileSync(stamp, now);
}

function compile({ profile, dist, packageGlue: glue, ...kind }, { name, feature }) {
  say(`Building the package: ${name}`);
  const features = ["--no-default-features", "--features", feature];
  const crate = ["-p", "azulejo", "--lib", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown"];
  // Who loads a page waits for every kilobyte: less is inlined than LLVM would (its threshold is 225), which costs a few percent of speed and saves five of size.
  // Twice what the limits allow to be held at a time: a heap has gaps, and a page need not share an isolate as the Worker does.
  const link = ["-C", "llvm-args=-inline-threshold=90", "-C", "link-arg=--max-memory=134217728"];
  run("cargo", [...sameEverywhere, "rustc", "--profile", profile, "--locked", ...crate, ...features, "--", ...link], { env: engineName() });
  const raw = join(cargoTarget, "wasm32-unknown-unknown", profile, "azulejo.wasm");
  run(wasmBindgen, ["--target", "web", "--omit-default-module-path", "--out-name", name, "--out-dir", glue, raw]);
  // Packed memory is smaller as it is, and larger once it is compressed.
  finishWasm(kind, join(glue, `${name}_bg.wasm`), join(dist, `${name}.wasm`), "--skip-pass=memory-packing");
}

/**
 * wasm-bindgen's glue holds one instance for good. As a function it can be had again after a trap, each with an instance of its own.
 * Its finalizers would call into an instance that is given up: what is not freed is freed by the package (`image.ts`).
 */
async function factory({ packageGlue: glue }, esbuild) {
  for (const { name } of MODULES) {
    const built = await esbuild.build({ entryPoints: [join(glue, `${name}.js`)], bundle: true, format: "iife", globalName: "glue", target: "es2022", write: false, logLevel: "warning" });
    const text = `export function create() {\nconst FinalizationRegistry = undefined;\n${built.outputFiles[0].text}\nreturn glue;\n}\n`;
    const types = `import type * as Glue from "./${name}.js";\nexport declare function create(): typeof Glue;\n`;
    update(glue, new Map([[`${name}.factory.js`, text], [`${name}.factory.d.ts`, types]]));
  }
}

const OPTIONS = { bundle: true, target: "es2022", external: ["*.wasm", "node:*"], write: false, logLevel: "warning" };
const aliases = ({ packageGlue: glue }, host) => ({ "#engine": join(glue, "engine.factory.js"), "#extra": join(glue, "extra.factory.js"), "#load": source(`load.${host}`) });

async function bundle(kind, esbuild, host, entries) {
  const { dist } = kind;
  const built = await esbuild.build({
    ...OPTIONS,
    entryPoints: entries.map(source),
    outdir: join(dist, host),
    // What several entries use is there once: an IiifError is the same class wherever it comes from.
    splitting: true,
    format: "esm",
    platform: host === "node" ? "node" : "neutral",
    alias: aliases(kind, host),
  });
  update(join(dist, host), new Map(built.outputFiles.map(({ path, text }) => [path.slice(join(dist, host).length + 1), text])), true);
}

/** For Service Workers that are no modules: all in one script, which defines `azulejo`. */
async function classic(kind, esbuild) {
  const name = "service-worker.classic.js";
  const options = { entryPoints: [source("service-worker")], minify: true, format: "iife", globalName: "azulejo", platform: "neutral", alias: aliases(kind, "classic") };
  const built = await esbuild.build({ ...OPTIONS, ...options });
  update(kind.dist, new Map([[name, built.outputFiles[0].text]]));
}

/** The types of the entries and of what they name. Nothing of how the package is built may show in them. */
function types(kind) {
  const { dist, packageGlue: glue } = kind;
  const folder = join(dist, "types");
  const emitted = join(glue, "types");
  const paths = Object.fromEntries(Object.entries(aliases(kind, "web")).map(([name, file]) => [name, [file.replace(/factory\.js$/, "factory.d.ts")]]));
  const compilerOptions = { paths, noEmit: false, declaration: true, emitDeclarationOnly: true, stripInternal: true, rootDir: at("src", "js"), outDir: emitted };
  const config = join(glue, "tsconfig.json");
  writeFileSync(config, JSON.stringify({ extends: at("src", "js", "tsconfig.json"), compilerOptions, include: [], files: [...HOSTS.web.map(source), source("hosts.d")] }));
  run(process.execPath, [at("node_modules", "typescript", "bin", "tsc"), "-p", config]);
  const found = new Map();
  const visit = (name) => {
    if (found.has(name)) return;
    const text = readFileSync(join(emitted, name), "utf8");
    found.set(name, text);
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
      if (!/^\.{1,2}\/.*\.js$/.test(specifier)) fail(`The types of src/js/${name} name "${specifier}", which users of the package do not have.`);
      visit(join(dirname(name), specifier.replace(/\.js$/, ".d.ts")));
    }
  };
  for (const name of HOSTS.web) visit(`${name}.d.ts`);
  update(folder, found, true);
}

/** Writes the files that differ and, if the folder is all theirs, deletes others: whoever reads meanwhile finds them whole. */
function update(folder, contents, alone = false) {
  for (const [name, text] of contents) {
    const file = join(folder, name);
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  if (!alone) return;
  for (const file of files(folder)) if (!contents.has(file.slice(folder.length + 1))) rmSync(file);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  setup();
  await buildPackage();
}
