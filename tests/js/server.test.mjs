// The Image API over HTTP in TypeScript, here in Node: the vector tables asked of it, and how it treats what it serves.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { before, describe, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { send } from "../worker/service.mjs";
import { vectors } from "../worker/shared/vectors.mjs";

const { IiifError, createHandler, server } = await import("azulejo/worker");
const { open } = await import("azulejo");

/** A server over bytes in memory, with the interface of tests/worker/service.mjs. */
async function serve({ vars = {} } = {}) {
  const files = new Map();
  const images = new Map();
  let answer;
  const set = async (vars) => {
    const settings = Object.fromEntries(Object.entries({ maxWidth: vars.MAX_WIDTH, maxHeight: vars.MAX_HEIGHT, maxArea: vars.MAX_AREA }).flatMap(([name, value]) => (value === undefined || value === "none" ? [] : [[name, Number(value)]])));
    for (const image of images.values()) image.close();
    images.clear();
    answer = server({
      allowSlashes: vars.ALLOW_SLASHES === "on",
      async open(identifier) {
        if (!files.has(identifier)) return null;
        if (!images.has(identifier)) images.set(identifier, await open(files.get(identifier), { settings }));
        return images.get(identifier);
      },
    });
  };
  await set(vars);
  const http = createServer(async (incoming, outgoing) => {
    const request = new Request(`http://${incoming.headers.host}${incoming.url}`, { method: incoming.method, headers: incoming.headers });
    const found = (await answer(request)) ?? new Response("nothing", { status: 404, headers: { "content-type": "text/plain" } });
    outgoing.writeHead(found.status, Object.fromEntries(found.headers)).end(new Uint8Array(await found.arrayBuffer()));
  });
  await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${http.address().port}`;
  return {
    url,
    set,
    put: async (name, bytes) => void files.set(name, new Uint8Array(bytes)),
    get: (path, headers, method) => send(url, path, headers, method),
    async close() {
      for (const image of images.values()) image.close();
      http.close();
      http.closeAllConnections();
    },
  };
}

// What the package has no setting for: no limit of area at all, upscaling, and what `!w,h` does beyond the region.
vectors(serve, (vars) => vars.MAX_AREA !== "none" && vars.UPSCALING === "on" && vars.CONFINED_UPSCALE === "clamp");

const IMAGE = "http://here/iiif/3/rocket.jpg/full/100,/0/default.jpg";
const ask = (answer, url, init) => answer(new Request(url, init));
const code = async (response) => [response.status, (await response.json()).code];
const json = { headers: { accept: "application/json" } };

describe("what is served", () => {
  let image;
  before(async () => {
    image = await open(new Uint8Array(readFileSync(at("www/samples/rocket.jpg"))));
  });
  /** The image with other properties: it has none of its own. */
  const other = (more) => ({ info: image.info, render: image.render, ...more });

  test("what is not under the prefix is left to others", async () => {
    const answer = server({ open: async () => image, prefix: "/images/{version}/", versions: ["2", "3"] });
    for (const path of ["/", "/iiif/3/a/info.json", "/images/1.1/a/info.json", "/images/3", "/images/3/", "/images/33/a"]) assert.equal(await ask(answer, `http://here${path}`), null, path);
    assert.equal(await ask(answer, "http://here/nowhere", { method: "POST" }), null);
    assert.equal((await ask(answer, "http://here/images/2/a/info.json")).status, 200);
    assert.equal((await ask(answer, "http://here/images/2/a", { method: "POST" })).status, 405);
  });

  test("an option that cannot be is named at once", () => {
    const wrong = {
      prefix: ["iiif", "/iiif", "/a//b/", "/{version}/{version}/", "/a?b/", "/ä/"],
      versions: [[], ["4"], ["2", "2.1"]],
      publicUrl: ["images.example.org", "ftp://a", "https://a/?b"],
      allowedOrigins: [["example.org"], ["https://a.example/"], ["*"]],
    };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        assert.throws(() => server({ open: async () => null, [name]: value }), (error) => error instanceof IiifError && error.code === "invalid-argument" && error.message.includes(name), `${name} ${value}`);
      }
    }
    assert.throws(() => server({ open: async () => null, prefix: "/a/" }), /versions should be exactly one/);
    server({ open: async () => null, prefix: "/a/", versions: ["3"] });
  });

  test("an option of a Worker that cannot be is named at once", () => {
    const wrong = { formats: [["bmp"], "jpg", []], upscaling: ["on"], confinedUpscale: ["no"], tileWidth: [1, 64.5], log: ["loud"], pages: [1], colour: ["red"] };
    const named = (name, options) => assert.throws(() => createHandler({ resolve: () => null, ...options }), (error) => error instanceof IiifError && error.code === "invalid-argument" && error.message.includes(name), JSON.stringify(options));
    for (const [name, values] of Object.entries(wrong)) for (const value of values) named(name, { [name]: value });
    // The memory of a Worker ends at 64 MiB.
    for (const memory of [100, 3]) named("from 4 to 58", { settings: { memory } });
    createHandler({ resolve: () => null, settings: { memory: 58 }, formats: ["png"], log: "all", tileWidth: 256 });
  });

  test("an image that tells no etag gets none, and no 304", async () => {
    const answer = server({ open: async () => other() });
    const response = await ask(answer, IMAGE, { headers: { "if-none-match": "*", "if-modified-since": new Date().toUTCString() } });
    assert.equal(response.status, 200);
    for (const name of ["etag", "last-modified"]) assert.equal(response.headers.get(name), null);
  });

  test("an ETag differs by version of the file, request, identifier and address", async () => {
    const tag = async (etag, url) => (await ask(server({ open: async () => other({ etag }) }), url, { method: "HEAD" })).headers.get("etag");
    const tags = [await tag("1", IMAGE), await tag("2", IMAGE), await tag("1", IMAGE.replace("100,", "99,")), await tag("1", IMAGE.replace("rocket", "other"))];
    tags.push(await tag("1", "http://here/iiif/3/a/info.json"), await tag("1", "http://there/iiif/3/a/info.json"), await tag("1", "http://here/iiif/2/a/info.json"));
    assert.equal(new Set(tags).size, tags.length);
    assert.equal(await tag("1", IMAGE.replace("100,", "100,67")), tags[0], "another spelling of the same");
  });

  test("an image of a file that was replaced is asked for anew, once", async () => {
    const gone = other({ render: async () => Promise.reject(new IiifError("source-changed", 503, "It was replaced.")) });
    const stales = [];
    const healing = server({
      async open(_identifier, _request, stale) {
        stales.push(stale);
        return stale ? image : gone;
      },
    });
    assert.equal((await ask(healing, IMAGE)).status, 200);
    assert.deepEqual(stales, [undefined, gone]);
    const told = [];
    const hopeless = server({ open: async () => gone, onError: (error) => told.push(error.code) });
    const response = await ask(hopeless, IMAGE, json);
    assert.deepEqual(await code(response), [503, "source-changed"]);
    assert.equal(response.headers.get("retry-after"), "1");
    assert.deepEqual(told, ["source-changed"]);
  });

  test("a listener that throws changes no answer", async () => {
    const listeners = { onError: () => { throw new Error("a listener"); }, onIncomplete: () => { throw new Error("a listener"); } };
    const costly = other({ render: async () => Promise.reject(new IiifError("source-too-costly", 503, "It needs too much.")) });
    assert.equal((await ask(server({ open: async () => costly, ...listeners }), IMAGE)).status, 503);
    const damaged = other({ render: async (request, options) => ({ ...(await image.render(request, options)), incomplete: { rows: 5, damage: "It ends early." } }) });
    const response = await ask(server({ open: async () => damaged, ...listeners }), IMAGE);
    assert.deepEqual([response.status, response.headers.get("azulejo-incomplete")], [200, "rows=5"]);
  });

  test("what would be refused again is not asked for again", async () => {
    const costly = other({ render: async () => Promise.reject(new IiifError("source-too-costly", 503, "It needs too much.")) });
    const response = await ask(server({ open: async () => costly, onError: () => undefined }), IMAGE, json);
    assert.deepEqual(await code(response), [503, "source-too-costly"]);
    assert.equal(response.headers.get("retry-after"), null);
  });

  test("what opening throws is answered; a defect is told to the log only", async () => {
    const told = [];
    const answer = server({
      async open(identifier) {
        if (identifier === "odd") throw new TypeError("a secret");
        throw new IiifError(identifier, 501, "It is so.");
      },
      onError: (error) => told.push(error),
    });
    assert.deepEqual(await code(await ask(answer, "http://here/iiif/3/source-unsupported/info.json", json)), [501, "source-unsupported"]);
    const response = await ask(answer, "http://here/iiif/3/odd/info.json");
    assert.equal(response.status, 500);
    assert.equal(await response.text(), "Something went wrong inside this service.\n");
    assert.deepEqual(told.map(({ code, cause }) => [code, cause?.message]), [["source-unsupported", undefined], ["internal", "a secret"]]);
  });

  test("an image whose own document is none is not the client's fault", async () => {
    const told = [];
    const answer = server({ open: async () => other({ info: () => ({ width: "wide" }) }), onError: (error) => told.push(error.code) });
    assert.deepEqual(await code(await ask(answer, IMAGE, json)), [500, "internal"]);
    assert.deepEqual(told, ["internal"]);
  });

  test("an aborted request rejects with its AbortError", async () => {
    const control = new AbortController();
    const answer = server({
      open: async () =>
        other({
          render: (_request, { signal }) => {
            control.abort();
            return new Promise((_, reject) => (signal.aborted ? reject(signal.reason) : signal.addEventListener("abort", () => reject(signal.reason))));
          },
        }),
    });
    await assert.rejects(ask(answer, IMAGE, { signal: control.signal }), { name: "AbortError" });
  });

  test("an answer tells what it cost, if the image does", async () => {
    const answer = server({ open: async () => other({ render: async (request, options) => ({ ...(await image.render(request, options)), timing: `asked;desc="${options.canonical}"` }) }) });
    assert.equal((await ask(answer, IMAGE)).headers.get("server-timing"), 'asked;desc="full/100,67/0/default.jpg"');
  });
});

test("the version is the same wherever it stands", () => {
  const { version } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  const found = {
    "Cargo.toml": /^version = "([^"]+)"/m,
    "worker/Cargo.toml": /^version = "([^"]+)"/m,
  };
  for (const [file, pattern] of Object.entries(found)) assert.equal(pattern.exec(readFileSync(at(file), "utf8"))?.[1], version, file);
});
