// The same jobs by azulejo and by others, in one run: each in a process of its own, their turns interleaved. What counts is the CPU time of the whole process.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { JOBS } from "./jobs.mjs";
import { median, rotated } from "./measure.mjs";

const CONTESTANTS = ["azulejo", "azulejo-anew", "sharp", "sharp-first-page", "iiif-processor", "sharp-wasm", "wasm-vips", "jsquash"];
/** Calls of a new process that are measured. */
const FIRST = 10;
/** ms of CPU that a sample takes at least: the clock and the messages are nothing beside it. */
const SAMPLE = 50;
/** ms of work before anything counts. Up to `most` it goes on until so many samples in a row are no better than one before: V8 optimises what takes microseconds only after thousands of them. */
const WARM = { least: 150, most: 3000 };
const STEADY = 3;

/** `{ contestants: [{ name, version }], results: [{ job, of: { name: { cpu, bytes, passthrough, trouble } } }] }`; cpu in ms per answer. */
export async function peers(files, { rounds = 9, warm = WARM, jobs = JOBS, contestants = CONTESTANTS, log = () => {} } = {}) {
  const all = [];
  try {
    for (const each of contestants) all.push(await contestant(each, files));
    const plans = [];
    for (const job of jobs) {
      log(`warming up: ${job.id}`);
      const able = [];
      const of = {};
      for (const each of all) {
        const { able: can, trouble, bytes, passthrough } = await each.ask("prepare", { id: job.id });
        if (!can && !trouble) continue;
        of[each.name] = { bytes, passthrough, trouble, samples: [] };
        if (can) able.push({ each, times: await enough(each, job, warm) });
      }
      plans.push({ job, able, of });
    }
    for (let round = 0; round < rounds; round++) {
      log(`round ${round + 1} of ${rounds}`);
      for (const { job, able, of } of plans) {
        for (const one of rotated(able, round)) {
          const { each } = one;
          // While others had their turns, caches became theirs, and a kernel that gives idle memory away took that, too.
          const first = await each.ask("run", { id: job.id, times: one.times });
          // It takes less than when it was warmed up: then it was not.
          if (first.cpu < SAMPLE / 2) one.times = Math.ceil((SAMPLE * one.times) / Math.max(first.cpu, 1));
          const { cpu } = await each.ask("run", { id: job.id, times: one.times });
          of[each.name].samples.push(cpu / one.times);
        }
      }
    }
    for (const { of } of plans) for (const one of Object.values(of)) one.cpu = one.samples.length ? median(one.samples) : undefined;
    const encoded = await compared(all, files, plans);
    const memory = await memories(all[0], plans);
    return { contestants: all.map(({ name, version, file }) => ({ name, version, file })), results: plans.map(({ job, of }) => ({ job, of })), encoded, memory };
  } finally {
    for (const { close } of all) close();
  }
}

/** Adds to each result `first`: ms of CPU of a call, of the first ten in a process that has done nothing yet, with opening the image and making an engine. */
export async function withFirstCalls(files, measured, { rounds = 5, log = () => {} } = {}) {
  const names = measured.contestants.map(({ name, file }) => [name, file]);
  for (const { job, of } of measured.results) {
    log(`first calls: ${job.id}`);
    const able = names.filter(([name]) => of[name]?.cpu !== undefined);
    for (const [name] of able) of[name].first = [];
    for (let round = 0; round < rounds; round++) for (const [name, file] of rotated(able, round)) of[name].first.push(await firstCall(files, file, job));
  }
  return measured;
}

async function firstCall(files, file, { id }) {
  const each = await contestant(file, files);
  const { cpu } = await each.ask("first", { id, times: FIRST }).finally(each.close);
  return cpu / FIRST;
}

/** How often it has to be done for a sample, once it is warm. */
async function enough(each, job, warm) {
  let [times, least, worse] = [1, Infinity, 0];
  for (let worked = 0; ; ) {
    const { cpu } = await each.ask("run", { id: job.id, times });
    worked += cpu;
    worse = cpu / times < 0.98 * least ? 0 : worse + 1;
    least = Math.min(least, cpu / times);
    const steady = worse >= STEADY || worked >= warm.most;
    if (worked >= warm.least && steady && cpu > 0) return Math.max(1, Math.ceil((SAMPLE * times) / cpu));
    times = Math.min(100_000, times * (cpu < SAMPLE ? 4 : 1));
  }
}

async function contestant(file, files) {
  const path = fileURLToPath(new URL(`./contestants/${file}.mjs`, import.meta.url));
  const child = fork(fileURLToPath(new URL("./child.mjs", import.meta.url)), [path, JSON.stringify(files)]);
  const answer = async () => {
    const ended = new AbortController();
    const [message] = await Promise.race([
      once(child, "message", { signal: ended.signal }),
      once(child, "exit", { signal: ended.signal }).then(([code]) => {
        throw new Error(`${file} ended with ${code}`);
      }),
    ]).finally(() => ended.abort());
    if (message.failed) throw new Error(`${file}: ${message.failed}`);
    return message;
  };
  const ask = (what, given = {}) => {
    child.send({ what, ...given });
    return answer();
  };
  await answer();
  return { file, ...(await ask("name")), ask, close: () => child.connected && child.disconnect() };
}

/** Of the encoders: bytes, and how near to the pixels they stay. */
async function compared(all, files, plans) {
  const plan = plans.find(({ job }) => job.group === "Encoding");
  if (!plan) return [];
  const { default: sharp } = await import("sharp");
  const raw = (input) => sharp(input).removeAlpha().raw().toBuffer();
  const wanted = await raw(files[plan.job.file]);
  const rows = [];
  for (const { each } of plan.able.filter(({ each }) => each.file !== "azulejo-anew")) {
    const bytes = Buffer.from((await each.ask("answer", { id: plan.job.id })).bytes, "base64");
    const found = await raw(bytes);
    let sum = 0;
    for (let at = 0; at < wanted.length; at++) sum += (wanted[at] - found[at]) ** 2;
    rows.push({ name: each.name, bytes: bytes.length, psnr: 10 * Math.log10((255 * 255 * wanted.length) / sum) });
  }
  return rows;
}

/** Wasm memory of azulejo for each job, each in an engine of its own. */
async function memories(azulejo, plans) {
  const found = {};
  for (const { job, able } of plans) if (job.kind === "image" && able.some(({ each }) => each === azulejo)) found[job.id] = (await azulejo.ask("memory", { id: job.id })).memory;
  return found;
}
