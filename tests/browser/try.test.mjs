// The demo at /try, seen by a real browser: files and addresses brought to it, zoomed, cut and exported.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { open as openInNode } from "../../pkg/dist/node/index.js";
import { launch, leave, shot, watched } from "./browser.mjs";
import { serve } from "./service.mjs";
import { host } from "./static.mjs";
import { paintWall, pyramidTiff } from "../generate/pyramid.mjs";
import { assertShown, build, digest, drop, made, opened, sample, strip, taken, vastPng, visit } from "./trying.mjs";
import { assertTiles, walk, zoomThrough } from "./viewing.mjs";

const TEXT = { name: "notes.txt", bytes: Buffer.from("These are notes and no image.\n") };

describe("the demo at /try", () => {
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

  it("opens a TIFF, a JPEG and a PNG that are dropped at once, and says of a text that it is none", async () => {
    const { page, troubles } = await open();
    await shot(page, "try");
    await drop(page, [sample("retina-pyramid.tif"), sample("rocket.jpg"), TEXT, sample("astronaut.png")]);
    await opened(page, "retina-pyramid.tif");
    assert.equal(await page.textContent("#facts"), "TIFF · 1411 × 1411 pixels · 2 megapixels · 249 kB · 4 levels · stored in tiles of 256 × 256");
    await page.waitForSelector("#add-trouble:not([hidden])");
    assert.match(await page.textContent("#add-trouble"), /notes\.txt: The file is not an image .* JPEG, PNG, WebP, GIF, TIFF, BMP\./);
    assert.equal(await page.getAttribute("#add-trouble", "role"), "alert");
    await page.waitForFunction(() => document.querySelectorAll("#strip img").length === 3);
    await shot(page, "try-dropped");
    await page.click("#add-trouble .dismiss");
    assert.equal(await page.isVisible("#add-trouble"), false);
    await zoomThrough(page, [[0.5, 0.5]]);
    await page.click('#strip [role="tab"][title="rocket.jpg"]');
    await opened(page, "rocket.jpg");
    assert.match(await page.textContent("#facts"), /^JPEG · 640 × 427 pixels/);
    await zoomThrough(page, [[0.5, 0.3]]);
    await page.click('#strip [role="tab"][title="astronaut.png"]');
    await opened(page, "astronaut.png");
    await assertShown(page);
    assert.deepEqual(troubles, []);
  });

  it("zooms through a chosen file to its last pixel, and finds its place again", async () => {
    const { page, troubles } = await open();
    await page.setInputFiles("#files", wall);
    await opened(page, "wall.tif");
    await zoomThrough(page, [
      [0.5, 0.33],
      [0, 0],
      [1, 0.66],
      [0.5, 0.33],
    ]);
    await assertShown(page);
    // 1 : 1 in the middle: what is drawn is what was painted.
    const at = await page.evaluate(async () => {
      const viewer = globalThis.OpenSeadragon.getViewer(document.querySelector("#viewer"));
      const found = [];
      const copy = document.createElement("canvas");
      const { canvas } = viewer.drawer;
      [copy.width, copy.height] = [canvas.width, canvas.height];
      // WebGL's buffer is there in the frame that drew it, and only then.
      await new Promise((done) => {
        viewer.addOnceHandler("update-viewport", () => {
          copy.getContext("2d").drawImage(canvas, 0, 0);
          done();
        });
        viewer.forceRedraw();
      });
      for (const [x, y] of [[1375, 875], [1500, 1000], [1625, 1125], [1440, 930], [1570, 1066]]) {
        const point = viewer.viewport.imageToViewerElementCoordinates(new globalThis.OpenSeadragon.Point(x + 0.5, y + 0.5));
        const scale = canvas.width / viewer.container.clientWidth;
        const pixel = copy.getContext("2d").getImageData(Math.floor(point.x * scale), Math.floor(point.y * scale), 1, 1).data;
        found.push({ x, y, seen: [...pixel].slice(0, 3) });
      }
      return found;
    });
    for (const { x, y, seen } of at) {
      const painted = Buffer.alloc(3);
      paintWall(x, y, painted, 0);
      for (const channel of [0, 1, 2]) assert.ok(Math.abs(seen[channel] - painted[channel]) < 40, `${x},${y}: ${seen} is seen where ${[...painted]} was painted`);
    }
    const zoom = await page.textContent("#zoom");
    await drop(page, [sample("rocket.jpg")]);
    await opened(page, "rocket.jpg");
    await page.click('#strip [role="tab"][title="wall.tif"]');
    await opened(page, "wall.tif");
    assert.equal(await page.textContent("#zoom"), zoom);
    assert.deepEqual(troubles, []);
  });

  it("exports what is asked for with the bytes that the package gives in Node", async () => {
    const { page, troubles } = await open();
    const file = sample("retina-pyramid.tif");
    const image = await openInNode(new Uint8Array(file.bytes));
    await drop(page, [file]);
    await opened(page, file.name);
    const wanted = [
      ["full/!800,800/0/default.jpg", { size: "fit", w: 800, h: 800 }],
      ["256,512,256,256/max/0/default.jpg", { region: "px", px: [256, 512, 256, 256] }],
      ["pct:10,20,30,40/200,/!90/gray.png", { region: "pct", pct: [10, 20, 30, 40], size: "w", w: 200, degrees: "90", mirror: true, quality: "gray", format: "png" }],
      ["square/,123/22.5/bitonal.tif", { region: "square", size: "h", h: 123, degrees: "22.5", quality: "bitonal", format: "tif" }],
      ["full/pct:25/0/color.webp", { size: "pct", n: 25, quality: "color", format: "webp" }],
      ["7,11,613,400/300,200/180/default.gif", { region: "px", px: [7, 11, 613, 400], size: "wh", w: 300, h: 200, degrees: "180", format: "gif", version: "2" }],
    ];
    for (const [path, choice] of wanted) {
      await build(page, choice);
      await made(page, path);
      const expected = await image.render(path, { version: choice.version ?? "3" });
      const canonical = await page.textContent("#canonical");
      if (expected.canonical === path) assert.match(canonical, /canonical form/);
      else assert.equal(canonical, `Canonical: ${expected.canonical}`);
      assert.match(await page.textContent("#figures"), new RegExp(`^Pixels${expected.width} × ${expected.height}Bytes[\\d.]+ k?B, ${expected.type}Time[\\d.]+ m?s`));
      const { name, bytes } = await taken(page, "#save-uri");
      assert.equal(name, `retina-pyramid ${expected.width}×${expected.height}.${path.split(".").at(-1)}`);
      assert.equal(digest(bytes), digest(expected.bytes), path);
    }
    image.close();
    assert.deepEqual(troubles, []);
  });

  it("compares the formats of a drawn region, and gives each of them", async () => {
    const { page, troubles } = await open();
    await page.click("#samples button >> nth=3");
    await opened(page, "rocket.jpg");
    await page.click("#draw");
    const frame = await page.locator("#drawing").boundingBox();
    await page.mouse.move(frame.x + frame.width * 0.4, frame.y + frame.height * 0.4);
    await page.mouse.down();
    await page.mouse.move(frame.x + frame.width * 0.6, frame.y + frame.height * 0.7, { steps: 3 });
    await page.mouse.up();
    const path = await page.textContent("#uri");
    assert.match(path, /^\d+,\d+,\d+,\d+\/max\/0\/default\.jpg$/);
    await page.click("#compare-start");
    await page.waitForFunction(() => document.querySelectorAll("#compare-rows tr").length === 5);
    const rows = await page.$$eval("#compare-rows tr", (all) => all.map((row) => row.textContent));
    for (const [at, format] of ["jpg", "png", "webp", "gif", "tif"].entries()) assert.match(rows[at], new RegExp(`^${format}[\\d.]+ k?B[\\d.]+ m?sDownload$`));
    const image = await openInNode(new Uint8Array(sample("rocket.jpg").bytes));
    const { bytes } = await taken(page, "#compare-rows tr:nth-child(3) button");
    assert.equal(digest(bytes), digest((await image.render(path.replace(/jpg$/, "webp"))).bytes));
    image.close();
    await page.selectOption("#size", "pct");
    assert.equal(await page.isVisible("#compare-table"), false, "what belongs to another request is not shown");
    assert.deepEqual(troubles, []);
  });

  it("shows the core's sentence where a request is refused, and recovers", async () => {
    const { page, troubles } = await open();
    await drop(page, [sample("rocket.jpg")]);
    await opened(page, "rocket.jpg");
    const image = await openInNode(new Uint8Array(sample("rocket.jpg").bytes));
    await build(page, { size: "w", w: 900 });
    await page.waitForSelector("#refused:not([hidden])");
    const error = await image.render("full/900,/0/default.jpg").catch((error) => error);
    image.close();
    assert.equal(await page.textContent("#refused"), error.message);
    assert.equal(await page.textContent("#figures"), `Status${error.status}`);
    assert.match(await page.textContent("#canonical"), /will be refused/);
    assert.equal(await page.getAttribute("#save-uri", "href"), null);
    await page.fill("#size-w", "300");
    await made(page, "full/300,/0/default.jpg");
    assert.equal(await page.isVisible("#refused"), false);
    assert.deepEqual(troubles, []);
  });

  it("tells the info documents of all versions under the address that is typed", async () => {
    const { page, troubles } = await open();
    await drop(page, [sample("astronaut.png")]);
    await opened(page, "astronaut.png");
    await page.fill("#pack-base", "https://images.test/a");
    await page.waitForFunction(() => document.querySelector("#info-panel .mono")?.textContent === "https://images.test/a/astronaut/info.json");
    const image = await openInNode(new Uint8Array(sample("astronaut.png").bytes));
    for (const version of ["3", "2", "1.1", "1.0"]) {
      await page.click(`#info-tabs button:text-is("${version}")`);
      await page.waitForFunction(() => document.querySelector("#info-panel pre").textContent.length > 10);
      assert.deepEqual(JSON.parse(await page.textContent("#info-panel pre")), image.info({ id: "https://images.test/a/astronaut", version }));
    }
    image.close();
    assert.deepEqual(troubles, []);
  });

  it("opens addresses: of images elsewhere, of services, and says what is wrong with others", async () => {
    const files = join(folder, "elsewhere");
    mkdirSync(files, { recursive: true });
    writeFileSync(join(files, "a map.tif"), sample("retina-pyramid.tif").bytes);
    writeFileSync(join(files, "page.html"), "<!doctype html><title>none</title>");
    const open1 = await host(files, { cors: true });
    const closed = await host(files);
    const { page, troubles, answers } = await open();
    const go = async (address) => {
      await page.fill("#url", address);
      await page.press("#url", "Enter");
    };
    const told = async (words) => {
      await page.waitForFunction(() => !document.querySelector("#add-trouble").hidden);
      assert.match(await page.textContent("#add-trouble"), words);
      await page.click("#add-trouble .dismiss");
    };
    await go(`${open1.url}a%20map.tif`);
    await opened(page, "a map.tif");
    await go(`${service.url}/iiif/3/rocket.jpg/info.json`);
    await opened(page, "rocket.jpg");
    assert.equal(await page.textContent("#facts"), "service of version 3, level 2 · 640 × 427 pixels · 0.27 megapixels");
    await zoomThrough(page);
    assertTiles(answers, 1);
    await page.waitForFunction(() => document.querySelector("#figures").textContent.includes("image/jpeg"));
    assert.equal(await page.isVisible("#packing"), false, "what is rendered elsewhere is not packed here");
    await go(`${service.url}/iiif/2/astronaut.png/info.json`);
    await opened(page, "astronaut.png");
    await zoomThrough(page);
    await page.waitForFunction(() => document.querySelectorAll("#strip img").length === 3);
    await assertShown(page);
    assert.deepEqual(troubles, []);

    await go("a map");
    await told(/"a map" is no address/);
    await go("ftp://example.org/a.tif");
    await told(/should begin with https/);
    await go(`${open1.url}gone.tif`);
    await told(/^gone\.tif: There is nothing at .*gone\.tif\. Look for a mistake in the address\./);
    await go(`${closed.url}a%20map.tif`);
    await told(/CORS.*save the file from there and drop it here/);
    await go(`${open1.url}page.html`);
    await told(/page\.html: The file is not an image/);
    await go(`${open1.url}nothing/info.json`);
    await told(/info\.json answered with status 404/);
    assert.deepEqual((await strip(page)).map((text) => text.replace(/ \w+$/, "")), ["a map.tif", "rocket.jpg", "astronaut.png"], "what failed is not kept");
    await open1.close();
    await closed.close();
  });

  it("shows that it is opening, and Esc cancels that", async () => {
    const files = join(folder, "slow");
    mkdirSync(files, { recursive: true });
    for (const name of ["one.jpg", "two.jpg"]) writeFileSync(join(files, name), sample("rocket.jpg").bytes);
    let release;
    const held = new Promise((resolve) => (release = resolve));
    const slow = await host(files, { cors: true, edit: (_, bytes) => held.then(() => bytes) });
    const { page, troubles } = await open();
    await page.fill("#url", `${slow.url}one.jpg`);
    await page.press("#url", "Enter");
    await page.waitForSelector("#opening progress");
    assert.match(await page.textContent("#opening"), /^Opening one\.jpg/);
    assert.equal(await page.textContent("#status"), "Opening one.jpg …");
    await shot(page, "try-opening");
    await page.keyboard.press("Escape");
    await page.waitForSelector("#add-trouble:not([hidden])");
    assert.match(await page.textContent("#add-trouble"), /one\.jpg was not opened: cancelled/);
    assert.equal(await page.isVisible("#shelf"), false);
    await page.fill("#url", `${slow.url}two.jpg`);
    await page.press("#url", "Enter");
    await page.waitForSelector("#opening progress");
    release();
    await opened(page, "two.jpg");
    assert.equal(await page.isVisible("#opening"), false);
    assert.equal(await page.isVisible("#add-trouble"), false);
    assert.deepEqual(troubles, []);
    await slow.close();
  });

  it("takes a folder that is dropped, and what is pasted", async () => {
    const { page, context, troubles } = await open();
    const files = join(folder, "an album");
    mkdirSync(join(files, "inner"), { recursive: true });
    writeFileSync(join(files, "first.jpg"), sample("rocket.jpg").bytes);
    writeFileSync(join(files, "inner", "second.png"), sample("astronaut.png").bytes);
    // As the browser itself does it, with real files.
    const devtools = await context.newCDPSession(page);
    const data = { items: [], files: [files, wall], dragOperationsMask: 1 };
    await devtools.send("Input.dispatchDragEvent", { type: "dragEnter", x: 300, y: 300, data });
    await devtools.send("Input.dispatchDragEvent", { type: "dragOver", x: 300, y: 300, data });
    await page.waitForSelector("#dropping:not([hidden])");
    await shot(page, "try-dropping");
    await devtools.send("Input.dispatchDragEvent", { type: "drop", x: 300, y: 300, data });
    await opened(page, "wall.tif");
    assert.equal(await page.isVisible("#dropping"), false);
    assert.deepEqual((await strip(page)).map((text) => text.split(" ")[0]), ["wall.tif", "first.jpg", "second.png"]);
    await page.evaluate((base64) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], "pasted.jpg"));
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
    }, sample("rocket.jpg").bytes.toString("base64"));
    await opened(page, "pasted.jpg");
    await page.evaluate((address) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", address);
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
    }, `${service.url}/iiif/3/retina.jpg/info.json`);
    await opened(page, "retina.jpg");
    await assertShown(page);
    assert.deepEqual(troubles, []);
  });

  it("says what to do with an image that takes too much", async () => {
    const { page } = await open();
    await drop(page, [{ name: "vast.png", bytes: vastPng(24_000) }, sample("rocket.jpg")]);
    await page.waitForSelector("#view-trouble:not([hidden])", { timeout: 60_000 });
    assert.match(await page.textContent("#view-trouble"), /needs about [\d.]+ s of CPU time, and the limit is about [\d.]+ s: .*Save it as a tiled TIFF with a pyramid/);
    await page.waitForSelector("#refused:not([hidden])");
    assert.match(await page.textContent("#refused"), /of CPU time, and the limit is/);
    await shot(page, "try-vast");
    await page.click('#strip [role="tab"][title="rocket.jpg"]');
    await opened(page, "rocket.jpg");
    assert.equal(await page.isVisible("#view-trouble"), false, "what is wrong with one image is not said of the next");
  });

  it("opens what ?url= names", async () => {
    const { page, troubles } = await open(`/try?url=${encodeURIComponent(`${service.url}/iiif/3/retina.jpg/full/max/0/default.jpg`)}`);
    await opened(page, "default.jpg");
    assert.match(await page.textContent("#facts"), /1411 × 1411/);
    assert.deepEqual(troubles, []);
  });

  it("is served with its types and policies", async () => {
    const headers = async (path) => (await fetch(new URL(path, service.url))).headers;
    assert.equal((await headers("/try-files/engine.wasm")).get("content-type"), "application/wasm");
    assert.match((await headers("/try-files/web/pool-worker.js")).get("content-security-policy"), /default-src 'none'.*'wasm-unsafe-eval'/);
    assert.equal((await headers("/sw.js")).get("cache-control"), "no-cache");
    for (const path of ["/", "/try", "/try-files/web/try.js"]) assert.equal((await headers(path)).get("x-content-type-options"), "nosniff", path);
    // The index leads here.
    const { page, troubles } = await watched(browser);
    await page.goto(service.url);
    await page.click('a[href="/try"]');
    await page.waitForSelector("#samples li:nth-child(4)");
    assert.deepEqual(troubles, []);
  });

  it("fills the table of formats", async () => {
    const { page, troubles } = await open();
    await page.waitForFunction(() => document.querySelectorAll("#formats-table td").length === 12);
    const rows = await page.$$eval("#formats-table tr", (all) => all.map((row) => [row.querySelector("th").textContent, ...[...row.querySelectorAll("td")].map((cell) => cell.dataset.support)]));
    assert.deepEqual(rows.map(([name]) => name), ["JPEG XL", "AVIF", "WebP"]);
    assert.deepEqual(rows[2], ["WebP", "yes", "yes", "yes", "yes"], "every Chromium shows all of WebP");
    for (const row of rows) for (const cell of row.slice(1)) assert.match(cell, /^(yes|no|unknown)$/);
    assert.deepEqual(troubles, []);
  });

  it("is walked by keyboard through every control, each stop with a visible ring", async () => {
    const { page, troubles } = await open();
    await drop(page, [sample("rocket.jpg"), sample("retina-pyramid.tif")]);
    await opened(page, "rocket.jpg");
    await page.waitForFunction(() => document.querySelector("#save-uri").href !== "");
    await page.evaluate(() => getSelection().removeAllRanges());
    await page.focus(".skip");
    const stops = await walk(page);
    const seen = stops.map(({ name }) => name);
    const wanted = ["choose", "url", "Open", "hubble_deep_field.jpga JPEG, 1", "rocket.jpg", "remove", "viewer-canvas", "zoom-in", "draw", "region", "size", "degrees", "mirror", "quality", "format", "version"];
    wanted.push("copy-uri", "save-uri", "compare-start", "info-tab-0", "info-panel", "pack-version", "pack-tile", "pack-format", "pack-base", "pack-start");
    let from = 0;
    for (const name of wanted) {
      const at = seen.indexOf(name, from);
      assert.ok(at >= 0, `${name} comes after ${seen[from]} in ${seen.join(" | ")}`);
      from = at;
    }
    for (const { name, ring } of stops) assert.ok(ring, `${name} shows its focus`);
    await page.focus("#draw");
    await page.keyboard.press("Enter");
    assert.equal(await page.isVisible("#drawing"), true);
    await page.keyboard.press("Escape");
    assert.equal(await page.isVisible("#drawing"), false);
    await page.focus("#remove");
    await page.keyboard.press("Enter");
    await opened(page, "retina-pyramid.tif");
    assert.equal(await page.evaluate(() => document.activeElement.title), "retina-pyramid.tif");
    assert.deepEqual(troubles, []);
  });

  it("fits into 360 px, in the dark too", async () => {
    const { page, troubles } = await open("/try", { viewport: { width: 360, height: 740 }, colorScheme: "dark", reducedMotion: "reduce" });
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await drop(page, [sample("retina-pyramid.tif"), sample("rocket.jpg"), sample("astronaut.png"), TEXT]);
    await opened(page, "retina-pyramid.tif");
    await page.waitForFunction(() => document.querySelector("#save-uri").href !== "" && !document.querySelector("#add-trouble").hidden);
    await page.click("#compare-start");
    await page.waitForFunction(() => document.querySelectorAll("#compare-rows tr").length === 5);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await shot(page, "try-360-dark", { fullPage: true });
    assert.deepEqual(troubles, []);
  });
});
