// What another isolate has opened an image with, in the Cache API: the first tile of a new one is read at once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TILE, repeatedTiff } from "../generate/pyramid.mjs";
import { serve } from "./service.mjs";

const KEY = "map.tif";
const tile = (from, size = TILE) => `/iiif/3/${KEY}/${from},${from},${size},${size}/max/0/default.jpg`;
const readsOf = ({ headers }) => Number(headers["server-timing"].match(/reads;desc="(\d+)"/)[1]);
/** What is kept is written behind the answer. */
const written = () => new Promise((wake) => setTimeout(wake, 300));

describe("what a new isolate knows of an image", () => {
  /** With a bucket that holds `file`; `again` begins with a new isolate. */
  const using = async (file, work, options = {}) => {
    const service = await serve({ samples: false, ...options });
    try {
      await service.put(KEY, file);
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
    const files = { "10 MP": repeatedTiff(3232, 3232), "10 GP": repeatedTiff(100_000, 100_000), chain: repeatedTiff(9888, 9888, { order: "chain" }) };
    for (const [name, file] of Object.entries(files)) {
      await using(file, async ({ get, again }) => {
        const path = tile(5 * TILE);
        const cold = await get(path);
        assert.ok(readsOf(cold) > 1, name);
        await again();
        const known = await get(path);
        assert.deepEqual([name, readsOf(known), known.bytes.equals(cold.bytes)], [name, 1, true]);
        // Of another place it is the same, but for tables that nobody has asked for.
        await again();
        const elsewhere = await get(tile(2 * TILE));
        assert.ok(readsOf(elsewhere) <= (name === "10 GP" ? 2 : 1), `${name}: ${readsOf(elsewhere)} reads`);
        await again();
        assert.equal(readsOf(await get(tile(2 * TILE))), 1, `${name}: these are added`);
      });
    }
  });

  test("information is always read of what is there; it opens the image for others", async () => {
    await using(repeatedTiff(9888, 9888, { order: "chain" }), async ({ get, again, put }) => {
      const info = `/iiif/3/${KEY}/info.json`;
      const all = readsOf(await get(info));
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
    await using(repeatedTiff(3232, 3232), async ({ get, ask, again, put, bucket }) => {
      const path = tile(TILE);
      await get(path);
      await put(KEY, repeatedTiff(3232, 3232, { quality: 40 }));
      await again();
      const anew = await get(path);
      assert.ok(anew.bytes.equals((await get(`${path}?cache=false`)).bytes));
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
      repeatedTiff(3232, 3232),
      async ({ get, again }) => {
        const path = tile(TILE);
        const cold = await get(path);
        for (const damage of ["none", "lost", "cut", "long", "blank", "other-etag", "no-json"]) {
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
