// The page of one image: viewer, builder, documents, seen by a real browser.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { launch, leave, shot, watched } from "./browser.mjs";
import { AWKWARD_NAME, SAMPLES, WALL, serve } from "./service.mjs";
import { answered, assertTiles, drawn, preview, settled, uri, walk, zoomThrough } from "./viewing.mjs";

describe("the page of an image", () => {
  let service;
  let browser;

  before(async () => {
    browser = await launch();
    service = await serve({ wall: true });
  });
  afterEach(() => leave(browser));
  after(async () => {
    await browser?.close();
    await service?.close();
  });

  const open = async (name, options = {}) => {
    const opened = await watched(browser, options);
    await opened.page.goto(`${service.url}/image?id=${encodeURIComponent(name)}`);
    await opened.page.waitForSelector("#page:not([hidden])");
    await drawn(opened.page);
    return opened;
  };

  for (const name of [...SAMPLES, AWKWARD_NAME]) {
    it(`opens ${name}, zooms to full resolution, every tile 200`, async () => {
      const { page, troubles, answers } = await open(name);
      assert.equal(await page.textContent("#name"), name);
      await answered(page);
      await zoomThrough(page);
      assertTiles(answers, 1);
      assert.deepEqual(troubles, []);
    });
  }

  it("opens a large tiled TIFF, zooms to full resolution in several places, every tile 200", async () => {
    const { page, troubles, answers } = await open(WALL, { reducedMotion: "no-preference" });
    assert.match(await page.textContent("#facts"), /^6000 × 4000 pixels · 24 megapixels/);
    await answered(page);
    await shot(page, "image-wall");
    await zoomThrough(page, [
      [0.5, 0.33],
      [0, 0],
      [1, 0.66],
      [0.8, 0.1],
    ]);
    assertTiles(answers, 12);
    await shot(page, "image-wall-zoomed");
    assert.deepEqual(troubles, []);
  });

  it("takes a region drawn on the image, and Esc leaves drawing", async () => {
    const { page, troubles } = await open("rocket.jpg");
    await answered(page);
    const before = await preview(page);
    await page.click("#draw");
    assert.equal(await page.getAttribute("#draw", "aria-pressed"), "true");
    await page.keyboard.press("Escape");
    assert.equal(await page.getAttribute("#draw", "aria-pressed"), "false");
    assert.equal(await page.isVisible("#drawing"), false);
    await page.click("#draw");
    const frame = await page.locator("#drawing").boundingBox();
    const corner = await page.evaluate(() => {
      const { viewport } = globalThis.OpenSeadragon.getViewer(document.querySelector("#viewer"));
      const [a, b] = [
        [100, 50],
        [420, 290],
      ].map(([x, y]) => viewport.imageToViewerElementCoordinates(new globalThis.OpenSeadragon.Point(x, y)));
      return [a.x, a.y, b.x, b.y];
    });
    await page.mouse.move(frame.x + corner[0], frame.y + corner[1]);
    await page.mouse.down();
    await page.mouse.move(frame.x + corner[2] - 20, frame.y + corner[3] - 20, { steps: 4 });
    await shot(page, "image-drawing");
    await page.mouse.move(frame.x + corner[2], frame.y + corner[3]);
    await page.mouse.up();
    const region = (await uri(page)).split("/").at(-4).split(",").map(Number);
    for (const [at, wanted] of [100, 50, 320, 240].entries()) assert.ok(Math.abs(region[at] - wanted) <= 3, `${region} is about 100,50,320,240`);
    assert.equal(await page.inputValue("#px-w"), String(region[2]), "the number inputs follow");
    await page.waitForFunction((old) => document.querySelector("#preview").src !== old, before.src);
    const after = await preview(page);
    assert.deepEqual([after.width, after.height], region.slice(2));
    assert.equal((await page.locator(".chosen").count()) > 0, true, "the region is marked on the image");
    await shot(page, "image-region");
    assert.deepEqual(troubles, []);
  });

  it("takes what the viewer shows as the region", async () => {
    const { page } = await open("retina.jpg");
    await page.click("#zoom-full");
    await settled(page);
    await page.click("#visible");
    const [x, y, w, h] = (await uri(page)).split("/").at(-4).split(",").map(Number);
    assert.ok(x > 0 && y > 0 && w > 0 && h > 0 && x + w <= 1411 && y + h <= 1411);
    const canvas = await page.locator("#viewer").boundingBox();
    assert.ok(
      Math.abs(w - Math.min(1411, canvas.width)) <= 2 && Math.abs(h - canvas.height) <= 2,
      `${w} × ${h} is what is seen at 1:1 in ${canvas.width} × ${canvas.height}`,
    );
  });

  it("builds URIs from every control and shows the answer", async () => {
    const { page, troubles } = await open("rocket.jpg");
    const tail = async () => (await uri(page)).replace(/.*rocket\.jpg\//, "");
    const choose = (name, value) => page.check(`input[name="${name}"][value="${value}"]`, { force: true });
    assert.equal(await tail(), "full/max/0/default.jpg");
    await choose("region", "square");
    assert.equal(await tail(), "square/max/0/default.jpg");
    await choose("region", "px");
    for (const [id, value] of [
      ["x", 10],
      ["y", 20],
      ["w", 320],
      ["h", 200],
    ])
      await page.fill(`#px-${id}`, String(value));
    assert.equal(await tail(), "10,20,320,200/max/0/default.jpg");
    await choose("region", "pct");
    assert.equal(await tail(), "pct:1.56,4.68,50,46.84/max/0/default.jpg", "the same rectangle, in percent");
    for (const [id, value] of [
      ["x", 0],
      ["y", 0],
      ["w", 50],
      ["h", 50],
    ])
      await page.fill(`#pct-${id}`, String(value));
    const sizes = { w: "200,", h: ",100", wh: "200,100", fit: "!200,100", pct: "pct:25" };
    for (const [form, text] of Object.entries(sizes)) {
      await page.selectOption("#size", form);
      for (const [id, value] of [
        ["#size-w", "200"],
        ["#size-h", "100"],
        ["#size-n", "25"],
      ])
        if (await page.isVisible(id)) await page.fill(id, value);
      assert.equal(await tail(), `pct:0,0,50,50/${text}/0/default.jpg`);
    }
    await page.selectOption("#size", "wh");
    await page.check("#upscale");
    await page.fill("#degrees", "90");
    assert.equal(await page.inputValue("#turn"), "90");
    await page.check("#mirror");
    await choose("quality", "gray");
    await choose("format", "png");
    assert.equal(await tail(), "pct:0,0,50,50/^200,100/!90/gray.png");
    // An answer to a request on the way there may come first.
    await page.waitForFunction(() => /image\/png.*gray\.png/.test(document.querySelector("#figures").textContent));
    await page.waitForFunction(() => document.querySelector("#preview").naturalWidth === 100 && document.querySelector("#preview").naturalHeight === 200);
    const figures = await page.textContent("#figures");
    assert.match(figures, /Pixels100 × 200/);
    assert.match(figures, /Bytes[\d.]+ k?B, image\/png/);
    assert.match(figures, /Time[\d.]+ m?s/);
    await choose("version", "2");
    assert.equal(await tail(), "pct:0,0,50,50/200,100/!90/gray.png", "version 2 has no ^");
    assert.match(await uri(page), /\/iiif\/2\//);
    assert.match(await page.getAttribute("#save-uri", "href"), /\?response-content-disposition=attachment$/);
    const saved = await page.request.get(new URL(await page.getAttribute("#save-uri", "href"), service.url).href);
    assert.match(saved.headers()["content-disposition"], /^attachment/);
    await answered(page);
    for (const format of ["webp", "gif", "tif"]) {
      const answer = page.waitForResponse((response) => response.url().endsWith(`gray.${format}`));
      await choose("format", format);
      assert.equal((await answer).status(), 200, format);
      await answered(page);
      assert.match(await page.textContent("#figures"), /Pixels100 × 200/, `${format} is measured`);
    }
    assert.match(await page.textContent("#unshown"), /does not show image\/tiff/);
    assert.deepEqual(troubles, []);
  });

  it("shows the service's sentence when the request is refused", async () => {
    const { page } = await open("rocket.jpg");
    await answered(page);
    await page.selectOption("#size", "w");
    await page.fill("#size-w", "900");
    await page.waitForSelector("#refused:not([hidden])");
    const sentence = await page.textContent("#refused");
    assert.ok(sentence.length > 15 && !/[{<]/.test(sentence), sentence);
    assert.match(await page.textContent("#figures"), /Status400/);
    assert.equal(await page.isVisible("#preview"), false);
    await page.locator("#refused").scrollIntoViewIfNeeded();
    await shot(page, "image-refused");
    await page.fill("#size-w", "");
    await page.waitForFunction((old) => document.querySelector("#refused").textContent !== old, sentence);
    await page.selectOption("#size", "max");
    await answered(page);
    assert.equal(await page.isVisible("#refused"), false);
  });

  it("shows that a picture is being made, Esc cancels that, and it can be asked for again", async () => {
    const { page, troubles } = await open("rocket.jpg");
    await answered(page);
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route("**/gray.png", (route) => held.then(() => route.continue()).catch(() => undefined));
    await page.check('input[name="quality"][value="gray"]', { force: true });
    await page.check('input[name="format"][value="png"]', { force: true });
    await page.waitForSelector("#making progress");
    await page.keyboard.press("Escape");
    await page.waitForSelector("#big:not([hidden])");
    assert.match(await page.textContent("#big"), /^Cancelled\./);
    assert.equal(await page.isVisible("#making"), false);
    release();
    await page.click("#fetch");
    await page.waitForFunction(() => document.querySelector("#figures").textContent.includes("image/png"));
    assert.deepEqual(troubles, []);
  });

  it("asks before it fetches a very large picture", async () => {
    const { page, answers } = await open(WALL);
    await answered(page);
    await page.selectOption("#size", "max");
    await page.waitForSelector("#big:not([hidden])");
    assert.match(await page.textContent("#big"), /about \d+ megapixels/);
    assert.ok(!answers.some(({ url }) => url.includes("/full/max/")));
  });

  it("copies the URI, the documents and the snippets", async () => {
    const { page, context } = await open("astronaut.png");
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: service.url });
    await answered(page);
    const copied = async (selector) => {
      await page.evaluate(() => document.querySelector("#status").replaceChildren());
      await page.click(selector);
      await page.waitForFunction(() => document.querySelector("#status").textContent.startsWith("Copied"));
      return page.evaluate(() => navigator.clipboard.readText());
    };
    assert.equal(await copied("#copy-uri"), await uri(page));
    assert.equal(await page.textContent("#copy-uri"), "Copied");
    assert.match(
      await copied("#copy-img"),
      /^<img src="http:\/\/[^"]+\/iiif\/3\/astronaut\.png\/full\/max\/0\/default\.jpg"( width="512" height="512")? alt="astronaut\.png">$/,
    );
    assert.match(await copied("#copy-osd"), /tileSources: \["http:\/\/[^"]+\/iiif\/3\/astronaut\.png\/info\.json"\]/);
    await page.waitForFunction(() => document.querySelector("#info-panel pre").textContent.length > 10);
    assert.equal(JSON.parse(await copied('#info-panel button:text-is("Copy document")')).width, 512);
    assert.match(await copied('#info-panel button:text-is("Copy address")'), /\/iiif\/3\/astronaut\.png\/info\.json$/);
  });

  it("shows the info document of every version, reached by arrow keys", async () => {
    const { page, troubles } = await open(AWKWARD_NAME);
    const tabs = await page.$$eval('[role="tab"]', (all) => all.map((tab) => tab.textContent));
    assert.deepEqual(tabs, ["3", "2", "1.1", "1.0", "1.0 XML"]);
    await page.focus('[role="tab"][aria-selected="true"]');
    for (const [at, label] of tabs.entries()) {
      if (at > 0) await page.keyboard.press("ArrowRight");
      assert.equal(await page.textContent('[role="tab"][aria-selected="true"]'), label);
      await page.waitForFunction(() => document.querySelector("#info-panel pre")?.textContent.length > 10);
      const text = await page.textContent("#info-panel pre");
      const address = await page.getAttribute("#info-panel a", "href");
      if (label.endsWith("XML")) {
        assert.match(address, /^\/iiif\/1\.0\/.*\/info\.xml$/);
        assert.equal(await page.evaluate((xml) => new DOMParser().parseFromString(xml, "text/xml").querySelector("width").textContent, text), "640");
      } else {
        assert.ok(address.startsWith(`/iiif/${label}/`) && address.endsWith("/info.json"), address);
        assert.equal(JSON.parse(text).width, 640);
      }
      assert.equal(await page.isVisible("#info-panel .trouble"), false);
    }
    assert.deepEqual(troubles, []);
  });

  it("links to viewers elsewhere, and says that localhost is out of their reach", async () => {
    const { page } = await open("rocket.jpg");
    const links = Object.fromEntries(await page.$$eval("#elsewhere a", (all) => all.map((link) => [link.textContent, link.href])));
    const info = `${service.url}/iiif/3/rocket.jpg/info.json`;
    assert.equal(new URL(links["Allmaps Editor"]).searchParams.get("url"), info);
    const manifest = JSON.parse(decodeURIComponent(new URL(links["Mirador"]).searchParams.get("iiif-content").replace("data:application/json,", "")));
    assert.equal(`${manifest.items[0].items[0].items[0].body.service[0].id}/info.json`, info);
    assert.equal(await page.isVisible("#local"), true);
  });

  it("says which image is missing, in the service's words, and takes its name as text", async () => {
    const { page } = await watched(browser);
    const name = `<img src=x onerror="document.title='owned'">.jpg`;
    await page.goto(`${service.url}/image?id=${encodeURIComponent(name)}`);
    await page.waitForSelector("#trouble:not([hidden])");
    assert.equal(await page.textContent("#name"), name);
    assert.equal(await page.title(), `${name} · azulejo`);
    assert.ok((await page.textContent("#trouble")).length > 10);
    assert.equal(await page.locator("main img[src]").count(), 0);
    await page.goto(`${service.url}/image`);
    await page.waitForSelector("#trouble:not([hidden])");
    assert.match(await page.textContent("#trouble"), /names none/);
  });

  it("is walked by keyboard through every control, out of the viewer too, each stop with a visible ring", async () => {
    const { page, troubles } = await open("rocket.jpg");
    await page.check('input[name="region"][value="px"]', { force: true });
    await page.evaluate(() => document.activeElement.blur());
    await page.evaluate(() => getSelection().removeAllRanges());
    await page.focus(".skip");
    const stops = await walk(page);
    const seen = stops.map((stop) => stop.name);
    const wanted = [
      "viewer-canvas",
      "zoom-in",
      "zoom-out",
      "zoom-fit",
      "zoom-full",
      "draw",
      "visible",
      "region",
      "px-x",
      "px-y",
      "px-w",
      "px-h",
      "size",
      "upscale",
      "turn",
      "degrees",
      "mirror",
      "quality",
      "format",
      "version",
      "copy-uri",
      "open-uri",
      "save-uri",
      "info-tab-0",
      "info-panel",
      "copy-img",
      "copy-osd",
    ];
    let from = 0;
    for (const name of wanted) {
      const at = seen.indexOf(name, from);
      assert.ok(at >= 0, `${name} comes after ${wanted[wanted.indexOf(name) - 1]} in ${seen.join(" ")}`);
      from = at;
    }
    for (const { name, ring } of stops) assert.ok(ring, `${name} shows its focus`);
    await page.focus("#degrees");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("45");
    assert.match(await uri(page), /\/45\/default\.jpg$/);
    await page.focus("#draw");
    await page.keyboard.press("Enter");
    assert.equal(await page.isVisible("#drawing"), true);
    await page.keyboard.press("Escape");
    assert.equal(await page.evaluate(() => document.activeElement.id), "draw", "focus stays where it was");
    assert.deepEqual(troubles, []);
  });

  it("fits into 360 px, in the dark too, and keeps still when asked to", async () => {
    const { page, troubles } = await open("retina.jpg", { viewport: { width: 360, height: 740 }, colorScheme: "dark", reducedMotion: "reduce" });
    await answered(page);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    assert.equal(await page.evaluate(() => globalThis.OpenSeadragon.getViewer(document.querySelector("#viewer")).animationTime), 0);
    await shot(page, "image-360-dark", { fullPage: true });
    assert.deepEqual(troubles, []);
  });
});
