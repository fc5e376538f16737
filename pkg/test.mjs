// Every check, or those that are named: npm test -- rust worker

import { existsSync, readdirSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { build } from "./build.mjs";
import { at, fail, output, run, say } from "./lib.mjs";
import { setup } from "./setup.mjs";

const node = (...args) => [process.execPath, ...args];
const tests = (folder) => {
  const names = existsSync(at("tests", folder)) ? readdirSync(at("tests", folder)) : [];
  return names.filter((name) => name.endsWith(".test.mjs")).map((name) => at("tests", folder, name));
};
const clippy = (...what) => ["cargo", "clippy", "--locked", "--profile", "lint", ...what, "--", "-D", "warnings"];
const suite = (folder, atOnce = 1) => [node("--test", "--test-reporter=spec", `--test-concurrency=${atOnce}`, ...tests(folder))];

const CHECKS = {
  format: [["cargo", "fmt", "--all", "--check"]],
  lint: [
    clippy("--all-targets"),
    clippy("-p", "azulejo-worker", "--target", "wasm32-unknown-unknown"),
    ...["web", "extra-module"].map((feature) => clippy("-p", "azulejo", "--no-default-features", "--features", feature, "--target", "wasm32-unknown-unknown")),
  ],
  rust: [["cargo", "test", "--locked"]],
  types: [node(at("node_modules", "typescript", "bin", "tsc"), "-p", at("www"))],
  package: [
    node(at("node_modules", "typescript", "bin", "tsc"), "-p", at("src", "js")),
    // Much of it waits: for the frames of a browser, for processes that begin and end.
    ...suite("js", 2),
  ],
  worker: suite("worker", 2),
  browser: suite("browser", 2),
  validator: [node(at("tests", "validator", "run.mjs"))],
};

const named = process.argv.slice(2);
for (const name of named) if (!(name in CHECKS)) fail(`There is no check ${name}; there are ${Object.keys(CHECKS).join(", ")}.`);

setup();
for (const tool of ["fmt", "clippy"]) if (output("cargo", [tool, "--version"]) === null) run("rustup", ["component", "add", tool === "fmt" ? "rustfmt" : tool]);
await build();

/** ms after which a command hangs: what takes longest takes a third of it. */
const HANGS = 20 * 60_000;

const results = [];
for (const [name, commands] of Object.entries(CHECKS)) {
  if (named.length && !named.includes(name)) continue;
  say(`\n── ${name} ${"─".repeat(60 - name.length)}\n`);
  const began = performance.now();
  const passed = commands.every(([command, ...args]) => spawnSync(command, args, { cwd: at(), stdio: "inherit", timeout: HANGS, killSignal: "SIGKILL" }).status === 0);
  results.push({ name, passed, seconds: Math.round((performance.now() - began) / 1000) });
}
say("");
for (const { name, passed, seconds } of results) say(`${passed ? "pass" : "FAIL"}  ${name.padEnd(12)} ${String(seconds).padStart(5)} s`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
