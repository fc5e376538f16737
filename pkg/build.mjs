// Builds the Worker and the pages into worker/build, and the package into pkg/dist. Steps whose inputs did not change are skipped.
// Beyond Node's own modules only npm packages of this project are used; set-up has run before.

import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { FAST, RELEASE, at, files, fingerprint, say } from "./lib.mjs";
import { CODECS, buildModules, glueOf, wasmOf } from "./modules.mjs";
import { ENTRIES, aliases, buildPackage } from "./package.mjs";
import { setup } from "./setup.mjs";

/** Builds what is out of date of the Worker, the package and the pages, in this order. */
export async function build(kind = RELEASE, parts = PARTS) {
  const esbuild = await import("esbuild");
  const { out, dist } = kind;
  mkdirSync(out, { recursive: true });
  if (parts.includes("worker")) await buildWorker(kind, esbuild);
  if (parts.includes("package")) await buildPackage(kind);
  if (!parts.includes("pages")) return;
  const shipped = ["web", "node"].flatMap((host) => files(join(dist, host)));
  const inputs = [...files(at("www")), at("package-lock.json"), ...shipped, ...PAGES.map((name) => wasmOf(kind, name)), at("pkg", "build.mjs")];
  await step(kind, "site", inputs, [join(out, "site")], () => site(kind, esbuild));
  if (kind === RELEASE) sizes(kind);
}

/** What can be built by itself. The pages need the package. */
export const PARTS = ["worker", "package", "pages"];

/** The modules that pages load. */
const PAGES = ["engine", "service", ...CODECS.map((name) => `codecs/${name}`)];

async function buildWorker(kind, esbuild) {
  const { out } = kind;
  await buildModules(kind, ["worker"]);
  const wasm = wasmOf(kind, "worker");
  await step(kind, "entry", [wasm, ...files(at("worker", "entry.ts"), at("src", "js")), glueOf(kind, "worker")], [join(out, "index.js"), join(out, "index_bg.wasm")], () => entry(kind, esbuild), [entry, aliases].map(String));
}

/** `code` is what does the work, if it is not in the inputs: the page's part of this file is no reason to compile. */
async function step({ out }, name, inputs, outputs, work, code = []) {
  const stamp = join(out, `.${name}.stamp`);
  const now = fingerprint(inputs, ...code);
  if (outputs.every(existsSync) && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  say(`Building: ${name}`);
  rmSync(stamp, { force: true });
  await work(now);
  writeFileSync(stamp, now);
}

/** The Worker: one script, and the module beside it. */
async function entry(kind, esbuild) {
  const { out } = kind;
  copyFileSync(wasmOf(kind, "worker"), join(out, "index_bg.wasm"));
  const beside = {
    name: "beside",
    setup: ({ onResolve }) => onResolve({ filter: /worker\.wasm$/ }, () => ({ path: "./index_bg.wasm", external: true })),
  };
  await esbuild.build({
    entryPoints: [at("worker", "entry.ts")],
    outfile: join(out, "index.js"),
    bundle: true,
    format: "esm",
    target: "es2022",
    alias: aliases(kind, "workerd"),
    logLevel: "warning",
    plugins: [beside],
  });
}

/** The pages: www's TypeScript bundled, the parts that pages share put in, everything else as it is, and OpenSeadragon beside it. */
export async function site(kind, esbuild) {
  const { out, dist } = kind;
  const to = join(out, "site.new");
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const options = { bundle: true, format: "esm", target: "es2022", minify: true, logLevel: "warning", outdir: to, ...(kind !== RELEASE && { alias: packageOf(dist) }) };
  await esbuild.build({ ...options, entryPoints: [at("www", "index.ts"), at("www", "image.ts")] });
  const kept = new Set([".css", ".svg", ".png", ".ico", ".txt", ".webmanifest"]);
  for (const name of readdirSync(at("www"))) {
    if (extname(name) === ".html") writeFileSync(join(to, name), page(kind, readFileSync(at("www", name), "utf8")));
    else if (kept.has(extname(name)) || name === "_headers") cpSync(at("www", name), join(to, name));
  }
  const from = at("node_modules", "openseadragon", "build", "openseadragon");
  cpSync(join(from, "openseadragon.min.js"), join(to, "openseadragon", "openseadragon.min.js"));
  cpSync(join(from, "images"), join(to, "openseadragon", "images"), { recursive: true });
  await demo(dist, esbuild, options, to);
  replace(join(out, "site"), to);
}

/** Makes a folder the same as another, which is deleted. Files that are the same stay untouched: wrangler loses sight of a folder that is made anew. */
function replace(folder, by) {
  const contents = new Map(files(by).map((file) => [relative(by, file), readFileSync(file)]));
  for (const [name, bytes] of contents) {
    const file = join(folder, name);
    if (existsSync(file) && readFileSync(file).equals(bytes)) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  for (const file of files(folder)) if (!contents.has(relative(folder, file))) rmSync(file);
  rmSync(by, { recursive: true });
}

/** The package by its public names, where it is not at the place that package.json names. */
function packageOf(dist) {
  return Object.fromEntries(ENTRIES.map((name) => [name === "index" ? "azulejo" : `azulejo/${name}`, join(dist, "web", `${name}.js`)]));
}

/** A page with `<!-- part: name -->` replaced by `www/parts/name.html`, as far indented. */
function page(kind, html) {
  // wrangler reloads pages by an inline script, which the policy of what is deployed forbids.
  const policy = kind === RELEASE ? html : html.replace("script-src 'self'", "$& 'unsafe-inline'");
  return policy.replace(/^( *)<!-- part: (\w+) -->\n/gm, (_, indent, name) => readFileSync(at("www", "parts", `${name}.html`), "utf8").replace(/^(?=.)/gm, indent));
}

/**
 * The demo, made of the package as it is shipped. Its files lie under `try-…`, so that a Service Worker whose scope is `try` serves the page and the workers it starts, and no other page.
 */
async function demo(dist, esbuild, options, to) {
  const folder = join(to, "try-files");
  await esbuild.build({
    ...options,
    entryPoints: [at("www", "try.ts"), join(dist, "web", "pool-worker.js")],
    entryNames: "[name]",
    chunkNames: "[name]-[hash]",
    outdir: join(folder, "web"),
    splitting: true,
    // of what the package's own entries share
    logOverride: { "ignored-bare-import": "silent" },
  });
  for (const name of PAGES) cpSync(join(dist, `${name}.wasm`), join(folder, `${name}.wasm`));
  await samples(dist, join(folder, "samples"));
  // What the page needs offline, each file by its content: another content is another Service Worker, which the browser then takes for an update.
  const needed = [...files(folder), join(to, "openseadragon", "openseadragon.min.js"), join(to, "style.css"), join(to, "image.css"), join(to, "try.css"), join(to, "try.html")];
  const digest = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");
  const list = Object.fromEntries(needed.map((file) => [relative(to, file).split(sep).join("/"), digest(file)]));
  await esbuild.build({ ...options, entryPoints: [at("www", "sw.ts")], format: "iife", define: { FILES: JSON.stringify(list), VERSION: JSON.stringify(createHash("sha256").update(JSON.stringify(list)).digest("hex").slice(0, 16)) } });
}

/** The pictures that the demo offers, with small ones to choose them by, which azulejo makes. */
async function samples(dist, folder) {
  const { open } = await import(pathToFileURL(join(dist, "node", "index.js")).href);
  mkdirSync(folder, { recursive: true });
  for (const name of ["retina-pyramid.tif", "hubble_deep_field.jpg", "astronaut.png", "rocket.jpg"]) {
    cpSync(at("www", "samples", name), join(folder, name));
    const image = await open(readFileSync(at("www", "samples", name)));
    const { bytes } = await image.render("square/192,192/0/default.jpg");
    writeFileSync(join(folder, `${name}.small.jpg`), bytes);
    image.close();
  }
}

function sizes({ out }) {
  const shown = [join(out, "index_bg.wasm"), join(out, "index.js")].concat(files(join(out, "site")).filter((file) => /\.(js|css|html|wasm)$/.test(file)));
  const cache = join(out, ".sizes.json");
  const known = existsSync(cache) ? JSON.parse(readFileSync(cache, "utf8")) : {};
  const rows = shown.map((file) => {
    const key = fingerprint([file]);
    const kept = known[file]?.key === key ? known[file] : measured(key, readFileSync(file));
    return [file, kept];
  });
  writeFileSync(cache, JSON.stringify(Object.fromEntries(rows)));
  const cell = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`.padStart(13);
  say(`\n${"".padEnd(44)}${"raw".padStart(13)}${"gzip".padStart(13)}${"brotli".padStart(13)}`);
  for (const [file, { raw, gzip, brotli }] of rows) say(`${file.slice(out.length + 1).padEnd(44)}${cell(raw)}${cell(gzip)}${cell(brotli)}`);
  say("");
}

function measured(key, bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return { key, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes, { params }).length };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  setup();
  await build(process.argv.includes("--fast") ? FAST : RELEASE);
}
