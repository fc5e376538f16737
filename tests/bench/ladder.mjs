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
/** In each round the rungs have so many turns, nearly at the same time, as the machine's mood changes within seconds. */
const TURNS = 10;
/** Requests in a turn: more of those that are compared. */
const requestsOf = (side) => (COMPARED.includes(side) ? 20 : 4);
/** So many names of each file that an isolate has forgotten one when it comes again: it remembers 4 MiB. */
const NAMES = 320;
/** How an image is known: by nobody; the same with the Cache API left out (`?cache=false`); by another isolate, which left what it had read in the Cache API; by the isolate itself. */
const KNOWN = ["cold", "uncached", "new", "warm"];
const SHOWN = { cold: "cold", uncached: "without cache", new: "new isolate", warm: "warm" };
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
        // Cold is a name that nobody has asked for yet: one for each request.
        const names = Array.from({ length: NAMES + (1 + TURNS * requestsOf(side)) * (rounds + 1) }, (_, index) => `${side}-${kind}-${index}.tif`);
        service.put(names, file);
        const [from, size] = place(side);
        const [own, ...urls] = names.map((name) => `/iiif/3/${name}/${from},${from},${size},${size}/max/0/default.jpg`);
        const others = urls.splice(0, NAMES - 1);
        const rung = { side, kind, bytes: file.length, urls: { cold: urls, uncached: [`${own}?cache=false`], new: others, warm: [own] }, cost: {}, samples: {} };
        for (const known of KNOWN) rung.samples[known] = [];
        rungs.push(rung);
        log(`ladder: ${label(side)}, ${kind}, opened by others`);
        for (const url of others) await answered(service, url, agent);
      }
    }
    for (let round = -1; round < rounds; round++) {
      log(`ladder: round ${round + 1} of ${rounds}`);
      for (const [kind] of KINDS) {
        const of = rotated(rungs.filter((rung) => rung.kind === kind), round);
        for (const known of KNOWN) {
          const cpu = await byTurns(service, of, known, agent);
          if (round >= 0) of.forEach(({ samples }, index) => samples[known].push(cpu[index]));
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

/** ms of CPU that workerd takes for a request of each rung; of its URLs each comes before any comes again. */
async function byTurns({ found, ...service }, rungs, known, agent) {
  const next = ({ urls }) => {
    urls[known].push(urls[known].shift());
    return answered(service, urls[known].at(-1), agent);
  };
  // The first does not count: what others did meanwhile may have made an isolate forget.
  for (const rung of rungs) await next(rung);
  const cpu = rungs.map(() => 0);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [index, rung] of rungs.entries()) {
      const [before, had, requests] = [workerdCpu(), found(), requestsOf(rung.side)];
      let answer;
      for (let count = 0; count < requests; count++) answer = await next(rung);
      cpu[index] += (workerdCpu() - before) / (TURNS * requests);
      const opened = (found() - had) / requests;
      if (opened !== (known === "new" ? 1 : 0)) throw new Error(`${known}, ${rung.urls[known].at(-1)}: ${opened} of what was asked for had been opened by others`);
      const timing = answer.headers["server-timing"] ?? "";
      rung.cost[known] = { reads: Number(told(timing, "reads")), bytes: Number(told(timing, "bytes")), passthrough: told(timing, "passthrough") };
    }
  }
  return cpu;
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
  const columns = ["image, tile", "file", "passed through", ...KNOWN.flatMap((known) => [`${SHOWN[known]}: reads`, "bytes", "CPU ms"])];
  const ratios = flatness(rungs).map((ratios) => [ratios.kind, ...KNOWN.map((known) => ratios[known].toFixed(2))]);
  return `${table(columns, rows)}\n\n${table(["10 GP / 10 MP, CPU", ...Object.values(SHOWN)], ratios)}`;
}
