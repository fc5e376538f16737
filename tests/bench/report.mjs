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
  return `Nothing is kept of earlier requests; reads and bytes are those of R2.

${table(["request", "wall ms", "CPU ms", "reads", "bytes", "passed through", "wasm memory"], rows)}

Tiles of 512² at full resolution, of images that the isolate has opened, none from the Cache API, by connections that are kept; whoever asks runs on the same machine. *Without work* is a Worker that reads as
many bytes in as many reads and sends as many: the local runtime's own part, which simulates R2 and HTTP in the same process. A tile and all of the image, of the goals, are asked for by turns.

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

CPU time of whole processes, with all their threads, compilers and collectors. Each contestant runs in a process of its own that stays alive and has done the job until it takes no less time any more; it does it as
often as takes 50 ms, after as many times that do not count, then it is another one's turn, in a new order each round: medians of ${rounds} rounds. The ratio is sharp's time by the contestant's, the median of the rounds' ratios: above 1 is faster than sharp.
sharp is native libvips with one thread and without its cache, and is told which page of a pyramid to read; *first page* is what it does by itself. Files are in memory, answers are JPEG of quality 80. *azulejo*
keeps an image open between answers, as a server does; *opening each time* knows nothing of it beforehand. An aligned tile of a JPEG pyramid is exactly one that is stored, and may be given as it is; cut to 511² it
is the same tile, and cannot, but its bits may be copied; scaled to 384² it has to be decoded. Wasm memory is that of an engine that has done just this job.
Requests are parsed from their parameters on by azulejo, with the address around them by iiif-processor, which knows no other way.
In workerd, R2 and HTTP are the local runtime's and are counted too.

${table(["file", "picture", "pixels", "size", "bits a pixel"], described.rows)}

The pictures are painted by arithmetic and written by sharp, the pyramids as libvips writes them.

## Goals

${table(["goal", "wanted", "found", "met"], goalRows)}

## In Node, against others

${peersText(measured)}

## Sources of every kind, in Node

Each against sharp in the same run. *First ten* is the mean of the first ten calls in a new process, with making the engine and opening the image; no code of it has been optimised yet.

${sourcesText(bySource)}

## In workerd

${workerdText(workerd)}

## ${TITLE}

Pyramids in the order of a COG, of 512² JPEG tiles that tell their own length, as GDAL writes them; a few tiles are repeated, so neighbours may be read as one. The tile lies at the bottom right. Cold: nobody has asked for the image before;
*without cache*: the same by \`?cache=false\`, which neither looks into the Cache API nor leaves anything there; *new isolate*: another one has opened the image and left what it had read; warm: the isolate itself has opened
it. Finished answers are looked for and given to the Cache API, which forgets them.
CPU is that of workerd, with HTTP and its own bindings to R2 and the Cache API. What keeps their bytes is another process, asked over HTTP, and is not counted.

${ladderText(ladder)}
`;
}
