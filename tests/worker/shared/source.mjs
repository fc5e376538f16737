// R2 as it really is: objects replaced or deleted between two reads, reads that fail. An answer is made of one version of a file, or is a 503.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import { at } from "../../../pkg/lib.mjs";
import { repeatedTiff } from "../../generate/pyramid.mjs";
import { png } from "../images.mjs";

const KEY = "image.png";
const [OLD, NEW] = [png(400, 300), png(500, 200, 3)];
const PATH = `/iiif/3/${KEY}/full/100,/0/default.png?cache=false`;
// The first read, the rest of the file.
const CALLS = 2;
/** Its directories lie behind each other and its tiles. */
const [CHAIN, OTHER_CHAIN] = [[1200, 900], [1500, 600]].map(([width, height]) => repeatedTiff(width, height, { order: "chain" }));

/** Registers the tests for a service that `serve` starts, with a bucket that fails on purpose (faulty.mjs). */
export function failingBucket(serve) {
  describe("a bucket that fails", () => {
    let service, oldImage, newImage;
    const get = (faults, path = PATH) => service.get(path, { "x-faults": JSON.stringify(faults), accept: "application/json" });
    before(async () => {
      service = await serve({ front: "tests/worker/faulty.mjs", samples: false });
      await service.put("new", NEW);
      await service.put(KEY, NEW);
      newImage = (await get([])).bytes;
      await service.put(KEY, OLD);
      oldImage = (await get([])).bytes;
      assert.notDeepEqual(oldImage, newImage);
    });
    beforeEach(() => service.put(KEY, OLD));
    after(() => service.close());

    const unavailable = (answer, what) => {
      assert.equal(answer.status, 503, `${what}: ${answer.text()}`);
      assert.match(answer.json().code, /^source-(read|changed)$/, what);
      assert.equal(answer.headers["retry-after"], "1");
      assert.equal(answer.headers["cache-control"], "no-store");
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.doesNotMatch(answer.text(), /10001|connection/, "what the storage said is for the log");
    };

    test("replaced between any two reads: all old or all new", async () => {
      for (let call = 1; call <= CALLS; call++) {
        await service.put(KEY, OLD);
        const { status, bytes } = await get([{ call, kind: "swap", key: "new" }]);
        assert.equal(status, 200, `before call ${call}`);
        assert.deepEqual(bytes, newImage, `before call ${call}`);
      }
    });

    test("replaced by a smaller one, which has nothing where the old one is read: all new", async () => {
      const [large, small] = [repeatedTiff(1200, 900), png(20, 20)];
      const path = (key) => `/iiif/3/${key}/0,0,20,20/max/0/default.png`;
      await service.put("small", small);
      const { bytes } = await get([], path("small"));
      for (let call = 1; call <= CALLS; call++) {
        await service.put("tiles.tif", large);
        const { status, text, ...swapped } = await get([{ call, kind: "swap", key: "small" }], `${path("tiles.tif")}?cache=false`);
        assert.deepEqual([status, swapped.bytes.equals(bytes)], [200, true], `before call ${call}: ${text().slice(0, 200)}`);
      }
      // By an isolate that has opened the old one.
      await service.put("tiles.tif", large);
      const { headers } = await get([], path("tiles.tif"));
      assert.ok(Number(headers["server-timing"].match(/bytes;desc="(\d+)"/)[1]) > 16 << 10, "more than the beginning was read");
      await service.put("tiles.tif", small);
      const known = await get([], path("tiles.tif"));
      assert.deepEqual([known.status, known.bytes.equals(bytes)], [200, true], known.text().slice(0, 200));
    });

    test("replaced again and again: 503, and right afterwards", async () => {
      await service.put("old", OLD);
      const faults = [
        { call: 2, kind: "swap", key: "new" },
        { call: 4, kind: "swap", key: "old" },
      ];
      unavailable(await get(faults), "replaced twice");
      assert.deepEqual((await get([])).bytes, oldImage);
    });

    test("replaced while the information is read: that of one version", async () => {
      await service.put("other-chain", OTHER_CHAIN);
      for (let call = 1; call <= CALLS; call++) {
        await service.put("chain.tif", CHAIN);
        const { json } = await get([{ call, kind: "swap", key: "other-chain" }], "/iiif/3/chain.tif/info.json?cache=false");
        assert.deepEqual([json().width, json().height], [1500, 600], `before call ${call}`);
      }
    });

    test("deleted between two reads: 404", async () => {
      for (let call = 1; call <= CALLS; call++) {
        await service.put(KEY, OLD);
        assert.equal((await get([{ call, kind: "delete" }])).status, 404, `before call ${call}`);
      }
    });

    test("every single fault at every read", async () => {
      for (const kind of ["throw", "short", "long", "broken-body"]) {
        unavailable(await get([{ call: 2, kind }]), `${kind} at 2`);
        // Of the first read nobody knows beforehand how much will come: if it is not what it should be, it is read again.
        const first = await get([{ call: 1, kind }]);
        if (kind === "short" || kind === "long") assert.deepEqual([first.status, first.bytes], [200, oldImage], `${kind} at 1`);
        else unavailable(first, `${kind} at 1`);
        assert.deepEqual((await get([])).bytes, oldImage);
      }
    });

    test("every pair of faults ends with 503, 404 or the right pixels", async () => {
      const kinds = ["throw", "short", "gone", "other-etag", "swap"];
      for (const first of kinds) {
        for (const second of kinds) {
          for (const [one, two] of [[1, 2], [1, 3], [2, 3], [2, 4], [1, 4]]) {
            await service.put(KEY, OLD);
            const answer = await get([{ call: one, kind: first, key: "new" }, { call: two, kind: second, key: "new" }]);
            const what = `${first} at ${one}, ${second} at ${two}: ${answer.status}`;
            if (answer.status === 200) assert.ok(answer.bytes.equals(oldImage) || answer.bytes.equals(newImage), what);
            else assert.ok([404, 503].includes(answer.status), what);
          }
        }
      }
    });

    test("a failure is not cached", async () => {
      const path = `/iiif/3/${KEY}/full/101,/0/default.png`;
      unavailable(await get([{ call: "every", kind: "throw" }], path), "all reads fail");
      unavailable(await get([{ call: "every", kind: "short" }], path), "all reads are short");
      const { status, headers } = await get([], path);
      assert.equal(status, 200);
      assert.match(headers["server-timing"], /cache;desc="miss"/);
    });

    test("one that has been opened, and replaced or deleted since: the new one, or 404", async () => {
      const what = ["info.json", "full/102,/0/default.png", "full/103,/0/default.png", "0,0,300,150/300,/0/default.png", "401,0,9,9/max/0/default.png", ""];
      const answers = async (paths) => {
        const all = [];
        for (const path of paths) all.push(await get([], `/iiif/3/${KEY}${path && "/"}${path}`));
        return all;
      };
      const [info, first] = await answers([what[0], what[1]]);
      assert.deepEqual([info.json().width, info.headers.etag !== first.headers.etag], [400, true]);
      for (const path of what) {
        await service.put(KEY, NEW);
        const [changed] = await answers([path]);
        assert.deepEqual([path, changed.status], [path, path === "" ? 303 : 200], changed.text());
        if (path === what[0]) assert.equal(changed.json().width, 500);
        const [same] = await answers([path]);
        assert.deepEqual([same.status, same.headers.etag, same.bytes], [changed.status, changed.headers.etag, changed.bytes]);
        if (same.headers.etag) assert.equal((await service.get(`/iiif/3/${KEY}/${path}`, { "if-none-match": same.headers.etag, accept: "application/json" })).status, 304);
        await service.put(KEY, OLD);
        const [back] = await answers([path]);
        assert.equal(back.status, path === what[4] ? 400 : path === "" ? 303 : 200);
        if (same.headers.etag) {
          assert.notEqual(back.headers.etag, same.headers.etag);
          assert.notEqual((await service.get(`/iiif/3/${KEY}/${path}`, { "if-none-match": same.headers.etag, accept: "application/json" })).status, 304);
        }
        await (await service.bucket()).delete(KEY);
        assert.equal((await answers([path]))[0].status, 404, path);
      }
    });

    test("slow reads of many requests do not mix", async () => {
      await service.put("other.png", NEW);
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => {
          const faults = [1, 2, 3].map((call) => ({ call, kind: "slow", ms: (index * 37 + call * 53) % 90 }));
          return get(faults, index % 2 ? PATH : PATH.replace(KEY, "other.png"));
        }),
      );
      answers.forEach(({ status, bytes }, index) => {
        assert.equal(status, 200);
        assert.deepEqual(bytes, index % 2 ? oldImage : newImage);
      });
    });
  });

  test("the reads of a tile of a pyramid are few", async () => {
    const service = await serve();
    try {
      const pyramid = { id: "retina-pyramid.tif", bytes: statSync(at("www/samples/retina-pyramid.tif")).size };
      const info = (await service.get(`/iiif/3/${pyramid.id}/info.json`)).json();
      const cost = async (path, query = "?cache=false") => {
        const timing = (await service.get(`/iiif/3/${pyramid.id}/${path}${query}`)).headers["server-timing"];
        return [Number(timing.match(/reads;desc="(\d+)"/)[1]), Number(timing.match(/bytes;desc="(\d+)"/)[1])];
      };
      const [tile] = info.tiles;
      const [reads, bytes] = await cost(`0,0,${tile.width},${tile.height ?? tile.width}/${tile.width},/0/default.jpg`);
      // Each level has a directory of its own, which may lie anywhere.
      assert.ok(reads <= 4 + tile.scaleFactors.length, `${reads} reads`);
      const [warm] = await cost(`0,0,${tile.width},${tile.height ?? tile.width}/${tile.width},/0/default.jpg`, "");
      assert.ok(warm <= 2, `${warm} reads when the pyramid is known`);
      assert.ok(bytes < pyramid.bytes / 2, `${bytes} bytes of ${pyramid.bytes}`);
    } finally {
      await service.close();
    }
  });
}
