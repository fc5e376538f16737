// `azulejo/worker` in workerd, as a Worker of somebody's own: the Worker's tests asked of it, and what is its own.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { failingBucket } from "../worker/shared/source.mjs";
import { overHttp } from "../worker/shared/http.mjs";
import { indexed } from "../worker/shared/index.mjs";
import { serve } from "./own/service.mjs";
import { left } from "../worker/service.mjs";
import { trappingEngine, trappingLength } from "./trap.mjs";

overHttp("a Worker of one's own, over HTTP", serve);
failingBucket(serve);
indexed("a Worker of one's own, and what is learnt of a JPEG file", serve);

test("TypeScript knows it, with Cloudflare's declarations of a binding", () => {
  const { status, stdout } = spawnSync(process.execPath, [at("node_modules", "typescript", "bin", "tsc"), "-p", at("tests", "js", "own")], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

const sample = (name) => readFileSync(at("www", "samples", name));

test("200 requests give the native bytes", async () => {
  const all = readFileSync(at("tests/golden/digests.tsv"), "utf8").trimEnd().split("\n").slice(1).map((line) => line.split("\t"));
  const rows = all.filter((_, index) => index % Math.floor(all.length / 200) === 0).slice(0, 200);
  assert.equal(rows.length, 200);
  const service = await serve();
  try {
    for (const name of new Set(rows.map(([name]) => name))) {
      await service.put(name, readFileSync([`tests/fixtures/${name}`, `www/samples/${name}`].map((path) => at(path)).find(existsSync)));
    }
    const different = [];
    for (const [name, request, , , digest] of rows) {
      const answer = await service.get(`/iiif/3/${encodeURIComponent(name)}/${request}`);
      const found = answer.status === 200 ? createHash("sha256").update(answer.bytes).digest("hex") : `status ${answer.status}: ${answer.text()}`;
      if (found !== digest) different.push(`${name} ${request}: ${found.slice(0, 100)}`);
    }
    assert.deepEqual(different, []);
  } finally {
    await service.close();
  }
});

describe("many at once", () => {
  const PATHS = ["rocket.jpg/full/100,/0/default.jpg", "astronaut.png/square/64,/0/default.webp", "retina-pyramid.tif/0,0,512,512/64,/90/gray.jpg", "rocket.jpg/square/80,/!45/default.png", "hubble_deep_field.jpg/info.json"].map((path) => `/iiif/3/${path}`);

  // Before that date a promise of another request was not kept apart.
  for (const date of [undefined, "2024-01-01"]) {
    test(`200 requests of an isolate that has only just begun${date ? `, by the rules of ${date}` : ""}`, async () => {
      const service = await serve({ date });
      try {
        const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => service.get(PATHS[index % PATHS.length])));
        const first = answers.slice(0, PATHS.length);
        answers.forEach(({ status, bytes }, index) => {
          assert.equal(status, 200, PATHS[index % PATHS.length]);
          assert.ok(bytes.equals(first[index % PATHS.length].bytes));
        });
        assert.deepEqual(service.log.filter((line) => /error|warning|cross/i.test(line)), []);
      } finally {
        await service.close();
      }
    });
  }

  test("a fifth of them given up by the client, who keep no place", async () => {
    const service = await serve({ entry: "observed.ts" });
    try {
      const paths = Array.from({ length: 8 }, (_, index) => `/iiif/3/retina-pyramid.tif/${index * 100},300,256,256/64,/0/default.jpg?cache=false`);
      const solo = [];
      for (const path of paths) solo.push((await service.get(path)).bytes);
      const asked = Array.from({ length: 60 }, async (_, index) => {
        const [which, headers] = [index % paths.length, { "x-slow": "10" }];
        if (index % 5 === 4) return left(service.url, paths[which], [1, 10, 100][index % 3], headers);
        const { status, bytes } = await service.get(paths[which], headers);
        assert.equal(status, 200, paths[which]);
        return assert.ok(bytes.equals(solo[which]), paths[which]);
      });
      await Promise.all(asked);
      // This one needs all places.
      const { status, text } = await service.get("/iiif/3/retina-pyramid.tif/full/^2900,/0/default.jpg");
      assert.equal(status, 200, status === 200 ? "" : text());
    } finally {
      await service.close();
    }
  });
});

describe("the memory's gate", () => {
  let service;
  const most = async () => (await service.get("/most")).json();
  before(async () => {
    service = await serve({ entry: "observed.ts" });
    // Known images are not opened again: from here on all that is read are pixels.
    await service.get("/iiif/3/retina-pyramid.tif/info.json");
    await most();
  });
  after(() => service.close());
  const ask = (paths) => Promise.all(paths.map((path) => service.get(`/iiif/3/retina-pyramid.tif/${path}`, { "x-slow": "20" })));

  test("two requests read pixels at the same time, never more", async () => {
    const answers = await ask(Array.from({ length: 24 }, (_, index) => `${index * 10},0,512,512/max/0/default.jpg`));
    for (const { status } of answers) assert.equal(status, 200);
    assert.deepEqual(await most(), { most: 2, reading: 0 });
    const queues = answers.map(({ headers }) => Number(headers["server-timing"].match(/queue;dur=(\d+)/)[1]));
    assert.ok(Math.max(...queues) > 0, "somebody waited");
  });

  test("one that takes more than half of the memory reads alone", async () => {
    const answers = await ask(["full/^2000,/0/default.gif", "full/^2001,/0/default.gif", "full/^2002,/0/default.gif"]);
    for (const { status, text } of answers) assert.equal(status, 200, status === 200 ? "" : text());
    assert.deepEqual(await most(), { most: 1, reading: 0 });
  });

  test("one that takes more than all is refused, and keeps no place", async () => {
    const answers = await ask(Array.from({ length: 8 }, () => "square/^3000,/0/default.gif"));
    for (const { status, text } of answers) {
      assert.equal(status, 503);
      assert.match(text(), /needs [\d.]+ MiB of memory, and the limit is 42 MiB/);
    }
    assert.deepEqual(await most(), { most: 0, reading: 0 });
    await ask(["700,700,100,100/max/0/default.jpg"]);
    assert.deepEqual(await most(), { most: 1, reading: 0 });
  });

  test("the same that many ask for is made once", async () => {
    const answers = await ask(Array.from({ length: 12 }, () => "100,100,300,300/max/0/default.png"));
    const made = answers.filter(({ headers }) => /cache;desc="miss"/.test(headers["server-timing"]));
    assert.ok(made.length < answers.length, `${made.length} of ${answers.length} were made`);
    for (const { bytes } of answers) assert.ok(bytes.equals(answers[0].bytes));
  });
});

describe("a trap", () => {
  let service;
  before(async () => {
    service = await serve({ entry: "observed.ts", engine: trappingEngine("worker") });
  });
  after(() => service.close());
  const RIGHT = "/iiif/3/rocket.jpg/full/100,/0/default.jpg?cache=false";
  const WRONG = `${RIGHT}&trap=${"x".repeat(trappingLength)}`;

  test("costs one request, and is logged", async () => {
    const solo = (await service.get(RIGHT)).bytes;
    for (let times = 0; times < 30; times++) {
      const { status, headers, json } = await service.get(WRONG, { accept: "application/json" });
      assert.equal(status, 500);
      assert.deepEqual(json(), { code: "internal", error: "Something went wrong inside this service.", status: 500 });
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["access-control-allow-origin"], "*");
      const next = await service.get(RIGHT);
      assert.equal(next.status, 200);
      assert.ok(next.bytes.equals(solo));
    }
    const events = service.log.filter((line) => line.includes('"code":"internal"')).map((line) => JSON.parse(line));
    assert.equal(events.length, 30);
    assert.match(events[0].detail, /unreachable/);
  });

  test("its neighbours are begun anew and answer right", async () => {
    const solo = (await service.get(RIGHT)).bytes;
    const neighbours = Array.from({ length: 12 }, (_, index) => service.get(RIGHT, { "x-slow": String(20 + 10 * index) }));
    const traps = Array.from({ length: 3 }, () => service.get(WRONG, { "x-slow": "30" }));
    for (const { status } of await Promise.all(traps)) assert.equal(status, 500);
    for (const { status, bytes } of await Promise.all(neighbours)) {
      assert.equal(status, 200);
      assert.ok(bytes.equals(solo));
    }
  });
});

test("a handler for each request: files are known again, and those of the same name are told apart", async () => {
  const service = await serve({ entry: "each.ts", samples: false });
  try {
    // The same bytes have the same ETag in both.
    for (const host of ["one", "two"]) await service.put(`${host}/a.tif`, sample("retina-pyramid.tif"));
    await service.put("one/b.jpg", sample("rocket.jpg"));
    const get = (path, host) => service.get(path, { host: `${host}.example.org` });
    const tile = "/iiif/3/a.tif/0,0,512,512/100,/0/default.png";
    const first = await get(tile, "one");
    const reads = ({ headers }) => Number(headers["server-timing"].match(/reads;desc="(\d+)"/)[1]);
    const memory = ({ headers }) => Number(headers["server-timing"].match(/mem;desc="([\d.]+) MiB"/)[1]);
    for (let times = 0; times < 200; times++) {
      const again = await get("/iiif/3/a.tif/info.json", "one");
      assert.equal(reads(again), 1);
      assert.ok(memory(again) <= memory(first) + 0.5, `${memory(first)} → ${memory(again)}`);
    }
    assert.match((await get(tile, "one")).headers["server-timing"], /cache;desc="hit"/);
    assert.match((await get(tile, "two")).headers["server-timing"], /cache;desc="miss"/);
    assert.deepEqual([(await get("/iiif/3/b.jpg/info.json", "one")).status, (await get("/iiif/3/b.jpg/info.json", "two")).status], [200, 404]);
  } finally {
    await service.close();
  }
});

describe("a source on another server", () => {
  let service, server, file, reads;
  before(async () => {
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, "http://localhost");
      if (searchParams.get("token") !== "secret") return response.writeHead(403).end();
      if (pathname !== "/rocket.jpg") return response.writeHead(pathname === "/broken" ? 500 : 404).end("trouble at the origin");
      reads++;
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range);
      const part = file.bytes.subarray(Number(from), Number(to) + 1);
      const head = { "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${file.bytes.length}`, ...(file.etag && { etag: file.etag }) };
      return response.writeHead(206, head).end(part);
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    service = await serve({ entry: "remote.ts", vars: { ORIGIN: `http://127.0.0.1:${server.address().port}` } });
  });
  after(async () => {
    await service?.close();
    server.close();
  });
  const PATH = "/iiif/3/rocket.jpg/full/100,/0/default.png";
  const put = (etag, name = "rocket.jpg") => {
    file = { etag, bytes: sample(name) };
    reads = 0;
  };

  test("is known again by its etag, and a new version is seen at once", async () => {
    put('"one"');
    const first = await service.get(PATH);
    assert.equal(first.status, 200);
    assert.ok(first.headers.etag);
    const whole = reads;
    const info = await service.get("/iiif/3/rocket.jpg/info.json");
    assert.equal(reads, whole + 1, "only the version is asked for");
    assert.equal(info.json().width, 640);
    assert.equal((await service.get(PATH, { "if-none-match": first.headers.etag })).status, 304);
    put('"two"', "retina.jpg");
    const second = await service.get(PATH, { "if-none-match": first.headers.etag });
    assert.equal(second.status, 200);
    assert.notEqual(second.headers.etag, first.headers.etag);
    assert.notDeepEqual(second.bytes, first.bytes);
  });

  test("without an etag nothing is kept or promised", async () => {
    put(undefined);
    for (let times = 0; times < 2; times++) {
      const { status, headers } = await service.get(PATH);
      assert.equal(status, 200);
      assert.equal(headers.etag, undefined);
      assert.match(headers["server-timing"], /cache;desc="off"/);
    }
  });

  test("what is not there is 404, what fails 503, and neither tells where it lies", async () => {
    service.log.length = 0;
    for (const [path, status, code] of [["/iiif/3/nothing/info.json", 404, "not-found"], ["/iiif/3/broken/info.json", 503, "source-read"]]) {
      const { status: found, text, json } = await service.get(path, { accept: "application/json" });
      assert.deepEqual([found, json().code], [status, code]);
      assert.doesNotMatch(text(), /secret|127\.0\.0\.1|trouble/);
    }
    assert.match(service.log.join("\n"), /The source answered with status 500/);
    assert.doesNotMatch(service.log.join("\n"), /secret/);
  });
});
