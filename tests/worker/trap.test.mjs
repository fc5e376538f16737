// A trap costs one request: the next one works, the neighbours too, and the memory does not grow.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { repeatedTiff } from "../generate/pyramid.mjs";
import { png } from "./images.mjs";
import { left, serve } from "./service.mjs";

const MIB = 1 << 20;
const KINDS = { panic: 500, exhaust: 503, "throw-through": 500 };
const PATH = "/iiif/3/image.png/full/100,/0/default.png?cache=false";

describe("a broken instance", () => {
  let service, solo;
  const get = (faults = [], path = PATH) => service.get(path, { "x-faults": JSON.stringify(faults), accept: "application/json", origin: "https://a.example" });
  const memory = async () => (await service.get("/health")).json().memory;
  before(async () => {
    service = await serve({ front: "tests/worker/faulty.mjs" });
    await service.put("image.png", png(700, 500));
    solo = (await get()).bytes;
  });
  after(() => service.close());

  test("whatever breaks it: a clean error, and the next request works", async () => {
    for (const [kind, status] of Object.entries(KINDS)) {
      const before = service.log.length;
      const answer = await get([{ call: 2, kind }, { call: 4, kind }]);
      assert.equal(answer.status, status, kind);
      assert.equal(answer.json().status, status);
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.equal(answer.headers["cache-control"], "no-store");
      assert.equal(answer.headers["x-content-type-options"], "nosniff");
      const next = await get();
      assert.equal(next.status, 200);
      assert.deepEqual(next.bytes, solo, `after ${kind}`);
      await new Promise((wake) => setTimeout(wake, 50));
      const events = service.log.slice(before).filter((line) => line.startsWith('{"event":"trap"'));
      assert.ok(events.length >= 1, `${kind} is logged`);
      JSON.parse(events[0]);
    }
  });

  test("plain text and HEAD as well", async () => {
    const faults = { "x-faults": JSON.stringify([{ call: 2, kind: "panic" }]) };
    const plain = await service.get(PATH, faults);
    assert.equal(plain.text(), "Something went wrong inside this service.\n");
    const head = await service.get(PATH, faults, "HEAD");
    assert.deepEqual([head.status, head.bytes.length], [500, 0]);
  });

  test("a hundred times at every read: the memory stays", async () => {
    const kinds = Object.keys(KINDS);
    await get([{ call: 2, kind: "exhaust" }]);
    const before = await memory();
    for (let times = 0; times < 100; times++) {
      const kind = kinds[times % kinds.length];
      const answer = await get([{ call: 1 + (times % 2), kind }]);
      // A request for which memory ran out is begun anew in an empty one, once; a trap of its own costs it.
      assert.equal(answer.status, kind === "exhaust" ? 200 : 500, `${kind} at read ${1 + (times % 2)}`);
      if (kind === "exhaust") assert.ok(answer.bytes.equals(solo));
      const next = await get();
      assert.equal(next.status, 200);
      assert.ok(next.bytes.equals(solo));
    }
    const after = await memory();
    assert.ok(after <= before * 1.1 && after <= 64 * MIB, `${before} → ${after}`);
  });

  test("the neighbours of a trap are begun anew and answer right", async () => {
    const slow = (ms) => [1, 2].map((call) => ({ call, kind: "slow", ms }));
    const neighbours = Array.from({ length: 20 }, (_, index) => get(slow(10 * index)));
    await new Promise((wake) => setTimeout(wake, 60));
    assert.equal((await get([{ call: 2, kind: "panic" }])).status, 500);
    for (const { status, bytes } of await Promise.all(neighbours)) {
      assert.equal(status, 200);
      assert.ok(bytes.equals(solo));
    }
  });

  test("200 at once, and 200 one after the other, one in five of them a trap", async () => {
    const kinds = Object.keys(KINDS);
    const fault = (kind) => [{ call: kind === "throw-through" ? 1 : 2, kind }];
    const after = (ms) => new Promise((wake) => setTimeout(wake, ms));
    const asked = Array.from({ length: 400 }, (_, index) => after(Math.max(0, index - 200) * 5).then(() => get(index % 5 ? [] : fault(kinds[index % 3]))));
    const answers = await Promise.all(asked);
    answers.forEach(({ status, bytes }, index) => {
      if (index % 5) assert.equal(status, 200, `${index}: ${bytes.subarray(0, 200)}`);
      if (status === 200) assert.ok(bytes.equals(solo), `${index}`);
      else assert.ok([500, 503].includes(status));
    });
    assert.ok((await memory()) <= 64 * MIB);
  });
});

describe("many at once", () => {
  let service;
  before(async () => {
    service = await serve();
  });
  after(() => service.close());
  const paths = [
    "rocket.jpg/full/300,/0/default.jpg",
    "astronaut.png/full/max/0/default.webp",
    "hubble_deep_field.jpg/full/!600,600/0/default.png",
    "retina.jpg/100,100,512,512/256,/90/gray.jpg",
    "astronaut.png/square/200,/!45/default.png",
    "rocket.jpg/full/max/0/bitonal.tif",
    "retina.jpg/full/300,/0/color.gif",
    "hubble_deep_field.jpg/info.json",
  ].map((path) => `/iiif/3/${path}`);

  test("200 identical requests", async () => {
    const solo = (await service.get(`${paths[2]}?cache=false`)).bytes;
    const answers = await Promise.all(Array.from({ length: 200 }, () => service.get(paths[2])));
    for (const { status, bytes } of answers) assert.ok(status === 200 && bytes.equals(solo), `${status}`);
  });

  test("200 mixed requests, a fifth of them given up by the client", async () => {
    const solo = [];
    for (const path of paths) solo.push((await service.get(`${path}?cache=false`)).bytes);
    const asked = Array.from({ length: 200 }, (_, index) => [index, index % paths.length]);
    await Promise.all(
      asked.map(async ([index, which]) => {
        const path = `${paths[which]}?cache=false`;
        if (index % 5 === 0) {
          return left(service.url, path, [1, 10, 100][index % 3]);
        }
        const { status, bytes } = await service.get(path);
        assert.equal(status, 200, path);
        assert.ok(bytes.equals(solo[which]), path);
      }),
    );
    const { memory } = (await service.get("/health")).json();
    assert.ok(memory <= 64 * MIB, `${memory}`);
    assert.equal((await service.get(paths[0])).status, 200);
  });

  test("200 mixed requests of pyramids, cold and warm, each as it is alone", async () => {
    const pyramids = [
      ["1.tif", 1184, {}],
      ["10.tif", 3232, { order: "chain" }],
      ["100.tif", 9888, { compression: "deflate" }],
      ["1000.tif", 31_904, { compression: "deflate", order: "chain" }],
      ["10000.tif", 100_000, {}],
    ];
    for (const [name, side, options] of pyramids) await service.put(name, repeatedTiff(side, side, options));
    const asked = [...pyramids, ["retina-pyramid.tif", 1411]].flatMap(([name, side]) => {
      const [last, end] = [side - (side % 512) - 512, side - 512];
      const requests = [`${last},${last},512,512/max/0/default.jpg`, `${end},${end},512,512/max/0/default.jpg`, `${end},${end},512,512/200,/90/gray.png`, "full/!300,300/0/default.jpg", "square/100,/0/default.webp"];
      return [...requests.map((request) => `/iiif/3/${name}/${request}`), `/iiif/3/${name}/info.json`];
    });
    const alone = [];
    for (const path of [...asked, ...paths]) {
      const { status, bytes } = await service.get(`${path}?cache=false`);
      assert.equal(status, 200, `${path}: ${bytes.subarray(0, 200)}`);
      alone.push([path, bytes]);
    }
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const [path, wanted] = alone[(index * 17) % alone.length];
        const { status, bytes } = await service.get(index % 3 ? `${path}?cache=false` : path);
        assert.equal(status, 200, path);
        assert.ok(bytes.equals(wanted), path);
      }),
    );
    const { memory } = (await service.get("/health")).json();
    assert.ok(memory <= 64 * MIB, `${memory}`);
  });

  test("what is too much is refused beforehand, never by running out of memory", async () => {
    for (const size of ["%5E2000,2000", "%5E3000,3000", "%5E3500,3500", "%5E4000,3000", "%5Emax"]) {
      for (const last of ["0/default.jpg", "90/gray.png", "!0/color.webp", "0/default.gif", "30/default.tif", "0/bitonal.png"]) {
        for (const name of ["astronaut.png", "rocket.jpg", "retina-pyramid.tif"]) {
          const path = `/iiif/3/${name}/square/${size}/${last}?cache=false`;
          const { status, json } = await service.get(path, { accept: "application/json" });
          // The box of a rotation may be over the published area.
          if (status !== 200) assert.ok(["source-too-costly", "too-large"].includes(json().code), `${path}: ${status}`);
        }
      }
    }
    const { memory } = (await service.get("/health")).json();
    assert.ok(memory <= 64 * MIB, `${memory}`);
  });

  test("the memory does not grow with the number of requests", async () => {
    const round = () => Promise.all(paths.map((path) => service.get(`${path}?cache=false`)));
    for (let times = 0; times < 5; times++) await round();
    const before = (await service.get("/health")).json().memory;
    for (let times = 0; times < 40; times++) await round();
    const after = (await service.get("/health")).json().memory;
    assert.ok(after <= before + 2 * MIB, `${before} → ${after}`);
  });
});
