// Expensive requests in workerd: a sample of those of expensive.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "./expensive.mjs";

test("expensive requests do not trap, and the memory stays below its limit", async () => {
  const { most, shown, tiles } = await ask(24, 240);
  assert.ok(shown > 0, "none of them was shown");
  console.log(`${shown} of 24 shown, ${tiles} cheap ones; at most ${(most / 2 ** 20).toFixed(1)} MiB of wasm memory`);
});
