// npm run bench: everything, into BENCH.md. `npm run bench -- ladder` only shows a part (peers, sources, workerd, ladder); `--quick` takes few rounds and writes nothing.

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { build } from "../../pkg/build.mjs";
import { at, fail, run, say } from "../../pkg/lib.mjs";
import { setup } from "../../pkg/setup.mjs";

const PARTS = ["peers", "sources", "workerd", "ladder"];
const given = process.argv.slice(2);
const quick = given.includes("--quick");
const named = given.filter((name) => name !== "--quick");
for (const name of named) if (!PARTS.includes(name)) fail(`There is no part ${name}; there are ${PARTS.join(", ")}, and --quick.`);
if (process.platform !== "linux") fail("The bench reads the CPU time of workerd from /proc: it runs on Linux only.");
const wants = (part) => named.length === 0 || named.includes(part);

setup();
await build();
install();
const { machine, peersText, report, sourcesText, workerdText } = await import("./report.mjs");
const where = machine();
const rounds = quick ? 3 : 9;
const log = (line) => process.stderr.write(`${line}\n`);

const { default: sharp } = await import("sharp");
const { described, sources } = await import("./sources.mjs");
const { JOBS, SOURCE_JOBS } = await import("./jobs.mjs");
const { peers, withFirstCalls } = await import("./peers.mjs");
const files = await sources(sharp, [...(wants("peers") || wants("workerd") ? JOBS : []), ...(wants("sources") ? SOURCE_JOBS : [])], log);
const options = { rounds, log, ...(quick && { warm: { least: 30, most: 30 } }) };
const measured = wants("peers") ? await peers(files, options) : undefined;
const bySource = wants("sources") ? await withFirstCalls(files, await peers(files, { ...options, jobs: SOURCE_JOBS, contestants: ["azulejo", "sharp"] }), { ...options, rounds: quick ? 1 : 5 }) : undefined;
const workerd = wants("workerd") ? await inWorkerd() : undefined;
const ladder = wants("ladder") ? await (await import("./ladder.mjs")).ladder({ rounds: quick ? 3 : 15, log }) : undefined;

if (named.length || quick) {
  if (measured) say(`\n${peersText(measured)}`);
  if (bySource) say(`\n${where}\n\n${sourcesText(bySource)}`);
  if (workerd) say(`\n${workerdText(workerd)}`);
  if (ladder) say(`\n${(await import("./ladder.mjs")).ladderText(ladder)}`);
} else {
  const bytes = Object.fromEntries(Object.entries(files).map(([name, path]) => [name, statSync(path).size]));
  writeFileSync(at("BENCH.md"), report({ measured, bySource, workerd, ladder, described: { rows: described(files), bytes }, rounds, machine: where }));
  say("\nBENCH.md is written.");
}

async function inWorkerd() {
  const { requests, secondVisit, throughput } = await import("./workerd.mjs");
  const visit = await secondVisit(files);
  const each = await requests(files, { rounds, log });
  const { rows, pair } = await throughput(files, { rounds, log, ...(quick && { seconds: 1 }) });
  return { visit, requests: each, throughput: rows, pair };
}

/** The peers have a lock file of their own, as azulejo does not need them. */
function install() {
  const folder = at("tests", "bench");
  const versions = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : {});
  const [wanted, have] = [versions(`${folder}/package-lock.json`), versions(`${folder}/node_modules/.package-lock.json`)];
  const stale = Object.entries(wanted).some(([path, { version, optional }]) => path !== "" && !optional && have[path]?.version !== version);
  if (!stale) return;
  say("Installing what azulejo is measured against");
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
}
