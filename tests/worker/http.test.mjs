// What HTTP asks of the service, and what only this one has: its health, its list of images, its log.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { serve } from "./service.mjs";
import { overHttp } from "./shared/http.mjs";

overHttp("over HTTP", serve, ["/health", "/images.json"]);

describe("its own paths and its log", () => {
  let service;
  const get = (...given) => service.get(...given);
  before(async () => {
    service = await serve();
  });
  after(() => service.close());

  test("Server-Timing tells the memory too", async () => {
    const { headers } = await get("/iiif/3/rocket.jpg/full/203,/0/default.jpg");
    assert.match(headers["server-timing"], /mem;desc="[\d.]+ MiB"/);
  });

  test("/health and /images.json", async () => {
    const health = await get("/health");
    assert.equal(health.json().status, "ok");
    assert.match(health.json().version, /^\d+\.\d+\.\d+$/);
    const list = await get("/images.json");
    assert.equal(list.headers["cache-control"], "no-store");
    const { images, cursor, service: about } = list.json();
    assert.equal(cursor, null);
    const entry = images.find(({ name }) => name === "rocket.jpg");
    assert.deepEqual([entry.id, entry.bytes], ["rocket.jpg", 112525]);
    assert.ok(Date.parse(entry.uploaded) <= Date.now());
    assert.deepEqual(about, { prefix: "/iiif/{version}/", versions: ["1.0", "1.1", "2", "3"], formats: ["jpg", "png", "webp", "gif", "tif"] });
    const all = [];
    for (let next = ""; next !== null; ) {
      const page = (await get(`/images.json?limit=2&cursor=${encodeURIComponent(next)}`)).json();
      assert.ok(page.images.length <= 2);
      all.push(...page.images.map(({ name }) => name));
      next = page.cursor;
    }
    assert.deepEqual(all, images.map(({ name }) => name));
    assert.deepEqual((await get("/images.json?prefix=rock")).json().images.map(({ name }) => name), ["rocket.jpg"]);
    assert.equal((await get("/images.json?limit=0")).json().images.length, 1);
    assert.notEqual((await get("/images.json?cursor=%00nonsense")).status, 500);
  });

  test("the log is one line of JSON an event, without queries", async () => {
    service.log.length = 0;
    await get("/iiif/3/nothing%1B%5B31m/info.json?token=secret");
    await get(`/iiif/3/${"y".repeat(900)}/info.json`);
    await new Promise((wake) => setTimeout(wake, 100));
    // Of what was asked for before, the list of images, a line may still come.
    const events = service.log.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line)).filter(({ path }) => path !== "/images.json");
    assert.deepEqual(events.map(({ event, status }) => [event, status]), [["request", 400], ["request", 404]]);
    assert.ok(events[1].path.length <= 257);
    assert.ok(!service.log.join("").includes("secret"));
  });
});
