// npm run bench: everything, into BENCH.md. `npm run bench -- ladder` only shows a part (peers, workerd, ladder); `--quick` takes few rounds and writes nothing.

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { build } from "../../pkg/build.mjs";
import { at, fail, run, say } from "../../pkg/lib.mjs";
import { setup } from "../../pkg/setup.mjs";

const PARTS = ["peers", "workerd", "ladder"];
const given = process.argv.slice(2);
const quick = given.includes("--quick");
const named = given.filter((name) => name !== "--quick");
for (const name of named) if (!PARTS.includes(name)) fail(`There is no part ${name}; there are ${PARTS.join(", ")}, and --quick.`);
if (process.platform !== "linux") fail("The bench reads the CPU time of workerd from /proc: it runs on Linux only.");
const wants = (part) => named.length === 0 || named.includes(part);

setup();
await build();
install();
const { machine, peersText, report, workerdText } = await import("./report.mjs");
const where = machine();
const rounds = quick ? 3 : 9;
const log = (line) => process.stderr.write(`${line}\n`);

const { default: sharp } = await import("sharp");
const { described, sources } = await import("./sources.mjs");
const files = wants("peers") || wants("workerd") ? await sources(sharp, log) : {};
const measured = wants("peers") ? await (await import("./peers.mjs")).peers(files, { rounds, log, ...(quick && { warm: { least: 30, most: 30 } }) }) : undefined;
const workerd = wants("workerd") ? await inWorkerd() : undefined;
const ladder = wants("ladder") ? await (await import("./ladder.mjs")).ladder({ rounds: quick ? 3 : 15, log }) : undefined;

if (named.length || quick) {
  if (measured) say(`\n${peersText(measured)}`);
  if (workerd) say(`\n${workerdText(workerd)}`);
  if (ladder) say(`\n${(await import("./ladder.mjs")).ladderText(ladder)}`);
} else {
  const bytes = Object.fromEntries(Object.entries(files).map(([name, path]) => [name, statSync(path).size]));
  writeFileSync(at("BENCH.md"), report({ measured, workerd, ladder, described: { rows: described(files), bytes }, rounds, machine: where }));
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
