// BENCH.md: what was measured, on what, and how.

import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { at } from "../../pkg/lib.mjs";
import { goals } from "./goals.mjs";
import { TITLE, ladderText } from "./ladder.mjs";
import { median, ms, ratioOf, table, times } from "./measure.mjs";

const packaged = (path) => JSON.parse(readFileSync(at(...path), "utf8")).version;

/** Told once, before the bench makes work of its own. */
export function machine() {
  const [{ model }] = cpus();
  return `${cpus().length} × ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}, Node ${process.versions.node} (V8 ${process.versions.v8}), workerd ${packaged(["node_modules", "workerd", "package.json"])}; load before it began: ${loadavg()[0].toFixed(2)}`;
}

/** A table for each group of jobs: ms of CPU, and how many times less than sharp. */
export function peersText({ contestants, results, encoded, memory }) {
  const groups = [...new Set(results.map(({ job }) => job.group))];
  const parts = groups.map((group) => {
    const rows = results.filter(({ job }) => job.group === group);
    const named = contestants.map(({ name }) => name).filter((name) => rows.some(({ of }) => of[name]));
    const cell = (of, name) => {
      const { cpu, samples, trouble, passthrough } = of[name] ?? {};
      if (cpu === undefined) return trouble ? `\`${trouble}\`` : "";
      const ratio = name !== "sharp" && of.sharp?.cpu ? ` (${times(ratioOf(of.sharp.samples, samples))})` : "";
      return `${ms(cpu)}${ratio}${passthrough ? ", passed through" : ""}`;
    };
    const wasm = rows.some(({ job }) => memory[job.id]);
    const body = rows.map(({ job, of }) => [
      job.name,
      ...named.map((name) => cell(of, name)),
      ...(wasm ? [of.azulejo?.bytes && of.sharp?.bytes ? `${of.azulejo.bytes} / ${of.sharp.bytes}` : "", memory[job.id] ? `${(memory[job.id] / 2 ** 20).toFixed(1)} MiB` : ""] : []),
    ]);
    return `### ${group}\n\n${table(["CPU ms", ...named, ...(wasm ? ["bytes: azulejo / sharp", "wasm memory"] : [])], body)}`;
  });
  const nearness = encoded.length ? `\n\n${table(["512² at quality 80", "bytes", "PSNR, dB"], encoded.map(({ name, bytes, psnr }) => [name, bytes, psnr.toFixed(2)]))}` : "";
  return parts.join("\n\n").replace(/(### Encoding\n\n(?:\|.*\n?)+)/, (text) => `${text.trimEnd()}${nearness}\n`);
}

/** Of sources of every kind: ms of CPU of a call once all is warm, and of the first ten in a new process. */
export function sourcesText({ results, memory }) {
  const cells = (of, key) => {
    const [own, sharp] = ["azulejo", "sharp"].map((name) => of[name]?.[key]);
    const shown = own?.length ? ms(median(own)) : of.azulejo?.trouble ? `\`${of.azulejo.trouble}\`` : "";
    return [shown, sharp?.length ? ms(median(sharp)) : "", own?.length && sharp?.length ? times(ratioOf(sharp, own)) : ""];
  };
  const rows = results.map(({ job, of }) => [job.name, ...cells(of, "samples"), ...cells(of, "first"), memory[job.id] ? `${(memory[job.id] / 2 ** 20).toFixed(1)} MiB` : ""]);
  return table(["CPU ms", "azulejo", "sharp", "ratio", "first ten: azulejo", "sharp", "ratio", "wasm memory"], rows);
}

/** What requests cost in workerd, and how many there are a second. */
export function workerdText({ requests, throughput }) {
  const rows = requests.map(({ group, name, ms: wall, cpu, reads, bytes, passthrough, memory }) => [`${group}: ${name}`, ms(wall), ms(cpu), reads, bytes, passthrough, memory]);
  const many = throughput.map(({ file, clients, perSecond, p50, p95, cpu, reads, bytes, floor }) => [`${file}, ${clients === 1 ? "one after the other" : `${clients} at once`}`, perSecond.toFixed(0), ms(p50), ms(p95), ms(cpu), ms(floor), reads.toFixed(1), bytes.toFixed(0)]);
  return `The Worker knows nothing of earlier requests. Reads and bytes are those of R2.

${table(["request", "wall ms", "CPU ms", "reads", "bytes", "passed through", "wasm memory"], rows)}

These are tiles of 512² at full resolution. The isolate has opened the image, and no tile comes from the Cache API. The client keeps its connections open and runs on the same machine. *Without work* is the cost of a Worker that reads and sends the same number of bytes in the same number of reads, but does nothing else: it is the cost of the local runtime, which simulates R2 and HTTP in the same process. For the goals, the tile and the whole image are requested in turns.

${table(["tiles", "a second", "p50 ms", "p95 ms", "CPU ms", "without work", "reads", "bytes"], many)}`;
}

/** The whole of it. */
export function report({ measured, bySource, workerd, ladder, described, rounds, machine: where }) {
  const goalRows = goals({ measured: { ...measured, results: measured.results.map(({ job, of }) => ({ job: { ...job, bytes: described.bytes[job.file] }, of })) }, ladder, workerd });
  return `# Benchmarks

Written by \`npm run bench\`; do not edit.

## Machine and versions

${where}.

${table(["contestant", "version"], measured.contestants.map(({ name, version }) => [name, version]))}

## Method

The benchmark measures the CPU time of whole processes: all threads, the compiler and the garbage collector are included. Each contestant runs in its own process. First it repeats the job until the job does not get faster any more. Then, in each round, it runs the job for as many times as fit into 50 ms, after the same number of runs that are not measured. The contestants take turns, in a new order in each round. The tables show the median of ${rounds} rounds. The ratio is the time of sharp divided by the time of the contestant; it is the median of the ratios of all rounds. A ratio above 1 means: faster than sharp.

- sharp uses native libvips with one thread and without its cache. It is told which page of a pyramid it should read. *First page* is what it does if it is not told.
- Files are in memory. Answers are JPEG with quality 80.
- *azulejo* keeps an image open between answers, as a server does. *Opening each time* opens the image for each answer.
- An aligned tile of a JPEG pyramid is exactly one stored tile, and can be sent without decoding. If it is cut to 511², its coded bits can be copied. If it is scaled to 384², it has to be decoded.
- *wasm memory* is the memory of an engine that has done only this job.
- azulejo parses requests that consist of region, size, rotation, quality and format. iiif-processor can only parse complete URLs.
- In workerd, the local runtime simulates R2 and HTTP. Its CPU time is included.

${table(["file", "picture", "pixels", "size", "bits a pixel"], described.rows)}

The pictures are computed, and written by sharp. The pyramids are written as libvips writes them.

## Goals

${table(["goal", "wanted", "found", "met"], goalRows)}

## In Node, against others

${peersText(measured)}

## Sources of every kind, in Node

Each row compares azulejo with sharp in the same run. *First ten* is the mean of the first ten calls in a new process. It includes the time to start the engine and to open the image, and the code has not been optimised yet.

${sourcesText(bySource)}

## In workerd

${workerdText(workerd)}

## ${TITLE}

The pyramids have the order of a COG. They have JPEG tiles of 512² that are preceded by their length, as GDAL writes them. A few tiles are repeated, so the reads of neighbouring tiles can be joined. The requested tile is at the bottom right.

- *cold*: the image was not requested before.
- *without cache*: the same with \`?cache=false\`, which neither uses nor fills the Cache API.
- *new isolate*: another isolate has opened the image, and has stored what it had read.
- *warm*: this isolate has opened the image.

The Worker looks for finished answers in the Cache API and stores them there, but this Cache API forgets them. The CPU time is that of workerd, including HTTP and its bindings to R2 and the Cache API. The process that stores the bytes is not included.

${ladderText(ladder)}
`;
}
