// What requests cost in workerd, with R2 and HTTP around them; and how many tiles come in a second.

import { readFileSync } from "node:fs";
import { serve } from "../worker/service.mjs";
import { JOBS, requestOf } from "./jobs.mjs";
import { median, quantile, rotated, told, workerdCpu } from "./measure.mjs";

const FILES = ["photograph.jpg", "pyramid-jpeg.tif", "pyramid-deflate.tif"];
const REPEATS = 3;
const AT_ONCE = 8;

/** Each request as if it were the first: nothing is kept of it. */
export async function requests(files, { rounds = 9, log = () => {} } = {}) {
  const service = await serve({ samples: false, vars: { LOG: "none" } });
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
        for (let times = 0; times < REPEATS; times++) each.timing = await timingOf(service, each.url);
        const took = performance.now() - began;
        if (round < 0) continue;
        each.ms.push(took / REPEATS);
        each.cpu.push((workerdCpu() - cpu) / REPEATS);
      }
    }
    // The wasm memory never shrinks: each is asked of a fresh isolate for its own mark.
    for (const [index, each] of cases.entries()) {
      await service.set({ LOG: "none", TILE_WIDTH: String(512 + index) });
      each.memory = told(await timingOf(service, each.url), "mem");
    }
    return cases.map(({ group, name, ms, cpu, timing, memory }) => ({ group, name, ms: median(ms), cpu: median(cpu), reads: told(timing, "reads"), bytes: told(timing, "bytes"), passthrough: told(timing, "passthrough"), memory }));
  } finally {
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

async function timingOf(service, url) {
  const { status, headers, text } = await service.get(url);
  if (status !== 200) throw new Error(`${url}: ${status} ${text()}`);
  return headers["server-timing"] ?? "";
}

const put = async (service, files) => {
  for (const file of FILES) await service.put(file, readFileSync(files[file]));
};

/** Tiles of full resolution, none of them from the Cache API: one after the other, and so many at once. Each by a connection of its own. */
export async function throughput(files, { seconds = 4, log = () => {} } = {}) {
  const service = await serve({ samples: false, caches: false, vars: { LOG: "none" } });
  try {
    await put(service, files);
    const rows = [];
    for (const file of FILES) {
      const tiles = Array.from({ length: 35 }, (_, index) => [index % 7, Math.floor(index / 7)]).map(([x, y]) => `/iiif/3/${file}/${512 * x},${512 * y},512,512/max/0/default.jpg`);
      await load(service, tiles, AT_ONCE, seconds / 2);
      for (const clients of [1, AT_ONCE]) {
        log(`workerd: ${file}, ${clients} at once`);
        const { latencies, took, cpu } = await load(service, tiles, clients, seconds);
        rows.push({ file, clients, perSecond: latencies.length / (took / 1000), p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), cpu: cpu / latencies.length });
      }
    }
    return rows;
  } finally {
    await service.close();
  }
}

async function load(service, paths, clients, seconds) {
  const latencies = [];
  let next = 0;
  const [cpu, began] = [workerdCpu(), performance.now()];
  const client = async () => {
    while (performance.now() - began < seconds * 1000) {
      const sent = performance.now();
      await timingOf(service, paths[next++ % paths.length]);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { latencies, took: performance.now() - began, cpu: workerdCpu() - cpu };
}
