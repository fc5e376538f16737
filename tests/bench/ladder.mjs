// The ladder: pyramids from one megapixel to ten gigapixels. What a tile at the bottom right costs should not depend on the size of the image.

import { at } from "../../pkg/lib.mjs";
import { TILE, repeatedTiff } from "../generate/pyramid.mjs";
import { serve } from "../worker/service.mjs";
import { median, ms, ratioOf, rotated, table, told, workerdCpu } from "./measure.mjs";
import { idle, idlePath } from "./workerd.mjs";

/** Sides that all end 160 px after a tile, so that the same is cut at each size. */
const SIDES = [1184, 3232, 9888, 31_904, 100_000];
const KINDS = [
  ["aligned", (side) => [side - (side % TILE) - TILE, TILE]],
  ["unaligned", (side) => [side - TILE, TILE]],
];
/** The rungs that are compared. */
const COMPARED = [SIDES[1], SIDES.at(-1)];
/** Requests in a sample: more of those that are compared, as the Worker's own time is a small difference of two. */
const requestsOf = (side) => (COMPARED.includes(side) ? 72 : 24);
/** ms of CPU that a sample takes at least where requests are too quick to be counted. */
const SAMPLE = 50;
export const TITLE = "The ladder: from one megapixel to ten gigapixels";

const label = (side) => (side * side >= 1e9 ? `${(side * side) / 1e9}`.slice(0, 4) + " GP" : `${(side * side) / 1e6}`.slice(0, 4) + " MP");

/** Measures all rungs in turn, so often. Cold is with an image that the isolate or the process does not know yet, warm with one that it has opened. */
export async function ladder({ rounds = 9, log = () => {} } = {}) {
  const { open } = await import(at("pkg/dist/node/index.js"));
  const service = await serve({ samples: false, caches: false, vars: { LOG: "none" } });
  const still = await idle();
  const rungs = [];
  try {
    for (const side of SIDES) {
      const file = repeatedTiff(side, side);
      const name = `${side}.tif`;
      for (const { put } of [service, still]) await put(name, file);
      const image = await open(new Uint8Array(file), { threads: false });
      for (const [kind, place] of KINDS) {
        const [from, size] = place(side);
        const request = `${from},${from},${size},${size}/max/0/default.jpg`;
        const url = `/iiif/3/${name}/${request}`;
        const rung = { side, kind, bytes: file.length, cost: {} };
        const times = requestsOf(side);
        const asMuch = (job) => () => ask(still, idlePath(name, rung.cost[job]), times)();
        rung.jobs = {
          cold: ask(service, `${url}?cache=false`, times),
          warm: ask(service, url, times),
          coldIdle: asMuch("cold"),
          warmIdle: asMuch("warm"),
          coldNode: anew(open, file, request),
          warmNode: again(image, request),
        };
        rung.cpu = Object.fromEntries(Object.keys(rung.jobs).map((name) => [name, []]));
        rungs.push(rung);
      }
    }
    for (let round = -1; round < rounds; round++) {
      log(`ladder: round ${round + 1} of ${rounds}`);
      for (const rung of rotated(rungs, round)) {
        for (const [name, job] of Object.entries(rung.jobs)) {
          const { cpu, ...cost } = await job();
          rung.cost[name] = cost;
          if (round >= 0) rung.cpu[name].push(cpu);
        }
      }
    }
  } finally {
    await service.close();
    await still.close();
  }
  return rungs.map(({ side, kind, bytes, cpu, cost: { cold, warm } }) => ({
    side,
    kind,
    bytes,
    samples: cpu,
    own: { cold: without(cpu.cold, cpu.coldIdle), warm: without(cpu.warm, cpu.warmIdle) },
    cpu: Object.fromEntries(Object.entries(cpu).map(([name, values]) => [name, median(values)])),
    reads: { cold: cold.reads, warm: warm.reads },
    read: { cold: cold.bytes, warm: warm.bytes },
    passthrough: warm.passthrough,
  }));
}

const without = (all, part) => all.map((value, round) => value - part[round]);

/** ms of CPU that workerd takes for a request, and what it tells of it. */
const ask = (service, url, times) => async () => {
  let [answer, before] = [];
  // The first half does not count: while others had their turns, caches and memory became theirs.
  for (let count = -times; count < times; count++) {
    if (count === 0) before = workerdCpu();
    answer = await service.get(url);
    if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${answer.text()}`);
  }
  const cpu = (workerdCpu() - before) / times;
  const timing = answer.headers["server-timing"] ?? "";
  return { cpu, answer: answer.bytes.length, reads: Number(told(timing, "reads")), bytes: Number(told(timing, "bytes")), passthrough: told(timing, "passthrough") };
};

const timed = async (work) => {
  await atLeast(SAMPLE, work);
  return { cpu: await atLeast(SAMPLE, work) };
};

/** Works for so many ms of CPU; how many each time took. */
async function atLeast(least, work) {
  const before = process.cpuUsage();
  for (let count = 1; ; count++) {
    await work();
    const { user, system } = process.cpuUsage(before);
    const cpu = (user + system) / 1000;
    if (cpu >= least) return cpu / count;
  }
}

/** The same without HTTP and R2, by the package in this process. */
const anew = (open, file, request) => () =>
  timed(async () => {
    const image = await open(new Uint8Array(file.buffer, file.byteOffset, file.length), { threads: false });
    await image.render(request);
    image.close();
  });
const again = (image, request) => () => timed(() => image.render(request));

/** How much more a tile of the last rung costs than one of the second. */
export function flatness(rungs) {
  return KINDS.map(([kind]) => {
    const [of10MP, of10GP] = COMPARED.map((side) => rungs.find((rung) => rung.side === side && rung.kind === kind));
    const ratios = Object.fromEntries(Object.keys(of10GP.samples).map((name) => [name, ratioOf(of10GP.samples[name], of10MP.samples[name])]));
    // Of differences a round alone says little.
    const own = (name) => median(of10GP.own[name]) / median(of10MP.own[name]);
    return { kind, ...ratios, coldOwn: own("cold"), warmOwn: own("warm") };
  });
}

/** As Markdown. */
export function ladderText(rungs) {
  const number = (value) => value.toLocaleString("en").replaceAll(",", " ");
  const rows = KINDS.flatMap(([kind]) =>
    rungs.filter((rung) => rung.kind === kind).map(({ side, bytes, cpu, reads, read, passthrough }) => [
      `${label(side)}, ${kind}`, `${(bytes / 1e6).toFixed(2)} MB`, passthrough,
      ...["cold", "warm"].flatMap((how) => [reads[how], number(read[how]), ms(cpu[how]), ms(cpu[`${how}Idle`])]), ms(cpu.coldNode), ms(cpu.warmNode),
    ]),
  );
  const columns = ["image, tile", "file", "passed through", "cold: reads", "bytes", "CPU ms", "without work", "warm: reads", "bytes", "CPU ms", "without work", "Node, cold", "Node, warm"];
  const shown = { cold: "cold", coldOwn: "cold, its own", warm: "warm", warmOwn: "warm, its own", coldNode: "Node, cold", warmNode: "Node, warm" };
  const ratios = flatness(rungs).map((ratios) => [ratios.kind, ...Object.keys(shown).map((name) => ratios[name].toFixed(2))]);
  return `${table(columns, rows)}\n\n${table(["10 GP / 10 MP, CPU", ...Object.values(shown)], ratios)}`;
}
