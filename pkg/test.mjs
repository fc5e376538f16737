// Runs all checks, or only those that are named: npm test -- rust worker

import { existsSync, readdirSync } from "node:fs";
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { PARTS, build } from "./build.mjs";
import { RELEASE } from "./lib.mjs";
import { at, fail, output, run, say } from "./lib.mjs";
import { CODECS } from "./modules.mjs";
import { setup } from "./setup.mjs";

const node = (...args) => [process.execPath, ...args];
const tsc = (...folder) => node(at("node_modules", "typescript", "bin", "tsc"), "-p", at(...folder));
const clippy = (...what) => ["cargo", "clippy", "--locked", "--profile", "lint", ...what, "--", "-D", "warnings"];
const suite = (folder) => {
  const names = existsSync(at("tests", folder)) ? readdirSync(at("tests", folder)) : [];
  return names.filter((name) => name.endsWith(".test.mjs")).map((name) => node("--test-reporter=spec", at("tests", folder, name)));
};

/** The core, and the codecs by themselves. */
const RUST = ["--locked", "-p", "azulejo", "-p", "azulejo-codecs"];

/** What fills all processors by itself, and what may run beside whatever else: tests that wait for frames, for timers and for processes that begin and end. */
const CHECKS = {
  format: { alone: [["cargo", "fmt", "--all", "--check"]] },
  lint: {
    alone: [
      clippy("--all-targets"),
      clippy("-p", "azulejo-worker", "--target", "wasm32-unknown-unknown"),
      ...["web", "http"].map((feature) => clippy("-p", "azulejo", "--no-default-features", "--features", feature, "--target", "wasm32-unknown-unknown")),
      ...CODECS.map((name) => clippy("-p", "azulejo-codecs", "--features", `module,${name}`, "--target", "wasm32-unknown-unknown")),
    ],
  },
  rust: { alone: [["cargo", "test", ...RUST, "--no-run"]], beside: [["cargo", "test", ...RUST]] },
  wasm: { alone: [node(at("tests", "wasm", "run.mjs"), "build")], beside: ["node", "browser"].map((where) => node(at("tests", "wasm", "run.mjs"), where)) },
  types: { beside: [tsc("www")] },
  package: { beside: [tsc("src", "js"), ...suite("js")] },
  browser: { beside: suite("browser") },
  worker: { beside: suite("worker") },
  validator: { beside: [node(at("tests", "validator", "run.mjs"), "--built")] },
};

/** What checks need that is built. The others need nothing, or build it themselves. */
const NEEDS = { types: ["package"], package: PARTS, browser: PARTS, worker: PARTS, validator: ["worker"] };

const named = process.argv.slice(2);
for (const name of named) if (!(name in CHECKS)) fail(`There is no check ${name}; there are ${Object.keys(CHECKS).join(", ")}.`);

setup();
for (const tool of ["fmt", "clippy"]) if (output("cargo", [tool, "--version"]) === null) run("rustup", ["component", "add", tool === "fmt" ? "rustfmt" : tool]);
const needed = PARTS.filter((part) => Object.keys(CHECKS).some((name) => (!named.length || named.includes(name)) && NEEDS[name]?.includes(part)));
if (needed.length) await build(RELEASE, needed);

/** ms after which a command hangs: what takes longest takes a third of it. */
const HANGS = 20 * 60_000;
/** One more than can run: there is always one that waits. */
const AT_ONCE = availableParallelism() + 1;

const began = performance.now();
const results = Object.keys(CHECKS)
  .filter((name) => !named.length || named.includes(name))
  .map((name) => ({ name, passed: true, seconds: 0 }));
/** The last lines of what failed, which are shown once more at the end: what ran beside it hides them. */
const failures = [];
const LINES = 12;
const jobs = (when) => results.flatMap((result) => (CHECKS[result.name][when] ?? []).map((command) => ({ result, command })));
for (const job of jobs("alone")) await work(job, "inherit");
const waiting = jobs("beside");
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (let job; (job = waiting.shift()); ) await work(job);
}));
say("");
for (const { name, passed, seconds } of results) say(`${passed ? "pass" : "FAIL"}  ${name.padEnd(12)} ${seconds.toFixed().padStart(5)} s`);
say(`All of it, much at once: ${((performance.now() - began) / 1000).toFixed()} s`);
for (const { said, lines } of failures) say(`\nFAIL  ${said}\n${lines.map((line) => `  ${line}`).join("\n")}`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

/** Runs a command. What it says is shown as it says it if it is alone, and else when it has ended: several at once would talk over each other. */
async function work({ result, command: [command, ...args] }, speaks = "pipe") {
  const began = performance.now();
  const child = spawn(command, args, { cwd: at(), stdio: ["ignore", speaks, speaks], timeout: HANGS, killSignal: "SIGKILL" });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (bytes) => said.push(bytes));
  const status = await new Promise((ended) => child.on("error", (error) => ended(said.push(Buffer.from(String(error))))).on("close", ended));
  const seconds = (performance.now() - began) / 1000;
  result.seconds += seconds;
  const title = `${result.name}: ${[command, ...args].map((part) => part.replace(at("/"), "")).join(" ")}, ${seconds.toFixed(1)} s`;
  const text = Buffer.concat(said);
  if (status !== 0) {
    result.passed = false;
    failures.push({ said: `${title}, status ${status ?? "none: it was ended"}`, lines: text.toString().trimEnd().split("\n").slice(-LINES) });
  }
  say(`\n── ${title} ──\n`);
  process.stdout.write(text);
}
