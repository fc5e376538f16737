// Viewers as they are, untouched: OpenSeadragon 4.1, 5 and 6, Leaflet-IIIF 3 and Mirador 4, each shown a local file through the Service Worker, an object of the running Worker,
// and some a service of level 0 through the Service Worker. What they draw at full resolution is held against the image itself.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { launch, shot, watched } from "../browser/browser.mjs";
import { serve } from "../worker/service.mjs";
import { difference, pixels } from "./pixels.mjs";
import { site } from "./site.mjs";

const native = await import("azulejo");
const { tilesOf } = await import("azulejo/request");

const SAMPLE = "retina-pyramid.tif";
/** Where the viewer is on the page, px; and what of it is looked at, beside its buttons. */
const VIEWER = { width: 800, height: 600 };
const WINDOW = { x: 250, y: 150, width: 300, height: 300 };
/** On average, of 255: JPEG takes up to 0.7 from these parts of the image, and a part of a pixel some more; ten pixels beside them it is 2.8 at least, and hundred 7. */
const TOLERANCE = 1.2;
/** What viewers say of themselves. */
const OWN_TROUBLES = [/element\.ref was removed in React 19/];

/** A page of a viewer: it defines `view(base, version)`, and `go(x, y)`, after which a pixel of the viewer is one of the image and that one is in its top left corner. */
const page = (head, script) => `<!doctype html><meta charset="utf-8"><title>viewer</title><link rel="icon" href="data:,">${head}
<style>body { margin: 0 } #viewer { position: relative; width: ${VIEWER.width}px; height: ${VIEWER.height}px; background: #fff }</style><div id="viewer"></div>
<script>globalThis.failed = [];</script><script type="module">${script}</script>`;

const openseadragon = (name) =>
  page(
    `<script src="/modules/${name}/build/openseadragon/openseadragon.js"></script>`,
    `globalThis.view = async (base) => {
      const viewer = OpenSeadragon({ id: "viewer", prefixUrl: "/modules/${name}/build/openseadragon/images/", tileSources: base + "/info.json", crossOriginPolicy: "Anonymous", showNavigator: true, maxZoomPixelRatio: 4 });
      viewer.addHandler("tile-load-failed", ({ message }) => failed.push(message));
      viewer.addHandler("open-failed", ({ message }) => failed.push(message));
      await new Promise((opened) => viewer.addOnceHandler("open", opened));
      const { viewport } = viewer;
      const size = viewport.getContainerSize();
      globalThis.go = (x, y) => {
        viewport.zoomTo(viewport.imageToViewportZoom(1), null, true);
        viewport.panTo(viewport.imageToViewportCoordinates(x + size.x / 2, y + size.y / 2), true);
      };
      globalThis.home = () => viewport.goHome(true);
      globalThis.deepest = () => viewport.zoomTo(viewport.getMaxZoom(), null, true);
      globalThis.loaded = () => viewer.world.getItemAt(0).getFullyLoaded();
    };`,
  );

const PAGES = {
  "OpenSeadragon 4.1": openseadragon("openseadragon4"),
  "OpenSeadragon 5": openseadragon("openseadragon5"),
  "OpenSeadragon 6": openseadragon("openseadragon"),
  "Leaflet-IIIF 3": page(
    '<link rel="stylesheet" href="/modules/leaflet/dist/leaflet.css"><script src="/modules/leaflet/dist/leaflet.js"></script><script src="/modules/leaflet-iiif/leaflet-iiif.js"></script>',
    `globalThis.view = async (base) => {
      const map = L.map("viewer", { center: [0, 0], zoom: 0, crs: L.CRS.Simple, zoomAnimation: false, fadeAnimation: false });
      const layer = L.tileLayer.iiif(base + "/info.json");
      layer.on("tileerror", ({ tile }) => failed.push(tile.src));
      let ready = false;
      layer.on("load", () => (ready = true));
      layer.on("loading", () => (ready = false));
      layer.addTo(map);
      await new Promise((loaded) => layer.once("load", loaded));
      const [bounds, zoom] = [map.getBounds(), map.getZoom()];
      globalThis.go = (x, y) => map.setView(map.unproject([x + ${VIEWER.width / 2}, y + ${VIEWER.height / 2}], layer.maxNativeZoom), layer.maxNativeZoom, { animate: false });
      globalThis.home = () => map.setView(bounds.getCenter(), zoom, { animate: false });
      globalThis.deepest = () => map.setZoom(layer.maxZoom, { animate: false });
      globalThis.loaded = () => ready;
    };`,
  ),
  "Mirador 4": page(
    '<script src="/out/mirador/mirador.min.js"></script>',
    `globalThis.view = async (base, version) => {
      const manifest = "/manifest.json?" + new URLSearchParams({ base, version });
      const { store } = Mirador.viewer({
        id: "viewer",
        windows: [{ id: "w", manifestId: new URL(manifest, location.href).href }],
        window: { allowClose: false, sideBarOpen: false },
        workspaceControlPanel: { enabled: false },
        osdConfig: { maxZoomPixelRatio: 4 },
      });
      const state = () => store.getState().viewers?.w;
      while (!(state()?.zoom > 0) || !document.querySelector(".openseadragon-canvas")) await new Promise((later) => setTimeout(later, 50));
      const { x, y, zoom } = state();
      const move = (viewport) => store.dispatch(Mirador.updateViewport("w", { flip: false, rotation: 0, ...viewport }));
      // Mirador's world has the canvas's own units; the viewer's part of the page is smaller than the page's.
      globalThis.go = async (x, y) => {
        const { left, top, width, height } = document.querySelector(".openseadragon-canvas").getBoundingClientRect();
        // It zooms about a place while it moves, and arrives at another: the second time it only moves.
        for (;;) {
          const to = { x: x + left + width / 2, y: y + top + height / 2, zoom: 1 / width };
          move(to);
          const asked = state();
          // It tells where it is when the movement has ended.
          while (state() === asked) await new Promise((later) => setTimeout(later, 50));
          if (state().x === to.x && state().y === to.y && Math.abs(state().zoom / to.zoom - 1) < 1e-6) return;
        }
      };
      globalThis.home = () => move({ x, y, zoom });
      globalThis.deepest = () => move({ x, y, zoom: 4 / ${VIEWER.width} });
      globalThis.loaded = () => true;
    };`,
  ),
};

const SERVICE_WORKER = `
import { kept, level0Source, serve } from "/dist/web/service-worker.js";
serve({ resolve: async (identifier) => (identifier === "stitched" ? level0Source(location.origin + "/zero/info.json") : ((await kept(identifier))?.file ?? null)) });`;

/** Where the image is, in which version, and whether the Service Worker answers. */
const SERVICES = {
  "a local file through the Service Worker": { base: () => `${server.origin}/iiif/3/local`, version: "3", local: true },
  "the Worker": { base: () => `${worker.url}/iiif/2/${SAMPLE}`, version: "2" },
  "a service of level 0 through the Service Worker": { base: () => `${server.origin}/iiif/2/stitched`, version: "2", local: true, of: /OpenSeadragon|Leaflet/ },
};

let server;
let worker;
let browser;
let image;
before(async () => {
  mirador();
  image = await native.open(new Uint8Array(readFileSync(at("www", "samples", SAMPLE))));
  const addresses = Object.fromEntries(Object.keys(PAGES).map((name) => [`/${encodeURIComponent(name)}.html`, PAGES[name]]));
  server = await site({ "/sw.js": SERVICE_WORKER, "/manifest.json": manifest, ...addresses });
  const info = { "@context": "http://iiif.io/api/image/2/context.json", "@id": `${server.origin}/zero`, protocol: "http://iiif.io/api/image", profile: ["http://iiif.io/api/image/2/level0.json"] };
  Object.assign(info, { width: image.width, height: image.height, tiles: [{ width: 256, scaleFactors: [1, 2, 4, 8] }] });
  server.routes["/zero/info.json"] = JSON.stringify(info);
  for (const { path } of tilesOf(info)) server.routes[`/zero/${path}`] = (await image.render(path, { version: "2" })).bytes;
  worker = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await worker?.close();
  await server?.close();
  image?.close();
});

/** Its tarball has a build that stands alone, and dependencies that nobody needs for it: it is fetched once, not installed. */
function mirador() {
  const folder = at("tests", "out", "mirador");
  if (existsSync(`${folder}/mirador.min.js`)) return;
  mkdirSync(folder, { recursive: true });
  execFileSync("npm", ["pack", "mirador@4.0.0", "--silent"], { cwd: folder });
  execFileSync("tar", ["-xzf", "mirador-4.0.0.tgz", "package/dist/mirador.min.js"], { cwd: folder });
  renameSync(`${folder}/package/dist/mirador.min.js`, `${folder}/mirador.min.js`);
}

function manifest({ href, searchParams }) {
  const [base, version] = [searchParams.get("base"), searchParams.get("version")];
  const { width, height } = image;
  const service = version === "3" ? { id: base, type: "ImageService3", profile: "level2" } : { "@id": base, "@type": "ImageService2", profile: "http://iiif.io/api/image/2/level2.json" };
  const body = { id: `${base}/full/max/0/default.jpg`, type: "Image", format: "image/jpeg", width, height, service: [service] };
  const annotation = { id: `${href}#annotation`, type: "Annotation", motivation: "painting", target: `${href}#canvas`, body };
  const canvas = { id: `${href}#canvas`, type: "Canvas", width, height, items: [{ id: `${href}#page`, type: "AnnotationPage", items: [annotation] }] };
  return JSON.stringify({ "@context": "http://iiif.io/api/presentation/3/context.json", id: href, type: "Manifest", label: { en: ["A retina"] }, items: [canvas] });
}

/** Waits until the page shows this part of the image, give or take two pixels, and no other. */
async function shows(page, { x, y }) {
  const render = async (left) => pixels((await image.render(`${left},${Math.max(0, y + WINDOW.y - 2)},${WINDOW.width + 4},${WINDOW.height + 4}/max/0/default.png`)).bytes);
  const [expected, beside] = [await render(x + WINDOW.x - 2), await render(x + WINDOW.x + 8)];
  let found;
  for (const until = Date.now() + 60_000; Date.now() < until; ) {
    const seen = pixels(await page.screenshot({ clip: WINDOW, animations: "disabled" }));
    found = closest(seen, expected);
    if (found < TOLERANCE) return assert.ok(closest(seen, beside) > 2 * TOLERANCE, "this part of the image looks like another");
  }
  assert.fail(`what is shown is not ${x},${y}: it is off by ${found} on average`);
}

/** How far a picture is from the part of a larger one that is most like it. */
function closest(seen, larger) {
  const [columns, rows] = [larger.width - seen.width + 1, larger.height - seen.height + 1];
  return Math.min(...Array.from({ length: columns * rows }, (_, index) => difference(seen, part(larger, index % columns, Math.floor(index / columns), seen)).mean));
}

function part({ width, rgba }, left, top, { width: across, height }) {
  const rows = Array.from({ length: height }, (_, y) => rgba.subarray(((top + y) * width + left) * 4, ((top + y) * width + left + across) * 4));
  return { width: across, height, rgba: Buffer.concat(rows) };
}

const idle = (page) => page.waitForFunction(() => loaded(), undefined, { timeout: 60_000 });

for (const viewer of Object.keys(PAGES)) {
  describe(viewer, () => {
    for (const [where, { base, version, local, of }] of Object.entries(SERVICES)) {
      if (of && !of.test(viewer)) continue;
      test(where, async () => {
        const { page, context, troubles, answers } = await watched(browser, { viewport: VIEWER });
        const direct = [];
        page.on("response", (response) => new URL(response.url()).pathname.startsWith("/iiif/") && !response.fromServiceWorker() && direct.push(response.url()));
        await page.goto(`${server.origin}/${encodeURIComponent(viewer)}.html`);
        if (local) {
          await page.evaluate(async (sample) => {
            const { keep, register } = await import("/dist/web/service-worker.js");
            await register("/sw.js");
            await keep(await (await fetch(`/samples/${sample}`)).blob(), { identifier: "local" });
          }, SAMPLE);
        }
        await page.evaluate(([base, version]) => view(base, version), [base(), version]);
        await idle(page);
        const name = `viewers-${viewer}-${where}`.replace(/[^a-z0-9]+/gi, "-").toLowerCase();
        await shot(page, `${name}-whole`);
        for (const place of [{ x: 400, y: 300 }, { x: 700, y: 850 }, { x: 0, y: 0 }]) {
          await page.evaluate(({ x, y }) => go(x, y), place);
          // A picture of the page takes longer than a look at whether it is worth it.
          await idle(page);
          await shows(page, place);
        }
        await idle(page);
        await shot(page, `${name}-close`);
        await page.evaluate(() => deepest());
        await idle(page);
        await page.evaluate(() => home());
        await idle(page);
        assert.deepEqual(await page.evaluate(() => failed), []);
        assert.deepEqual(troubles.filter((trouble) => !OWN_TROUBLES.some((own) => own.test(trouble))), []);
        const tiles = answers.filter(({ url }) => url.endsWith(".jpg"));
        const full = tiles.filter(({ url }) => {
          const [, w, size] = /\/\d+,\d+,(\d+),\d+\/(\d+),\d*\//.exec(url) ?? [];
          return w !== undefined && w === size;
        });
        assert.ok(full.length >= 9, `${full.length} tiles of full resolution, of ${tiles.length}`);
        assert.deepEqual(local ? direct : [], []);
        await context.close();
      });
    }
  });
}
