// The most expensive requests that there are, and many cheap ones, one after the other in one isolate: no trap, and the wasm memory stays below its limit.
// node tests/worker/expensive.mjs    all of them, some minutes; `npm test` asks for a sample.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { at } from "../../pkg/lib.mjs";
import { serve } from "./service.mjs";

const MIB = 2 ** 20;
const MOST_MEMORY = 48 * MIB;
/** What an expensive request may be answered with: an image, or a refusal that names the limit. */
const REFUSALS = ["too-large", "source-too-costly", "upscale-unsupported", "region-outside"];

/** Sizes at the limit of 12 MP, thin ones, and such as few rows of a source are made into. */
const SIZES = ["^max", "^3547,3547", "^2500,2500", "^4000,3000", "^12000,1000", "^1000,12000", "^60000,200", "^200,60000", "^6000000,2", "^2,6000000"];
const REGIONS = ["full", "square", "pct:10,10,80,1", "pct:10,10,1,80", "pct:50,50,1,1"];
const ROTATIONS = ["0", "90", "180", "!45", "137.5"];
const ENDS = ["default.jpg", "default.png", "default.webp", "gray.webp", "default.gif", "default.tif", "bitonal.tif", "bitonal.png"];

/** All combinations, in an order that mixes them, and always the same. */
function* expensive(files) {
  const all = files.length * REGIONS.length * SIZES.length * ROTATIONS.length * ENDS.length;
  // A step that has no divisor in common with their number visits each of them once.
  const step = 7919 * 104_729;
  for (let index = 0; index < all; index++) {
    let rest = Number((BigInt(index) * BigInt(step)) % BigInt(all));
    const pick = (list) => {
      const found = list[rest % list.length];
      rest = Math.floor(rest / list.length);
      return found;
    };
    yield `${encodeURIComponent(pick(files))}/${pick(REGIONS)}/${pick(SIZES)}/${pick(ROTATIONS)}/${pick(ENDS)}`;
  }
}

/** Asks for `costly` expensive and `cheap` cheap requests; what the isolate held, and how many were shown. */
export async function ask(costly, cheap) {
  const service = await serve({ vars: { LOG: "all" } });
  try {
    const fixtures = readdirSync(at("tests", "fixtures")).filter((name) => !name.endsWith(".md"));
    for (const name of fixtures) await service.put(name, readFileSync(at("tests", "fixtures", name)));
    const files = [...fixtures, ...readdirSync(at("www", "samples")).filter((name) => !name.endsWith(".md"))];
    let [most, shown, tiles, slowest] = [0, 0, 0, 0];
    const look = async () => {
      const { memory } = (await service.get("/health")).json();
      most = Math.max(most, memory);
      assert.ok(memory <= MOST_MEMORY, `${memory / MIB} MiB of wasm memory`);
    };
    const requests = expensive(files);
    for (let asked = 0; asked < costly; asked++) {
      const path = requests.next().value;
      const began = performance.now();
      const answer = await service.get(`/iiif/3/${path}`, { accept: "application/json" });
      slowest = Math.max(slowest, performance.now() - began);
      if (answer.status === 200) shown++;
      else assert.ok(REFUSALS.includes(answer.json().code), `${path}: ${answer.status} ${answer.text()}`);
      await look();
      // Cheap ones in between: tiles and information.
      for (let turn = 0; turn < cheap / costly; turn++) {
        const [x, y] = [tiles % 3, Math.floor(tiles / 3) % 3];
        const tile = tiles++ % 10 === 9 ? "info.json" : `${x * 256},${y * 256},256,256/256,256/0/default.jpg`;
        const { status } = await service.get(`/iiif/3/retina-pyramid.tif/${tile}`);
        assert.equal(status, 200, tile);
      }
    }
    const traps = service.log.filter((line) => line.includes('"trap"'));
    assert.deepEqual(traps, []);
    return { most, shown, tiles, slowest };
  } finally {
    await service.close();
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { most, shown, tiles, slowest } = await ask(300, 5000);
  console.log(`300 expensive requests, ${shown} shown, ${tiles} cheap ones: no trap, at most ${(most / MIB).toFixed(1)} MiB of wasm memory; the slowest took ${(slowest / 1000).toFixed(1)} s`);
}
