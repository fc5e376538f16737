// The ladder: pyramids from one megapixel to ten gigapixels. What a tile at the bottom right costs should not depend on the size of the image.

import { at } from "../../pkg/lib.mjs";
import { TILE, repeatedTiff } from "../generate/pyramid.mjs";
import { serve } from "../worker/service.mjs";
import { median, ms, ratioOf, rotated, table, told, workerdCpu } from "./measure.mjs";

/** Sides that all end 160 px after a tile, so that the same is cut at each size. */
const SIDES = [1184, 3232, 9888, 31_904, 100_000];
const KINDS = [
  ["aligned", (side) => [side - (side % TILE) - TILE, TILE]],
  ["unaligned", (side) => [side - TILE, TILE]],
];
/** Requests in a sample, and ms of CPU that one takes at least where requests are too quick to be counted. */
const REQUESTS = 12;
const SAMPLE = 50;
export const TITLE = "The ladder: from one megapixel to ten gigapixels";

const label = (side) => (side * side >= 1e9 ? `${(side * side) / 1e9}`.slice(0, 4) + " GP" : `${(side * side) / 1e6}`.slice(0, 4) + " MP");

/** Measures all rungs in turn, so often. Cold is with an image that the isolate or the process does not know yet, warm with one that it has opened. */
export async function ladder({ rounds = 9, log = () => {} } = {}) {
  const { open } = await import(at("pkg/dist/node/index.js"));
  const service = await serve({ samples: false, caches: false, vars: { LOG: "none" } });
  const rungs = [];
  try {
    for (const side of SIDES) {
      const file = repeatedTiff(side, side);
      await service.put(`${side}.tif`, file);
      const image = await open(new Uint8Array(file), { threads: false });
      for (const [kind, place] of KINDS) {
        const [from, size] = place(side);
        const request = `${from},${from},${size},${size}/max/0/default.jpg`;
        const url = `/iiif/3/${side}.tif/${request}`;
        const jobs = { cold: ask(service, `${url}?cache=false`), warm: ask(service, url), coldNode: anew(open, file, request), warmNode: again(image, request) };
        rungs.push({ side, kind, bytes: file.length, jobs, cpu: Object.fromEntries(Object.keys(jobs).map((name) => [name, []])), timing: {} });
      }
    }
    for (let round = -1; round < rounds; round++) {
      log(`ladder: round ${round + 1} of ${rounds}`);
      for (const rung of rotated(rungs, round)) {
        for (const [name, job] of Object.entries(rung.jobs)) {
          const { cpu, timing } = await job();
          rung.timing[name] = timing;
          if (round >= 0) rung.cpu[name].push(cpu);
        }
      }
    }
  } finally {
    await service.close();
  }
  return rungs.map(({ side, kind, bytes, cpu, timing }) => ({
    side,
    kind,
    bytes,
    samples: cpu,
    cpu: Object.fromEntries(Object.entries(cpu).map(([name, values]) => [name, median(values)])),
    reads: { cold: told(timing.cold, "reads"), warm: told(timing.warm, "reads") },
    read: { cold: told(timing.cold, "bytes"), warm: told(timing.warm, "bytes") },
    passthrough: told(timing.warm, "passthrough"),
  }));
}

/** ms of CPU that workerd takes for a request. */
const ask = (service, url) => async () => {
  const before = workerdCpu();
  let answer;
  for (let count = 0; count < REQUESTS; count++) {
    answer = await service.get(url);
    if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${answer.text()}`);
  }
  return { cpu: (workerdCpu() - before) / REQUESTS, timing: answer.headers["server-timing"] ?? "" };
};

const timed = async (work) => {
  const before = process.cpuUsage();
  for (let count = 1; ; count++) {
    await work();
    const { user, system } = process.cpuUsage(before);
    const cpu = (user + system) / 1000;
    if (cpu >= SAMPLE) return { cpu: cpu / count, timing: "" };
  }
};

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
    const [of10MP, of10GP] = [SIDES[1], SIDES.at(-1)].map((side) => rungs.find((rung) => rung.side === side && rung.kind === kind));
    return { kind, ...Object.fromEntries(Object.keys(of10GP.cpu).map((name) => [name, ratioOf(of10GP.samples[name], of10MP.samples[name])])) };
  });
}

/** As Markdown. */
export function ladderText(rungs) {
  const number = (text) => Number(text).toLocaleString("en").replaceAll(",", " ");
  const rows = KINDS.flatMap(([kind]) =>
    rungs.filter((rung) => rung.kind === kind).map(({ side, bytes, cpu, reads, read, passthrough }) => [
      `${label(side)}, ${kind}`, `${(bytes / 1e6).toFixed(2)} MB`, passthrough, reads.cold, number(read.cold), ms(cpu.cold), reads.warm, number(read.warm), ms(cpu.warm), ms(cpu.coldNode), ms(cpu.warmNode),
    ]),
  );
  const columns = ["image, tile", "file", "passed through", "cold: reads", "bytes", "CPU ms", "warm: reads", "bytes", "CPU ms", "Node, cold", "Node, warm"];
  const ratios = flatness(rungs).map(({ kind, cold, warm, coldNode, warmNode }) => [kind, ...[cold, warm, coldNode, warmNode].map((ratio) => ratio.toFixed(2))]);
  return `${table(columns, rows)}\n\n${table(["10 GP / 10 MP, CPU", "cold", "warm", "Node, cold", "Node, warm"], ratios)}`;
}
