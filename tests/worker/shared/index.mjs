// What is learnt of where the blocks of a JPEG file lie: kept in the isolate, in the Cache API, and beside the object where the service may write there.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

const KEY = "hubble_deep_field.jpg";
const INDEX = `${KEY}.azulejo-index`;
const tile = (x, y) => `/iiif/3/${KEY}/${x},${y},100,100/max/0/default.jpg`;
const far = tile(800, 700);
const near = tile(50, 60);
const thumbnail = `/iiif/3/${KEY}/full/90,/0/default.jpg`;
const readOf = ({ headers }) => Number(headers["server-timing"].match(/bytes;desc="(\d+)"/)[1]);

/** Registers the tests for a service that `serve` starts, with the samples in its bucket. */
export function indexed(name, serve) {
  describe(name, () => {
    /** With a service of its own, begun anew by `again`. */
    const using = async (options, work) => {
      const service = await serve(options);
      try {
        let times = 0;
        const again = () => service.set({ ...options.vars, JPEG_QUALITY: String(60 + times++) });
        const get = async (path) => {
          const answer = await service.get(path);
          assert.equal(answer.status, 200, `${path} ${answer.text().slice(0, 200)}`);
          return answer;
        };
        await work({ ...service, get, ask: service.get, again });
      } finally {
        await service.close();
      }
    };
    const appears = async ({ bucket }, key) => {
      for (let times = 0; times < 100; times++) {
        const object = await (await bucket()).get(key);
        if (object) return { etag: object.customMetadata["image-etag"], bytes: Buffer.from(await object.arrayBuffer()) };
        await new Promise((wake) => setTimeout(wake, 20));
      }
      throw new Error(`${key} did not appear`);
    };

    test("a tile of an image that has been seen reads only its own bytes, and shows the same", async () => {
      await using({}, async ({ get, bucket }) => {
        const cold = await get(`${far}?cache=false`);
        assert.ok(readOf(cold) > 400_000, `${readOf(cold)} bytes`);
        await get(thumbnail);
        for (const path of [far, near]) assert.ok(readOf(await get(path)) < 90_000, path);
        assert.deepEqual((await get(far)).bytes, cold.bytes);
        const { objects } = await (await bucket()).list();
        assert.ok(!objects.some(({ key }) => key.endsWith(".azulejo-index")), "nobody allowed that");
      });
    });

    test("a new isolate finds it in the Cache API", async () => {
      await using({}, async ({ get, again }) => {
        await get(thumbnail);
        await new Promise((wake) => setTimeout(wake, 300));
        await again();
        assert.ok(readOf(await get(far)) < 90_000);
      });
    });

    test("WRITE_INDEX puts it beside the object, where a new isolate finds it that has nothing in its cache", async () => {
      await using({ vars: { WRITE_INDEX: "on" }, caches: false }, async (service) => {
        const { get, ask, again, put, bucket } = service;
        await get(thumbnail);
        const kept = await appears(service, INDEX);
        const { size, etag } = await (await bucket()).head(KEY);
        assert.equal(kept.etag, etag);
        assert.ok(kept.bytes.length < size * 0.015, `${kept.bytes.length} bytes of ${size}`);
        await again();
        const found = await get(far);
        assert.ok(readOf(found) < 90_000 + kept.bytes.length, `${readOf(found)} bytes`);
        // What is no index of this file helps nothing and harms nothing.
        const shown = found.bytes;
        for (const [bytes, of] of [[kept.bytes.subarray(0, 100), etag], [Buffer.alloc(5000, 1), etag], [Buffer.from([...kept.bytes].reverse()), etag], [kept.bytes, "another"]]) {
          await put(INDEX, bytes, { customMetadata: { "image-etag": of } });
          await again();
          const answer = await get(far);
          assert.ok(readOf(answer) > 400_000, `${readOf(answer)} bytes`);
        }
        await service.set({ ...{ WRITE_INDEX: "on" }, JPEG_QUALITY: "60" });
        assert.deepEqual((await get(far)).bytes, shown);
        // It is no image.
        assert.equal((await ask(`/iiif/3/${INDEX}/info.json`)).status, 404);
        const list = await ask("/images.json");
        if (list.status === 200) assert.ok(!list.text().includes("azulejo-index"));
      });
    });

    test("a replaced object has nothing of the old one's", async () => {
      await using({ vars: { WRITE_INDEX: "on" } }, async (service) => {
        const { get, put, again, bucket } = service;
        await get(thumbnail);
        const old = await appears(service, INDEX);
        const other = await (await (await bucket()).get("retina.jpg")).arrayBuffer();
        await put(KEY, Buffer.from(other));
        for (let times = 0; times < 2; times++) {
          const { bytes } = await get(tile(500 + times, 500));
          assert.deepEqual(bytes, (await get(tile(500 + times, 500).replace(KEY, "retina.jpg"))).bytes);
          await again();
        }
        assert.ok(old.bytes.length > 100);
      });
    });
  });
}
