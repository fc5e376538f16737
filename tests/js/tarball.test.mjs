// What npm publishes, installed from the tarball into fresh projects outside of this one, built by each bundler, and run: in Chromium, with workers, and in Node.
// The tools come from this project's node_modules; the package and all of it from the tarball.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { publint } from "publint";
import * as vite from "vite";
import webpack from "webpack";
import { at } from "../../pkg/lib.mjs";
import { launch } from "../browser/browser.mjs";
import { file, rowsOf } from "./golden.mjs";
import { site } from "./package.site.mjs";

// WebP takes the engine and a module of codecs.
const { request, digest } = rowsOf("rocket.jpg").find(({ request }) => request.endsWith("/default.webp"));
const ENTRIES = ["index", "openseadragon", "request", "service-worker", "support", "worker"];
const specifier = (entry) => (entry === "index" ? "azulejo" : `azulejo/${entry}`);

/** The same program everywhere: renders in the package's workers, of which nothing is said. */
const APP = `
import { IiifError, open } from "azulejo";
import { RequestError, parse } from "azulejo/request";
import { support } from "azulejo/support";
import { tileSource } from "azulejo/openseadragon";

globalThis.run = async (input) => {
  const image = await open(input);
  const { bytes } = await image.render(parse(${JSON.stringify(request)}));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const { width } = tileSource(image);
  image.close();
  return { digest: [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join(""), width, support: typeof (await support()).webp, one: RequestError.prototype instanceof IiifError };
};
`;
const HTML = '<!doctype html><title>app</title><link rel="icon" href="data:,"><script type="module" src="./app.js"></script>';
const EXPECTED = { digest, width: 640, support: "boolean", one: true };

/** For a machine with much else to do, ms. */
const PATIENCE = 180_000;

let folder;
let tarball;
/** A project with nothing but the package, as npm installs it: each project begins as a copy of it. */
let installed;
let browser;
before(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "azulejo-")));
  const packed = await npm(at(), "pack", "--json", "--ignore-scripts", "--pack-destination", folder);
  tarball = join(folder, JSON.parse(packed)[0].filename);
  installed = join(folder, "installed");
  mkdirSync(installed);
  writeFileSync(join(installed, "package.json"), '{ "private": true, "type": "module" }');
  await npm(installed, "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball);
  assert.ok(existsSync(join(installed, "node_modules", "azulejo", "package.json")));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A new project with the package and these files. */
function project(name, files) {
  const root = join(folder, name);
  cpSync(installed, root, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Opens a page where the program is, and runs it. */
async function runs(url, expected = EXPECTED, { workers = true, troubles: expectedTroubles = [] } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const troubles = [];
  page.on("console", (message) => ["warning", "error"].includes(message.type()) && troubles.push(message.text()));
  page.on("pageerror", (error) => troubles.push(String(error)));
  await page.goto(url);
  await page.waitForFunction(() => globalThis.run);
  const found = await page.evaluate((input) => globalThis.run(Uint8Array.from(input)), [...file("rocket.jpg")]);
  const count = page.workers().length;
  await page.close();
  assert.deepEqual(found, expected, troubles.join("\n"));
  assert.equal(count > 0, workers, `${count} workers; ${troubles.join("\n")}`);
  for (const pattern of expectedTroubles) assert.ok(troubles.some((trouble) => pattern.test(trouble)), `${pattern} among ${troubles.join("\n")}`);
  if (!expectedTroubles.length) assert.deepEqual(troubles, []);
}

async function served(root, check) {
  const { origin, close } = await site({ "/": root });
  try {
    await check(origin);
  } finally {
    await close();
  }
}

/** All that a bundler took of the package is the project's own copy. */
function fromTarball(root, paths) {
  const ours = paths.filter((path) => /[\\/](azulejo|pkg[\\/]dist)[\\/]/.test(path.slice(folder.length)) || path.startsWith(at("")));
  assert.ok(ours.length > 0, paths.join("\n"));
  for (const path of ours) assert.ok(path.startsWith(join(root, "node_modules", "azulejo") + sep), path);
}

test("Vite builds it", async () => {
  const root = project("vite", { "index.html": HTML, "app.js": APP });
  const modules = [];
  const notes = { name: "notes", moduleParsed: ({ id }) => void modules.push(id) };
  await vite.build({ root, configFile: false, logLevel: "error", plugins: [notes], build: { emptyOutDir: true } });
  fromTarball(root, modules.filter((id) => id.includes("azulejo") && !id.startsWith("\0")));
  await served(join(root, "dist"), (origin) => runs(`${origin}/`));
  // Below a path of its own.
  await vite.build({ root, configFile: false, logLevel: "error", base: "./", build: { outDir: "out/below", emptyOutDir: true } });
  await served(join(root, "out"), (origin) => runs(`${origin}/below/`));
});

test("Vite serves it while one develops", async () => {
  const root = project("vite-dev", { "index.html": HTML, "app.js": APP });
  const server = await vite.createServer({ root, configFile: false, logLevel: "error", server: { host: "127.0.0.1", port: 0, hmr: false } });
  try {
    await server.listen();
    await runs(`http://127.0.0.1:${server.httpServer.address().port}/`);
  } finally {
    await server.close();
  }
});

test("webpack builds it", async () => {
  const root = project("webpack", { "dist/index.html": HTML, "src.js": APP });
  const compiler = webpack({ mode: "production", context: root, entry: { app: "./src.js" }, output: { path: join(root, "dist") }, performance: false });
  const stats = await new Promise((resolve, reject) => compiler.run((error, stats) => (error ? reject(error) : resolve(stats))));
  await new Promise((closed) => compiler.close(closed));
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  assert.deepEqual([errors, warnings], [[], []]);
  fromTarball(root, [...stats.compilation.modules].map((module) => module.resource ?? "").filter((path) => path.includes("azulejo")));
  await served(join(root, "dist"), (origin) => runs(`${origin}/`));
});

test("esbuild builds it, if it is told of the worker and of the engine", async () => {
  // What the documentation asks of users of esbuild, and no more: an entry for the worker, a copy of the engine, and init with its address.
  const init = 'import { init } from "azulejo";\nawait init(new URL("./engine.wasm", import.meta.url));\n';
  const root = project("esbuild", { "dist/index.html": HTML, "src.js": init + APP });
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { app: "src.js", "pool-worker": "azulejo/pool-worker" },
    bundle: true,
    format: "esm",
    outdir: "dist",
    metafile: true,
    logLevel: "error",
  });
  for (const name of ["engine.wasm", "service.wasm", "codecs"]) cpSync(join(root, "node_modules", "azulejo", "pkg", "dist", name), join(root, "dist", name), { recursive: true });
  fromTarball(root, Object.keys(metafile.inputs).filter((path) => path.includes("azulejo")).map((path) => join(root, path)));
  await served(join(root, "dist"), (origin) => runs(`${origin}/`));
});

test("Node runs it, and every entry can be imported there", async () => {
  const wasm = 'import { statSync } from "node:fs";\nimport { fileURLToPath } from "node:url";\n';
  const rest = `
const entries = await Promise.all(${JSON.stringify(ENTRIES.map(specifier))}.map((name) => import(name)));
const { version } = (await import("azulejo/package.json", { with: { type: "json" } })).default;
const engine = statSync(fileURLToPath(import.meta.resolve("azulejo/engine.wasm"))).size;
const found = await globalThis.run(new Uint8Array(await (await import("node:fs/promises")).readFile(process.argv[2])));
console.log(JSON.stringify({ found, exports: entries.map((entry) => Object.keys(entry).length > 0), version, engine: engine > 100_000, from: import.meta.resolve("azulejo") }));
`;
  const root = project("node", { "app.js": wasm + APP + rest });
  const { found, exports, version, engine, from } = JSON.parse(await output(process.execPath, ["--no-warnings", "app.js", at("www", "samples", "rocket.jpg")], root));
  assert.deepEqual(found, { ...EXPECTED, support: "undefined" });
  assert.deepEqual(exports, ENTRIES.map(() => true));
  assert.equal(engine, true);
  assert.match(version, /^\d+\.\d+\.\d+/);
  assert.equal(from, pathToFileURL(join(root, "node_modules", "azulejo", "pkg", "dist", "node", "index.js")).href);
});

test("a page takes it from another site, as from a CDN", async () => {
  const root = project("cdn", {});
  const headers = { "access-control-allow-origin": "*" };
  const cdn = await site({ "/npm/azulejo@0/": join(root, "node_modules", "azulejo") }, { headers });
  const base = `${cdn.origin}/npm/azulejo@0/pkg/dist/web`;
  const script = APP.replaceAll(/"azulejo(?:\/([\w-]+))?"/g, (_, name) => JSON.stringify(`${base}/${name ?? "index"}.js`));
  const html = `<!doctype html><link rel="icon" href="data:,"><script type="module">${script}</script>`;
  const page = await site({}, {
    answer(_, response, { searchParams }) {
      const csp = searchParams.get("csp");
      response.writeHead(200, { "content-type": "text/html", ...(csp && { "content-security-policy": csp }) }).end(html);
      return true;
    },
  });
  try {
    assert.notEqual(page.origin, cdn.origin);
    await runs(`${page.origin}/`);
    // A page that lets no worker start from a Blob decodes in its own thread.
    const csp = `script-src 'unsafe-inline' 'wasm-unsafe-eval' ${cdn.origin}; worker-src 'self'`;
    await runs(`${page.origin}/?csp=${encodeURIComponent(csp)}`, EXPECTED, { workers: false, troubles: [/azulejo decodes in this thread/] });
  } finally {
    await Promise.all([page.close(), cdn.close()]);
  }
});

const CONSUMER = `
${ENTRIES.map((entry, index) => `import * as entry${index} from "${specifier(entry)}";`).join("\n")}
import { type IiifImage, type Probe, type Rendered, type Source, IiifError, open, probe } from "azulejo";
import { parse } from "azulejo/request";
import { tileSource } from "azulejo/openseadragon";

const source: Source = { key: "a", read: async (offset: number, length: number) => ({ bytes: new Uint8Array(length), size: offset + length }) };
export async function use(): Promise<Rendered> {
  await using image: IiifImage = await open(source, { settings: { maxWidth: 1000 }, threads: 2 });
  const { levels, tiled }: Probe = await probe(new URL("https://example.org/a.tif"));
  const width: number = tileSource(image).width + levels + Number(tiled);
  image.info({ id: "https://example.org/a", version: 2 });
  // @ts-expect-error There is no such version.
  image.info({ id: "https://example.org/a", version: 4 });
  // @ts-expect-error There is no such setting.
  await open("a.tif", { settings: { colour: 1 } });
  // @ts-expect-error The interface has nothing that takes anything.
  image.render(width);
  try {
    return await image.render(parse("full/max/0/default.jpg"), { signal: AbortSignal.timeout(1000) });
  } catch (error) {
    if (error instanceof IiifError && error.code === "not-found") console.log(error.status + 1);
    throw error;
  }
}
export const all: object[] = [${ENTRIES.map((_, index) => `entry${index}`).join(", ")}];
`;

const NO_DOM = `
import { bytesSource, open } from "azulejo";
import { createHandler } from "azulejo/worker";
export const width: Promise<number> = open(bytesSource(new Uint8Array(0))).then((image) => image.width);
export const handler = createHandler({ resolve: () => bytesSource(new Uint8Array(0)) });
`;

test("TypeScript knows it, in every way that modules are resolved, without OpenSeadragon", async () => {
  const base = { strict: true, noEmit: true, types: [], target: "ES2022", skipLibCheck: false, exactOptionalPropertyTypes: true };
  const configs = {
    bundler: { ...base, module: "ESNext", moduleResolution: "bundler", lib: ["ES2023", "DOM", "DOM.Iterable"] },
    nodenext: { ...base, module: "nodenext", moduleResolution: "nodenext", lib: ["ES2023", "DOM", "DOM.Iterable"] },
    // In Node and workerd the names of the DOM that have no meaning there are not known.
    "no-dom": { ...base, module: "nodenext", moduleResolution: "nodenext", lib: ["ES2023"], skipLibCheck: true },
  };
  const program = (name) => (name === "no-dom" ? "no-dom.ts" : "consumer.ts");
  const files = Object.entries(configs).map(([name, compilerOptions]) => [`tsconfig.${name}.json`, JSON.stringify({ compilerOptions, files: [program(name)] })]);
  const root = project("typescript", { "consumer.ts": CONSUMER, "no-dom.ts": NO_DOM, ...Object.fromEntries(files) });
  for (const name of Object.keys(configs)) await output(process.execPath, [at("node_modules", "typescript", "bin", "tsc"), "-p", `tsconfig.${name}.json`], root);
});

test("the tarball has what is imported, and nothing else", async () => {
  const listed = JSON.parse(await npm(at(), "pack", "--json", "--dry-run", "--ignore-scripts"))[0].files.map(({ path }) => path);
  const { exports } = JSON.parse(JSON.stringify((await import(pathToFileURL(at("package.json")).href, { with: { type: "json" } })).default));
  const targets = (value) => (typeof value === "string" ? [value.slice(2)] : Object.values(value).flatMap(targets));
  for (const target of targets(exports)) {
    const [start, end] = target.split("*");
    assert.ok(listed.some((path) => (end === undefined ? path === target : path.startsWith(start) && path.endsWith(end))), `${target} is exported and not there`);
  }
  const strange = listed.filter((path) => !/^(package\.json|README\.md|CHANGELOG\.md|LICENSE-\w+|pkg\/dist\/((engine|service|worker|codecs\/[\w-]+)\.wasm|service-worker\.classic\.js|(web|node|workerd)\/[\w-]+\.js|types\/[\w/-]+\.d\.ts))$/.test(path));
  assert.deepEqual(strange, []);
});

test("publint and arethetypeswrong find nothing", async () => {
  const { messages } = await publint({ pack: { tarball: (await readFile(tarball)).buffer }, strict: true });
  assert.deepEqual(messages, []);
  // Nothing is there for CommonJS; and what is no module has no types.
  const others = ["./engine.wasm", "./codecs/*.wasm", "./service.wasm", "./worker.wasm", "./service-worker.classic.js", "./package.json"];
  const attw = at("node_modules", "@arethetypeswrong", "cli", "dist", "index.js");
  const { analysis, problems } = JSON.parse(await output(process.execPath, [attw, tarball, "--format", "json", "--profile", "esm-only", "--exclude-entrypoints", ...others], folder));
  assert.deepEqual(Object.keys(analysis.entrypoints).length, ENTRIES.length + 1);
  assert.deepEqual(Object.values(problems).flat().filter(({ resolutionKind }) => !["node10", "node16-cjs"].includes(resolutionKind)), []);
});

function npm(cwd, ...args) {
  return output("npm", args, cwd);
}

/** What a command prints. */
function output(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" });
    let [out, all] = ["", ""];
    child.stdout.on("data", (text) => ((out += text), (all += text)));
    child.stderr.on("data", (text) => (all += text));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(new Error(`${command} ${args.join(" ")} ended with ${code}\n${all}`))));
  });
}
