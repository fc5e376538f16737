// Builds what npm publishes: the core as wasm, one bundle per kind of host, and the types.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { RELEASE, at, fail, files, run } from "./lib.mjs";
import { CODEC, buildModules, glueOf } from "./modules.mjs";
import { setup } from "./setup.mjs";

const source = (name) => at("src", "js", `${name}.ts`);

/** What can be imported, from every kind of host. */
export const ENTRIES = ["index", "openseadragon", "request", "service-worker", "support", "worker"];

/** What each kind of host gets, in a folder of its own: they differ in how the wasm module is found. */
const HOSTS = { web: [...ENTRIES, "pool-worker"], node: ENTRIES, workerd: ENTRIES };

/** Builds what is out of date. The types are only made for what is published. */
export async function buildPackage(kind = RELEASE) {
  mkdirSync(kind.dist, { recursive: true });
  await buildModules(kind);
  const esbuild = await import("esbuild");
  for (const [host, entries] of Object.entries(HOSTS)) await bundle(kind, esbuild, host, entries);
  await classic(kind, esbuild);
  if (kind === RELEASE) types(kind);
}

const OPTIONS = { bundle: true, target: "es2022", external: ["*.wasm", "node:*"], write: false, logLevel: "warning" };
/** What the sources import by these names: the glue of each module, and how a kind of host finds the modules. */
export function aliases(kind, host) {
  const name = (kinds) => (kinds.includes(host) ? host : "web");
  return {
    ...Object.fromEntries(Object.entries({ engine: "engine", codec: CODEC, service: "service", worker: "worker" }).map(([name, module]) => [`#${name}`, glueOf(kind, module)])),
    "#load": source(`load.${host}`),
    "#read": source(`read.${name(["node"])}`),
    "#service-module": source(`host/service-module.${name(["workerd", "classic"])}`),
    "#worker-module": source(`host/worker-module.${name(["workerd"])}`),
  };
}

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
