// The budgets of pkg/sizes.mjs.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { sizes, table } from "../../pkg/sizes.mjs";

const rows = await sizes();
after(() => console.log(table(rows)));

for (const { file, brotli, most } of rows.filter(({ most }) => most)) {
  test(`${file}: at most ${most} bytes`, () => assert.ok(brotli <= most, `${brotli} bytes`));
}
