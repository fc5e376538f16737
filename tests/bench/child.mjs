// A contestant in a process of its own, which lives as long as the bench. It is told a job and how often, and tells the CPU time of its whole process.

import { jobOf } from "./jobs.mjs";

const [, , path, files] = process.argv;
const contestant = await import(path);
const prepare = contestant.prepare(JSON.parse(files));
const runs = new Map();

const answers = {
  name: () => ({ name: contestant.name, version: contestant.version() }),
  /** Does it once and keeps how; tells what came out, or why nothing does. */
  async prepare({ id }) {
    const job = jobOf(id);
    try {
      const run = await prepare(job);
      if (!run) return { able: false };
      const answer = await run();
      runs.set(id, run);
      return { able: true, bytes: answer?.bytes?.length, passthrough: answer?.passthrough ?? false };
    } catch (error) {
      return { able: false, trouble: error.code ?? error.message };
    }
  },
  async run({ id, times }) {
    const run = runs.get(id);
    const [cpu, began] = [process.cpuUsage(), performance.now()];
    for (let count = 0; count < times; count++) await run();
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: (user + system) / 1000, wall: performance.now() - began };
  },
  /** In a process that has done nothing yet: from opening the image to the answer of so many calls. */
  async first({ id, times }) {
    const cpu = process.cpuUsage();
    const run = await prepare(jobOf(id));
    for (let count = 0; count < times; count++) await run();
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: (user + system) / 1000 };
  },
  async answer({ id }) {
    const { bytes } = await runs.get(id)();
    return { bytes: Buffer.from(bytes).toString("base64") };
  },
  memory: async ({ id }) => ({ memory: await contestant.memory(JSON.parse(files), jobOf(id)) }),
};

process.on("message", async ({ what, ...given }) => {
  try {
    process.send(await answers[what](given));
  } catch (error) {
    process.send({ failed: error.stack ?? String(error) });
  }
});
process.on("disconnect", () => process.exit());
process.send({ ready: true });
