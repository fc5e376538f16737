// What requests cost in workerd, with R2 and HTTP around them; and how many tiles come in a second.

import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { Miniflare } from "miniflare";
import { connect, serve } from "../worker/service.mjs";
import { JOBS, requestOf } from "./jobs.mjs";
import { median, quantile, ratioOf, rotated, told, workerdCpu } from "./measure.mjs";

const FILES = ["photograph.jpg", "pyramid-jpeg.tif", "pyramid-deflate.tif"];
const REPEATS = 3;
const AT_ONCE = 8;

/** Connections that are kept, as browsers keep theirs. */
export const connections = (count) => new Agent({ keepAlive: true, maxSockets: count });

/** Each request as if it were the first: nothing is kept of it. */
export async function requests(files, { rounds = 9, log = () => {} } = {}) {
  const service = await serve({ samples: false, vars: { LOG: "none" } });
  const agent = connections(1);
  try {
    await put(service, files);
    const cases = FILES.flatMap((file) => {
      const jobs = JOBS.filter((job) => job.file === file && job.kind === "image").map((job) => ({ file, group: job.group, name: job.name, url: `/iiif/3/${file}/${requestOf(job)}?cache=false` }));
      return [{ file, group: jobs[0].group, name: "info.json", url: `/iiif/3/${file}/info.json?cache=false` }, ...jobs];
    }).map((each) => ({ ...each, ms: [], cpu: [], timing: "" }));
    for (let round = -1; round < rounds; round++) {
      log(`workerd: round ${round + 1} of ${rounds}`);
      for (const each of rotated(cases, round)) {
        const cpu = workerdCpu();
        const began = performance.now();
        for (let times = 0; times < REPEATS; times++) each.timing = (await costOf(service, each.url, agent)).timing;
        const took = performance.now() - began;
        if (round < 0) continue;
        each.ms.push(took / REPEATS);
        each.cpu.push((workerdCpu() - cpu) / REPEATS);
      }
    }
    // The wasm memory never shrinks: each is asked of a fresh isolate for its own mark.
    for (const [index, each] of cases.entries()) {
      await service.set({ LOG: "none", TILE_WIDTH: String(512 + index) });
      each.memory = told((await costOf(service, each.url)).timing, "mem");
    }
    return cases.map(({ group, name, ms, cpu, timing, memory }) => ({ group, name, ms: median(ms), cpu: median(cpu), reads: told(timing, "reads"), bytes: told(timing, "bytes"), passthrough: told(timing, "passthrough"), memory }));
  } finally {
    agent.destroy();
    await service.close();
  }
}

/** Of a JPEG of 100 MP that a viewer has shown once, the whole of it first as all do, a tile: bytes read of it, or why there are none. */
export async function secondVisit(files) {
  const service = await serve({ samples: false, caches: false, vars: { LOG: "none" } });
  try {
    const file = readFileSync(files["vast.jpg"]);
    await service.put("vast.jpg", file);
    const visit = (what) => service.get(`/iiif/3/vast.jpg/${what}/0/default.jpg`, { accept: "application/json" });
    await visit("full/400,");
    const { status, headers, json } = await visit("9001,9007,512,512/max");
    return status === 200 ? { part: Number(told(headers["server-timing"], "bytes")) / file.length } : { trouble: json().code };
  } finally {
    await service.close();
  }
}

async function costOf(service, url, agent) {
  const { status, headers, bytes, text } = await service.get(url, {}, "GET", agent);
  if (status !== 200) throw new Error(`${url}: ${status} ${text()}`);
  return { timing: headers["server-timing"] ?? "", length: bytes.length };
}

const put = async (service, files) => {
  for (const file of FILES) await service.put(file, readFileSync(files[file]));
};

/** A Worker that does no work: it reads so many bytes of an object in so many reads, one after the other, and sends so many. */
const IDLE = `export default {
  async fetch({ url }, { BUCKET }) {
    const [key, reads, bytes, answer] = new URL(url).pathname.slice(1).split("/");
    const length = Math.round(bytes / reads);
    for (let index = 0; index < reads; index++) await (await BUCKET.get(key, { range: { offset: index * length, length } })).arrayBuffer();
    return new Response(new Uint8Array(answer));
  },
};`;

/** Its service. */
function idle() {
  const options = { modules: true, script: IDLE, compatibilityDate: "2026-04-01", port: 0, r2Buckets: ["BUCKET"] };
  return connect(new Miniflare(options), options, []);
}

/** Where it reads and sends as much as was counted of requests. */
const idlePath = (file, { reads, bytes, answer }) => `/${file}/${Math.max(1, Math.round(reads))}/${Math.round(bytes)}/${Math.round(answer)}`;

/** What of the time of tiles is the runtime's own: adds to each row what as many bytes cost that are read and sent without any work. */
async function addFloors(rows, files, seconds) {
  const service = await idle();
  try {
    await put(service, files);
    for (const row of rows) {
      const paths = [idlePath(row.file, row)];
      await load(service, paths, row.clients, seconds / 4);
      const { latencies, cpu } = await load(service, paths, row.clients, seconds);
      row.floor = cpu / latencies.length;
    }
  } finally {
    await service.close();
  }
}

const tilesOf = (file) => Array.from({ length: 35 }, (_, index) => [index % 7, Math.floor(index / 7)]).map(([x, y]) => `/iiif/3/${file}/${512 * x},${512 * y},512,512/max/0/default.jpg`);

/** What is counted of many requests, in mean: reads, bytes read, bytes answered. */
function means(costs) {
  const mean = (number) => costs.reduce((sum, each) => sum + number(each), 0) / costs.length;
  const [reads, bytes] = ["reads", "bytes"].map((name) => mean(({ timing }) => Number(told(timing, name))));
  return { reads, bytes, answer: mean(({ length }) => length) };
}

/** Of an opened image, all tiles and all of it by turns: CPU of one tile, of all of it, and how many times the one is the other. */
async function against(service, file, rounds) {
  const agent = connections(1);
  const kinds = [{ paths: tilesOf(file), cpu: [], costs: [] }, { paths: Array(3).fill(`/iiif/3/${file}/full/max/0/default.jpg`), cpu: [], costs: [] }];
  for (let round = -1; round < rounds; round++) {
    for (const { paths, cpu, costs } of rotated(kinds, round)) {
      const before = workerdCpu();
      for (const path of paths) costs.push(await costOf(service, path, agent));
      if (round >= 0) cpu.push((workerdCpu() - before) / paths.length);
    }
  }
  agent.destroy();
  const [tile, whole] = kinds.map(({ cpu, costs }) => ({ file, clients: 1, cpu: median(cpu), ...means(costs) }));
  return { tile, whole, ratio: ratioOf(kinds[1].cpu, kinds[0].cpu) };
}

/** Tiles of full resolution, none of them from the Cache API: one after the other, and so many at once. And one of them against the whole image. */
export async function throughput(files, { seconds = 4, rounds = 9, log = () => {} } = {}) {
  const service = await serve({ samples: false, caches: false, vars: { LOG: "none" } });
  const rows = [];
  let pair;
  try {
    await put(service, files);
    for (const file of FILES) {
      const tiles = tilesOf(file);
      await load(service, tiles, AT_ONCE, seconds / 2);
      for (const clients of [1, AT_ONCE]) {
        log(`workerd: ${file}, ${clients} at once`);
        const { latencies, took, cpu, costs } = await load(service, tiles, clients, seconds);
        rows.push({ file, clients, perSecond: latencies.length / (took / 1000), p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), cpu: cpu / latencies.length, ...means(costs) });
      }
    }
    log("workerd: tiles against all of it");
    pair = await against(service, FILES[0], rounds);
  } finally {
    await service.close();
  }
  log("workerd: without any work");
  await addFloors([...rows, pair.tile, pair.whole], files, seconds / 2);
  return { rows, pair };
}

async function load(service, paths, clients, seconds) {
  const latencies = [];
  const costs = [];
  const agent = connections(clients);
  let next = 0;
  const [cpu, began] = [workerdCpu(), performance.now()];
  const client = async () => {
    while (performance.now() - began < seconds * 1000) {
      const sent = performance.now();
      costs.push(await costOf(service, paths[next++ % paths.length], agent));
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return { latencies, costs, took: performance.now() - began, cpu: workerdCpu() - cpu };
}
