// Ten gigapixels in OpenSeadragon, from the Worker and from a Blob in the page: every level down to the bottom right corner, and what memory that takes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { launch, watched } from "../browser/browser.mjs";
import { TOLERANCE, colourAt, levelsOf, repeatedTiff } from "../generate/pyramid.mjs";
import { serve } from "../worker/service.mjs";
import { EAR } from "./memory.mjs";
import { PAGE, site } from "./site.mjs";

const SIDE = 100_000;
const NAME = "gigapixel.tif";
const MIB = 1 << 20;
const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

const SCRIPT = `
import { open } from "/dist/web/index.js";
import { tileSource } from "/dist/web/openseadragon.js";
const failed = [];
let tiles = 0, viewer;
/** Until the viewer is at rest and has all tiles it wants. */
async function loaded() {
  for (let calm = 0; calm < 3; ) {
    await new Promise(requestAnimationFrame);
    const { viewport } = viewer;
    const still = Math.abs(viewport.getZoom(true) / viewport.getZoom(false) - 1) < 1e-6 && viewport.getCenter(true).distanceTo(viewport.getCenter(false)) < 1e-9;
    calm = still && viewer.world.getItemAt(0).getFullyLoaded() ? calm + 1 : 0;
  }
}
export async function show(from) {
  const source = from ?? tileSource(await open(await (await fetch("/${NAME}")).blob()));
  // Of each zoom just its own level; canvas, as its pixels can be read.
  const options = { showNavigationControl: false, drawer: "canvas", crossOriginPolicy: "Anonymous", minPixelRatio: 1, animationTime: 0.1, maxZoomPixelRatio: 2, timeout: 300000 };
  viewer = OpenSeadragon({ element: document.getElementById("viewer"), ...options });
  viewer.addHandler("tile-load-failed", ({ tile, message }) => failed.push(tile.getUrl() + ": " + message));
  viewer.addHandler("tile-loaded", () => tiles++);
  const opened = new Promise((resolve, reject) => (viewer.addOnceHandler("open", resolve), viewer.addOnceHandler("open-failed", ({ message }) => reject(new Error(message)))));
  viewer.open(source);
  await opened;
  await loaded();
  const { x, y } = viewer.world.getItemAt(0).getContentSize();
  return [x, y];
}
/** Zooms to a scale with the place in the middle, as far as the edge lets it, and reads the pixels of places. */
export async function look(scale, middle, places) {
  const { viewport } = viewer;
  const point = ([x, y]) => new OpenSeadragon.Point(x, y);
  viewport.zoomTo(viewport.imageToViewportZoom(1.001 / scale));
  viewport.panTo(viewport.imageToViewportCoordinates(point(middle)));
  await loaded();
  const canvas = viewer.drawer.canvas;
  return places.map((place) => {
    const { x, y } = viewport.imageToViewerElementCoordinates(point(place));
    return [...canvas.getContext("2d").getImageData(Math.floor(x), Math.floor(y), 1, 1).data];
  });
}
export const told = () => ({ tiles, failed });
`;

describe("ten gigapixels", () => {
  let service, server, browser;
  before(async () => {
    const file = repeatedTiff(SIDE, SIDE);
    assert.ok(file.length < 2 * MIB, `${file.length} bytes`);
    service = await serve({ samples: false });
    await service.put(NAME, file);
    await service.put("chain.tif", repeatedTiff(SIDE, SIDE, { order: "chain" }));
    server = await site({
      "/": `${PAGE}<style>#viewer { width: 1000px; height: 800px }</style><div id="viewer"></div><script src="/modules/openseadragon/build/openseadragon/openseadragon.js"></script>`,
      "/test.js": SCRIPT,
      [`/${NAME}`]: file,
      "/dist/web/pool-worker.js": EAR + readFileSync(at("pkg/dist/web/pool-worker.js"), "utf8"),
    });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    await service?.close();
  });

  const cases = [
    ["from the Worker", () => `${service.url}/iiif/3/${NAME}/info.json`],
    ["from the Worker, as libvips writes it", () => `${service.url}/iiif/3/chain.tif/info.json`],
    ["from a Blob in the page", () => null],
  ];
  for (const [name, from] of cases) {
    test(name, async () => {
      const { page, context, troubles, answers } = await watched(browser);
      const session = await context.newCDPSession(page);
      let heap = 0;
      const weigh = async () => (heap = Math.max(heap, (await session.send("Runtime.getHeapUsage")).usedSize));
      await page.goto(server.origin);
      assert.deepEqual(await page.evaluate(async (from) => (await import("/test.js")).show(from), from()), [SIDE, SIDE]);
      await weigh();
      const levels = levelsOf(SIDE, SIDE);
      for (const [index, { width, scale }] of [...levels.entries()].reverse()) {
        // The calm squares nearest to the corner, and of the tiles before it; a few pixels inside.
        const last = width - 10 - ((width - 10) % 64);
        const places = [last, last - 64, last - 512].filter((side) => side > 0).flatMap((x) => [[x, last], [last, x]]).map((place) => place.map((side) => side + 4));
        const found = await page.evaluate(async (asked) => (await import("/test.js")).look(...asked), [scale, [SIDE, SIDE].map((side) => side - 300 * scale), places.map((place) => place.map((side) => (side + 0.5) * scale))]);
        for (const [which, [x, y]] of places.entries()) {
          const wanted = colourAt(SIDE, SIDE, index, x, y);
          assert.ok(wanted.every((value, channel) => Math.abs(value - found[which][channel]) <= TOLERANCE), `level ${index}, ${x},${y}: ${found[which]}, not ${wanted}`);
        }
        await weigh();
      }
      const { tiles, failed } = await page.evaluate(async () => (await import("/test.js")).told());
      const inPage = (await Promise.all(page.workers().map((worker) => worker.evaluate(() => globalThis.memories.map(({ buffer }) => buffer.byteLength))))).flat();
      const wasm = from() ? (await service.get("/health")).json().memory : inPage.reduce((sum, bytes) => sum + bytes, 0);
      console.log(`${name}: ${tiles} tiles; at most ${mib(wasm)} of wasm memory${from() ? "" : ` in ${inPage.length} engines`}, ${mib(heap)} of JS heap`);
      assert.deepEqual(failed, []);
      assert.deepEqual(troubles, []);
      assert.ok(tiles > 3 * levels.length, `${tiles} tiles`);
      if (from()) assert.ok(answers.length > tiles, `${answers.length} answers`);
      for (const { url, status } of answers) assert.equal(status, 200, url);
      assert.ok(wasm <= 48 * MIB, `${wasm} bytes of wasm memory`);
      await context.close();
    });
  }
});
