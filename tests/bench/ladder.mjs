// The ladder: pyramids from one megapixel to ten gigapixels. What a tile at the bottom right costs should not depend on the size of the image.

import { TILE, repeatedTiff } from "../generate/pyramid.mjs";
import { serve } from "../worker/service.mjs";
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
const requestsOf = (side) => (COMPARED.includes(side) ? 72 : 24);
export const TITLE = "The ladder: from one megapixel to ten gigapixels";

const label = (side) => (side * side >= 1e9 ? `${(side * side) / 1e9}`.slice(0, 4) + " GP" : `${(side * side) / 1e6}`.slice(0, 4) + " MP");

/** Measures all rungs in turn, so often. Cold is with an image that the isolate does not know yet, warm with one that it has opened; *held* with a bucket in the isolate's memory. */
export async function ladder({ rounds = 9, log = () => {} } = {}) {
  const options = { samples: false, caches: false, vars: { LOG: "none" } };
  const service = await serve(options);
  const holding = await serve({ ...options, front: "tests/bench/held.mjs" });
  const agent = connections(1);
  const rungs = [];
  try {
    for (const side of SIDES) {
      const file = repeatedTiff(side, side);
      const name = `${side}.tif`;
      for (const { put } of [service, holding]) await put(name, file);
      for (const [kind, place] of KINDS) {
        const [from, size] = place(side);
        const warm = `/iiif/3/${name}/${from},${from},${size},${size}/max/0/default.jpg`;
        const cold = `${warm}?cache=false`;
        const job = (service, url) => () => ask(service, url, requestsOf(side), agent);
        const jobs = { cold: job(service, cold), coldHeld: job(holding, cold), warm: job(service, warm), warmHeld: job(holding, warm) };
        rungs.push({ side, kind, bytes: file.length, jobs, cost: {}, samples: Object.fromEntries(Object.keys(jobs).map((name) => [name, []])) });
      }
    }
    for (let round = -1; round < rounds; round++) {
      log(`ladder: round ${round + 1} of ${rounds}`);
      for (const { jobs, cost, samples } of rotated(rungs, round)) {
        for (const [name, job] of Object.entries(jobs)) {
          const { cpu, ...rest } = await job();
          cost[name] = rest;
          if (round >= 0) samples[name].push(cpu);
        }
      }
    }
  } finally {
    agent.destroy();
    await service.close();
    await holding.close();
  }
  return rungs.map(({ side, kind, bytes, samples, cost: { cold, warm } }) => ({
    side,
    kind,
    bytes,
    samples,
    cpu: Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)])),
    reads: { cold: cold.reads, warm: warm.reads },
    read: { cold: cold.bytes, warm: warm.bytes },
    passthrough: warm.passthrough,
  }));
}

/** ms of CPU that workerd takes for a request, and what it tells of it. */
async function ask(service, url, times, agent) {
  let [answer, before] = [];
  // The first half does not count: while others had their turns, caches and memory became theirs.
  for (let count = -times; count < times; count++) {
    if (count === 0) before = workerdCpu();
    answer = await service.get(url, {}, "GET", agent);
    if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${answer.text()}`);
  }
  const timing = answer.headers["server-timing"] ?? "";
  return { cpu: (workerdCpu() - before) / times, reads: Number(told(timing, "reads")), bytes: Number(told(timing, "bytes")), passthrough: told(timing, "passthrough") };
}

/** How much more a tile of the last rung costs than one of the second. */
export function flatness(rungs) {
  return KINDS.map(([kind]) => {
    const [of10MP, of10GP] = COMPARED.map((side) => rungs.find((rung) => rung.side === side && rung.kind === kind));
    return { kind, ...Object.fromEntries(Object.keys(of10GP.samples).map((name) => [name, ratioOf(of10GP.samples[name], of10MP.samples[name])])) };
  });
}

/** As Markdown. */
export function ladderText(rungs) {
  const number = (value) => value.toLocaleString("en").replaceAll(",", " ");
  const rows = KINDS.flatMap(([kind]) =>
    rungs.filter((rung) => rung.kind === kind).map(({ side, bytes, cpu, reads, read, passthrough }) => [
      `${label(side)}, ${kind}`, `${(bytes / 1e6).toFixed(2)} MB`, passthrough,
      ...["cold", "warm"].flatMap((how) => [reads[how], number(read[how]), ms(cpu[`${how}Held`]), ms(cpu[how])]),
    ]),
  );
  const columns = ["image, tile", "file", "passed through", ...["cold", "warm"].flatMap((how) => [`${how}: reads`, "bytes", "CPU ms", "with R2's"])];
  const shown = { coldHeld: "cold", cold: "cold, with R2's", warmHeld: "warm", warm: "warm, with R2's" };
  const ratios = flatness(rungs).map((ratios) => [ratios.kind, ...Object.keys(shown).map((name) => ratios[name].toFixed(2))]);
  return `${table(columns, rows)}\n\n${table(["10 GP / 10 MP, CPU", ...Object.values(shown)], ratios)}`;
}
