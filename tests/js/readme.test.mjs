// What README.md and the pages in docs/ show is true: every recipe runs as it stands there, every name is exported, every code of an error is explained, every
// link leads somewhere.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { after, before, test } from "node:test";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";
import { at } from "../../pkg/lib.mjs";
import { launch, watched } from "../browser/browser.mjs";
import { serve as serveOwn } from "./own/service.mjs";
import { site } from "./site.mjs";

const pages = ["README.md", ...readdirSync(at("docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];
const texts = Object.fromEntries(pages.map((page) => [page, readFileSync(at(page), "utf8")]));
const all = Object.values(texts).join("\n");
const blocks = [...all.matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code);
/** The blocks that a test has asked for. */
const taken = new Set();

/** The front page of a registry or a repository is read as a whole: it stays short. */
const LONGEST_README = 12_000;

/** The block that has this in it. */
function recipe(mark) {
  const found = blocks.filter((code) => code.includes(mark));
  assert.equal(found.length, 1, `${found.length} blocks with ${mark}`);
  taken.add(found[0]);
  return found[0];
}

const ENTRIES = ["index", "openseadragon", "request", "service-worker", "support", "worker"];
const names = Object.fromEntries(ENTRIES.map((entry) => [entry === "index" ? "azulejo" : `azulejo/${entry}`, `/dist/web/${entry}.js`]));
const shims = {
  openseadragon: "/shim/openseadragon.js",
  mirador: "/shim/mirador.js",
};
const PAGE = `<!doctype html><title>README</title><link rel="icon" href="data:,">
<style>#viewer, #map { width: 600px; height: 400px }</style><div id="viewer"></div><div id="map"></div><img><canvas width="200" height="200"></canvas>
<script type="importmap">${JSON.stringify({ imports: { ...names, ...shims } })}</script>
<script src="/modules/openseadragon/build/openseadragon/openseadragon.js"></script>
<script src="/modules/leaflet/dist/leaflet.js"></script><script src="/modules/leaflet-iiif/leaflet-iiif.js"></script>`;

let folder;
let server;
let browser;
before(async () => {
  // Within the project, where the package is found under its own name.
  mkdirSync(at("tests/out/js"), { recursive: true });
  folder = mkdtempSync(at("tests/out/js/readme-"));
  // Service Workers know no import maps.
  const worker = recipe("serve();").replaceAll(/from "(azulejo[^"]*)"/g, (_, name) => `from "${names[name]}"`);
  server = await site({
    "/": PAGE,
    "/sw.js": worker,
    "/images/": ({ pathname }) => readFileSync(at("node_modules/openseadragon/build/openseadragon", pathname)),
    "/shim/openseadragon.js": "export default globalThis.OpenSeadragon;",
    "/shim/mirador.js": "export default { viewer: (options) => (globalThis.mirador = options) };",
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs modules in a page where `file` is a file, and gives what `done`, in the last of them, evaluates to. */
async function inPage(code, done, { prepare = async () => undefined } = {}) {
  const { page, context, troubles } = await watched(browser);
  const logged = [];
  page.on("console", (message) => message.type() === "log" && logged.push(message.text()));
  await prepare(page);
  await page.goto(`${server.origin}/`);
  const result = await page.evaluate(
    async ([code, done]) => {
      globalThis.file = new File([await (await fetch("/samples/rocket.jpg")).blob()], "rocket.jpg");
      globalThis.element = document.querySelector("img");
      globalThis.context = document.querySelector("canvas").getContext("2d");
      const module = `${code}\nglobalThis.result = await (${done})();`;
      await import(URL.createObjectURL(new Blob([module], { type: "text/javascript" })));
      return globalThis.result;
    },
    [code, done],
  );
  assert.deepEqual(troubles, []);
  await context.close();
  return { result, logged };
}

test("the example of the front page", async () => {
  const example = recipe("max/0/default.webp");
  assert.ok(texts["README.md"].includes(example));
  const { result } = await inPage(example, "async () => { await element.decode(); return [element.naturalWidth, tile.type]; }");
  assert.deepEqual(result, [256, "image/webp"]);
});

test("the tour", async () => {
  const map = readFileSync(at("www/samples/retina-pyramid.tif"));
  const prepare = (page) =>
    page.route("https://images.example.org/map.tif", (route) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(route.request().headers().range);
      const body = map.subarray(Number(from), Number(to) + 1);
      const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "content-range", "content-range": `bytes ${from}-${Number(from) + body.length - 1}/${map.length}` };
      return route.fulfill({ status: 206, headers, body });
    });
  const tour = recipe("probe(");
  assert.ok(tour.trim().split("\n").length <= 20, "it is short");
  const { result, logged } = await inPage(tour, "async () => { await element.decode(); return [width, height, format, info.id, element.naturalWidth, tile.canonical, levels, tiled, context.getImageData(100, 100, 1, 1).data[3]]; }", { prepare });
  assert.deepEqual(result, [640, 427, "jpeg", "https://example.org/iiif/3/map", 256, "0,0,512,427/256,214/0/default.jpg", 4, true, 255]);
  assert.match(logged[0], /^upscale-needs-caret 400 The size "99999," is larger than the region/);
});

test("pyramids", async () => {
  // The file has one page.
  const { result, logged } = await inPage(recipe("toPyramid(file").replace(/^const second .*$/m, ""), "async () => [await blob.slice(0, 2).text(), await small.slice(0, 2).text()]");
  assert.deepEqual(result, ["II", "II"]);
  assert.equal(logged.at(-1), "1");
});

test("OpenSeadragon", async () => {
  const { result } = await inPage(
    recipe("tileSource(image)"),
    `async () => {
      await new Promise((opened) => viewer.addOnceHandler("open", opened));
      while (!viewer.world.getItemAt(0).getFullyLoaded()) await new Promise(requestAnimationFrame);
      const size = viewer.world.getItemAt(0).getContentSize();
      viewer.destroy();
      return [size.x, size.y, await image.render("full/max/0/default.jpg").catch(({ code }) => code)];
    }`,
  );
  assert.deepEqual(result, [640, 427, "closed"]);
});

test("Service Worker, Leaflet-IIIF and Mirador", async () => {
  const mirador = recipe("Mirador.viewer");
  const { result } = await inPage(
    mirador.match(/^import .*$/m)[0] + recipe('register("./sw.js")') + recipe("L.tileLayer.iiif") + mirador.replace(/^import .*$/m, ""),
    `async () => {
      const tile = await new Promise((loaded) => map.eachLayer((layer) => layer.once("tileload", ({ tile }) => loaded(tile))));
      const [{ manifestId }] = globalThis.mirador.windows;
      const { items: [canvas] } = await (await fetch(manifestId)).json();
      const { body } = canvas.items[0].items[0];
      const picture = await createImageBitmap(await (await fetch(body.id)).blob());
      const service = await (await fetch(body.service[0].id + "/info.json")).json();
      return { tile: new URL(tile.src).pathname.replace(identifier, "x"), kept: info.width, canvas: [canvas.width, canvas.height], picture: [picture.width, picture.height], service: service.id === body.service[0].id };
    }`,
  );
  assert.match(result.tile, /^\/iiif\/3\/x\/.*\/0\/default\.jpg$/);
  assert.deepEqual({ ...result, tile: "" }, { tile: "", kept: 640, canvas: [640, 427], picture: [640, 427], service: true });
});

test("Vite, webpack and esbuild, with a Service Worker", async () => {
  const root = `${folder}/bundled`;
  mkdirSync(`${root}/node_modules`, { recursive: true });
  symlinkSync(at(), `${root}/node_modules/azulejo`, "dir");
  const app = `globalThis.file = await (await fetch("/samples/rocket.jpg")).blob();\n${recipe('register("./sw.js")')}\nglobalThis.result = info.width;`;
  const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./app.js"></script>';
  const worker = recipe("serve();");
  const files = { "index.html": html, "app.js": app, "sw.js": worker, "vite.config.js": recipe("rollupOptions"), "webpack.config.js": recipe("entry: {"), "package.json": '{ "type": "module" }' };
  for (const [name, text] of Object.entries({ ...files, "sw-engine.js": worker.replace("serve()", 'serve({ engine: new URL("./engine.wasm", import.meta.url) })') })) writeFileSync(`${root}/${name}`, text);

  await vite.build({ root, logLevel: "error", build: { outDir: "vite" } });
  const { default: config } = await import(`${root}/webpack.config.js`);
  const stats = await new Promise((resolve, reject) => webpack({ ...config, mode: "production", context: root, output: { path: `${root}/webpack` }, performance: false }, (error, stats) => (error ? reject(error) : resolve(stats))));
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  await esbuild.build({ absWorkingDir: root, entryPoints: { app: "app.js", sw: "sw-engine.js", "pool-worker": "azulejo/pool-worker" }, bundle: true, format: "esm", outdir: "esbuild", logLevel: "error" });
  for (const name of ["engine.wasm", "service.wasm", "codecs"]) cpSync(at("pkg/dist", name), `${root}/esbuild/${name}`, { recursive: true });
  for (const folder of ["webpack", "esbuild"]) writeFileSync(`${root}/${folder}/index.html`, html);

  for (const folder of ["vite", "webpack", "esbuild"]) {
    const built = await site({ "/": readFileSync(`${root}/${folder}/index.html`), ...Object.fromEntries(readdirSync(`${root}/${folder}`, { recursive: true }).filter((name) => /\.(js|wasm)$/.test(name)).map((name) => [`/${name}`, readFileSync(`${root}/${folder}/${name}`)])) });
    const { page, context, troubles } = await watched(browser);
    try {
      await page.goto(`${built.origin}/`);
      await page.waitForFunction(() => globalThis.result !== undefined);
      assert.equal(await page.evaluate(() => globalThis.result), 640, folder);
      assert.deepEqual(troubles, [], folder);
    } finally {
      await context.close();
      await built.close();
    }
  }
});

test("Node", async () => {
  for (const name of ["map.tif", "other.tif"]) copyFileSync(at("www/samples/retina-pyramid.tif"), `${folder}/${name}`);
  const code = recipe("createServer").replace("listen(8080)", 'listen(0, () => console.log(JSON.stringify({ port: http.address().port, thumbnail: thumbnail.length })))');
  writeFileSync(`${folder}/node.mjs`, code);
  const node = spawn(process.execPath, ["--no-warnings", "node.mjs"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const text = await new Promise((resolve, reject) => {
      node.stdout.once("data", resolve);
      node.once("exit", (status) => reject(new Error(`it ended with ${status}`)));
    });
    const { port, thumbnail } = JSON.parse(text);
    assert.ok(thumbnail > 1000);
    for (const name of ["map.tif", "other.tif"]) {
      const info = await (await fetch(`http://localhost:${port}/iiif/3/${name}/info.json`)).json();
      assert.deepEqual([info.id, info.width], [`http://localhost:${port}/iiif/3/${name}`, 1411]);
      assert.equal((await fetch(`http://localhost:${port}/iiif/2/${name}/0,0,64,64/64,/0/default.png`)).headers.get("content-type"), "image/png");
    }
    for (const [path, status] of [["/", 404], ["/iiif/3/..%2Fmap.tif/info.json", 400], ["/iiif/3/a%2Fb.tif/info.json", 404]]) assert.equal((await fetch(`http://localhost:${port}${path}`)).status, status, path);
  } finally {
    node.kill();
  }
});

test("workerd", async () => {
  writeFileSync(`${folder}/workerd.js`, recipe("jpegQuality: 85"));
  const service = await serveOwn({ entry: relative(at("tests/js/own"), `${folder}/workerd.js`) });
  try {
    await service.put("private/a.jpg", readFileSync(at("www/samples/rocket.jpg")));
    assert.equal((await service.get("/iiif/3/rocket.jpg/info.json")).json().id, "https://images.example.org/iiif/3/rocket.jpg");
    assert.equal((await service.get("/iiif/3/rocket.jpg/full/100,/0/default.jpg")).status, 200);
    assert.equal((await service.get("/iiif/3/private%2Fa.jpg/info.json")).status, 404);
  } finally {
    await service.close();
  }
});

test("workerd, with access control", async () => {
  writeFileSync(`${folder}/access.js`, recipe("isAllowed("));
  const entry = relative(at("tests/js/own"), `${folder}/access.js`);
  const paths = ["/iiif/3/rocket.jpg/info.json", "/iiif/3/rocket.jpg/full/100,/0/default.jpg"];
  for (const [vars, authorization, status] of [
    [{ TOKEN: "secret" }, "Bearer secret", 200],
    [{ TOKEN: "secret" }, "Bearer other", 401],
    [{ TOKEN: "secret" }, undefined, 401],
    [{}, "Bearer undefined", 401],
  ]) {
    const service = await serveOwn({ entry, vars });
    try {
      for (const path of paths) {
        const answer = await service.get(path, authorization ? { authorization } : {});
        assert.equal(answer.status, status, `${path} ${authorization}`);
        if (status === 200) assert.equal(answer.headers["cache-control"], "private, max-age=3600");
      }
      const asked = await service.get(paths[0], { origin: "https://example.org", "access-control-request-method": "GET", "access-control-request-headers": "authorization" }, "OPTIONS");
      assert.equal(asked.status, 204);
      assert.match(asked.headers["access-control-allow-headers"], /authorization/i);
    } finally {
      await service.close();
    }
  }
});

test("init with a URL", () => {
  // esbuild's Service Worker above runs it as `serve({ engine })`.
  assert.match(recipe("await init("), /new URL\("\.\/engine\.wasm", import\.meta\.url\)/);
});

test("every block of code is run", () => {
  assert.deepEqual(blocks.filter((code) => !taken.has(code)), []);
});

test("every name that is imported is exported", async () => {
  const imports = blocks.flatMap((code) => [...code.matchAll(/^import \{ ([^}]+) \} from "(azulejo[^"]*)";$/gm)]).map(([, names, from]) => [from, names.split(", ")]);
  const listed = [...all.matchAll(/^\| `(azulejo[^`]*)` \| (.*) \|$/gm)].map(([, from, text]) => [from, [...text.matchAll(/`([a-zA-Z0-9]+)(?:\([a-z]*\))?`/g)].map(([, name]) => name)]);
  assert.ok(imports.length > 8 && listed.length >= 6);
  for (const [from, found] of [...imports, ...listed]) {
    if (!(from in names)) continue;
    const entry = await import(from);
    for (const name of found) assert.ok(name in entry, `${name} of ${from}`);
  }
});

test("every code of an error is explained, and no other", () => {
  const [, table] = /## Codes\n([^]*?)\n## /.exec(texts["docs/errors.md"]);
  const explained = [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, codes]) => [...codes.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code));
  const sources = readdirSync(at("src/js"), { recursive: true }).filter((name) => name.endsWith(".ts"));
  const thrown = sources.flatMap((name) => thrownBy(at("src/js", name)));
  const core = [.../fn code\(([^]*?)\n {4}\}/.exec(readFileSync(at("src/error.rs"), "utf8"))[1].matchAll(/=> "([a-z-]+)"/g)].map(([, code]) => code);
  // Wrong variables there are only in the Worker.
  const service = ofService().filter((code) => code !== "misconfigured");
  assert.ok(thrown.length > 30 && core.length > 10 && service.length > 1);
  assert.deepEqual([...new Set(explained)].sort(), [...new Set([...thrown, ...core, ...service])].sort());
});

/** The codes of errors that a file of the package throws. */
const thrownBy = (file) => [...readFileSync(file, "utf8").matchAll(/new (?:Iiif|Request)Error\(\s*"([a-z-]+)"/g)].map(([, code]) => code);
/** Those of the HTTP service. */
const ofService = () => [.../fn code\(([^]*?)\n {4}\}/.exec(readFileSync(at("src/service/failure.rs"), "utf8"))[1].matchAll(/=> "([a-z-]+)"/g)].map(([, code]) => code);

test("every code of the Worker is explained", () => {
  const [, section] = /## Codes of the Worker\n([^]*)$/.exec(texts["docs/errors.md"]);
  const explained = [...section.matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)].map(([, code]) => code);
  const core = [.../fn code\(([^]*?)\n {4}\}/.exec(readFileSync(at("src/error.rs"), "utf8"))[1].matchAll(/=> "([a-z-]+)"/g)].map(([, code]) => code);
  const host = [...readdirSync(at("src/js/host")).map((name) => at("src/js/host", name)), at("src/js/r2.ts")].flatMap(thrownBy);
  assert.ok(host.length > 4);
  // Calls are used wrongly only in the package.
  const codes = [...core, ...ofService(), ...host].filter((code) => code !== "invalid-argument");
  assert.deepEqual([...new Set(explained)].sort(), [...new Set(codes)].sort());
});

/** The text without code, in which nothing is a link. */
const prose = (text) => text.replaceAll(/^```[^]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, " "));

/** The anchors that GitHub gives the headings of a page. */
function anchors(text) {
  const seen = new Map();
  return [...text.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").trim().toLowerCase();
    const slug = plain.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count ? `${slug}-${count}` : slug;
  });
}

test("anchors are GitHub's", () => {
  assert.deepEqual(anchors("# The *package*: a `b_c`\n## A, b\n## A, b\n```\n# no\n```\n## [Link](x.md)"), ["the-package-a-b_c", "a-b", "a-b-1", "link"]);
});

test("every relative link leads to something", () => {
  const broken = [];
  let count = 0;
  for (const [page, text] of Object.entries(texts)) {
    for (const [, target] of prose(text).matchAll(/\]\(([^()\s]+)\)/g)) {
      if (/^[a-z][a-z+.-]*:/i.test(target)) continue;
      count += 1;
      const [path, anchor] = target.split("#");
      const file = path === "" ? page : join(dirname(page), decodeURIComponent(path));
      // An absolute path or one out of the project is somewhere else for every reader.
      if (path.startsWith("/") || file.startsWith("..") || !existsSync(at(file))) broken.push(`${page}: ${target}`);
      else if (anchor !== undefined && !anchors(texts[file] ?? readFileSync(at(file), "utf8")).includes(anchor)) broken.push(`${page}: ${target}`);
    }
  }
  assert.ok(count > 40, `${count} links`);
  assert.deepEqual(broken, []);
});

test("every page is reached from the front page", () => {
  for (const page of pages.slice(1)) assert.ok(texts["README.md"].includes(`](${page})`), page);
});

test("the front page is short, and its picture small", () => {
  assert.ok(Buffer.byteLength(texts["README.md"]) <= LONGEST_README, `${Buffer.byteLength(texts["README.md"])} bytes`);
  for (const name of readdirSync(at("docs")).filter((name) => name.endsWith(".png"))) {
    const { length } = readFileSync(at("docs", name));
    assert.ok(length <= 300_000, `${name} has ${length} bytes`);
  }
});
