// What another isolate has opened an image with, in the Cache API: the first tile of a new one is read at once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateSync } from "node:zlib";
import { TILE, grain, repeatedTiff } from "../generate/pyramid.mjs";
import { tiff } from "../generate/tiff.mjs";
import { serve } from "./service.mjs";

const KEY = "map.tif";
const tile = (from, key = KEY) => `/iiif/3/${key}/${from},${from},${TILE},${TILE}/max/0/default.jpg`;
const readsOf = ({ headers }) => Number(headers["server-timing"].match(/reads;desc="(\d+)"/)[1]);
/** What is kept is written behind the answer. */
const written = () => new Promise((wake) => setTimeout(wake, 300));

describe("what a new isolate knows of an image", () => {
  /** With a bucket that holds these files; `again` begins with a new isolate. */
  const using = async (files, work, options = {}) => {
    const service = await serve({ samples: false, ...options });
    try {
      for (const [key, file] of Object.entries(files)) await service.put(key, file);
      let times = 0;
      const again = async () => {
        await written();
        await service.set({ JPEG_QUALITY: String(60 + times++) });
      };
      const get = async (path, headers) => {
        const answer = await service.get(path, headers);
        assert.equal(answer.status, 200, `${path} ${answer.text().slice(0, 200)}`);
        return answer;
      };
      await work({ ...service, get, ask: service.get, again });
    } finally {
      await service.close();
    }
  };

  test("a tile takes one read, wherever the directories and tables lie", async () => {
    // With all tables at the beginning, with a table too long for that, with directories behind the tiles of their levels.
    const files = { "10MP": repeatedTiff(3232, 3232), "10GP": repeatedTiff(100_000, 100_000), chain: repeatedTiff(9888, 9888, { order: "chain" }) };
    await using(files, async ({ get, again }) => {
      const cold = {};
      for (const key of Object.keys(files)) {
        cold[key] = await get(tile(5 * TILE, key));
        assert.ok(readsOf(cold[key]) > 1, key);
      }
      await again();
      for (const key of Object.keys(files)) {
        const known = await get(tile(5 * TILE, key));
        assert.deepEqual([key, readsOf(known), known.bytes.equals(cold[key].bytes)], [key, 1, true]);
      }
      // Of another place it is the same, but for tables that nobody has asked for; these are added.
      await again();
      for (const key of Object.keys(files)) {
        const reads = readsOf(await get(tile(2 * TILE, key)));
        assert.ok(reads <= (key === "10GP" ? 2 : 1), `${key}: ${reads} reads`);
      }
      await again();
      for (const key of Object.keys(files)) assert.equal(readsOf(await get(tile(2 * TILE, key))), 1, key);
    });
  });

  test("each page of a document by itself", async () => {
    // Each directory lies behind the pixels of its page, which do not fit into what is read at first.
    const pages = [1, 2, 3].map((page) => {
      const samples = Buffer.alloc(TILE * TILE * 3);
      for (let at = 0; at < samples.length; at++) samples[at] = 40 * page + grain(at % 1021, at >> 4, page);
      return { width: 500, height: 400, tiles: [deflateSync(samples, { level: 1 })], page: true };
    });
    await using({ "book.tif": tiff(pages) }, async ({ get, again }) => {
      const names = ["book.tif", "book.tif;2", "book.tif;3"];
      const pixels = (name) => get(`/iiif/3/${name}/100,100,64,64/max/0/default.png`);
      const cold = {};
      for (const name of names.slice(0, 2)) {
        cold[name] = await pixels(name);
        assert.ok(readsOf(cold[name]) > 1, name);
      }
      assert.ok(!cold[names[0]].bytes.equals(cold[names[1]].bytes), "other pixels");
      await again();
      for (const name of names.slice(0, 2)) {
        const known = await pixels(name);
        assert.deepEqual([name, readsOf(known), known.bytes.equals(cold[name].bytes)], [name, 1, true]);
      }
      assert.ok(readsOf(await pixels(names[2])) > 1, "nobody has asked for the third");
    });
  });

  test("information is always read of what is there; it opens the image for others", async () => {
    await using({ [KEY]: repeatedTiff(9888, 9888, { order: "chain" }) }, async ({ get, again, put }) => {
      const info = `/iiif/3/${KEY}/info.json`;
      const all = readsOf(await get(info));
      assert.ok(all > 2, `${all} reads`);
      await again();
      assert.equal(readsOf(await get(info)), all);
      await again();
      assert.ok(readsOf(await get(tile(TILE))) <= 2);
      await put(KEY, repeatedTiff(1500, 600));
      await again();
      assert.equal((await get(info)).json().width, 1500);
    });
  });

  test("replaced or deleted since: what is there now", async () => {
    await using({ [KEY]: repeatedTiff(3232, 3232) }, async ({ get, ask, again, put, bucket }) => {
      const path = tile(TILE);
      const old = await get(path);
      // The same place is its bottom right corner, which has another colour.
      await put(KEY, repeatedTiff(2 * TILE, 2 * TILE));
      await again();
      const anew = await get(path);
      assert.ok(!anew.bytes.equals(old.bytes), "another picture");
      assert.ok(anew.bytes.equals((await get(`${path}?cache=false`)).bytes), "that of the file that is there now");
      await again();
      const known = await get(path);
      assert.deepEqual([readsOf(known), known.bytes.equals(anew.bytes)], [1, true]);
      await (await bucket()).delete(KEY);
      await again();
      assert.equal((await ask(path)).status, 404);
    });
  });

  test("what the cache has lost or spoilt costs reads, and nothing else", async () => {
    await using(
      { [KEY]: repeatedTiff(3232, 3232) },
      async ({ get, again }) => {
        const path = tile(TILE);
        const cold = await get(path);
        for (const damage of ["none", "lost", "cut", "long", "blank", "other-etag", "no-lines"]) {
          await again();
          const answer = await get(path, { "x-damage": damage });
          assert.ok(answer.bytes.equals(cold.bytes), damage);
          assert.equal(readsOf(answer) === 1, damage === "none", `${damage}: ${readsOf(answer)} reads`);
        }
      },
      { front: "tests/worker/spoilt.mjs" },
    );
  });
});
