// `azulejo/openseadragon` in OpenSeadragon 4.1, 5 and 6: a local file zoomed to its last pixel, and IIIF services asked for better formats than jpg.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { after, before, describe, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { launch, watched } from "../browser/browser.mjs";
import { bundle } from "./build.mjs";

const VIEWERS = { 4.1: "openseadragon4", 5: "openseadragon5", 6: "openseadragon" };
const FOLDERS = { dist: "pkg/dist", samples: "www/samples" };
for (const [version, name] of Object.entries(VIEWERS)) FOLDERS[version] = `node_modules/${name}/build/openseadragon`;
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp" };

const PAGE = `<!doctype html><title>azulejo</title><link rel="icon" href="data:,">
<style>#viewer { width: 400px; height: 300px }</style><div id="viewer"></div>`;
const SCRIPT = `
import { open } from "/dist/web/index.js";
import { enableFormats, tileSource } from "/dist/web/openseadragon.js";
export { open, enableFormats, tileSource };
export const failed = [];
const next = (target, name) => new Promise((resolve) => target.addOnceHandler(name, resolve));
export async function view(tileSources, options) {
  const viewer = OpenSeadragon({ element: document.getElementById("viewer"), showNavigationControl: false, immediateRender: true, tileSources, ...options });
  viewer.addHandler("tile-load-failed", ({ message }) => failed.push(message));
  await next(viewer, "open");
  await loaded(viewer);
  return viewer;
}
export async function loaded(viewer) {
  const until = performance.now() + 15000;
  const done = () => { const all = [...Array(viewer.world.getItemCount()).keys()]; return all.every((index) => viewer.world.getItemAt(index).getFullyLoaded()); };
  let calm = 0;
  while (calm < 5) {
    if (performance.now() > until) throw new Error("it never loaded all tiles");
    await new Promise(requestAnimationFrame);
    calm = done() ? calm + 1 : 0;
  }
}
export async function add(viewer, options) {
  await new Promise((success, error) => viewer.addTiledImage({ ...options, success, error }));
  await loaded(viewer);
}
/** The colours of points of the viewer, drawn as it stands there. */
export function colours(viewer, count) {
  const { canvas } = viewer.drawer;
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext("2d");
  context.drawImage(canvas, 0, 0);
  const found = [];
  for (let n = 0; n < count; n++) for (let m = 0; m < count; m++) {
    found.push([...context.getImageData(((n + 0.5) / count) * copy.width, ((m + 0.5) / count) * copy.height, 1, 1).data]);
  }
  return found;
}
`;

/** A picture of 512 × 512 in each format: made by azulejo in the browser. */
const pictures = {};
/** The fake service's sources: what their info.json says more, and the formats that they serve. */
const SERVICES = {
  two: { info: { "@context": "http://iiif.io/api/image/2/context.json", profile: ["http://iiif.io/api/image/2/level2.json", { formats: ["webp", "jpg"] }] }, serves: ["webp", "jpg"] },
  three: { info: { "@context": "http://iiif.io/api/image/3/context.json", profile: "level2", type: "ImageService3", extraFormats: ["webp"] }, serves: ["webp", "jpg"] },
  preferring: { info: { "@context": "http://iiif.io/api/image/3/context.json", profile: "level2", type: "ImageService3", preferredFormats: ["png", "webp"] }, serves: ["png", "webp", "jpg"] },
  zero: { info: { "@context": "http://iiif.io/api/image/3/context.json", profile: "level0", type: "ImageService3" }, serves: ["jpg"] },
  static: { info: { "@context": "http://iiif.io/api/image/3/context.json", profile: "level0", type: "ImageService3", extraFormats: ["webp"] }, serves: ["webp"] },
  sizes: { info: { "@context": "http://iiif.io/api/image/2/context.json", profile: ["http://iiif.io/api/image/2/level0.json"], tiles: undefined }, serves: ["jpg"] },
  silent: { info: { "@context": "http://iiif.io/api/image/2/context.json", profile: "http://iiif.io/api/image/2/level2.json" }, serves: ["jpg"] },
  lying: { info: { "@context": "http://iiif.io/api/image/3/context.json", profile: "level2", type: "ImageService3", extraFormats: ["webp"] }, serves: ["jpg"] },
  broken: { info: { "@context": "http://iiif.io/api/image/3/context.json", profile: "level2", type: "ImageService3", extraFormats: ["webp"] }, serves: ["jpg"], garbage: "webp" },
  glass: { info: { "@context": "http://iiif.io/api/image/3/context.json", profile: "level2", type: "ImageService3", extraFormats: ["webp"] }, serves: ["webp", "jpg"], picture: "glass" },
};
const describeSource = (name) => {
  const id = `${origin}/iiif/${name}`;
  const sizes = [1, 2, 4].map((factor) => ({ width: 2048 / factor, height: 1536 / factor }));
  return { id, "@id": id, protocol: "http://iiif.io/api/image", width: 2048, height: 1536, sizes, tiles: [{ width: 512, scaleFactors: [1, 2, 4] }], ...SERVICES[name].info };
};

let server;
let origin;
/** Browsers, and a page of each: to begin a document anew takes a fifth of what a page takes. */
let browsers = [];
let tab;
/** One that emulates no WebGL, for what is no matter of drawing. */
let plain;
/** Tiles that were asked for, `name format`. */
let asked = [];
before(async () => {
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const give = (type, body) => response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
    if (pathname === "/") return give("text/html", `${PAGE}<script src="/${searchParams.get("v")}/openseadragon.js"></script>`);
    if (pathname === "/test.js") return give("text/javascript", SCRIPT);
    const [, folder, name, ...rest] = pathname.split("/");
    if (folder === "iiif") {
      const { serves, garbage, picture = "plain" } = SERVICES[name];
      if (rest[0] === "info.json") return give("application/json", JSON.stringify(describeSource(name)));
      const format = extname(pathname).slice(1);
      asked.push(`${name} ${format}`);
      if (format === garbage) return give("image/webp", "this is none");
      if (!serves.includes(format)) return response.writeHead(404).end();
      return give(TYPES[`.${format}`], pictures[`${picture}.${format}`]);
    }
    try {
      give(TYPES[extname(pathname)] ?? "application/octet-stream", readFileSync(at(FOLDERS[folder] ?? "none", ...[name, ...rest].map(decodeURIComponent))));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${server.address().port}`;
  browsers = await Promise.all([launch({ webgl: true }), launch()]);
  [tab, plain] = await Promise.all(browsers.map((browser) => watched(browser)));
  await tab.page.goto(`${origin}/?v=6`);
  const made = await tab.page.evaluate(async () => {
    const found = [];
    for (const [name, alpha] of [["plain", 1], ["glass", 0.3]]) {
      for (const [format, type] of [["jpg", "jpeg"], ["png", "png"], ["webp", "webp"]]) {
        const canvas = new OffscreenCanvas(512, 512);
        const context = canvas.getContext("2d");
        context.globalAlpha = alpha;
        context.fillStyle = "#c06030";
        context.fillRect(0, 0, 512, 512);
        const blob = await canvas.convertToBlob({ type: `image/${type}` });
        found.push([`${name}.${format}`, [...new Uint8Array(await blob.arrayBuffer())]]);
      }
    }
    return found;
  });
  for (const [name, bytes] of made) pictures[name] = Buffer.from(bytes);
});
after(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  server.close();
});

test("its size", async () => {
  const { minified, brotli } = await bundle("openseadragon");
  console.log(`azulejo/openseadragon: ${minified} bytes minified, ${brotli} in brotli`);
  assert.ok(brotli <= 6 << 10, `${brotli} bytes of brotli`);
});

for (const version of Object.keys(VIEWERS)) {
  describe(`OpenSeadragon ${version}`, () => {
    const inPage = async (work, argument, expected = [], { page, troubles } = tab) => {
      asked = [];
      troubles.length = 0;
      await page.goto(`${origin}/?v=${version}`);
      const found = await page.evaluate(work, argument);
      assert.deepEqual(await page.evaluate(async () => (await import("/test.js")).failed), []);
      // A viewer that nobody looks at any more would still ask for every frame.
      await page.goto("about:blank");
      assert.deepEqual(troubles.filter((trouble) => !expected.some((pattern) => pattern.test(trouble))), []);
      return found;
    };
    /** The formats that a source's tiles were asked for in, and whether they are transparent for the viewer. */
    const formats = async (names, options, expected, viewer = {}) => {
      const transparent = await inPage(
        async ({ origin, names, options, viewer }) => {
          const { add, enableFormats, view } = await import("/test.js");
          const enabled = options && enableFormats(OpenSeadragon, options.late ? { support: new Promise((found) => setTimeout(() => found({ webp: true }), 300)) } : options);
          const [first, ...others] = names.map((name) => `${origin}/iiif/${name}/info.json`);
          const opened = await view(first, viewer);
          for (const tileSource of others) await add(opened, { tileSource });
          enabled?.uninstall();
          return names.map((_, index) => Boolean(opened.world.getItemAt(index).source.hasTransparency(null, "")));
        },
        { origin, names, options, viewer: { drawer: "canvas", ...viewer } },
        expected,
        plain,
      );
      return { asked: names.map((name) => `${name} ${[...new Set(asked.filter((tile) => tile.startsWith(`${name} `)).map((tile) => tile.split(" ")[1]))]}`), transparent };
    };

    test("zooms a local pyramid to full resolution, and closes", async () => {
      const found = await inPage(async () => {
        const { colours, loaded, open, tileSource, view } = await import("/test.js");
        const image = await open("/samples/retina-pyramid.tif");
        const source = tileSource(image);
        const viewer = await view(source);
        const whole = colours(viewer, 9);
        viewer.viewport.zoomTo(viewer.viewport.imageToViewportZoom(1), undefined, true);
        await loaded(viewer);
        const close = colours(viewer, 9);
        viewer.viewport.panTo(new OpenSeadragon.Point(0.95, 0.95), true);
        await loaded(viewer);
        viewer.destroy();
        image.close();
        return { size: [source.width, source.height], colours: [whole, close].map((points) => new Set(points.filter(([, , , alpha]) => alpha === 255).map(String)).size) };
      });
      assert.deepEqual(found.size, [1411, 1411]);
      for (const distinct of found.colours) assert.ok(distinct > 20, `${distinct} colours`);
    });

    test("an image that is closed while a viewer that is gone waits for its first tile: no tile fails", async () => {
      const calls = await inPage(async () => {
        const { open, tileSource } = await import("/test.js");
        const image = await open("/samples/retina-pyramid.tif");
        let calls = 0;
        const source = tileSource({
          ...image,
          async render(...given) {
            // Both at once, as a page does that shows something else.
            if (!calls++) setTimeout(() => [viewer, image].forEach((each) => each.close()));
            return image.render(...given);
          },
        });
        const viewer = OpenSeadragon({ id: "viewer", tileSources: source, showNavigator: false, showNavigationControl: false });
        await new Promise((wake) => setTimeout(wake, 1500));
        viewer.destroy();
        return calls;
      });
      assert.ok(calls >= 1, `${calls} calls`);
    });

    test("tiles at the edges of every level have the size that the viewer expects", async () => {
      const excess = await inPage(async () => {
        const { open, tileSource } = await import("/test.js");
        const image = await open("/samples/retina-pyramid.tif");
        const source = tileSource(image, { tileSize: 300 });
        const sizes = [];
        for (let level = 0; level <= source.maxLevel; level++) {
          const side = Math.ceil(1411 / 2 ** (source.maxLevel - level));
          const last = Math.ceil(side / 300) - 1;
          const src = source.getTileUrl(level, last, last);
          const data = await new Promise((resolve, reject) => {
            const job = { src, userData: {}, finish: (data, _, message) => (data ? resolve(data) : reject(new Error(message))) };
            source.downloadTileStart(job);
          });
          sizes.push(data.width - (side - last * 300), data.height - (side - last * 300));
        }
        return sizes;
      });
      assert.deepEqual(excess, excess.map(() => 0));
    });

    test("is transparent where the image is, and opaque images stay so", async () => {
      const found = await inPage(async () => {
        const { add, colours, open, tileSource, view } = await import("/test.js");
        const canvas = new OffscreenCanvas(700, 500);
        const context = canvas.getContext("2d");
        context.fillStyle = "#00f";
        context.fillRect(0, 0, 350, 500);
        const glass = tileSource(await open(await canvas.convertToBlob()));
        const opaque = tileSource(await open("/samples/rocket.jpg"));
        const viewer = await view(glass);
        const [left, right] = [colours(viewer, 4)[5], colours(viewer, 4)[10]];
        await add(viewer, { tileSource: opaque });
        return { left, right, items: [0, 1].map((index) => viewer.world.getItemAt(index).source.hasTransparency()) };
      });
      assert.deepEqual(found, { left: [0, 0, 255, 255], right: [0, 0, 0, 0], items: [true, false] });
    });

    test("an aborted tile gives no answer, a closed image fails with its reason, two sources share no key", async () => {
      const found = await inPage(async () => {
        const { open, tileSource } = await import("/test.js");
        const image = await open("/samples/rocket.jpg");
        const [source, other] = [tileSource(image), tileSource(image)];
        const answers = [];
        const job = (name) => ({ src: source.getTileUrl(0, 0, 0), userData: {}, finish: (data, _, type) => answers.push([name, type]), fail: (message) => answers.push([name, message]) });
        const aborted = job("aborted");
        source.downloadTileStart(aborted);
        source.downloadTileAbort(aborted);
        source.downloadTileStart(job("kept"));
        while (!answers.length) await new Promise((later) => setTimeout(later, 20));
        image.close();
        source.downloadTileStart(job("closed"));
        await new Promise((later) => setTimeout(later, 100));
        return { answers, shared: source.getTileHashKey(0, 0, 0) === other.getTileHashKey(0, 0, 0) };
      });
      assert.deepEqual(found, { answers: [["kept", "context2d"], ["closed", "This image was closed."]], shared: false });
    });

    test("asks for what services advertise and leaves the others alone, late ones too", async () => {
      const names = ["two", "three", "zero", "static", "sizes", "silent"];
      assert.deepEqual(await formats(names, {}), {
        asked: ["two webp", "three webp", "zero jpg", "static webp", "sizes jpg", "silent jpg"],
        transparent: [false, false, false, false, false, false],
      });
    });

    test("by preference: the caller's, else the service's, and never what the browser does not show", async () => {
      assert.deepEqual((await formats(["preferring"], {})).asked, ["preferring png"]);
      assert.deepEqual((await formats(["preferring"], { prefer: ["jxl", "webp"] })).asked, ["preferring webp"]);
      assert.deepEqual((await formats(["two"], { support: { webp: false } })).asked, ["two jpg"]);
    });

    test("waits for what the browser shows: not even the first tile is jpg", async () => {
      assert.deepEqual((await formats(["two", "three"], { late: true })).asked, ["two webp", "three webp"]);
    });

    test("goes on in jpg where the first tile is missing or no picture", async () => {
      const missing = [/404/];
      assert.deepEqual((await formats(["lying", "two"], {}, missing)).asked, ["lying webp,jpg", "two webp"]);
      assert.deepEqual((await formats(["broken", "two"], {}, missing)).asked, ["broken webp,jpg", "two webp"]);
      assert.deepEqual((await formats(["broken", "two"], {}, missing, { loadTilesWithAjax: true })).asked, ["broken webp,jpg", "two webp"]);
    });

    test("knows transparent tiles of formats that can be", async () => {
      assert.deepEqual((await formats(["glass", "two"], {})).transparent, [true, false]);
    });

    test("uninstalled, all is as before", async () => {
      assert.deepEqual((await formats(["two", "three"], undefined)).asked, ["two jpg", "three jpg"]);
      await inPage(
        async ({ origin }) => {
          const { enableFormats, view } = await import("/test.js");
          const { configure } = OpenSeadragon.IIIFTileSource.prototype;
          enableFormats(OpenSeadragon).uninstall();
          if (OpenSeadragon.IIIFTileSource.prototype.configure !== configure) throw new Error("it is still there");
          await view(`${origin}/iiif/two/info.json`);
        },
        { origin },
      );
      assert.deepEqual([...new Set(asked)], ["two jpg"]);
    });
  });
}
