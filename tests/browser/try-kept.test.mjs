// The demo over time: many files, a plain host, no network at all, and an update.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { launch, leave, shot, watched } from "./browser.mjs";
import { serve } from "./service.mjs";
import { host } from "./static.mjs";
import { SITE, assertShown, drop, made, opened, sample, strip, visit } from "./trying.mjs";
import { zoomThrough } from "./viewing.mjs";

describe("the demo, kept", () => {
  let service;
  let browser;

  before(async () => {
    browser = await launch();
    service = await serve();
  });
  afterEach(() => leave(browser));
  after(async () => {
    await browser?.close();
    await service?.close();
  });

  const open = (path, options) => visit(browser, service, path, options);

  it("opens twenty files one after the other, and closes what nobody looks at", async () => {
    const { page, troubles } = await open();
    const files = Array.from({ length: 20 }, (_, index) => ({ ...sample(index % 2 ? "rocket.jpg" : "retina-pyramid.tif"), name: `${index}.${index % 2 ? "jpg" : "tif"}` }));
    await drop(page, files);
    await opened(page, "0.tif");
    // Those in view have their thumbnails, the others when they come into view.
    await page.evaluate(() => document.querySelector("#strip").scrollTo(1e6, 0));
    await page.focus('#strip [role="tab"][aria-selected="true"]');
    for (let index = 1; index < 20; index++) {
      await page.keyboard.press("ArrowRight");
      await page.waitForFunction((name) => document.querySelector("#name").textContent === name && !document.querySelector("#page").hidden, files[index].name);
    }
    await opened(page, "19.jpg");
    await page.waitForFunction(() => document.querySelectorAll("#strip img").length === 20, undefined, { timeout: 60_000 });
    // The one on the bench and the last three.
    await page.waitForFunction(() => document.querySelectorAll('#strip [data-state="open"]').length <= 4);
    assert.equal((await strip(page)).at(-1), "19.jpg open");
    assert.ok((await strip(page)).filter((text) => text.endsWith("resting")).length >= 16);
    await page.keyboard.press("Home");
    await opened(page, "0.tif");
    await assertShown(page);
    for (let left = 20; left > 0; left--) {
      assert.equal(await page.locator("#strip .cell").count(), left);
      await page.keyboard.press("Delete");
    }
    assert.equal(await page.isVisible("#shelf"), false);
    assert.equal(await page.isVisible("#page"), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), "choose", "focus is not lost");
    assert.deepEqual(troubles, []);
  });

  it("works as plain files in a folder, then without any network, and takes an update", async () => {
    let edition = "";
    const edit = (path, bytes) => (path.endsWith("/sw.js") ? Buffer.concat([bytes, Buffer.from(edition)]) : bytes);
    const statics = await host(SITE, { prefix: "/some/folder/", edit });
    const { page, troubles } = await watched(browser);
    await page.goto(`${statics.url}try.html`);
    await page.waitForFunction(() => document.querySelector("#offline").textContent.includes("works offline"), undefined, { timeout: 60_000 });

    edition = "\n// another one";
    await page.reload();
    await page.waitForSelector("#offline button", { timeout: 60_000 });
    assert.match(await page.textContent("#offline"), /newer version/);
    await Promise.all([page.waitForNavigation(), page.click("#offline button")]);
    await page.waitForFunction(() => document.querySelector("#offline").textContent.includes("works offline"));

    await statics.close();
    await page.reload();
    await drop(page, [sample("rocket.jpg")]);
    await opened(page, "rocket.jpg");
    await zoomThrough(page);
    await page.click("#samples button >> nth=0");
    await opened(page, "retina-pyramid.tif");
    await zoomThrough(page, [[0.5, 0.5]]);
    await assertShown(page);
    // Some formats are in a module of their own, which is loaded when it is first needed: it must have been kept, too.
    for (const format of ["webp", "gif", "tif", "png"]) {
      await page.check(`input[name="format"][value="${format}"]`);
      await made(page, `full/!800,800/0/default.${format}`);
    }
    await shot(page, "try-offline");
    // Without a network, the browser cannot look for a newer Service Worker.
    assert.deepEqual(troubles.filter((trouble) => !/sw\.js/.test(trouble)), []);
  });
});
