// Native and wasm give the same bytes: every row of the table that the Rust suite writes, asked over HTTP.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { serve } from "./service.mjs";

const rows = readFileSync(at("tests/golden/digests.tsv"), "utf8").trimEnd().split("\n").slice(1).map((line) => line.split("\t"));
const LEAST_ROWS = 700;

let service;
before(async () => {
  service = await serve();
  for (const name of new Set(rows.map(([name]) => name))) {
    const path = [`tests/fixtures/${name}`, `www/samples/${name}`].map((path) => at(path)).find(existsSync);
    await service.put(name, readFileSync(path));
  }
});
after(() => service.close());

test("every answer is the native one, byte for byte", async () => {
  assert.ok(rows.length >= LEAST_ROWS, `the table has only ${rows.length} rows`);
  const different = [];
  for (const [name, request, , , digest] of rows) {
    const answer = await service.get(`/iiif/3/${encodeURIComponent(name)}/${request}`);
    const found = answer.status === 200 ? createHash("sha256").update(answer.bytes).digest("hex") : `status ${answer.status}: ${answer.text()}`;
    if (found !== digest) different.push(`${name} ${request}: ${found.slice(0, 100)}`);
  }
  assert.deepEqual(different, []);
});
