// The ladder: pyramids from one megapixel to ten gigapixels. What a tile at the bottom right costs should not depend on the size of the image.

import { TILE, repeatedTiff } from "../generate/pyramid.mjs";
import { apart } from "./apart.mjs";
import { median, ms, ratioOf, rotated, table, told, workerdCpu } from "./measure.mjs";
import { connections } from "./workerd.mjs";

/** Sides that all end 160 px after a tile, so that the same is cut at each size. */
const SIDES = [1184, 3232, 9888, 31_904, 100_000];
const KINDS = [
  ["aligned", (side) => [side - (side % TILE) - TILE, TILE]],
  ["unaligned", (side) => [side - TILE, TILE]],
];
/** The rungs that are compared. */
const COMPARED = [SIDES[1], SIDES.at(-1)];
/** Requests in a sample: more of those that are compared. */
const requestsOf = (side) => (COMPARED.includes(side) ? 144 : 24);
/** So many names of each file that an isolate has forgotten one when it comes again: it remembers 4 MiB. */
const NAMES = 320;
/** How an image is known: by nobody; by another isolate, which left what it had read in the Cache API; by the isolate itself. */
const KNOWN = ["cold", "new", "warm"];
export const TITLE = "The ladder: from one megapixel to ten gigapixels";

const label = (side) => (side * side >= 1e9 ? `${(side * side) / 1e9}`.slice(0, 4) + " GP" : `${(side * side) / 1e6}`.slice(0, 4) + " MP");

/** Measures all rungs in turn, so often. */
export async function ladder({ rounds = 9, log = () => {} } = {}) {
  const service = await apart({ vars: { LOG: "none" } });
  const agent = connections(1);
  const rungs = [];
  try {
    for (const side of SIDES) {
      const file = repeatedTiff(side, side);
      for (const [kind, place] of KINDS) {
        const names = Array.from({ length: NAMES }, (_, index) => `${side}-${kind}-${index}.tif`);
        service.put(names, file);
        const [from, size] = place(side);
        const [own, ...urls] = names.map((name) => `/iiif/3/${name}/${from},${from},${size},${size}/max/0/default.jpg`);
        const rung = { side, kind, bytes: file.length, urls: { cold: [`${own}?cache=false`], new: urls, warm: [own] }, cost: {}, samples: {} };
        for (const known of KNOWN) rung.samples[known] = [];
        rungs.push(rung);
        log(`ladder: ${label(side)}, ${kind}, opened by others`);
        for (const url of urls) await answered(service, url, agent);
      }
    }
    for (let round = -1; round < rounds; round++) {
      log(`ladder: round ${round + 1} of ${rounds}`);
      for (const { side, urls, cost, samples } of rotated(rungs, round)) {
        for (const known of KNOWN) {
          const { cpu, found, ...rest } = await ask(service, urls[known], requestsOf(side), agent);
          if (found !== (known === "new" ? 1 : 0)) throw new Error(`${known}, ${urls[known][0]}: ${found} of what was asked for had been opened by others`);
          cost[known] = rest;
          if (round >= 0) samples[known].push(cpu);
        }
      }
    }
  } finally {
    agent.destroy();
    await service.close();
  }
  return rungs.map(({ side, kind, bytes, samples, cost }) => ({ side, kind, bytes, samples, cost, cpu: Object.fromEntries(KNOWN.map((known) => [known, median(samples[known])])) }));
}

async function answered(service, url, agent) {
  const answer = await service.get(url, {}, "GET", agent);
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${answer.text()}`);
  return answer;
}

/** ms of CPU that workerd takes for a request, and what it tells of it; each of the URLs gets its turn before any comes again. */
async function ask({ found, ...service }, urls, times, agent) {
  let [answer, before, had] = [];
  // The first half does not count: while others had their turns, caches and memory became theirs.
  for (let count = -times; count < times; count++) {
    if (count === 0) [before, had] = [workerdCpu(), found()];
    urls.push(urls.shift());
    answer = await answered(service, urls.at(-1), agent);
  }
  const timing = answer.headers["server-timing"] ?? "";
  const cost = { reads: Number(told(timing, "reads")), bytes: Number(told(timing, "bytes")), passthrough: told(timing, "passthrough") };
  return { cpu: (workerdCpu() - before) / times, found: (found() - had) / times, ...cost };
}

/** How much more a tile of the last rung costs than one of the second. */
export function flatness(rungs) {
  return KINDS.map(([kind]) => {
    const [of10MP, of10GP] = COMPARED.map((side) => rungs.find((rung) => rung.side === side && rung.kind === kind));
    return { kind, ...Object.fromEntries(KNOWN.map((known) => [known, ratioOf(of10GP.samples[known], of10MP.samples[known])])) };
  });
}

/** As Markdown. */
export function ladderText(rungs) {
  const number = (value) => value.toLocaleString("en").replaceAll(",", " ");
  const rows = KINDS.flatMap(([kind]) =>
    rungs.filter((rung) => rung.kind === kind).map(({ side, bytes, cpu, cost }) => [
      `${label(side)}, ${kind}`, `${(bytes / 1e6).toFixed(2)} MB`, cost.warm.passthrough,
      ...KNOWN.flatMap((known) => [cost[known].reads, number(cost[known].bytes), ms(cpu[known])]),
    ]),
  );
  const shown = { cold: "cold", new: "new isolate", warm: "warm" };
  const columns = ["image, tile", "file", "passed through", ...KNOWN.flatMap((known) => [`${shown[known]}: reads`, "bytes", "CPU ms"])];
  const ratios = flatness(rungs).map((ratios) => [ratios.kind, ...KNOWN.map((known) => ratios[known].toFixed(2))]);
  return `${table(columns, rows)}\n\n${table(["10 GP / 10 MP, CPU", ...Object.values(shown)], ratios)}`;
}
