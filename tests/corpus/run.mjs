// Renders every file of a folder of test images (MANIFEST.tsv and the files it names) natively, and compares each picture with that of libvips or libtiff.
// npm run corpus -- DIR [--only TEXT]      What was found of each file is written to tests/out/corpus.tsv.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at, cargoTarget, fail, run } from "../../pkg/lib.mjs";
import { apart, cellsOfPng, meansOf } from "./cells.mjs";
import { reference } from "./reference.mjs";

const FORMATS = ["jpeg", "png", "webp", "gif", "tiff"];
const LEAST_RIGHT = 0.985;
/** Levels of 255 by which cells of 16 × 16 may differ, in mean and at most: decoders of JPEG and WebP round differently. */
const TOLERANCE = { mean: 3, most: 12 };
/** The levels of a pyramid were scaled by whoever wrote it; sides that were halved and rounded down several times have lost the picture's edge. */
const LEVEL_TOLERANCE = { mean: 6, most: 64 };
const LEAST_LEVEL = 16;
/** What a file that cannot be shown may answer: never `internal`. */
const CLEAN = ["source-corrupt", "source-unsupported", "source-too-costly", "too-large", "region-outside", "empty-result"];
const MOST_CPU_MS = 5000;
const MOST_WALL_MS = 120_000;
const HOSTILE_REQUESTS = ["info.json", "full/max/0/default.jpg", "pct:25,25,50,50/^64,64/0/default.png"];

const [folder, ...rest] = process.argv.slice(2);
const only = rest[0] === "--only" ? rest[1] : "";
if (!folder || !existsSync(join(folder, "MANIFEST.tsv"))) {
  fail("npm run corpus -- DIR    DIR is a folder with a MANIFEST.tsv (columns file, use, format, header_dims, ref_dims, features, sha256) and the files it names.");
}
if (spawnSync("vips", ["--version"]).status !== 0) fail("npm run corpus compares with libvips: install its command vips (libvips-tools).");
run("cargo", ["build", "--quiet", "--profile", "measure", "--example", "corpus"]);
const program = join(cargoTarget, "measure", "examples", "corpus");

const files = table(join(folder, "MANIFEST.tsv")).filter((row) => (FORMATS.includes(row.format) || row.use === "hostile") && row.file.includes(only));
const exceptions = new Map(table(at("tests/corpus/exceptions.tsv")).map((row) => [row.file, row]));
const failures = [];
const findings = [];
const counts = new Map();
let slowest = { ms: 0 };
let levels = 0;

for (const row of files) {
  const sound = row.use === "reference";
  const found = sound ? checkReference(row) : checkHostile(row);
  const excused = exceptions.get(row.file);
  if (excused && found.status === "wrong" && isAsChecked(found, excused)) found.status = "right, by exception";
  const right = /^(right|clean)/.test(found.status);
  if (excused && /^(right|clean)$/.test(found.status)) failures.push(`${row.file}: listed as an exception, yet ${found.status}`);
  else if (excused && found.code === excused.code) found.status = `exception (${excused.code}: ${excused.reason})`;
  else if (!right) failures.push(`${row.file}: ${found.status}: ${found.what}`);
  const group = `${row.use} ${sound ? row.format : "any"}`;
  const count = counts.get(group) ?? { files: 0, right: 0, sound };
  counts.set(group, { ...count, files: count.files + 1, right: count.right + (right ? 1 : 0) });
  const off = found.off ?? { mean: 0, most: 0 };
  const means = (found.means ?? []).map((value) => value.toFixed(2)).join(",");
  findings.push([row.file, row.use, found.status, off.mean.toFixed(2), off.most.toFixed(2), found.by ?? "", means, found.what ?? ""]);
  if (findings.length % 100 === 0) process.stderr.write(`${findings.length} of ${files.length}\n`);
}

mkdirSync(at("tests/out"), { recursive: true });
const head = ["file", "use", "found", "mean_off", "most_off", "reference", "means", "what"];
writeFileSync(at("tests/out/corpus.tsv"), [head, ...findings].map((cells) => cells.map((cell) => `${cell}`.replace(/\s+/g, " ")).join("\t")).join("\n") + "\n");

for (const [group, { files, right, sound }] of counts) console.log(`${group.padEnd(16)} ${String(right).padStart(4)} of ${String(files).padStart(4)} ${sound ? "right" : "clean"}`);
console.log(`${levels} levels of TIFFs are their pictures`);
console.log(`most CPU time of an answer: ${Math.round(slowest.ms)} ms (${slowest.what})`);
const excused = files.filter((row) => exceptions.has(row.file));
if (excused.length > 0) console.log(`\nexceptions:\n${excused.map((row) => `  ${row.file} (${exceptions.get(row.file).code}): ${exceptions.get(row.file).reason}`).join("\n")}`);
if (failures.length > 0) console.log(`\n${failures.length} failures:\n${failures.map((failure) => `  ${failure}`).join("\n")}`);
const sound = [...counts.values()].filter((count) => count.sound);
const [right, all] = ["right", "files"].map((name) => sound.reduce((sum, count) => sum + count[name], 0));
const agreed = findings.filter(([, , status]) => status === "right, by exception").length;
console.log(`\n${right} of ${all} right (${((right / all) * 100).toFixed(1)} %)${agreed ? `, ${agreed} of them by exception` : ""}`);
if (right / all < LEAST_RIGHT && !only) console.log(`fewer than ${LEAST_RIGHT * 100} % are right`);
process.exitCode = failures.length > 0 || (right / all < LEAST_RIGHT && !only) ? 1 : 0;

/** Asks the program for a request of a file. */
function ask(row, request) {
  const { status, signal, stdout, stderr } = spawnSync(program, [join(folder, row.file), request], { maxBuffer: 1 << 28, timeout: MOST_WALL_MS });
  const lines = stderr.toString().trimEnd().split("\n");
  const ms = Number(lines.at(-1));
  if (ms > slowest.ms) slowest = { ms, what: `${request} of ${row.file}` };
  if (status === 0) return { bytes: stdout, ms };
  if (status === 1 && lines.length >= 3) return { code: lines[0], message: lines.slice(1, -1).join(" "), ms };
  return { code: signal === "SIGTERM" ? "no end" : "panic", message: lines.join(" ").slice(0, 300), ms: 0 };
}

function refused({ code, message }, request) {
  return { status: `refused (${code})`, code, what: `${request}: ${message}` };
}

function wrong(what, more) {
  return { ...more, status: "wrong", code: "wrong", what };
}

/** What is found of a sound file. */
function checkReference(row) {
  const info = ask(row, "info.json");
  if (info.code) return refused(info, "info.json");
  const { width, height, sizes = [] } = JSON.parse(info.bytes);
  const stored = row.ref_dims || row.header_dims;
  const turned = Number(/orientation([1-8])/.exec(row.features)?.[1] ?? 1) >= 5;
  const expected = turned ? stored.split("x").reverse().join("x") : stored;
  if (`${width}x${height}` !== expected) return wrong(`info.json: ${width}x${height} instead of ${expected}`);
  const image = ask(row, "full/max/0/default.png");
  if (image.code) return refused(image, "image");
  const own = cellsOfPng(image.bytes);
  const other = reference(row, join(folder, row.file));
  if (other.trouble) return wrong(`no reference: ${other.trouble}`);
  const off = apart(own, other.cells);
  const found = { status: "right", off, by: other.by, means: meansOf(own) };
  if (off.mean > TOLERANCE.mean || off.most > TOLERANCE.most) {
    return wrong(`cells are off by ${off.mean.toFixed(1)} in mean, ${off.most.toFixed(1)} at most, from ${other.by} (${other.space}${other.profiled ? ", with a profile" : ""})`, found);
  }
  return (row.format === "tiff" && compareLevels(row, own, sizes)) || found;
}

/** Whether a picture that the reference shows in another way is the one that was looked at. */
function isAsChecked({ means }, { code, means: checked }) {
  return code === "differs" && means !== undefined && checked.split(",").every((value, band) => Math.abs(value - means[band]) <= 1);
}

/** Each level of a pyramid is the same picture, smaller. */
function compareLevels(row, whole, sizes) {
  for (const { width, height } of sizes.filter(({ width, height }) => Math.min(width, height) >= LEAST_LEVEL)) {
    const answer = ask(row, `full/${width},${height}/0/default.png`);
    if (answer.code) return refused(answer, `${width}x${height}`);
    levels++;
    const off = apart(cellsOfPng(answer.bytes), whole);
    if (off.mean > LEVEL_TOLERANCE.mean || off.most > LEVEL_TOLERANCE.most) return wrong(`${width}x${height}: cells are off by ${off.mean.toFixed(1)} in mean, ${off.most.toFixed(1)} at most`, { off });
  }
}

/** What is found of a hostile or odd file. */
function checkHostile(row) {
  for (const request of HOSTILE_REQUESTS) {
    const answer = ask(row, request);
    if (answer.code && !CLEAN.includes(answer.code)) return refused(answer, request);
    if (answer.ms > MOST_CPU_MS) return wrong(`${request}: ${Math.round(answer.ms)} ms of CPU`);
  }
  return { status: "clean" };
}

function table(path) {
  const [head, ...lines] = readFileSync(path, "utf8").trimEnd().split(/\r?\n/).filter((line) => !line.startsWith("#"));
  const names = head.split("\t");
  return lines.map((line) => Object.fromEntries(line.split("\t").map((cell, index) => [names[index], cell])));
}
