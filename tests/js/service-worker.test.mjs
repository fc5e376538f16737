// `azulejo/service-worker` in Chromium: local files, remote ones and services of level 0 answered for by a Service Worker; stopped, left by its pages, aborted, and under content security policies.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { deflateSync } from "node:zlib";
import { at } from "../../pkg/lib.mjs";
import { launch, watched } from "../browser/browser.mjs";
import { tiff } from "../generate/tiff.mjs";
import { bundle } from "./build.mjs";
import { PAGE, site } from "./site.mjs";

const native = await import("azulejo");
const { tilesOf } = await import("azulejo/request");
const rocket = new Uint8Array(readFileSync(at("www", "samples", "rocket.jpg")));

/** A Service Worker's script that also tells which one it is, and what the test has it note. */
const script = (body) => `
import { blobSource, httpSource, level0Source, kept, serve } from "/dist/web/service-worker.js";
const own = Math.random();
const notes = [];
addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  if (pathname === "/whoami") event.respondWith(new Response(String(own)));
  if (pathname === "/notes") event.respondWith(Response.json(notes));
});
${body}`;

const SCRIPTS = {
  "/kept.js": script("serve();"),
  "/two.js": script("serve({ prefix: '/iiif/', versions: ['2'], cache: { images: 2 } });"),
  "/classic.js": 'importScripts("/dist/service-worker.classic.js"); azulejo.serve({ engine: "/dist/engine.wasm" });',
  "/resolving.js": script(`
    const { origin } = location;
    serve({
      settings: { jpegQuality: 50 },
      onError: (error) => notes.push(error.code),
      async resolve(identifier, request) {
        notes.push("resolve " + identifier);
        if (identifier === "url") return "/samples/rocket.jpg";
        if (identifier === "URL") return new URL("/samples/rocket.jpg", origin);
        if (identifier === "bytes") return new Uint8Array(await (await fetch("/samples/rocket.jpg")).arrayBuffer());
        if (identifier === "blob") return (await fetch("/samples/rocket.jpg")).blob();
        if (identifier === "source") return httpSource(origin + "/samples/rocket.jpg");
        if (identifier === "level0") return level0Source(origin + "/zero/info.json");
        if (identifier === "network") return fetch(request);
        if (identifier === "text") return "/kept.js";
        if (identifier === "gone") return "/samples/gone.jpg";
        if (identifier === "cors") return "http://127.0.0.1:1/closed.jpg";
        if (identifier === "throws") throw new Error("a mistake in resolve");
        return null;
      },
    });`),
  "/pages.js": script(`
    serve({
      resolve(identifier) {
        notes.push(identifier);
        return { "book.tif": "/book.tif", "odd;2": "/samples/rocket.jpg" }[identifier] ?? null;
      },
    });`),
  "/allpages.js": script(`serve({ resolve: (identifier) => new URL("/files/" + identifier, location.origin) });`),
  "/nopages.js": script(`serve({ pages: false, resolve: (identifier) => (identifier === "book.tif;2" ? "/samples/rocket.jpg" : "/book.tif") });`),
  "/elsewhere.js": script(`serve({ prefix: "https://images.invalid/iiif/{version}/", resolve: (identifier) => (identifier === "rocket" ? "/samples/rocket.jpg" : null) });`),
  "/slow.js": script(`
    const { read } = httpSource(location.origin + "/samples/rocket.jpg");
    serve({
      resolve: () => ({
        key: "slow",
        read(offset, length, { signal } = {}) {
          // The headers come; the pixels do not.
          if (length <= 16 << 10) return read(offset, length, {});
          notes.push("read");
          return new Promise((_, reject) => signal.addEventListener("abort", () => { notes.push("aborted"); reject(signal.reason); }));
        },
      }),
    });`),
};

/** Uses something of every entry; statically imported, as Service Workers know nothing else. */
const ENTRIES = `
import * as core from "/dist/web/index.js";
import { tileSource } from "/dist/web/openseadragon.js";
import { format, parse, tilesOf } from "/dist/web/request.js";
import { forget, keep, kept } from "/dist/web/service-worker.js";
import { fromAccept, support } from "/dist/web/support.js";
import { createHandler } from "/dist/web/worker.js";
export async function use() {
  const bytes = new Uint8Array(await (await fetch("/samples/rocket.jpg")).arrayBuffer());
  const image = await core.open(bytes);
  const bitmap = await image.bitmap("full/100,/0/default.jpg");
  const stitched = await core.open(core.level0Source(location.origin + "/zero/info.json"));
  const handler = createHandler({ resolve: () => core.bytesSource(bytes), cache: false });
  const answer = await handler.fetch(new Request(location.origin + "/iiif/3/x/full/80,/0/default.png"), {}, { waitUntil() {} });
  const identifier = await keep(new Blob([bytes]));
  const found = {
    "azulejo": [bitmap.width, (await core.probe(bytes)).format, stitched.width, (await stitched.render("9,9,300,300/90,/0/default.png")).width],
    "azulejo/openseadragon": tileSource(image).maxLevel,
    "azulejo/request": [format(parse("full/max/0/default.jpg")), [...tilesOf(image.info({ id: "https://example.org/a" }))].length],
    "azulejo/service-worker": (await kept(identifier)).file.size === bytes.length,
    "azulejo/support": [(await support()).webp, fromAccept("image/webp").webp],
    "azulejo/worker": [answer.status, answer.headers.get("content-type")],
  };
  await forget(identifier);
  for (const open of [image, stitched]) open.close();
  return found;
}
`;

let server;
let browser;
before(async () => {
  SCRIPTS["/entries.js"] = ENTRIES;
  SCRIPTS["/worker.js"] = 'import { use } from "/entries.js"; use().then(postMessage, (error) => postMessage(error.stack));';
  SCRIPTS["/using.js"] = `
    import { use } from "/entries.js";
    import { serve } from "/dist/web/service-worker.js";
    addEventListener("fetch", (event) => {
      if (event.request.url.endsWith("/use")) event.respondWith(use().then(Response.json, (error) => new Response(error.stack, { status: 500 })));
    });
    serve();`;
  const pages = [10, 120, 230].map((value, index) => ({ width: 500 - index, height: 400, tiles: [deflateSync(Buffer.alloc(512 * 512 * 3, value))], page: true }));
  server = await site({ "/": PAGE, "/folder/": PAGE, "/book.tif": tiff(pages), "/files/book.tif": tiff(pages), "/files/book.tif;7": rocket, ...SCRIPTS });
  const info = {
    "@context": "http://iiif.io/api/image/2/context.json",
    "@id": `${server.origin}/zero`,
    protocol: "http://iiif.io/api/image",
    profile: ["http://iiif.io/api/image/2/level0.json"],
    width: 640,
    height: 427,
    tiles: [{ width: 256, scaleFactors: [1, 2, 4] }],
  };
  const image = await native.open(rocket);
  server.routes["/zero/info.json"] = JSON.stringify(info);
  for (const { path } of tilesOf(info)) server.routes[`/zero/${path}`] = (await image.render(path, { version: "2" })).bytes;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server.close();
});

/** A page in a storage of its own, with a Service Worker; its troubles but for those that are expected must be none. */
async function withPage(name, work, { expected = [], connect = true } = {}) {
  const { page, context, troubles } = await watched(browser);
  await page.goto(`${server.origin}/`);
  await begin(page, name, connect);
  await work(page, context);
  assert.deepEqual(troubles.filter((trouble) => !expected.some((pattern) => pattern.test(trouble))), []);
  await context.close();
}

/** Registers, and has some helpers at hand. */
const begin = (page, name, connect = true) =>
  page.evaluate(
    async ([name, connect]) => {
      const azulejo = await import("/dist/web/service-worker.js");
      globalThis.connection = await azulejo.register(name, { type: name === "/classic.js" ? "classic" : "module", ...(!connect && { threads: false }) });
      globalThis.azulejo = azulejo;
      globalThis.sample = async (name) => (await fetch(`/samples/${name}`)).blob();
      globalThis.ask = async (path, init) => {
        const response = await fetch(path, init);
        const bytes = new Uint8Array(await response.arrayBuffer());
        const hash = [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        return { status: response.status, type: response.headers.get("content-type"), etag: response.headers.get("etag"), text: bytes.length < 5000 ? new TextDecoder().decode(bytes) : "", hash };
      };
    },
    [name, connect],
  );

const sha256 = async (bytes) => Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
const stop = async (page, context) => {
  const session = await context.newCDPSession(page);
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.stopAllWorkers");
  await session.detach();
};

/** What is asked of the rocket, and the hash of the native answer. */
const REQUESTS = ["full/max/0/default.jpg", "100,100,256,256/128,128/90/gray.png", "square/100,/!22.5/default.webp", "pct:10,20,30,40/max/0/bitonal.tif"];
const expected = new Map();
before(async () => {
  const image = await native.open(rocket);
  for (const request of REQUESTS) expected.set(request, await sha256((await image.render(request)).bytes));
});

for (const name of ["/kept.js", "/classic.js"]) {
  for (const connect of [true, false]) {
    test(`${name.slice(1, -3)}: a local file in every version, byte for byte, decoded ${connect ? "by the page's workers" : "within the Service Worker"}`, async () => {
      server.hits.length = 0;
      await withPage(
        name,
        async (page) => {
          const identifier = await page.evaluate(async () => azulejo.keep(await sample("rocket.jpg")));
          const answers = await page.evaluate(([identifier, requests]) => Promise.all(requests.map((request) => ask(`/iiif/3/${identifier}/${request}`))), [identifier, REQUESTS]);
          assert.deepEqual(answers.map(({ status, hash }) => [status, hash]), REQUESTS.map((request) => [200, expected.get(request)]));
          for (const [version, quality, profile] of [["1.0", "native", "level2"], ["1.1", "native", "level2"], ["2", "default", "level2"], ["3", "default", "level2"]]) {
            const base = `${server.origin}/iiif/${version}/${identifier}`;
            const info = JSON.parse((await page.evaluate((url) => ask(url), `${base}/info.json`)).text);
            assert.deepEqual([info.id ?? info["@id"] ?? info.identifier, info.width, info.height], [version === "1.0" ? identifier : base, 640, 427]);
            assert.ok(String(info.profile).includes(profile), info.profile);
            assert.equal((await page.evaluate((url) => ask(url), `${base}/full/100,/0/${quality}.jpg`)).type, "image/jpeg");
          }
          assert.equal(server.hits.filter((path) => path.startsWith("/iiif/")).length, 0);
          assert.equal(server.hits.includes("/dist/web/pool-worker.js"), connect);
        },
        { connect },
      );
    });
  }
}

test("an <img> and a canvas show it, untainted; with an etag it is asked for once", async () => {
  await withPage("/kept.js", async (page) => {
    const found = await page.evaluate(async () => {
      const identifier = await azulejo.keep(await sample("rocket.jpg"), { identifier: "a name/with ümläut & more" });
      const base = `/iiif/2/${encodeURIComponent(identifier)}`;
      const image = new Image();
      image.src = `${base}/0,0,200,100/200,/0/default.png`;
      await image.decode();
      const context = new OffscreenCanvas(200, 100).getContext("2d");
      context.drawImage(image, 0, 0);
      const { etag } = await ask(`${base}/full/90,/0/default.jpg`);
      const again = await ask(`${base}/full/90,/0/default.jpg`, { headers: { "if-none-match": etag } });
      return [image.naturalWidth, context.getImageData(0, 0, 1, 1).data[3], again.status];
    });
    assert.deepEqual(found, [200, 255, 304]);
  });
});

test("a Service Worker that was stopped finds its files and its pages again", async () => {
  for (const connect of [true, false]) {
    await withPage(
      "/kept.js",
      async (page, context) => {
        const identifier = await page.evaluate(async () => azulejo.keep(await sample("rocket.jpg")));
        const both = () => page.evaluate(async (path) => [(await ask("/whoami")).text, (await ask(path)).hash], `/iiif/3/${identifier}/${REQUESTS[1]}`);
        const [first, found] = await both();
        assert.equal(found, expected.get(REQUESTS[1]));
        server.hits.length = 0;
        await stop(page, context);
        const [second, again] = await both();
        assert.notEqual(second, first);
        assert.equal(again, found);
        // The page's workers hold what the one that is gone had opened: they are others now.
        assert.equal(server.hits.includes("/dist/web/pool-worker.js"), connect);
      },
      { connect },
    );
  }
});

test("files are kept under the names they are given, listed, replaced and forgotten", async () => {
  await withPage(
    "/two.js",
    async (page) => {
      const found = await page.evaluate(async () => {
        const { allKept, forget, keep } = azulejo;
        const width = async () => JSON.parse((await ask("/iiif/picture/info.json")).text || "{}").width;
        const file = new File([await sample("rocket.jpg")], "rocket.jpg");
        const names = [await keep(file, { identifier: "picture" })];
        const widths = [await width()];
        await keep(await sample("astronaut.png"), { identifier: "picture" });
        widths.push(await width());
        const listed = (await allKept()).map(({ identifier, name, file }) => [identifier, name, file.type]);
        await forget("picture");
        const { status } = await ask("/iiif/picture/info.json");
        const wrong = await keep("a text").catch(({ code }) => code);
        return { names, widths, listed, status, wrong, unfamiliar: await azulejo.permit("nothing") };
      });
      assert.deepEqual(found, { names: ["picture"], widths: [640, 512], listed: [["picture", undefined, "image/png"]], status: 404, wrong: "invalid-argument", unfamiliar: false });
    },
    { expected: [/404/] },
  );
});

test("a handle is kept without a copy: what is written to its file is what is shown", async () => {
  await withPage(
    "/kept.js",
    async (page) => {
      const found = await page.evaluate(async () => {
        const folder = await navigator.storage.getDirectory();
        const write = async (name) => {
          const handle = await folder.getFileHandle("picture", { create: true });
          const stream = await handle.createWritable();
          await stream.write(await sample(name));
          await stream.close();
          return handle;
        };
        const identifier = await azulejo.keep(await write("rocket.jpg"));
        const show = async () => {
          const image = new Image();
          image.src = `/iiif/3/${identifier}/full/max/0/default.png?${Math.random()}`;
          await image.decode();
          return image.naturalWidth;
        };
        const widths = [await show()];
        await write("astronaut.png");
        widths.push(await show());
        const allowed = await azulejo.permit(identifier);
        await folder.removeEntry("picture");
        azulejo.forget("another");
        return { widths, allowed };
      });
      assert.deepEqual(found, { widths: [640, 512], allowed: true });
    },
  );
});

test("whatever `resolve` gives: URLs, bytes, Blobs, sources, services of level 0, answers; and its mistakes", async () => {
  const errors = [/40[045]/, /50[0-9]/];
  await withPage(
    "/resolving.js",
    async (page) => {
      const image = await native.open(rocket, { settings: { jpegQuality: 50 } });
      const hash = await sha256((await image.render("100,100,200,200/max/0/default.jpg")).bytes);
      for (const identifier of ["url", "URL", "bytes", "blob", "source"]) {
        const answer = await page.evaluate((identifier) => ask(`/iiif/3/${identifier}/100,100,200,200/max/0/default.jpg`), identifier);
        assert.deepEqual([answer.status, answer.hash], [200, hash], identifier);
      }
      const stitched = await page.evaluate(() => ask("/iiif/3/level0/150,150,300,200/max/90/gray.png"));
      assert.deepEqual([stitched.status, stitched.type], [200, "image/png"]);
      assert.equal((await page.evaluate(() => ask("/iiif/3/level0/0,0,256,256/256,256/0/default.jpg"))).hash, await sha256(server.routes["/zero/0,0,256,256/256,/0/default.jpg"]));
      server.routes["/iiif/3/network/info.json"] = '{"of":"the network"}';
      assert.equal((await page.evaluate(() => ask("/iiif/3/network/info.json"))).text, '{"of":"the network"}');

      const FAULTS = { unknown: 404, gone: 404, text: 501, cors: 503, throws: 500 };
      for (const [identifier, status] of Object.entries(FAULTS)) assert.equal((await page.evaluate((path) => ask(path), `/iiif/3/${identifier}/full/max/0/default.jpg`)).status, status, identifier);
      for (const request of ["full/max/0/default", "9999,0,1,1/max/0/default.jpg", "full/max/0/default.bmp"]) assert.equal((await page.evaluate((path) => ask(path), `/iiif/3/url/${request}`)).status, 400);
      assert.equal((await page.evaluate(() => ask("/iiif/3/url/info.json", { method: "POST" }))).status, 405);
      const notes = JSON.parse((await page.evaluate(() => ask("/notes"))).text);
      assert.deepEqual(notes.filter((note) => !note.startsWith("resolve")).sort(), ["internal", "source-unreachable", "source-unsupported"]);
      // Asked when an image is opened, not for each of its answers.
      assert.equal(notes.filter((note) => note === "resolve url").length, 1);
    },
    { expected: errors },
  );
});

test("the pages of a document, by `resolve` and of what is kept", async () => {
  const expected = [/404/];
  const told = (page, names) =>
    page.evaluate(async (names) => {
      const answers = [];
      for (const name of names) {
        const { status, text } = await ask(`/iiif/3/${name}/info.json`);
        const { width, pages } = status === 200 ? JSON.parse(text) : {};
        answers.push([status, width, pages]);
      }
      return answers;
    }, names);
  await withPage(
    "/pages.js",
    async (page) => {
      const names = ["book.tif", "book.tif;2", "book.tif;3", "book.tif%3B2", "book.tif;4", "odd;2", "odd;3", "..;2"];
      const three = [500, 499, 498, 499].map((width) => [200, width, 3]);
      assert.deepEqual(await told(page, names), [...three, [404, undefined, undefined], [200, 640, undefined], [404, undefined, undefined], [404, undefined, undefined]]);
      const answer = await page.evaluate(async () => {
        const colours = [];
        for (const name of ["book.tif", "book.tif;3"]) {
          const image = new Image();
          image.src = `/iiif/3/${name}/9,9,9,9/max/0/default.png`;
          await image.decode();
          const context = new OffscreenCanvas(1, 1).getContext("2d");
          context.drawImage(image, 0, 0);
          colours.push(context.getImageData(0, 0, 1, 1).data[0]);
        }
        return { colours, links: (await fetch("/iiif/3/book.tif;2/info.json")).headers.get("link") };
      });
      assert.deepEqual(answer.colours, [10, 230]);
      for (const [name, relation] of [["book.tif", "prev"], ["book.tif%3B3", "next"]]) assert.ok(answer.links.includes(`/iiif/3/${name}/info.json>;rel="${relation}"`), answer.links);
      // Once for each page that is opened, and for what is not there.
      const notes = JSON.parse((await page.evaluate(() => ask("/notes"))).text);
      assert.deepEqual(notes.filter((name) => name === "book.tif").length, 4);
    },
    { expected },
  );
  // A URL is no word on whether there is anything.
  await withPage(
    "/allpages.js",
    async (page) => {
      assert.deepEqual(await told(page, ["book.tif;3", "book.tif;7"]), [[200, 498, 3], [200, 640, undefined]]);
      const { status, text } = await page.evaluate(() => ask("/iiif/3/book.tif;4/info.json"));
      assert.equal(status, 404);
      assert.match(text, /no page 4: the image has 3/);
    },
    { expected },
  );
  await withPage("/nopages.js", async (page) => assert.deepEqual(await told(page, ["book.tif;2", "book.tif;3"]), [[200, 640, undefined], [200, 500, 3]]));
  await withPage(
    "/kept.js",
    async (page) => {
      await page.evaluate(async () => azulejo.keep(await (await fetch("/book.tif")).blob(), { identifier: "book" }));
      assert.deepEqual(await told(page, ["book;2", "book"]), [[200, 499, 3], [200, 500, 3]]);
      await page.evaluate(async () => azulejo.keep(await sample("rocket.jpg"), { identifier: "book" }));
      assert.deepEqual(await told(page, ["book;2", "book"]), [[404, undefined, undefined], [200, 640, undefined]]);
      await page.evaluate(() => azulejo.forget("book"));
      assert.deepEqual(await told(page, ["book;2", "book"]), [[404, undefined, undefined], [404, undefined, undefined]]);
    },
    { expected },
  );
});

test("a URL of another site as the prefix: its images come from here, and nobody else's", async () => {
  await withPage(
    "/elsewhere.js",
    async (page) => {
      const found = await page.evaluate(async () => {
        const info = await (await fetch("https://images.invalid/iiif/3/rocket/info.json")).json();
        const image = new Image();
        image.crossOrigin = "anonymous";
        image.src = `${info.id}/full/100,/0/default.jpg`;
        await image.decode();
        const context = new OffscreenCanvas(9, 9).getContext("2d");
        context.drawImage(image, 0, 0);
        const plain = new Image();
        plain.src = `${info.id}/full/90,/0/default.jpg`;
        await plain.decode();
        const path = new URL(info.id).pathname;
        return { id: info.id, widths: [image.naturalWidth, plain.naturalWidth], alpha: context.getImageData(0, 0, 1, 1).data[3], here: (await fetch(`${path}/info.json`)).status };
      });
      assert.deepEqual(found, { id: "https://images.invalid/iiif/3/rocket", widths: [100, 90], alpha: 255, here: 404 });
    },
    { expected: [/404/] },
  );
});

test("what is not under the prefix is left untouched", async () => {
  await withPage(
    "/resolving.js",
    async (page) => {
      server.hits.length = 0;
      const kinds = await page.evaluate(async () => {
        const found = {};
        for (const path of ["/", "/samples/rocket.jpg", "/iiif", "/iiif/4/url/info.json", "/iiifs/3/url/info.json", "/x/iiif/3/url/info.json"]) found[path] = (await fetch(path)).status;
        return found;
      });
      assert.deepEqual(kinds, { "/": 200, "/samples/rocket.jpg": 200, "/iiif": 404, "/iiif/4/url/info.json": 404, "/iiifs/3/url/info.json": 404, "/x/iiif/3/url/info.json": 404 });
      assert.deepEqual(server.hits, Object.keys(kinds));
      const [direct] = await Promise.all([page.waitForResponse((response) => response.url().endsWith("/samples/retina.jpg")), page.evaluate(() => fetch("/samples/retina.jpg").then(() => undefined))]);
      assert.equal(direct.fromServiceWorker(), false);
    },
    { expected: [/404/] },
  );
});

test("an aborted request ends what was done for it", async () => {
  await withPage(
    "/slow.js",
    async (page) => {
      const found = await page.evaluate(async () => {
        const until = async (note, count) => {
          for (let notes = []; notes.filter((each) => each === note).length < count; ) notes = JSON.parse((await ask("/notes")).text);
        };
        const control = new AbortController();
        const asked = fetch("/iiif/3/x/full/max/0/default.jpg", { signal: control.signal }).then((response) => response.blob()).catch(({ name }) => name);
        await until("read", 1);
        control.abort();
        await until("aborted", 1);
        const image = new Image();
        image.src = "/iiif/3/x/full/90,/0/default.jpg";
        await until("read", 2);
        image.src = "";
        await until("aborted", 2);
        // One of two that ask for the same goes away: the other still gets it, or would.
        const [first, second] = [new AbortController(), new AbortController()];
        const both = [first, second].map(({ signal }) => fetch("/iiif/3/x/full/80,/0/default.jpg", { signal }).then((response) => response.blob()).catch(({ name }) => name));
        await until("read", 3);
        first.abort();
        await both[0];
        await ask("/iiif/3/x/info.json");
        const { length } = JSON.parse((await ask("/notes")).text);
        second.abort();
        await until("aborted", 3);
        return { asked: await asked, both: await Promise.all(both), length };
      });
      assert.deepEqual(found, { asked: "AbortError", both: ["AbortError", "AbortError"], length: 5 });
    },
  );
});

/** A page that lends workers which take what they are asked and never answer, once they have started. */
const lendDeaf = (page) =>
  page.evaluate(async () => {
    const { connect } = await import("/dist/web/service-worker.js");
    globalThis.heard = 0;
    const body = `
      onmessage = ({ ports: [port] }) => {
        port.onmessage = ({ data: { id, ask } }) => {
          if (ask.ask === "start") port.postMessage({ id, value: undefined });
          else postMessage("heard");
        };
      };`;
    const url = URL.createObjectURL(new Blob([body], { type: "text/javascript" }));
    globalThis.deaf = connect({
      threads: 1,
      createWorker() {
        const worker = new Worker(url);
        worker.addEventListener("message", () => globalThis.heard++);
        return worker;
      },
    });
  });

const ENDINGS = {
  "is closed": (page) => page.close(),
  "goes elsewhere": (page) => page.goto("about:blank"),
  "takes its workers back": (page) => page.evaluate(() => deaf.close()),
};
for (const [how, end] of Object.entries(ENDINGS)) {
  test(`a page that ${how} while it decodes: what it had begun is done elsewhere`, async () => {
    await withPage(
      "/kept.js",
      async (page, context) => {
        const identifier = await page.evaluate(async () => azulejo.keep(await sample("rocket.jpg")));
        await stop(page, context);
        const lender = await context.newPage();
        await lender.goto(`${server.origin}/`);
        await lendDeaf(lender);
        const paths = REQUESTS.map((request) => `/iiif/3/${identifier}/${request}`);
        const answers = page.evaluate((paths) => Promise.all(paths.map((path) => ask(path))), paths);
        // It has taken the first.
        await lender.waitForFunction(() => heard > 0);
        const ending = end(lender, context);
        assert.deepEqual((await answers).map(({ status, hash }) => [status, hash]), REQUESTS.map((request) => [200, expected.get(request)]));
        await ending;
      },
      { connect: false },
    );
  });
}

test("a page whose workers cannot run: it is done without them", async () => {
  await withPage(
    "/kept.js",
    async (page, context) => {
      const identifier = await page.evaluate(async () => azulejo.keep(await sample("rocket.jpg")));
      const lender = await context.newPage();
      await lender.goto(`${server.origin}/`);
      await lender.evaluate(async () => (await import("/dist/web/service-worker.js")).connect({ threads: 1, workerUrl: "/nowhere.js" }));
      assert.equal((await page.evaluate((path) => ask(path), `/iiif/3/${identifier}/${REQUESTS[0]}`)).hash, expected.get(REQUESTS[0]));
    },
    { connect: false },
  );
});

test("a page that was reloaded without Service Workers is taken over again", async () => {
  await withPage("/kept.js", async (page, context) => {
    const identifier = await page.evaluate(async () => azulejo.keep(await sample("rocket.jpg")));
    const session = await context.newCDPSession(page);
    const loaded = page.waitForEvent("load");
    await session.send("Page.reload", { ignoreCache: true });
    await loaded;
    assert.equal(await page.evaluate(() => navigator.serviceWorker.controller), null);
    await begin(page, "/kept.js");
    assert.equal((await page.evaluate((path) => ask(path), `/iiif/3/${identifier}/${REQUESTS[0]}`)).hash, expected.get(REQUESTS[0]));
  });
});

test("what cannot be registered says why", async () => {
  const { page, context } = await watched(browser);
  await page.goto(`${server.origin}/`);
  const register = (...args) =>
    page.evaluate(async ([script, options]) => {
      const { register } = await import("/dist/web/service-worker.js");
      return register(script, options).then(
        () => "registered",
        ({ name, code, message }) => `${name} ${code}: ${message}`,
      );
    }, args);
  assert.match(await register("/none.js"), /^IiifError service-worker: .*\/none\.js could not be registered/);
  assert.match(await register("/kept.js", { scope: "/folder/" }), /^IiifError service-worker: .*cannot answer for .*below its scope/);
  assert.equal(await page.evaluate(async () => (await import("/dist/web/service-worker.js")).connect().close()), undefined);
  await context.close();
});

test("images are closed when others take their place, and not while they are used", async () => {
  mkdirSync(at("tests", "out", "js", "service"), { recursive: true });
  const { Images } = await import((await bundle("service/images")).url);
  const log = [];
  const open = (name) => async () => ({ close: () => log.push(`close ${name}`) });
  const images = new Images(2);
  const a = await images.hold("a", 1, "1", open("a"));
  (await images.hold("b", 1, "1", open("b"))).release();
  (await images.hold("a", 1, "1", open("another a"))).release();
  (await images.hold("c", 1, "1", open("c"))).release();
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  await settled();
  assert.deepEqual(log, ["close b"]);
  // Another version of it; the old one is still in use.
  (await images.hold("a", 1, "2", open("new a"))).release();
  await settled();
  assert.deepEqual(log, ["close b"]);
  a.release();
  await settled();
  assert.deepEqual(log, ["close b", "close a"]);
  await assert.rejects(images.hold("d", 1, "1", () => Promise.reject(new Error("no"))), { message: "no" });
  assert.equal(images.has("d", 1), false);
  // Each page is an image of its own; all of them are forgotten together.
  (await images.hold("a", 2, "2", open("a;2"))).release();
  await settled();
  assert.deepEqual([log.splice(0), images.has("a", 1), images.has("a", 2)], [["close b", "close a", "close c"], true, true]);
  images.forget("a");
  await settled();
  assert.deepEqual(log.splice(0), ["close new a", "close a;2"]);
  (await images.hold("e", 1, "1", open("e"))).release();
  images.clear();
  await settled();
  assert.deepEqual(log, ["close e"]);
});

test("every entry of the package, used in a window, a dedicated worker and a Service Worker", async () => {
  const used = {
    "azulejo": [100, "jpeg", 640, 90],
    "azulejo/openseadragon": 1,
    "azulejo/request": ["full/max/0/default.jpg", 3],
    "azulejo/service-worker": true,
    "azulejo/support": [true, true],
    "azulejo/worker": [200, "image/png"],
  };
  await withPage("/using.js", async (page) => {
    assert.deepEqual(await page.evaluate(async () => (await import("/entries.js")).use()), used);
    const inWorker = await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker("/worker.js", { type: "module" });
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => reject(new Error(message));
        }),
    );
    assert.deepEqual(inWorker, used);
    assert.deepEqual(JSON.parse((await page.evaluate(() => ask("/use"))).text), used);
  });
});

test("level 0 in formats that only the browser decodes", async () => {
  const { page, context } = await watched(browser);
  await page.goto(`${server.origin}/`);
  const found = await page.evaluate(async () => {
    const { level0Source, open } = await import("/dist/web/index.js");
    // Lossless and opaque, as `support()` has it.
    const file = Uint8Array.from(atob("/woAEBBQXAgIAgEAOABLGIsVwkna5QH2Ar1BAA"), (c) => c.charCodeAt(0));
    const read = async (blob) => {
      const bitmap = await createImageBitmap(blob);
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return [bitmap.width, bitmap.height, ...context.getImageData(0, 0, bitmap.width, bitmap.height).data];
    };
    const expected = await read(new Blob([file]));
    const [width, height] = expected;
    const info = { "@context": "http://iiif.io/api/image/3/context.json", id: "https://static.test/a", type: "ImageService3", profile: "level0", width, height, tiles: [{ width, height, scaleFactors: [1] }], extraFormats: ["jxl"] };
    const fetch = async (url) => (String(url).endsWith(".jxl") ? new Response(file) : new Response(null, { status: 404 }));
    const image = await open(level0Source(info, { fetch }));
    const found = await read((await image.render("full/max/0/default.png")).blob());
    const jpg = await image.render("full/max/0/default.jpg");
    return { found, expected, passthrough: jpg.passthrough };
  });
  assert.ok(found.expected.length > 2);
  assert.deepEqual(found, { found: found.expected, expected: found.expected, passthrough: false });
  await context.close();
});

test("pages with a content security policy", async () => {
  const ask = async (csp) => {
    server.csp = csp;
    try {
      const { page, context, troubles } = await watched(browser);
      await page.goto(`${server.origin}/`);
      await begin(page, "/kept.js");
      const found = await page.evaluate(async () => {
        const identifier = await azulejo.keep(await sample("rocket.jpg"));
        const image = new Image();
        image.src = `/iiif/3/${identifier}/full/100,/0/default.jpg`;
        const shown = await image.decode().then(
          () => image.naturalWidth,
          () => "it was not shown",
        );
        return { shown, ...(await ask(`/iiif/3/${identifier}/full/90,/0/default.jpg`)) };
      });
      await context.close();
      return { ...found, troubles };
    } finally {
      server.csp = undefined;
    }
  };
  const allowed = await ask("default-src 'none'; connect-src 'self'; worker-src 'self'; img-src 'self'; script-src 'self' 'wasm-unsafe-eval'");
  assert.deepEqual([allowed.status, allowed.shown, allowed.troubles.filter((trouble) => !trouble.includes("data:,"))], [200, 100, []]);
  const forbidden = await ask("default-src 'self'; script-src 'self'");
  assert.deepEqual([forbidden.status, forbidden.shown], [500, "it was not shown"]);
  assert.match(forbidden.text, /Content-Security-Policy needs script-src 'wasm-unsafe-eval'/);
});
