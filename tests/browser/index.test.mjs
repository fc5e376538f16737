// The page at /: the bucket's images, seen by a real browser.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { launch, leave, shot, watched } from "./browser.mjs";
import { AWKWARD_NAME, SAMPLES, serve } from "./service.mjs";

describe("the page at /", () => {
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

  const open = async (path = "/", options = {}) => {
    const opened = await watched(browser, options);
    await opened.page.goto(service.url + path);
    await opened.page.waitForSelector("#wall .tile");
    return opened;
  };

  it("lists every image with a thumbnail that loads, without an error", async () => {
    const { page, troubles } = await open();
    const names = await page.$$eval("#wall .name", (all) => all.map((name) => name.textContent));
    for (const name of [...SAMPLES, AWKWARD_NAME]) assert.ok(names.includes(name), `${name} is listed, among ${names.join(", ")}`);
    await loadAll(page);
    const widths = await page.$$eval("#wall .picture img", (all) => all.map((image) => [image.src, image.naturalWidth, image.naturalHeight]));
    assert.equal(widths.length, names.length, "every card holds a picture");
    for (const [src, width, height] of widths) assert.ok(width > 0 && Math.max(width, height) <= 300, `${src} is ${width} × ${height}`);
    await page.waitForFunction(() => [...document.querySelectorAll("#wall .facts")].every((facts) => facts.textContent.includes("×")));
    await page.evaluate(() => scrollTo(0, 0));
    await shot(page, "index");
    assert.deepEqual(troubles, []);
  });

  it("tells dimensions from the info documents", async () => {
    const { page } = await open();
    await page.waitForFunction(() => document.querySelector('a[title="rocket.jpg"] .facts')?.textContent.startsWith("640 × 427"));
  });

  it("filters by a part of the name, keeps the filter in the address, and says how many match", async () => {
    const { page, troubles } = await open();
    await page.fill("#filter", "ROCKET");
    await page.waitForFunction(() => document.querySelectorAll("#wall .tile").length === 1);
    assert.match(await page.textContent("#summary"), /^1 of \d+ images has ROCKET in the name$/);
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll("#wall .tile").length === 1);
    assert.equal(await page.inputValue("#filter"), "ROCKET");
    await page.fill("#filter", "no such name");
    await page.waitForFunction(() => document.querySelectorAll("#wall .tile").length === 0);
    assert.match(await page.textContent("#summary"), /^0 of/);
    await page.fill("#filter", "");
    await page.waitForFunction((count) => document.querySelectorAll("#wall .tile").length >= count, SAMPLES.length);
    assert.equal(new URL(page.url()).search, "");
    assert.deepEqual(troubles, []);
  });

  it("pages through a long listing by its cursor", async () => {
    const { page, troubles } = await watched(browser);
    const asked = [];
    await page.route("**/images.json?*", async (route) => {
      const url = new URL(route.request().url());
      asked.push(url.search);
      url.searchParams.set("limit", "2");
      await route.continue({ url: url.href });
    });
    await page.goto(service.url);
    await page.waitForSelector("#wall .tile");
    assert.match(await page.textContent("#summary"), /^2 images so far/);
    for (let clicks = 0; (await page.isVisible("#more")) && clicks < 20; clicks += 1) {
      const before = await page.locator("#wall .tile").count();
      await page.click("#more");
      await page.waitForFunction((count) => document.querySelectorAll("#wall .tile").length > count || document.querySelector("#more").hidden, before);
    }
    const names = await page.$$eval("#wall .name", (all) => all.map((name) => name.textContent));
    for (const name of SAMPLES) assert.ok(names.includes(name), `${name} came with a later page`);
    assert.equal(new Set(names).size, names.length, "no image twice");
    assert.ok(
      asked.slice(1).every((search) => search.includes("cursor=")),
      asked.join(" "),
    );
    assert.deepEqual(troubles, []);
  });

  it("looks a name up in the whole bucket when it is not loaded yet", async () => {
    const { page } = await watched(browser);
    await page.route("**/images.json?*", async (route) => {
      const url = new URL(route.request().url());
      if (!url.searchParams.has("prefix")) url.searchParams.set("limit", "1");
      await route.continue({ url: url.href });
    });
    await page.goto(service.url);
    await page.waitForSelector("#wall .tile");
    await page.fill("#filter", "rocket");
    await page.waitForSelector('#wall a[title="rocket.jpg"]');
  });

  it("tells how to fill an empty bucket", async () => {
    const { page, troubles } = await watched(browser);
    await page.route("**/images.json?*", async (route) => {
      const answer = await (await route.fetch()).json();
      await route.fulfill({ json: { ...answer, images: [], cursor: null } });
    });
    await page.goto(service.url);
    await page.waitForSelector("#empty:not([hidden])");
    assert.match(await page.textContent("#empty"), /npm run add -- FILE/);
    assert.equal(await page.isVisible("#filter"), false);
    await shot(page, "index-empty");
    assert.deepEqual(troubles, []);
  });

  it("shows the service's sentence in place of a picture that is refused", async () => {
    const { page } = await watched(browser);
    await page.route("**/images.json?*", async (route) => {
      const answer = await (await route.fetch()).json();
      const missing = { id: "gone.jpg", name: "gone.jpg", bytes: 1234, uploaded: "2026-01-01T00:00:00Z" };
      await route.fulfill({ json: { ...answer, images: [missing], cursor: null } });
    });
    await page.goto(service.url);
    await page.waitForFunction(() => (document.querySelector("#wall .reason")?.textContent ?? "") !== "");
    const reason = await page.textContent("#wall .reason");
    assert.ok(reason && reason.length > 10 && !reason.includes("{"), `a sentence: ${reason}`);
    assert.equal(await page.locator("#wall img").count(), 0, "no broken icon");
  });

  it("takes names as text, never as markup", async () => {
    const { page } = await watched(browser);
    const name = `<img src=x onerror="document.title='owned'">/"><b>&amp;.jpg`;
    await page.route("**/images.json?*", async (route) => {
      const answer = await (await route.fetch()).json();
      await route.fulfill({ json: { ...answer, images: [{ id: encodeURIComponent(name), name, bytes: 1, uploaded: "2026-01-01T00:00:00Z" }], cursor: null } });
    });
    await page.goto(service.url);
    await page.waitForSelector("#wall .tile");
    assert.equal(await page.textContent("#wall .name"), name);
    assert.equal(await page.locator("#wall b").count(), 0);
    assert.equal(new URL(await page.getAttribute("#wall a", "href"), service.url).searchParams.get("id"), name);
    assert.equal(await page.title(), "azulejo");
  });

  it("is walked by keyboard, each stop with a visible ring", async () => {
    const { page } = await open();
    const stops = await walk(page);
    assert.equal(stops[0]?.text, "Skip to the content");
    assert.ok(stops.some(({ id }) => id === "filter"));
    assert.ok(stops.filter(({ href }) => href?.startsWith("/image?id=")).length >= SAMPLES.length);
    for (const stop of stops) assert.notEqual(stop.outline, "none", `${stop.id || stop.text} shows its focus`);
  });

  it("fits into 360 px, in the dark too", async () => {
    const { page } = await open("/", { viewport: { width: 360, height: 740 }, colorScheme: "dark" });
    await loadAll(page);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await page.evaluate(() => scrollTo(0, 0));
    await shot(page, "index-360-dark");
  });
});

/** Scrolls to the end so that every lazy picture is asked for, and waits for all of them. */
async function loadAll(page) {
  await page.evaluate(async () => {
    for (const card of document.querySelectorAll("#wall .tile")) {
      card.scrollIntoView();
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });
  await page.waitForFunction(() => [...document.querySelectorAll("#wall .picture")].every((picture) => picture.matches(".loaded, .broken")), undefined, {
    timeout: 60_000,
  });
}

/** Presses Tab through the page and tells where it stopped. */
async function walk(page) {
  const stops = [];
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const at = document.activeElement;
      return at === null || at === document.body
        ? null
        : { id: at.id, text: at.textContent.trim(), href: at.getAttribute("href"), outline: getComputedStyle(at).outlineStyle };
    });
    if (!stop) break;
    stops.push(stop);
  }
  return stops;
}
