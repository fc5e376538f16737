// How requests outlive a trap: src/js/host/isolate.ts over engines that are made here.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { build } from "esbuild";
import { at } from "../../pkg/lib.mjs";

let Isolate, Broken;
before(async () => {
  const { outputFiles } = await build({ entryPoints: [at("src/js/host/isolate.ts")], bundle: true, format: "esm", write: false, logLevel: "error" });
  ({ Isolate, Broken } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`));
  console.error = () => undefined;
});

const wait = (ms) => new Promise((wake) => setTimeout(wake, ms));
/** An isolate whose engines are numbered from 1. */
const numbered = (slow = () => 0) => {
  let count = 0;
  return new Isolate(async () => {
    const number = ++count;
    await wait(slow(number));
    return { engine: { number, trap: () => { throw new Error("unreachable"); } } };
  });
};

test("a trap costs its own request, and the others start again in another instance", async () => {
  const isolate = numbered();
  const attempts = [];
  const neighbour = isolate.serve(async (instance) => {
    attempts.push(instance.started.engine.number);
    await wait(50);
    return instance.call((engine) => engine.number);
  });
  await wait(10);
  await assert.rejects(isolate.serve(async (instance) => instance.call((engine) => engine.trap())), (error) => error instanceof Broken && error.how === "trapped");
  assert.equal(await neighbour, 2);
  assert.deepEqual(attempts, [1, 2]);
});

test("what the core throws on purpose is no trap", async () => {
  const isolate = numbered();
  const told = { code: "syntax", status: 400, message: "It is wrong." };
  await assert.rejects(isolate.serve(async (instance) => instance.call(() => { throw told; })), (error) => error === told);
  assert.equal(await isolate.serve(async (instance) => instance.call((engine) => engine.number)), 1);
});

test("a request that starts again and fails by itself keeps nobody waiting", async () => {
  const isolate = numbered();
  let attempts = 0;
  const lost = isolate.serve(async (instance) => {
    if (++attempts === 2) throw new TypeError("the client has left");
    await wait(30);
    instance.call(() => undefined);
  });
  await wait(5);
  await assert.rejects(isolate.serve(async (instance) => instance.call((engine) => engine.trap())));
  await assert.rejects(lost, TypeError);
  const began = Date.now();
  assert.equal(await isolate.serve(async (instance) => instance.call((engine) => engine.number)), 2);
  assert.ok(Date.now() - began < 5000);
});

test("of two starts only the later is used", async (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 1000 });
  // The first takes longer than a start is waited for.
  const isolate = numbered((number) => (number === 1 ? 300 : 0));
  const first = isolate.serve(async (instance) => instance.started.engine.number);
  await wait(10);
  context.mock.timers.setTime(60_000);
  const second = isolate.serve(async (instance) => instance.started.engine.number);
  assert.deepEqual(await Promise.all([first, second]), [2, 2]);
});
