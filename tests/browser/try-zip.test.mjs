// The demo's zip of static tiles: made in the page, unpacked by another program, served as files, opened by a viewer that knows nothing of azulejo.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { open as openInNode } from "../../pkg/dist/node/index.js";
import { launch, leave, shot, watched } from "./browser.mjs";
import { serve } from "./service.mjs";
import { host } from "./static.mjs";
import { paintWall, pyramidTiff } from "../generate/pyramid.mjs";
import { SITE, assertShown, build, digest, drop, heard, made, opened, sample, taken, visit } from "./trying.mjs";
import { zoomThrough } from "./viewing.mjs";

describe("the demo's static tiles", () => {
  let service;
  let browser;
  let folder;
  /** A tiled TIFF of 3000 × 2000 pixels. */
  let wall;

  before(async () => {
    browser = await launch();
    service = await serve();
    folder = mkdtempSync(join(tmpdir(), "azulejo-try-"));
    wall = join(folder, "wall.tif");
    writeFileSync(wall, pyramidTiff(3000, 2000, paintWall));
  });
  afterEach(() => leave(browser));
  after(async () => {
    await browser?.close();
    await service?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  const open = (path, options) => visit(browser, service, path, options);

  for (const { version, format, tile, name } of [
    { version: "3", format: "jpg", tile: "256", name: "retina-pyramid.tif" },
    { version: "2", format: "png", tile: "512", name: "hubble_deep_field.jpg" },
    { version: "3", format: "webp", tile: "512", name: "astronaut.png" },
  ]) {
    it(`packs ${name} as a static service of version ${version} with tiles of ${tile} px in ${format}, and a viewer zooms through it`, async () => {
      const unpacked = mkdtempSync(join(folder, "unpacked-"));
      const statics = await host(unpacked, { prefix: "/static/", cors: true });
      const { page, troubles } = await open();
      await drop(page, [sample(name)]);
      await opened(page, name);
      await page.check(`input[name="pack-version"][value="${version}"]`);
      await page.check(`input[name="pack-tile"][value="${tile}"]`);
      await page.check(`input[name="pack-format"][value="${format}"]`);
      await page.fill("#pack-base", `${statics.url}iiif/`);
      const stem = name.replace(/\.\w+$/, "");
      const zip = await taken(page, "#pack-start");
      assert.equal(zip.name, `${stem}.zip`);
      await page.waitForSelector("#pack-done:not([hidden])");
      const files = Number(/([\d,]+) files/.exec(await page.textContent("#pack-done"))[1].replace(",", ""));

      // Another program's reader tests every checksum and unpacks.
      execFileSync("python3", ["-m", "zipfile", "-t", zip.path]);
      execFileSync("python3", ["-m", "zipfile", "-e", zip.path, join(unpacked, "iiif")]);
      const names = execFileSync("python3", ["-c", "import sys, zipfile; print('\\n'.join(zipfile.ZipFile(sys.argv[1]).namelist()))", zip.path], { encoding: "utf8" }).trim().split("\n");
      assert.equal(names.length, files);
      assert.equal(new Set(names).size, files);
      const info = JSON.parse(readFileSync(join(unpacked, "iiif", stem, "info.json"), "utf8"));
      assert.equal(info.id ?? info["@id"], `${statics.url}iiif/${stem}`);

      // A tile is what the package gives for it.
      const image = await openInNode(new Uint8Array(sample(name).bytes));
      const cut = names.find((path) => /\/0,0,\d+,\d+\//.test(path) && path.endsWith(`.${format}`)) ?? names.find((path) => path.endsWith(`.${format}`));
      const expected = await image.render(cut.split("/").slice(1).join("/"), { version });
      image.close();
      assert.equal(digest(readFileSync(join(unpacked, "iiif", cut))), digest(expected.bytes), cut);

      // A viewer of its own, on a page of its own: it knows nothing but the address.
      writeFileSync(join(unpacked, "viewer.html"), '<!doctype html><title>viewer</title><link rel="icon" href="data:,"><div id="viewer" style="width: 900px; height: 700px"></div><script src="openseadragon.min.js"></script>');
      writeFileSync(join(unpacked, "openseadragon.min.js"), readFileSync(join(SITE, "openseadragon", "openseadragon.min.js")));
      const viewer = await watched(browser);
      await viewer.page.goto(`${statics.url}viewer.html`);
      statics.asked.length = 0;
      await viewer.page.evaluate((address) => globalThis.OpenSeadragon({ element: document.querySelector("#viewer"), tileSources: [address], showNavigationControl: false }), `${statics.url}iiif/${stem}/info.json`);
      await heard(viewer.page);
      await zoomThrough(viewer.page, [[0.5, 0.4], [0, 0], [1, 1]]);
      assert.deepEqual(await viewer.page.evaluate(() => globalThis.failures), []);
      assert.deepEqual(viewer.troubles, []);
      const tiles = statics.asked.filter(({ path }) => path.includes("/default."));
      assert.ok(tiles.length > 0 && tiles.every(({ status }) => status === 200), JSON.stringify(tiles));
      if (version === "3") assert.ok(tiles.some(({ path }) => path.endsWith(`.${format}`)), `a viewer that can takes ${format}`);

      // And here: level 0 becomes level 2.
      await page.fill("#url", `${statics.url}iiif/${stem}/info.json`);
      await page.press("#url", "Enter");
      await opened(page, stem);
      assert.match(await page.textContent("#facts"), new RegExp(`^service of version ${version}, level 0`));
      await build(page, { region: "px", px: [33, 44, 300, 200], size: "pct", n: 50, degrees: "90", format: "png" });
      await made(page, "33,44,300,200/pct:50/90/default.png");
      assert.match(await page.textContent("#figures"), /^Pixels100 × 150/);
      await assertShown(page);
      assert.deepEqual(troubles, []);
      await statics.close();
    });
  }

  it("writes the same archive straight to a file where the browser lets it", async () => {
    const { page, troubles } = await open();
    await drop(page, [sample("rocket.jpg")]);
    await opened(page, "rocket.jpg");
    const { bytes } = await taken(page, "#pack-start");
    await page.waitForSelector("#pack-done:not([hidden])");
    await page.evaluate(() => {
      // The page's own storage stands in for the disk: its handles are the same.
      globalThis.showSaveFilePicker = async ({ suggestedName }) => (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
      // Between the two archives nothing is said for so short a time that it may not be seen.
      document.querySelector("#pack-done").textContent = "of the first";
    });
    await page.click("#pack-start");
    await page.waitForFunction(() => document.querySelector("#pack-done").textContent.startsWith("rocket.zip: "));
    const written = await page.evaluate(async () => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle("rocket.zip");
      const digest = await crypto.subtle.digest("SHA-256", await (await handle.getFile()).arrayBuffer());
      return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    });
    assert.equal(written, digest(bytes));
    assert.deepEqual(troubles, []);
  });

  it("shows how far the zip is, and Esc cancels it", async () => {
    const { page, troubles } = await open();
    await page.setInputFiles("#files", wall);
    await opened(page, "wall.tif");
    await page.check('input[name="pack-tile"][value="256"]', { force: true });
    await page.check('input[name="pack-format"][value="png"]', { force: true });
    let downloads = 0;
    page.on("download", () => downloads++);
    // After some pictures the workers wait: however slow this test is, packing does not end before it is cancelled.
    await page.evaluate(() => {
      const { postMessage } = Worker.prototype;
      const held = [];
      let pictures = 0;
      Worker.prototype.postMessage = function (...given) {
        if (given[0].ask.ask === "render" && ++pictures > 10) held.push([this, ...given]);
        else postMessage.apply(this, given);
      };
      globalThis.release = () => {
        Worker.prototype.postMessage = postMessage;
        for (const [worker, ...given] of held) worker.postMessage(...given);
      };
    });
    await page.click("#pack-start");
    await page.waitForFunction(() => document.querySelector("#pack-progress progress")?.value > 0);
    assert.match(await page.textContent("#pack-progress"), /Packing wall\.tif: \d+ of \d+ pictures/);
    await page.locator("#pack-progress").scrollIntoViewIfNeeded();
    await shot(page, "try-packing");
    await page.keyboard.press("Escape");
    await page.evaluate(() => globalThis.release());
    await page.waitForSelector("#pack-done:not([hidden])");
    assert.match(await page.textContent("#pack-done"), /^Cancelled/);
    assert.equal(await page.isVisible("#pack-progress"), false);
    assert.equal(await page.isEnabled("#pack-start"), true);
    assert.equal(downloads, 0);
    await page.fill("#pack-base", "nowhere");
    await page.click("#pack-start");
    assert.match(await page.textContent("#pack-trouble"), /base URL should begin with http/);
    assert.deepEqual(troubles, []);
  });
});
