// `level0Source`: static tiles stitched into any region, size and rotation, held against the image that they were cut from; and services that are not as they should be.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { png } from "../worker/images.mjs";
import { difference, pixels } from "./pixels.mjs";

const { IiifError, level0Source, open } = await import("azulejo");
const { tilesOf } = await import("azulejo/request");

const sample = (name) => open(new Uint8Array(readFileSync(at("www", "samples", name))));
const ID = "https://static.test/iiif/picture";

/** What a service of level 0 says of itself in a version. */
const INFO = {
  1.1: ({ tiles, formats, ...info }) => ({
    "@context": "http://library.stanford.edu/iiif/image-api/1.1/context.json",
    "@id": ID,
    profile: "http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level0",
    ...(tiles && { tile_width: tiles[0].width, tile_height: tiles[0].height ?? tiles[0].width, scale_factors: tiles[0].scaleFactors }),
    ...(formats && { formats }),
    ...info,
  }),
  2: ({ formats, ...info }) => ({
    "@context": "http://iiif.io/api/image/2/context.json",
    "@id": ID,
    protocol: "http://iiif.io/api/image",
    profile: ["http://iiif.io/api/image/2/level0.json", ...(formats ? [{ formats }] : [])],
    ...info,
  }),
  3: ({ formats, ...info }) => ({
    "@context": "http://iiif.io/api/image/3/context.json",
    id: ID,
    type: "ImageService3",
    protocol: "http://iiif.io/api/image",
    profile: "level0",
    ...(formats && { extraFormats: formats, preferredFormats: formats }),
    ...info,
  }),
};

/** A service of level 0 in memory, made of an image, and a `fetch` that knows it. `rename` changes what its files are called. */
async function cut(image, { version = "3", format = "png", formats = format === "jpg" ? undefined : [format], rename = (path) => path, ...info }) {
  const document = INFO[version]({ width: image.width, height: image.height, formats, ...info });
  const files = new Map([[`${ID}/info.json`, JSON.stringify(document)]]);
  for (const { path } of tilesOf(document, { format })) files.set(`${ID}/${rename(path)}`, (await image.render(path, { version })).bytes);
  return { document, files, ...server(files) };
}

/** Answers from a Map; `log` is what was asked for. */
function server(files) {
  const log = [];
  const fetch = async (input, { method = "GET", signal } = {}) => {
    signal?.throwIfAborted();
    const url = String(input);
    log.push(method === "GET" ? url.slice(ID.length + 1) : `${method} ${url.slice(ID.length + 1)}`);
    const file = files.get(url);
    if (file instanceof Response) return file.clone();
    if (file instanceof Error) throw file;
    return file === undefined ? new Response("There is nothing.", { status: 404 }) : new Response(method === "HEAD" ? null : file);
  };
  return { fetch, log };
}

/** Pixels of the image itself, in whatever way they are asked for: nothing is resampled. */
const EXACT = [
  "full/max/0/default.png",
  "0,0,256,256/max/0/default.png",
  "255,255,2,2/max/0/default.png",
  "100,200,300,400/max/0/default.png",
  "300,100,500,300/max/90/default.png",
  "300,100,500,300/max/!180/gray.png",
  "13,700,900,20/max/270/bitonal.png",
  "pct:40,40,35.5,60/max/0/default.png",
  "square/max/!0/default.png",
  "900,700,9999,9999/max/0/default.png",
  "10,10,100,100/^200,/0/default.png",
  "200,200,300,300/max/22.5/default.png",
];
/** Scaled down: the source was cut down twice, from the image to a level and from that to the answer, and a level's last row and column stand for part of a pixel. */
const SCALED = ["full/300,/0/default.png", "full/150,/90/gray.png", "100,100,700,600/200,/0/default.png", "pct:10,10,80,80/!100,100/0/default.png", "full/77,33/!0/default.png"];
/** On average, of 255: one and a half of it comes of the levels' softness, as with any pyramid. The test below tells that a picture in the wrong place is further off. */
const TOLERANCE = 2.8;

describe("a stitched image is the image", () => {
  const CASES = [
    { of: "hubble_deep_field.jpg", version: "3", tiles: [{ width: 256, scaleFactors: [1, 2, 4] }] },
    { of: "hubble_deep_field.jpg", version: "2", tiles: [{ width: 250, height: 130, scaleFactors: [1, 2, 4, 8] }] },
    { of: "hubble_deep_field.jpg", version: "1.1", tiles: [{ width: 300, scaleFactors: [1, 2] }] },
    { of: "hubble_deep_field.jpg", version: "3", format: "webp", tiles: [{ width: 256, scaleFactors: [1, 2, 4] }], lossless: true },
    { of: "67352ccc-d1b0-11e1-89ae-279075081939.png", version: "2", tiles: [{ width: 512, scaleFactors: [1, 2] }] },
    { of: "retina.jpg", version: "3", tiles: [{ width: 256, scaleFactors: [1, 2, 4] }, { width: 1024, scaleFactors: [8, 4] }] },
    // No divisor of these makes cells that the core could hold a row of; the other is larger than the image.
    { of: "retina.jpg", version: "3", tiles: [{ width: 1201, height: 1031, scaleFactors: [1, 2] }] },
    { of: "retina.jpg", version: "3", tiles: [{ width: 2048, scaleFactors: [1, 2, 3] }] },
    { of: "retina.jpg", version: "2", tiles: undefined, sizes: [{ width: 353, height: 353 }, { width: 706, height: 706 }, { width: 1411, height: 1411 }] },
  ];
  for (const { of, lossless, ...service } of CASES) {
    const tiles = service.tiles?.map(({ width, height = width, scaleFactors }) => `${width} × ${height} by ${scaleFactors}`).join(" and ") ?? `${service.sizes.length} sizes`;
    test(`${of} of ${tiles}, version ${service.version}, ${service.format ?? "png"}`, async () => {
      const image = await open(new Uint8Array(readFileSync(at("www", "samples", of))), lossless ? { settings: { webpLossless: true } } : {});
      const { document, fetch } = await cut(image, service);
      const whole = await open(level0Source(document, { fetch }));
      assert.deepEqual([whole.width, whole.height], [image.width, image.height]);
      for (const request of [...EXACT, ...SCALED]) {
        const [found, expected] = [await whole.render(request), await image.render(request)];
        assert.equal(found.canonical, expected.canonical);
        const { most, mean } = difference(pixels(found.bytes), pixels(expected.bytes));
        // The gray of a JPEG is its luminance as it is stored; that of its tiles is reckoned from colours, which were clipped.
        if (EXACT.includes(request)) assert.ok(most <= (/gray/.test(request) && of.endsWith(".jpg") ? 4 : 0), `${request} is off by ${most}`);
        else assert.ok(mean < TOLERANCE, `${request} is off by ${mean} on average`);
      }
      whole.close();
      image.close();
    });
  }

  test("what the tolerance does not tolerate", async () => {
    const image = await sample("hubble_deep_field.jpg");
    const render = async (request) => pixels((await image.render(request)).bytes);
    const apart = difference(await render("100,100,600,600/300,/0/default.png"), await render("103,100,600,600/300,/0/default.png"));
    assert.ok(apart.mean > TOLERANCE, `a picture that is off by a pixel and a half differs by ${apart.mean}`);
  });

  test("the information document is of level 2, with the service's own tiles and sizes", async () => {
    const { document, fetch } = await cut(await sample("retina.jpg"), { tiles: [{ width: 256, scaleFactors: [1, 2, 4, 8] }] });
    const { profile, tiles, sizes } = (await open(level0Source(document, { fetch }))).info({ id: "https://example.org/a" });
    assert.deepEqual({ profile, tiles }, { profile: "level2", tiles: document.tiles });
    assert.deepEqual(sizes, [177, 353, 706, 1411].map((side) => ({ width: side, height: side })));
  });

  test("transparency is kept", async () => {
    const image = await open(new Uint8Array(readFileSync(at("tests", "fixtures", "rgba8.png"))));
    const { document, fetch } = await cut(image, { tiles: [{ width: 16, scaleFactors: [1, 2] }] });
    const whole = await open(level0Source(document, { fetch }));
    const [found, expected] = [await whole.render("full/max/90/default.png"), await image.render("full/max/90/default.png")].map(({ bytes }) => pixels(bytes));
    assert.ok(expected.rgba.some((value, index) => index % 4 === 3 && value > 0 && value < 255));
    assert.deepEqual(difference(found, expected), { most: 0, mean: 0 });
  });

  test("tiles that are asked for as they are stored are given so, byte for byte", async () => {
    for (const version of ["1.1", "2", "3"]) {
      const { document, files, fetch, log } = await cut(await sample("retina.jpg"), { version, format: "jpg", tiles: [{ width: 512, scaleFactors: [1, 2, 4] }] });
      const whole = await open(level0Source(document, { fetch }));
      for (const { path } of tilesOf(document)) {
        log.length = 0;
        const { bytes, passthrough, type } = await whole.render(path, { version });
        assert.deepEqual([passthrough, type, Buffer.compare(bytes, files.get(`${ID}/${path}`))], [true, "image/jpeg", 0], path);
        assert.deepEqual(log, [path]);
      }
      const quality = version === "1.1" ? "native" : "default";
      for (const request of [`1,0,512,512/512,512/0/${quality}.jpg`, `0,0,512,512/512,512/90/${quality}.jpg`, `0,0,512,512/512,512/0/${quality}.png`, "0,0,512,512/512,512/0/color.jpg"]) {
        assert.equal((await whole.render(request, { version })).passthrough, false, request);
      }
    }
  });
});

test("only the tiles that are needed are fetched, once", async () => {
  const { document, fetch, log } = await cut(await sample("retina.jpg"), { tiles: [{ width: 256, scaleFactors: [1, 2, 4, 8] }], format: "jpg" });
  const whole = await open(level0Source(document, { fetch }));
  assert.deepEqual(log, []);
  await whole.render("200,200,100,100/max/0/default.png");
  assert.deepEqual(log.sort(), ["0,0,256,256/256,256/0/default.jpg", "0,256,256,256/256,256/0/default.jpg", "256,0,256,256/256,256/0/default.jpg", "256,256,256,256/256,256/0/default.jpg"]);
  await Promise.all(["0,0,512,512/max/90/default.png", "10,10,300,300/50,/0/gray.jpg"].map((request) => whole.render(request)));
  assert.equal(log.length, 5, log.join());
  log.length = 0;
  await Promise.all([1, 2, 3].map(() => whole.render("full/170,/0/default.jpg")));
  assert.deepEqual(log, ["full/177,177/0/default.jpg"]);
});

describe("names and formats that generators are known for", () => {
  const other = {
    "w, in version 3": { rename: (path) => path.replace(/\/(\d+),\d+\//, "/$1,/") },
    "w,h in version 2": { version: "2", rename: (path) => path.replace("/512,/", "/512,512/").replace("/194,/", "/194,512/") },
    "the whole by its sides": { rename: (path) => path.replace("full/", "0,0,1411,1411/") },
  };
  for (const [name, service] of Object.entries(other)) {
    test(name, async () => {
      const image = await sample("retina.jpg");
      const { document, fetch } = await cut(image, { tiles: [{ width: 512, scaleFactors: [1, 2, 4] }], ...service });
      const whole = await open(level0Source(document, { fetch }));
      for (const request of ["400,400,300,300/max/0/default.png", "full/353,353/0/default.png"]) {
        assert.ok(difference(pixels((await whole.render(request)).bytes), pixels((await image.render(request)).bytes)).mean < TOLERANCE);
      }
    });
  }

  test("the full size may be max or full, before 3.0 as well", async () => {
    const image = await sample("rocket.jpg");
    const sizes = [{ width: 640, height: 427 }];
    for (const [version, rename] of [["2", (path) => path.replace("full/full", "full/max")], ["3", (path) => path.replace("full/max", "full/full")], ["3", (path) => path.replace("full/max", "full/640,")]]) {
      const { document, fetch } = await cut(image, { version, sizes, rename });
      const whole = await open(level0Source(document, { fetch }));
      assert.equal(difference(pixels((await whole.render(EXACT[0])).bytes), pixels((await image.render(EXACT[0])).bytes)).most, 0);
    }
  });

  test("the preferred format first, jpg else, and then what there is", async () => {
    const image = await sample("rocket.jpg");
    const tiles = [{ width: 256, scaleFactors: [1, 2, 4] }];
    const formatOf = async ({ document, fetch, log }, options) => {
      const whole = await open(level0Source(document, { fetch, ...options }));
      await whole.render("0,0,300,300/max/0/default.jpg");
      return log.at(-1).split(".").at(-1);
    };
    assert.equal(await formatOf(await cut(image, { tiles, format: "webp" })), "webp");
    // It says that it has others, and does not.
    assert.equal(await formatOf(await cut(image, { tiles, format: "jpg", formats: ["webp", "png"] })), "jpg");
    assert.equal(await formatOf(await cut(image, { version: "2", tiles, format: "png" })), "png");
    assert.equal(await formatOf(await cut(image, { version: "2", tiles, format: "jpg", formats: ["avif", "jpg", "png"] })), "jpg");
    // It has one that it does not say.
    assert.equal(await formatOf(await cut(image, { version: "2", tiles, format: "png", formats: [] }), { format: "png" }), "png");
  });

  test("sides that are off by a pixel, by whoever's rounding", async () => {
    const image = await sample("retina.jpg");
    for (const off of [-1, 1]) {
      const { document, files, fetch } = await cut(image, { version: "2", tiles: [{ width: 512, scaleFactors: [1, 2] }] });
      const path = "1024,1024,387,387/194,";
      files.set(`${ID}/${path}/0/default.png`, (await image.render(`1024,1024,387,387/${194 + off},${194 - off}/0/default.png`, { version: "3" })).bytes);
      const whole = await open(level0Source(document, { fetch }));
      const [found, expected] = [await whole.render("1024,1024,387,387/194,194/0/default.png"), await image.render("1024,1024,387,387/194,194/0/default.png")];
      assert.equal(found.passthrough, false);
      assert.ok(difference(pixels(found.bytes), pixels(expected.bytes)).mean < 4);
    }
  });
});

describe("a service with sizes and no tiles", () => {
  const sizes = [{ width: 176, height: 176 }, { width: 706, height: 706 }];
  test("has max as well, if it is there", async () => {
    const image = await sample("retina.jpg");
    const { document, files, fetch } = await cut(image, { sizes });
    files.set(`${ID}/full/max/0/default.png`, (await image.render("full/max/0/default.png")).bytes);
    const whole = await open(level0Source(document, { fetch }));
    assert.deepEqual([whole.width, whole.height], [1411, 1411]);
    const request = "300,700,400,90/max/0/default.png";
    assert.equal(difference(pixels((await whole.render(request)).bytes), pixels((await image.render(request)).bytes)).most, 0);
  });
  test("and else is as large as its largest size", async () => {
    const { document, fetch, log } = await cut(await sample("retina.jpg"), { sizes });
    const whole = await open(level0Source(document, { fetch }));
    assert.deepEqual([whole.width, whole.height], [706, 706]);
    assert.ok(log.includes("HEAD full/max/0/default.png"));
    // The smaller size does for the smaller picture.
    log.length = 0;
    await whole.render("full/100,/0/default.jpg");
    assert.deepEqual(log, []);
    await whole.render("full/300,/0/default.jpg");
    assert.deepEqual(log, ["full/706,706/0/default.png"]);
  });
  test("has only max if it lists nothing, as large as its limits allow", async () => {
    const image = await sample("retina.jpg");
    for (const [limits, side] of [[{}, 1411], [{ maxWidth: 500 }, 500]]) {
      const { document, files, fetch } = await cut(image, limits);
      files.set(`${ID}/full/max/0/default.png`, (await image.render(`full/${side},/0/default.png`)).bytes);
      assert.equal((await open(level0Source(document, { fetch }))).width, side);
    }
  });
});

test("tiles that do not reach the full size: the image is as large as they are", async () => {
  const { document, fetch } = await cut(await sample("retina.jpg"), { tiles: [{ width: 256, scaleFactors: [2, 4] }] });
  const whole = await open(level0Source(document, { fetch }));
  assert.deepEqual([whole.width, whole.height], [706, 706]);
  assert.equal((await whole.render("full/max/0/default.png")).width, 706);
});

test("an id that is relative, absent, of another place, or behind a redirect", async () => {
  const image = await sample("rocket.jpg");
  const { document, files } = await cut(image, { tiles: [{ width: 256, scaleFactors: [1, 2, 4] }] });
  let id;
  const http = createServer((request, response) => {
    if (request.url === "/old/info.json") return response.writeHead(302, { location: "/new/place/info.json" }).end();
    if (request.url === "/new/place/info.json") return response.end(JSON.stringify({ ...document, id }));
    const file = files.get(request.url.replace("/new/place", ID));
    response.writeHead(file ? 200 : 404).end(file);
  });
  await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
  const origin = `http://127.0.0.1:${http.address().port}`;
  for (id of [undefined, "", ".", "../place", `${origin}/new/place`, `${origin}/new/place/`]) {
    const whole = await open(level0Source(`${origin}/old/info.json`));
    const request = "100,100,300,300/max/0/default.png";
    assert.equal(difference(pixels((await whole.render(request)).bytes), pixels((await image.render(request)).bytes)).most, 0, `id ${id}`);
  }
  http.closeAllConnections();
  await new Promise((closed) => http.close(closed));
  // The service moved to https and its id did not.
  const moved = server(new Map([[`${ID}/info.json`, JSON.stringify({ ...document, id: ID.replace("https", "http") })], ...[...files].slice(1)]));
  await (await open(level0Source(`${ID}/info.json`, { fetch: moved.fetch }))).render("full/max/0/default.jpg");
});

test("an abort ends what is under way, unless others wait for the same", async () => {
  const { document, fetch } = await cut(await sample("retina.jpg"), { tiles: [{ width: 512, scaleFactors: [1, 2, 4] }], format: "jpg" });
  let begun;
  const first = new Promise((resolve) => (begun = resolve));
  const signals = [];
  const slow = (url, { signal }) =>
    new Promise((resolve, reject) => {
      signals.push(signal);
      signal.addEventListener("abort", () => reject(signal.reason));
      begun(() => resolve(fetch(url)));
    });
  const whole = await open(level0Source(document, { fetch: slow }));
  const [alone, together] = [new AbortController(), new AbortController()];
  const renders = [alone, together].map(({ signal }) => whole.render("0,0,100,100/max/0/default.jpg", { signal }));
  const answer = await first;
  alone.abort();
  await assert.rejects(renders[0], { name: "AbortError" });
  assert.deepEqual(signals.map(({ aborted }) => aborted), [false]);
  together.abort();
  await assert.rejects(renders[1], { name: "AbortError" });
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true]);
  answer();
  await assert.rejects(whole.render("0,0,9,9/max/0/default.jpg", { signal: AbortSignal.abort() }), { name: "AbortError" });
});

describe("services that are not as they should be", () => {
  const tiles = [{ width: 256, scaleFactors: [1, 2, 4] }];
  const first = `${ID}/0,0,256,256/256,256/0/default.jpg`;
  const FAULTS = {
    "a tile that is not there": [undefined, "source-corrupt", first],
    "a tile that is refused as stores do": [new Response("", { status: 403 }), "source-corrupt", first],
    "a home page instead of a tile": [new Response("<!doctype html>", { headers: { "content-type": "text/html; charset=utf-8" } }), "source-corrupt", first],
    "a server in trouble": [new Response("", { status: 500 }), "source-read", first],
    "a server that does not let others read": [new TypeError("Failed to fetch"), "source-unreachable", "CORS"],
    "a tile that is no image": ["This is a text.", "source-unsupported", first],
    "a tile of another size": [png(255, 240), "source-corrupt", "255 × 240"],
    "a tile that is cut off": [png(256, 256).subarray(0, 2000), "source-corrupt", first],
    "a tile without end": [new Response("x", { headers: { "content-length": String(2 ** 40) } }), "source-too-costly", ""],
  };
  for (const [name, [file, code, words]] of Object.entries(FAULTS)) {
    test(name, async () => {
      const { document, files, fetch } = await cut(await sample("rocket.jpg"), { tiles, format: "jpg" });
      if (file === undefined) files.delete(first);
      else files.set(first, file);
      const whole = await open(level0Source(document, { fetch }));
      await rejects(whole.render("10,10,100,100/max/0/default.png"), code, words);
      // The others are as good as ever, and so is this one if it comes back.
      await whole.render("300,10,100,100/max/0/default.png");
      files.set(first, png(256, 256));
      await whole.render("10,10,100,100/max/0/default.png");
    });
  }

  const VALID = INFO[3]({ width: 1000, height: 800, tiles });
  const DOCUMENTS = {
    "no JSON": ["<!doctype html>", "source-unsupported"],
    "another document": [{ "@context": "http://iiif.io/api/presentation/3/context.json", type: "Manifest" }, "source-unsupported"],
    "no sides": [{ ...VALID, width: undefined }, "source-unsupported"],
    "sides without end": [`{ "@context": "http://iiif.io/api/image/3/context.json", "id": "${ID}", "width": 1e999, "height": 5 }`, "source-unsupported"],
    "sides in halves": [{ ...VALID, width: 1000.5 }, "source-unsupported"],
    "sides below nothing": [{ ...VALID, height: -1 }, "source-unsupported"],
    "an image larger than any": [{ ...VALID, width: 0xffffffff, height: 0xffffffff }, "source-too-costly"],
    "a tile larger than any": [{ ...VALID, width: 0x7fffffff, height: 0x7fffffff, tiles: [{ width: 0x3ffffffb, scaleFactors: [1] }] }, "source-too-costly"],
    "a tile smaller than any": [{ ...VALID, tiles: [{ width: 1, scaleFactors: [1, 2, 4] }] }, "source-too-costly"],
    "scale factors that no image has": [{ ...VALID, tiles: [{ width: 256, scaleFactors: [4096] }] }, "source-corrupt"],
    "an id that is no place": [{ ...VALID, id: "javascript:alert(1)" }, "source-unsupported"],
    "a book": [`"${"x".repeat(2 << 20)}"`, "source-too-costly"],
  };
  for (const [name, [document, code]] of Object.entries(DOCUMENTS)) {
    test(`an info.json of ${name}`, async () => {
      const { fetch } = server(new Map([[`${ID}/info.json`, typeof document === "string" ? document : JSON.stringify(document)]]));
      await rejects(open(level0Source(`${ID}/info.json`, { fetch })), code);
    });
  }

  test("an info.json that is not there, or has no place", async () => {
    const { fetch, log } = server(new Map());
    const source = level0Source(`${ID}/info.json`, { fetch });
    await rejects(open(source), "not-found", `${ID}/info.json`);
    // It may be there by now.
    await rejects(open(source), "not-found");
    assert.deepEqual(log, ["info.json", "info.json"]);
    await rejects(open(level0Source({ ...VALID, id: "picture" }, { fetch })), "invalid-argument", "picture");
  });

  test("lists without end cost nothing", async () => {
    const many = Array.from({ length: 50_000 }, (_, index) => index + 1);
    const { fetch } = server(new Map());
    const listed = { ...VALID, width: 60_000, height: 60_000, tiles: [{ width: 16, scaleFactors: many }], sizes: many.map((side) => ({ width: side, height: side })) };
    const whole = await open(level0Source({ ...listed, extraFormats: undefined }, { fetch }));
    assert.equal(whole.width, 60_000);
    await rejects(whole.render("full/1000,/0/default.jpg"), "source-too-costly");
    await rejects(whole.render("9,9,5,5/max/0/default.jpg"), "source-corrupt");
  });
});

async function rejects(promise, code, words = "") {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof IiifError, `${error?.stack ?? error}`);
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(words), `${error.message} does not say ${words}`);
    return true;
  });
}
