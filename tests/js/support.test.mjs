// `azulejo/support` without a browser, and in a real one: window, worker, Service Worker, under a policy, and with the better ways taken away.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { launch } from "../browser/browser.mjs";
import { bundle } from "./build.mjs";

const built = await bundle("support");
const { fromAccept, support, supportSync } = await import(built.url);

const FORMATS = ["jxl", "avif", "webp"];
const all = (value, animated) => {
  const features = { lossy: value, lossless: value, alpha: value, animated };
  return { jxl: value, avif: value, webp: value, features: { jxl: features, avif: features, webp: features } };
};
// What JSON makes of it: `undefined` is left out.
const plain = (value) => JSON.parse(JSON.stringify(value));

describe("without a browser", () => {
  test("everything is undefined, and nothing is thrown", async () => {
    assert.equal(supportSync(), undefined);
    const first = await support();
    assert.deepEqual(first, all());
    assert.equal(await support({ signal: new AbortController().signal }), first);
    assert.equal(supportSync(), first);
  });

  test("aborted", async () => {
    await assert.rejects(support({ signal: AbortSignal.abort() }), { name: "AbortError" });
    const controller = new AbortController();
    const fresh = await import(`${built.url}?aborted`);
    const waiting = fresh.support({ signal: controller.signal });
    controller.abort();
    await assert.rejects(waiting, { name: "AbortError" });
    assert.deepEqual(await fresh.support(), all());
  });

  test("Accept headers are a hint only where they name a format", () => {
    const chromium = "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
    assert.deepEqual(fromAccept(chromium), { jxl: true, avif: true, webp: true });
    assert.deepEqual(fromAccept("image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"), { avif: true, webp: true });
    for (const header of ["*/*", "image/*", "", null, undefined, "image/jxlx", "ximage/jxl", "image/jxl;q=0", "image/jxl ; a=b; Q = 0.000"]) assert.deepEqual(fromAccept(header), {}, header);
    for (const header of ["IMAGE/JXL", "text/html , image/jxl;q=0.01", "image/jxl; q=1"]) assert.deepEqual(fromAccept(header), { jxl: true }, header);
  });
});

const FILES = {
  "/support.js": readFileSync(built.file, "utf8"),
  "/window.js": `
    import { support, supportSync } from "./support.js";
    const before = supportSync();
    const began = performance.now();
    const [found, again] = await Promise.all([support(), support()]);
    tell({ found, same: found === again && found === supportSync(), before: before ?? null, time: performance.now() - began, kept: Object.keys(sessionStorage) });
    function tell(value) { document.querySelector("pre").textContent = JSON.stringify(value); }`,
  "/poor.js": `delete globalThis.ImageDecoder; delete globalThis.createImageBitmap;`,
  "/none.js": `ImageDecoder.isTypeSupported = async () => false;`,
  "/strange.js": `delete globalThis.ImageDecoder; globalThis.createImageBitmap = async () => { throw new TypeError("no"); };`,
  "/blind.js": `delete globalThis.ImageDecoder; globalThis.createImageBitmap = async () => { throw new DOMException("no", "InvalidStateError"); };`,
  "/worker.js": `import { support } from "./support.js"; support().then((found) => postMessage({ found }));`,
  "/ask-worker.js": `
    const worker = new Worker("./worker.js", { type: "module" });
    worker.onmessage = ({ data }) => { document.querySelector("pre").textContent = JSON.stringify(data); };`,
  "/sw.js": `
    import { support } from "./support.js";
    oninstall = () => skipWaiting();
    onmessage = (event) => event.waitUntil(support().then((found) => event.source.postMessage({ found })));`,
  "/ask-sw.js": `
    navigator.serviceWorker.onmessage = ({ data }) => { document.querySelector("pre").textContent = JSON.stringify(data); };
    await navigator.serviceWorker.register("./sw.js", { type: "module" });
    (await navigator.serviceWorker.ready).active.postMessage("ask");`,
};

describe("in Chromium", () => {
  let browser, server, origin;

  before(async () => {
    server = createServer((request, response) => {
      const url = new URL(request.url, "http://localhost");
      const [, policy, rest] = /^\/(free|strict)(\/.*)$/.exec(url.pathname) ?? [];
      if (policy === "strict") response.setHeader("content-security-policy", "img-src 'self'; script-src 'self'");
      if (rest === "/") {
        const scripts = url.searchParams.getAll("script").map((name) => `<script type="module" src="./${name}.js"></script>`);
        response.setHeader("content-type", "text/html; charset=utf-8");
        response.end(`<!doctype html><link rel="icon" href="about:blank"><title>support</title><pre></pre>${scripts.join("")}`);
      } else if (rest in FILES) {
        response.setHeader("content-type", "text/javascript; charset=utf-8");
        response.end(FILES[rest]);
      } else {
        response.statusCode = 404;
        response.end();
      }
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${server.address().port}`;
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  /** What the page of these scripts has to tell. */
  const told = async (page, policy, ...scripts) => {
    await page.goto(`${origin}/${policy}/?${scripts.map((name) => `script=${name}`).join("&")}`);
    const text = page.locator("pre:not(:empty)");
    return JSON.parse(await text.textContent({ timeout: 20_000 }));
  };
  const fresh = async (body) => {
    const context = await browser.newContext();
    try {
      return await body(await context.newPage());
    } finally {
      await context.close();
    }
  };
  const ask = (...args) => fresh((page) => told(page, ...args));

  for (const policy of ["free", "strict"]) {
    test(`window, ${policy}`, async (t) => {
      const { found, same, before, time, kept } = await ask(policy, "window");
      t.diagnostic(`${Math.round(time)} ms`);
      assert.deepEqual(found, plain(all(true, true)));
      assert.deepEqual([same, before, kept], [true, null, ["azulejo/support/1"]]);
    });

    test(`dedicated worker, ${policy}`, async () => assert.deepEqual((await ask(policy, "ask-worker")).found, plain(all(true, true))));

    test(`Service Worker, ${policy}: no ImageDecoder there, so animation is not known`, async () => {
      const { found } = await ask(policy, "ask-sw");
      for (const format of FORMATS) {
        const { animated, ...still } = found.features[format];
        assert.deepEqual([found[format], still], [true, { lossy: true, lossless: true, alpha: true }], format);
        assert.notEqual(animated, false);
      }
    });

    test(`what createImageBitmap calls undecodable is not decoded, ${policy}`, async () => {
      assert.deepEqual((await ask(policy, "blind", "window")).found, plain(all(false, false)));
    });

    test(`ImageDecoder's no is enough, ${policy}`, async () => {
      assert.deepEqual((await ask(policy, "none", "window")).found, plain(all(false, false)));
    });
  }

  test("only with <img>", async () => {
    assert.deepEqual((await ask("free", "poor", "window")).found, plain(all(true)));
    assert.deepEqual((await ask("free", "strange", "window")).found, plain(all(true)));
  });

  test("only with <img> that a policy forbids: not known, not kept, and never a false no", async () => {
    const { found, kept } = await ask("strict", "poor", "window");
    assert.deepEqual([found, kept], [plain(all()), []]);
  });

  test("kept for the tab, for the same browser, if it is sound", async () => {
    await fresh(async (page) => {
      const first = await told(page, "free", "window");
      const second = await told(page, "free", "window");
      assert.deepEqual([first.before, second.before, second.found], [null, first.found, first.found]);
      const spoil = (change) => page.evaluate(change);
      for (const change of [
        () => sessionStorage.setItem("azulejo/support/1", "{"),
        () => sessionStorage.setItem("azulejo/support/1", "[]"),
        () => sessionStorage.setItem("azulejo/support/1", JSON.stringify([navigator.userAgent, { jxl: { lossy: "yes" } }])),
        () => sessionStorage.setItem("azulejo/support/1", sessionStorage.getItem("azulejo/support/1").replace("Mozilla", "Other")),
      ]) {
        await spoil(change);
        const { before, found } = await told(page, "free", "window");
        assert.deepEqual([before, found], [null, first.found]);
      }
    });
  });
});

test("the size of the bundle", (t) => {
  t.diagnostic(`azulejo/support: ${built.minified} bytes minified, ${built.brotli} in brotli`);
  assert.ok(built.brotli <= 3000, `${built.brotli} bytes`);
});
