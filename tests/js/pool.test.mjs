// Where images are decoded: a trap costs the call that caused it and no other, in the pool and in the thread; how many workers there are and where they come from.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { launch } from "../browser/browser.mjs";
import { file, rowsOf, sha256 } from "./golden.mjs";
import { site } from "./package.site.mjs";
import { trappingEngine, trappingRequest, trappingSize } from "./trap.mjs";

const entry = at("pkg", "dist", "node", "index.js");
if (!existsSync(entry)) throw new Error(`${entry} is missing: node pkg/package.mjs`);
const { bytesSource, init, open } = await import("azulejo");

const NAME = "retina-pyramid.tif";
const pyramid = rowsOf(NAME).filter(({ request }) => !request.includes("/max/"));
const large = rowsOf(NAME).filter(({ request }) => request === "full/max/0/default.jpg");
const rocket = rowsOf("rocket.jpg").slice(0, 8);
const engine = trappingEngine();

test("in Node: a trap costs one call", async (t) => {
  await init(engine);

  await t.test("the image it was asked of, and others, go on", async () => {
    const image = await open(file("rocket.jpg"));
    const other = await open(file(NAME));
    for (let round = 0; round < 3; round++) {
      await assert.rejects(image.render(trappingRequest), { name: "IiifError", code: "internal", status: 500 });
      assert.deepEqual(await digests(image, rocket), digestsOf(rocket));
      assert.deepEqual(await digests(other, pyramid), digestsOf(pyramid));
    }
    assert.equal(image.info({ id: "a" }).width, 640);
    image.close();
    other.close();
  });

  await t.test("a call that waits for bytes meanwhile is begun anew", async () => {
    let asked;
    let release;
    const waits = new Promise((resolve) => (asked = resolve));
    const released = new Promise((resolve) => (release = resolve));
    const whole = bytesSource(file(NAME));
    let slow = false;
    const image = await open({
      key: "slow",
      async read(offset, length) {
        if (slow) {
          asked();
          await released;
        }
        return whole.read(offset, length);
      },
    });
    slow = true;
    const rendering = digests(image, large);
    await waits;
    const other = await open(file("rocket.jpg"));
    await assert.rejects(other.render(trappingRequest), { code: "internal" });
    release();
    assert.deepEqual(await rendering, digestsOf(large));
    image.close();
    other.close();
  });

  await t.test("so does one in opening", async () => {
    const image = await open(file(NAME));
    await assert.rejects(open(new Uint8Array(trappingSize)), { code: "internal" });
    assert.deepEqual(await digests(image, pyramid), digestsOf(pyramid));
    image.close();
  });

  await t.test("and what was held in the engine that trapped can be closed", async () => {
    const image = await open(file("rocket.jpg"));
    await assert.rejects(image.render(trappingRequest), { code: "internal" });
    image.close();
    await assert.rejects(image.render("full/max/0/default.jpg"), { code: "closed" });
    const again = await open(file("rocket.jpg"));
    assert.deepEqual(await digests(again, rocket), digestsOf(rocket));
    again.close();
  });
});

const digests = (image, rows) => Promise.all(rows.map(async ({ request }) => sha256((await image.render(request)).bytes)));
const digestsOf = (rows) => rows.map(({ digest }) => digest);

const SCRIPT = `
import * as azulejo from "./dist/web/index.js";
const { open } = azulejo;
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const digest = async ({ bytes }) => hex(await crypto.subtle.digest("SHA-256", bytes));
const told = (promise) => promise.then((value) => value, (error) => error.name + " " + error.code + ": " + error.message);
globalThis.azulejo = azulejo;
globalThis.told = told;
globalThis.digests = (image, requests) => Promise.all(requests.map((request) => told(image.render(request).then(digest))));
globalThis.opened = async (name, options) => open(await (await fetch("/files/" + name)).blob(), options);
globalThis.ready = true;
`;

let server;
let browser;
let denied = () => false;
before(async () => {
  const folders = { "/dist/": at("pkg", "dist"), "/files/": at("www", "samples") };
  server = await site(folders, {
    answer(_, response, { pathname, searchParams }) {
      const say = (type, body, headers = {}) => (response.writeHead(200, { "content-type": type, ...headers }).end(body), true);
      if (denied(pathname)) return response.writeHead(404).end(), true;
      const csp = searchParams.get("csp");
      if (pathname === "/") return say("text/html", '<!doctype html><title>azulejo</title><script type="module" src="/script.js"></script>', csp ? { "content-security-policy": csp } : {});
      if (pathname === "/script.js") return say("text/javascript", SCRIPT);
      // Where the package is, so that what is beside the engine is beside it.
      if (pathname === "/dist/trapping.wasm") return say("application/wasm", engine);
      // As a server that does not know the type.
      if (pathname === "/bytes.wasm") return say("text/plain", engine);
      return false;
    },
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** A page with the package, and its workers that live. */
async function page({ csp, without = () => false } = {}) {
  denied = without;
  const page = await browser.newPage();
  // For a machine with much else to do.
  page.setDefaultTimeout(180_000);
  const warnings = [];
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  await page.goto(`${server.origin}/${csp ? `?csp=${encodeURIComponent(csp)}` : ""}`);
  await page.waitForFunction(() => globalThis.ready);
  return { page, warnings };
}

const requestsOf = (rows) => rows.map(({ request }) => request);

test("in a page: a trap costs one call, whatever the others and the other workers do", async () => {
  const { page: tab } = await page();
  const requests = Array.from({ length: 4 }, () => [...requestsOf(pyramid), trappingRequest]).flat();
  const expected = Array.from({ length: 4 }, () => [...digestsOf(pyramid), "IiifError internal: Something went wrong inside azulejo."]).flat();
  const found = await tab.evaluate(
    async ([name, requests, size]) => {
      await azulejo.init(new URL("/dist/trapping.wasm", location.href));
      const image = await opened(name, { threads: 2 });
      const rendered = await digests(image, requests);
      const refused = await told(azulejo.open(new Uint8Array(size), { threads: 2 }));
      // A trap that nobody hears of.
      const control = new AbortController();
      const unheard = image.render(requests.at(-1), { signal: control.signal }).catch((error) => error.name);
      await new Promise((turn) => setTimeout(turn));
      control.abort();
      return { rendered, refused, unheard: await unheard, again: await digests(image, requests) };
    },
    [NAME, requests, trappingSize],
  );
  const { unheard, ...rest } = found;
  assert.deepEqual(rest, { rendered: expected, refused: "IiifError internal: Something went wrong inside azulejo.", again: expected });
  // Whichever came first.
  assert.ok(["AbortError", "IiifError"].includes(unheard), unheard);
  // One that init has started, of the default pool, and two.
  await until(() => tab.workers().length <= 3);
  // The same in the page's thread.
  const inThePage = await tab.evaluate(async ([name, requests]) => digests(await opened(name, { threads: false }), requests), [NAME, requests]);
  assert.deepEqual(inThePage, expected);
  await tab.close();
});

test("init reaches the workers, in every form of a module; without it a missing engine is named, and the next call tries again", async () => {
  const { page: tab } = await page({ without: (path) => path === "/dist/engine.wasm" });
  const missing = await tab.evaluate(async (name) => told(opened(name)), NAME);
  assert.match(missing, /^IiifError engine: .*engine\.wasm.*404.*init\(url\)/);
  const found = await tab.evaluate(
    async ([name, requests]) => {
      const wrong = await told(azulejo.init(new URL("/script.js", location.href)));
      await azulejo.init(fetch("/bytes.wasm"));
      await azulejo.init(await fetch("/dist/trapping.wasm"));
      await azulejo.init(await (await fetch("/dist/trapping.wasm")).arrayBuffer());
      await azulejo.init(await WebAssembly.compileStreaming(fetch("/dist/trapping.wasm")));
      return { wrong, digests: await digests(await opened(name), requests) };
    },
    [NAME, requestsOf(pyramid)],
  );
  assert.match(found.wrong, /^IiifError engine: .*script\.js/);
  assert.deepEqual(found.digests, digestsOf(pyramid));
  assert.ok(tab.workers().length > 0);
  await tab.close();

  const { page: later } = await page({ without: (path) => path === "/dist/engine.wasm" });
  assert.match(await later.evaluate(async (name) => told(opened(name)), NAME), /^IiifError engine: /);
  denied = () => false;
  assert.deepEqual(await later.evaluate(async ([name, requests]) => digests(await opened(name), requests), [NAME, requestsOf(pyramid)]), digestsOf(pyramid));
  await later.close();
});

test("as many workers as are asked for, shared by those that ask for as many", async () => {
  const { page: tab } = await page();
  const render = (threads) =>
    tab.evaluate(
      async ([name, requests, threads]) => {
        const images = await Promise.all([opened(name, { threads }), opened(name, { threads })]);
        const found = await Promise.all(images.map((image) => digests(image, requests)));
        for (const image of images) image.close();
        return found;
      },
      [NAME, requestsOf(pyramid), threads],
    );
  assert.deepEqual(await render(false), [digestsOf(pyramid), digestsOf(pyramid)]);
  assert.equal(tab.workers().length, 0);
  assert.deepEqual(await render(1), [digestsOf(pyramid), digestsOf(pyramid)]);
  assert.equal(tab.workers().length, 1);
  await render(1);
  assert.equal(tab.workers().length, 1);
  await render(3);
  assert.equal(tab.workers().length, 4);
  for (const threads of [0, -1, 1.5, 65, "2", NaN]) {
    assert.match(await tab.evaluate(async ([name, threads]) => told(opened(name, { threads })), [NAME, threads]), /^IiifError invalid-argument: threads is /);
  }
  await tab.evaluate(() => azulejo.terminate());
  await until(() => tab.workers().length === 0);
  await render(1);
  assert.equal(tab.workers().length, 1);
  await tab.close();
});

test("an image goes on after terminate, and in workers of one's own", async () => {
  const { page: tab } = await page();
  const requests = requestsOf(pyramid);
  const found = await tab.evaluate(
    async ([name, requests]) => {
      let made = 0;
      const createWorker = () => {
        made++;
        return new Worker("/dist/web/pool-worker.js", { type: "module" });
      };
      const image = await opened(name, { createWorker, threads: 1 });
      const other = await opened(name, { createWorker, threads: 1 });
      const first = [await digests(image, requests), await digests(other, requests)];
      const madeFirst = made;
      azulejo.terminate();
      const again = await digests(image, requests);
      const byUrl = await digests(await opened(name, { workerUrl: "/dist/web/pool-worker.js" }), requests);
      const both = await told(opened(name, { createWorker, workerUrl: "/dist/web/pool-worker.js" }));
      return { first, madeFirst, again, made, byUrl, both };
    },
    [NAME, requests],
  );
  const expected = digestsOf(pyramid);
  assert.deepEqual([found.first, found.madeFirst, found.again, found.made, found.byUrl], [[expected, expected], 1, expected, 2, expected]);
  assert.match(found.both, /^IiifError invalid-argument: /);
  await tab.close();
});

test("a worker of one's own that cannot be started is an error; the package's own is done without", async () => {
  const { page: tab } = await page();
  assert.match(await tab.evaluate((name) => told(opened(name, { workerUrl: "/nowhere.js" })), NAME), /^IiifError worker: /);
  assert.match(await tab.evaluate((name) => told(opened(name, { workerUrl: "https://" })), NAME), /^IiifError invalid-argument: /);
  const thrown = await tab.evaluate(
    (name) =>
      told(
        opened(name, {
          createWorker: () => {
            throw new Error("not today");
          },
        }),
      ),
    NAME,
  );
  assert.match(thrown, /^IiifError worker: .*not today/);
  await tab.close();

  for (const trouble of [{ without: (path) => path === "/dist/web/pool-worker.js" }, { csp: "worker-src 'none'; script-src 'self' 'wasm-unsafe-eval'" }]) {
    const { page: tab, warnings } = await page(trouble);
    const found = await tab.evaluate(
      async ([name, requests]) => {
        const images = await Promise.all([opened(name), opened(name)]);
        return Promise.all(images.map((image) => digests(image, requests)));
      },
      [NAME, requestsOf(pyramid)],
    );
    assert.deepEqual(found, [digestsOf(pyramid), digestsOf(pyramid)]);
    assert.equal(tab.workers().length, 0);
    assert.equal(warnings.filter((text) => text.startsWith("azulejo decodes in this thread")).length, 1, String(warnings));
    await tab.close();
  }
});

async function until(happens) {
  while (!happens()) await new Promise((wake) => setTimeout(wake, 20));
}
