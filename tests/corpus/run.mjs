// Serves every file of a folder of test images (MANIFEST.tsv and the files it names) from the built Worker, and compares with what the manifest says.
// npm run corpus -- DIR [--only TEXT]

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "../../pkg/lib.mjs";
import { serve } from "../worker/service.mjs";
import { means } from "./png.mjs";

const FORMATS = ["jpeg", "png", "webp", "gif", "tiff"];
const LEAST_RIGHT = 0.965;
/** What a file that cannot be shown may answer: never `internal`. */
const CLEAN = ["source-corrupt", "source-unsupported", "source-too-costly", "too-large", "region-outside", "empty-result"];
const SLOW_MS = 10_000;

const [folder, ...rest] = process.argv.slice(2);
const only = rest[0] === "--only" ? rest[1] : "";
if (!folder || !existsSync(join(folder, "MANIFEST.tsv"))) {
  console.error("npm run corpus -- DIR    DIR is a folder with a MANIFEST.tsv (columns file, use, format, header_dims, ref_dims, ref_note, features) and the files it names.");
  process.exit(2);
}

const files = table(join(folder, "MANIFEST.tsv")).filter((row) => (FORMATS.includes(row.format) || row.use === "hostile") && row.file.includes(only));
const exceptions = new Map(table(at("tests/corpus/exceptions.tsv")).map((row) => [row.file, row]));
const service = await serve();
const failures = [];
const counts = new Map();
let right = 0;
let slowest = { ms: 0 };
let memory = 0;
let levels = 0;

const anchor = "/iiif/3/rocket.jpg/full/200,/0/default.png";
const before = (await service.get(anchor)).bytes;
for (const [index, row] of files.entries()) {
  const key = `corpus/${index}`;
  await service.put(key, readFileSync(join(folder, row.file)));
  const fault = row.use === "reference" ? await checkReference(row, key) : await checkHostile(row, key);
  const group = `${row.use} ${row.use === "hostile" ? "any" : row.format}`;
  const count = counts.get(group) ?? { files: 0, right: 0 };
  counts.set(group, { files: count.files + 1, right: count.right + (fault ? 0 : 1) });
  if (row.use === "reference" && !fault) right++;
  const excused = exceptions.get(row.file);
  if (fault && !(excused && fault.includes(excused.code))) failures.push(`${row.file}: ${fault}`);
  if (!fault && excused) failures.push(`${row.file}: listed as an exception, yet right`);
}
const after = (await service.get(`${anchor}?cache=false`)).bytes;
if (!before.equals(after)) failures.push("after all these files a sound image gives other bytes than before");
await service.close();

const references = files.filter((row) => row.use === "reference");
for (const [group, { files, right }] of counts) console.log(`${group.padEnd(16)} ${String(right).padStart(4)} of ${String(files).padStart(4)} ${group.startsWith("reference") ? "right" : "clean"}`);
console.log(`${levels} sizes of TIFFs are their pictures`);
console.log(`slowest answer ${Math.round(slowest.ms)} ms (${slowest.file}); largest wasm memory ${(memory / 2 ** 20).toFixed(1)} MiB`);
const excused = references.filter((row) => exceptions.has(row.file));
if (excused.length > 0) console.log(`\nexceptions:\n${excused.map((row) => `  ${row.file}: ${exceptions.get(row.file).reason}`).join("\n")}`);
const share = right / references.length;
console.log(`\n${right} of ${references.length} reference files right: ${(share * 100).toFixed(1)} %`);
if (share < LEAST_RIGHT && !only) failures.push(`fewer than ${LEAST_RIGHT * 100} % are right`);
if (failures.length > 0) console.log(`\n${failures.length} failures:\n${failures.map((failure) => `  ${failure}`).join("\n")}`);
process.exitCode = failures.length > 0 ? 1 : 0;

async function ask(row, path) {
  const began = performance.now();
  const answer = await service.get(path, { accept: "application/json,image/*" });
  const ms = performance.now() - began;
  if (ms > slowest.ms) slowest = { ms, file: row.file };
  const used = /mem;desc="([\d.]+) MiB"/.exec(answer.headers["server-timing"] ?? "");
  if (used) memory = Math.max(memory, Number(used[1]) * 2 ** 20);
  return { answer, ms, code: answer.status === 200 ? "" : codeOf(answer) };
}

function codeOf(answer) {
  try {
    return `${answer.json().code}`;
  } catch {
    return `status ${answer.status} without a code`;
  }
}

/** What is wrong with a sound file, or nothing. */
async function checkReference(row, key) {
  const base = `/iiif/2/${encodeURIComponent(key)}`;
  const info = await ask(row, `${base}/info.json`);
  if (info.code) return `info.json: ${info.code} ${info.answer.text().trim()}`;
  const { width, height, sizes = [] } = info.answer.json();
  const stored = row.ref_dims || row.header_dims;
  const turned = Number(/orientation([1-8])/.exec(row.features)?.[1] ?? 1) >= 5;
  const expected = turned ? stored.split("x").reverse().join("x") : stored;
  if (`${width}x${height}` !== expected) return `info.json: ${width}x${height} instead of ${expected}`;
  const image = await ask(row, `${base}/full/max/0/default.png`);
  if (image.code) return `image: ${image.code} ${image.answer.text().trim()}`;
  const whole = means(image.answer.bytes);
  return compareMeans(row, whole) ?? (row.format === "tiff" ? compareLevels(row, base, whole, sizes) : undefined);
}

/** Each level of a pyramid is the same picture, smaller. */
async function compareLevels(row, base, whole, sizes) {
  for (const { width, height } of sizes.filter(({ width, height }) => Math.min(width, height) >= 16)) {
    const { answer, code } = await ask(row, `${base}/full/${width},${height}/0/default.png`);
    if (code) return `${width}x${height}: ${code} ${answer.text().trim()}`;
    levels++;
    const found = means(answer.bytes);
    const off = Math.max(...found.colors.map((value, band) => Math.abs(value - whole.colors[band])));
    if (off > 3) return `${width}x${height}: mean off by ${off.toFixed(2)}`;
  }
}

/** The manifest's mean is libvips', over all bands, before colour management: comparable where neither colours nor depth are converted. */
function compareMeans(row, found) {
  const note = /vips\S+ ok (uchar|ushort) (\d)b (srgb|b-w|rgb16|grey16) mean=([\d.]+)/.exec(row.ref_note);
  if (!note || /icc|iCCP|extrasamples\[0|GIF|anim/i.test(row.features)) return;
  const [, depth, bands, , mean] = note;
  const expected = Number(mean) / (depth === "ushort" ? 257 : 1);
  // A channel more or less: gray as three equal bands, an opaque alpha that was left out.
  const alpha = bands === "2" || bands === "4" ? [found.alpha ?? 255] : [];
  const colors = Number(bands) - alpha.length === 1 ? [found.colors[0]] : [0, 1, 2].map((band) => found.colors[band] ?? found.colors[0]);
  const own = [...colors, ...alpha].reduce((sum, value) => sum + value) / Number(bands);
  if (Math.abs(own - expected) > 1.5) return `image: mean ${own.toFixed(2)} instead of ${expected.toFixed(2)}`;
}

/** What is wrong with the answers for a hostile or odd file, or nothing. */
async function checkHostile(row, key) {
  const base = `/iiif/3/${encodeURIComponent(key)}`;
  for (const rest of ["info.json", "full/max/0/default.jpg", "pct:25,25,50,50/^64,64/0/default.png"]) {
    const { ms, code } = await ask(row, `${base}/${rest}`);
    if (code && !CLEAN.includes(code)) return `${rest}: ${code}`;
    if (ms > SLOW_MS) return `${rest}: ${Math.round(ms)} ms`;
  }
}

function table(path) {
  const [head, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n").filter((line) => !line.startsWith("#"));
  const names = head.split("\t");
  return lines.map((line) => Object.fromEntries(line.split("\t").map((cell, index) => [names[index], cell])));
}
