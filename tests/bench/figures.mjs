// npm run figures: what a request costs in workerd. Median of interleaved runs, caches bypassed; a benchmark, not a test.

import { readFileSync, readdirSync } from "node:fs";
import { serve } from "../worker/service.mjs";
import { pyramidTiff } from "../generate/pyramid.mjs";

const [WIDTH, HEIGHT] = [4000, 3000];
const RUNS = 15;
const JOBS = [
  ["info.json", "info.json"],
  ["512² tile at full resolution", "1024,1024,512,512/512,512/0/default.jpg"],
  ["512² tile of 2048²", "0,0,2048,2048/512,512/0/default.jpg"],
  ["thumbnail 400 px", "full/400,/0/default.jpg"],
];

/** Mountains of sines under noise: it compresses like a photograph, about 1.6 bits a pixel as JPEG. */
const noise = Uint8Array.from({ length: 1 << 16 }, (_, index) => Math.imul(index + 1, 2654435761) >>> 24);
const paint = (x, y, out, at) => {
  const height = 110 + 60 * Math.sin(x / 173 + y / 311) + 40 * Math.sin(x / 29) * Math.cos(y / 41);
  const grain = noise[(x * 31 + y * 4099) & 0xffff] / 16;
  out[at] = height + grain;
  out[at + 1] = height * 0.8 + grain + 20 * Math.sin(y / 97);
  out[at + 2] = 255 - height + grain;
};

const service = await serve({ samples: false, vars: { JPEG_QUALITY: "88" } });
const pid = workerd();
const tiff = pyramidTiff(WIDTH, HEIGHT, paint);
await service.put("pyramid.tif", tiff);
const jpeg = await service.get("/iiif/3/pyramid.tif/full/max/0/default.jpg");
if (jpeg.status !== 200) throw new Error(jpeg.text());
await service.put("photograph.jpg", jpeg.bytes);
await service.set({});

const sources = [
  ["12 MP JPEG", "photograph.jpg", jpeg.bytes.length],
  ["12 MP tiled TIFF (Deflate)", "pyramid.tif", tiff.length],
];
const cases = sources.flatMap(([source, key]) => JOBS.map(([job, path]) => ({ source, job, url: `/iiif/3/${key}/${path}`, ms: [], cpu: [], timing: "" })));
for (let run = -2; run < RUNS; run++) {
  for (const each of cases) {
    const cpu = cpuMs(pid());
    const began = performance.now();
    const answer = await service.get(`${each.url}?cache=false`);
    const ms = performance.now() - began;
    if (answer.status !== 200) throw new Error(`${each.url}: ${answer.status} ${answer.text()}`);
    each.timing = answer.headers["server-timing"] ?? "";
    if (run < 0) continue;
    each.ms.push(ms);
    each.cpu.push(cpuMs(pid()) - cpu);
  }
}
// The wasm memory never shrinks: each job is asked of a fresh isolate for its own mark.
for (const each of cases) {
  await service.set({ JPEG_QUALITY: String(70 + (cases.indexOf(each) % 20)) });
  each.timing = (await service.get(`${each.url}?cache=false`)).headers["server-timing"] ?? "";
}
await service.close();

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const desc = (timing, name) => new RegExp(`${name};desc="([^"]+)"`).exec(timing)?.[1] ?? "";
console.log(`${sources.map(([source, , bytes]) => `${source}: ${(bytes / 1e6).toFixed(1)} MB`).join(", ")}; ${WIDTH} × ${HEIGHT}; medians of ${RUNS}\n`);
console.log("| source | request | wall ms | CPU ms | R2 reads | bytes read | wasm memory |\n|---|---|--:|--:|--:|--:|--:|");
for (const { source, job, ms, cpu, timing } of cases) {
  const cells = [source, job, median(ms).toFixed(1), median(cpu).toFixed(0), desc(timing, "reads"), desc(timing, "bytes"), desc(timing, "mem")];
  console.log(`| ${cells.join(" | ")} |`);
}

/** The runtime's process is the newest workerd child of this one; a new isolate may be a new process. */
function workerd() {
  return () => {
    const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => {
      try {
        const stat = readFileSync(`/proc/${id}/stat`, "utf8");
        return stat.includes("(workerd)") && Number(stat.split(") ")[1].split(" ")[1]) === process.pid;
      } catch {
        return false;
      }
    });
    return Math.max(...children);
  };
}

/** User and system time of a process so far; Linux only, 0 elsewhere. The clock ticks each 10 ms, so small jobs need the median of many. */
function cpuMs(id) {
  try {
    const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}
