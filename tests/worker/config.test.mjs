// Every variable: what it does, and that a wrong one is named.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { dimensions } from "./images.mjs";
import { serve } from "./service.mjs";

const IMAGE = "/iiif/3/rocket.jpg/full/200,/0/default.jpg";

describe("variables", () => {
  let service;
  const get = (...given) => service.get(...given);
  before(async () => {
    service = await serve();
  });
  after(() => service.close());

  test("wrangler.toml shows every option with its default, and the Worker takes them all", async () => {
    const shown = readFileSync(at("wrangler.toml"), "utf8").matchAll(/^# ([A-Z_]+) = ("(?:[^"]*)"|\d+)/gm);
    const vars = Object.fromEntries([...shown].map(([, name, value]) => [name, JSON.parse(value)]));
    const plain = await get("/iiif/3/rocket.jpg/info.json");
    const image = await get(IMAGE);
    await service.set(vars);
    assert.equal((await get("/iiif/3/rocket.jpg/info.json")).text(), plain.text());
    assert.equal((await get(IMAGE)).headers.etag, image.headers.etag, "the defaults are the same options");
    await service.set({ NONSENSE: "1" });
    const [, options] = (await get("/health")).text().match(/there are ([A-Z_, ]+)\./);
    assert.deepEqual(options.split(", ").sort(), Object.keys(vars).sort());
  });

  test("a wrong variable fails every request with a 500 that names it, and the log says why", async () => {
    const wrong = {
      PREFFIX: "/iiif/",
      PREFIX: "iiif",
      OBJECT_KEY: "maps/",
      PUBLIC_URL: "images.example.org",
      VERSIONS: "4",
      FORMATS: "jpg,bmp",
      MAX_WIDTH: "wide",
      MAX_HEIGHT: 100,
      MAX_AREA: 0,
      UPSCALING: "perhaps",
      CONFINED_UPSCALE: "both",
      CANONICAL: "Link",
      TILE_WIDTH: 1,
      JPEG_QUALITY: 101,
      WEBP_QUALITY: -1,
      JPEG_SMALL: "yes",
      WEBP_LOSSLESS: 2,
      PNG_COMPRESSION: "9",
      ALLOWED_ORIGINS: "example.org",
      CACHE_CONTROL: "max-age=1\r\nx: y",
      MEMORY: 1000,
      WINDOW: "0..1",
      INCOMPLETE: "maybe",
      SHOW_INCOMPLETE: "maybe",
      LOG: "loud",
      ALLOW_SLASHES: "",
    };
    for (const [name, value] of Object.entries(wrong)) {
      await service.set({ [name]: value });
      service.log.length = 0;
      for (const path of [IMAGE, "/health", "/nowhere"]) {
        const { status, headers, json } = await get(path, { accept: "application/json" });
        assert.equal(status, 500, `${name}=${value}`);
        assert.equal(json().code, "misconfigured");
        assert.ok(json().error.includes(`the variable ${name} `), json().error);
        assert.equal(headers["cache-control"], "no-store");
        assert.equal(headers["access-control-allow-origin"], "*");
      }
      await new Promise((wake) => setTimeout(wake, 30));
      assert.ok(service.log.some((line) => line.includes('"misconfigured"') && line.includes(name)), `${name}: ${service.log}`);
    }
  });

  test("names that the platform adds are no options", async () => {
    await service.set({ CF_VERSION: "1", CLOUDFLARE_ENV: "x", WRANGLER_THING: "y" });
    assert.equal((await get("/health")).status, 200);
  });

  test("PREFIX and VERSIONS", async () => {
    await service.set({ PREFIX: "/images/v{version}/", VERSIONS: "2.1 3.0" });
    assert.equal((await get("/images/v3/rocket.jpg/info.json")).json().id, `${service.url}/images/v3/rocket.jpg`);
    assert.equal((await get("/images/v2/rocket.jpg/info.json")).status, 200);
    for (const path of ["/images/v1.1/rocket.jpg/info.json", "/iiif/3/rocket.jpg/info.json"]) assert.equal((await get(path)).status, 404);
    await service.set({ PREFIX: "/", VERSIONS: 2 });
    assert.equal((await get("/rocket.jpg/info.json")).json()["@id"], `${service.url}/rocket.jpg`);
    await service.set({ PREFIX: "/i/" });
    assert.match((await get("/i/rocket.jpg")).text(), /PREFIX has no \{version\}/);
  });

  test("OBJECT_KEY", async () => {
    await service.put("maps/one.jpg", readFileSync(at("www/samples/rocket.jpg")));
    await service.set({ OBJECT_KEY: "maps/{identifier}.jpg" });
    assert.equal((await get("/iiif/3/one/info.json")).status, 200);
    assert.equal((await get("/iiif/3/rocket.jpg/info.json")).status, 404);
    assert.deepEqual((await get("/images.json")).json().images.map(({ id }) => id), ["one"]);
    assert.equal((await get(`/iiif/3/${"x".repeat(1020)}/info.json`)).status, 404, "a key beyond what R2 takes");
  });

  test("ALLOW_SLASHES", async () => {
    await service.set({});
    assert.equal((await get("/iiif/3/maps/one.jpg/info.json")).status, 404);
    await service.set({ ALLOW_SLASHES: "on" });
    assert.equal((await get("/iiif/3/maps/one.jpg/info.json")).json().id, `${service.url}/iiif/3/maps/one.jpg`);
    assert.equal((await get("/iiif/3/maps/one.jpg/full/50,/0/default.jpg")).status, 200);
    assert.equal((await get("/iiif/1.0/maps/one.jpg/info.json")).json().identifier, "maps/one.jpg");
  });

  test("PUBLIC_URL stands for the request's host", async () => {
    await service.set({ PUBLIC_URL: "https://images.example.org/art/" });
    const base = "https://images.example.org/art/iiif/3/rocket.jpg";
    assert.equal((await get("/iiif/3/rocket.jpg/info.json", { host: "evil.example" })).json().id, base);
    assert.equal((await get("/iiif/3/rocket.jpg", { host: "evil.example" })).headers.location, `${base}/info.json`);
    assert.ok((await get(IMAGE)).headers.link.includes(`<${base}/full/200,133/0/default.jpg>;rel="canonical"`));
  });

  test("FORMATS", async () => {
    await service.set({ FORMATS: "png, webp" });
    assert.deepEqual((await get("/iiif/3/rocket.jpg/info.json")).json().extraFormats, ["png", "webp"]);
    assert.equal((await get(IMAGE)).status, 400);
    assert.equal((await get("/iiif/1.1/rocket.jpg/full/50,/0/native")).headers["content-type"], "image/png");
    assert.equal((await get("/iiif/1.1/rocket.jpg/full/50,/0/native.jpg")).status, 415);
  });

  test("MAX_WIDTH, MAX_HEIGHT, MAX_AREA, TILE_WIDTH", async () => {
    await service.set({ MAX_WIDTH: 300, MAX_HEIGHT: "100", MAX_AREA: "none", TILE_WIDTH: 256 });
    const info = (await get("/iiif/3/rocket.jpg/info.json")).json();
    assert.deepEqual([info.maxWidth, info.maxHeight, info.maxArea], [300, 100, undefined]);
    assert.deepEqual(dimensions((await get("/iiif/3/rocket.jpg/full/max/0/default.jpg")).bytes), ["jpg", 150, 100]);
    assert.equal((await get(IMAGE)).status, 400);
  });

  test("UPSCALING and CONFINED_UPSCALE", async () => {
    await service.set({ UPSCALING: "off", CONFINED_UPSCALE: "reject" });
    assert.equal((await get("/iiif/3/rocket.jpg/full/%5E700,/0/default.jpg")).status, 501);
    assert.equal((await get("/iiif/3/rocket.jpg/full/!900,900/0/default.jpg")).status, 400);
    await service.set({});
    assert.deepEqual(dimensions((await get("/iiif/3/rocket.jpg/full/!900,900/0/default.jpg")).bytes), ["jpg", 640, 427]);
    assert.equal((await get("/iiif/3/rocket.jpg/full/%5E700,/0/default.jpg")).status, 200);
  });

  test("CANONICAL=redirect, but never for tiles", async () => {
    await service.set({ CANONICAL: "redirect" });
    const location = async (path) => {
      const { status, headers } = await get(path);
      assert.equal(headers["access-control-allow-origin"], "*");
      return [status, headers.location?.slice(service.url.length)];
    };
    const at3 = "/iiif/3/rocket.jpg";
    assert.deepEqual(await location(`${at3}/full/!300,300/0/default.jpg`), [303, `${at3}/full/300,200/0/default.jpg`]);
    assert.deepEqual(await location(`${at3}/pct:0,0,50,50/max/360/default.jpg?x=1`), [303, `${at3}/0,0,320,214/max/0/default.jpg?x=1`]);
    assert.deepEqual(await location(`${at3}/square/^500,/0/default.jpg`), [303, `${at3}/106,0,427,427/%5E500,500/0/default.jpg`]);
    assert.deepEqual(await location(`/iiif/2/rocket.jpg/full/max/0/default.jpg`), [303, "/iiif/2/rocket.jpg/full/full/0/default.jpg"]);
    for (const path of [`${at3}/0,0,512,427/512,/0/default.jpg`, `${at3}/full/160,107/0/default.jpg`, `${at3}/full/160,/0/default.jpg`, "/iiif/2/rocket.jpg/full/160,107/0/default.jpg"]) {
      assert.deepEqual(await location(path), [200, undefined], path);
    }
    for (const path of [`${at3}/full/max/0/default.jpg`, "/iiif/1.1/rocket.jpg/full/pct:50/0/native.jpg"]) assert.deepEqual(await location(path), [200, undefined]);
    assert.equal((await get(`${at3}/full/!9999,0/0/default.jpg`)).status, 400);
  });

  test("ALLOWED_ORIGINS", async () => {
    await service.set({ ALLOWED_ORIGINS: "https://a.example, http://localhost:3000" });
    for (const path of [IMAGE, "/iiif/3/rocket.jpg/info.json", "/iiif/3/rocket.jpg", "/nowhere"]) {
      for (const origin of ["https://a.example", "http://localhost:3000"]) {
        const { headers } = await get(path, { origin });
        assert.equal(headers["access-control-allow-origin"], origin);
        assert.match(headers.vary, /Origin/);
      }
      for (const origin of ["https://b.example", "https://a.example.evil.example", "null", "http://a.example", undefined]) {
        const { headers } = await get(path, origin ? { origin } : {});
        assert.equal(headers["access-control-allow-origin"], undefined, `${path} ${origin}`);
        assert.match(headers.vary, /Origin/);
      }
    }
  });

  test("CACHE_CONTROL", async () => {
    await service.set({ CACHE_CONTROL: "private, max-age=60" });
    for (const path of [IMAGE, "/iiif/3/rocket.jpg/info.json"]) assert.equal((await get(path)).headers["cache-control"], "private, max-age=60");
  });

  test("qualities change the answer, its ETag and its place in the cache", async () => {
    const seen = new Map();
    for (const vars of [{}, { JPEG_QUALITY: 20 }, { JPEG_SMALL: "on" }, { WEBP_QUALITY: 5 }, { WEBP_LOSSLESS: "on" }, { PNG_COMPRESSION: "fastest" }]) {
      await service.set(vars);
      for (const format of ["jpg", "webp", "png"]) {
        const { bytes, headers } = await get(IMAGE.replace("default.jpg", `default.${format}`));
        seen.set(`${format} ${JSON.stringify(vars)}`, [bytes.length, headers.etag]);
      }
    }
    const size = (format, vars) => seen.get(`${format} ${JSON.stringify(vars)}`)[0];
    assert.ok(size("jpg", { JPEG_QUALITY: 20 }) < size("jpg", {}));
    assert.ok(size("jpg", { JPEG_SMALL: "on" }) < size("jpg", {}));
    assert.ok(size("webp", { WEBP_QUALITY: 5 }) < size("webp", {}));
    assert.ok(size("webp", { WEBP_LOSSLESS: "on" }) > size("webp", {}));
    assert.ok(size("png", { PNG_COMPRESSION: "fastest" }) > size("png", {}));
    assert.equal(new Set([...seen.values()].map(([, etag]) => etag)).size, seen.size);
  });

  test("MEMORY refuses what is too costly, and says which limit", async () => {
    await service.set({ MEMORY: 4 });
    const { status, headers, json } = await get("/iiif/3/hubble_deep_field.jpg/full/max/0/default.webp", { accept: "application/json" });
    assert.equal(status, 503);
    assert.equal(json().code, "source-too-costly");
    assert.match(json().error, /needs [\d.]+ MiB of memory, and the limit is 4 MiB: /);
    assert.equal(headers["retry-after"], undefined, "it would be refused again");
    assert.equal((await get(IMAGE)).status, 200);
  });

  test("INCOMPLETE: a damaged file is shown and says so, or is refused", async () => {
    const path = "/iiif/3/cut.jpg/full/max/0/default.jpg";
    const rocket = readFileSync(at("www/samples/rocket.jpg"));
    await service.put("cut.jpg", rocket.subarray(0, rocket.length / 2));
    const { height } = JSON.parse((await get("/iiif/3/cut.jpg/info.json")).text());
    for (const vars of [{}, { INCOMPLETE: "show" }, { SHOW_INCOMPLETE: "on" }]) {
      await service.set(vars);
      service.log.length = 0;
      // Twice: the second must not come from a cache that does not know.
      for (const method of ["GET", "HEAD", "GET"]) {
        const { status, headers } = await get(path, {}, method);
        const rows = Number(/^rows=(\d+)$/.exec(headers["azulejo-incomplete"])?.[1]);
        assert.equal(status, 200);
        assert.ok(rows > height / 4 && rows < height * 0.75, `${method} ${rows}`);
        assert.deepEqual([headers["cache-control"], headers.etag, headers["last-modified"]], ["public, max-age=60", undefined, undefined]);
        assert.match(headers["access-control-expose-headers"], /Azulejo-Incomplete/);
      }
      await new Promise((wake) => setTimeout(wake, 50));
      assert.ok(service.log.some((line) => line.includes('"incomplete"') && line.includes("cut.jpg")), service.log.join());
      // What lies above the damage is whole.
      const above = await get("/iiif/3/cut.jpg/0,0,64,64/max/0/default.png");
      assert.deepEqual([above.status, above.headers["azulejo-incomplete"]], [200, undefined]);
      assert.ok(above.headers.etag);
    }
    for (const [control, expected] of [["private, max-age=3600", "private, max-age=60"], ["max-age=5", "max-age=5"], ["no-store", "no-store"], ["no-cache", "no-cache"], ["public", "public, max-age=60"]]) {
      await service.set({ CACHE_CONTROL: control });
      assert.equal((await get(path)).headers["cache-control"], expected);
    }
    for (const vars of [{ INCOMPLETE: "refuse" }, { SHOW_INCOMPLETE: "off" }]) {
      await service.set(vars);
      const { status, json } = await get(path, { accept: "application/json" });
      assert.deepEqual([status, json().code], [500, "source-corrupt"]);
    }
  });

  test("LOG=errors keeps quiet about what went well", async () => {
    await service.set({ LOG: "errors" });
    service.log.length = 0;
    await get(IMAGE);
    await get("/nowhere");
    await new Promise((wake) => setTimeout(wake, 50));
    assert.deepEqual(service.log, []);
  });
});

test("without the bucket every request says so", async () => {
  const { Miniflare } = await import("miniflare");
  const modules = [{ type: "ESModule", path: at("worker/build/index.js") }, { type: "CompiledWasm", path: at("worker/build/index_bg.wasm") }];
  const miniflare = new Miniflare({ modules, modulesRoot: at(), compatibilityDate: "2026-03-01", handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.resume()) });
  try {
    const answer = await miniflare.dispatchFetch("http://localhost/health");
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /the variable BUCKET is missing/);
  } finally {
    await miniflare.dispose();
  }
});
