// Brings what the project needs and this checkout lacks: the wasm target, wasm-bindgen, npm packages. Quick when nothing is missing.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { at, cargoTarget, fail, lockedVersion, output, run, say } from "./lib.mjs";

const RUSTUP = "Install Rust with rustup, from https://rustup.rs, open a new terminal and run this again.";
const NODE = [20, 3];

const executable = (...path) => join(...path) + (process.platform === "win32" ? ".exe" : "");

/** wasm-bindgen as this project uses it: `pkg/bindgen`. */
export const wasmBindgen = executable(cargoTarget, "tool", "azulejo-bindgen");

const tools = at("target", "tools");

/** What runs unit tests that are compiled to WebAssembly, at the version of wasm-bindgen that Cargo.lock has. Installed the first time that it is asked for. */
export function testRunner() {
  const runner = executable(tools, "bin", "wasm-bindgen-test-runner");
  const version = lockedVersion("wasm-bindgen");
  const stamp = join(tools, ".version");
  if (existsSync(runner) && existsSync(stamp) && readFileSync(stamp, "utf8") === version) return runner;
  say(`Installing wasm-bindgen-test-runner ${version} into target/tools (some minutes, once)`);
  // Not --locked: a lock file that names a release some registry mirror does not have yet would stop everybody there. Without default features it has no TLS, which it needs for
  // drivers on other machines.
  const what = ["wasm-bindgen-cli", "--version", version, "--no-default-features", "--bin", "wasm-bindgen-test-runner", "--force", "--root", tools];
  run("cargo", ["install", ...what], { env: { ...process.env, CARGO_PROFILE_RELEASE_OPT_LEVEL: "1" } });
  writeFileSync(stamp, version);
  return runner;
}

/** Does all that is missing. */
export function setup() {
  node();
  rust();
  bindgen();
  packages();
}

function node() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < NODE[0] || (major === NODE[0] && minor < NODE[1])) {
    fail(`This is Node ${process.versions.node}; ${NODE.join(".")} or newer is needed: https://nodejs.org`);
  }
}

function rust() {
  if (output("cargo", ["--version"], { cwd: "/" }) === null && output("rustup", ["--version"], { cwd: "/" }) === null) fail(`Cargo is missing. ${RUSTUP}`);
  if (output("rustc", ["--version"]) === null) {
    say("Installing the Rust toolchain that rust-toolchain.toml names");
    run("rustup", ["toolchain", "install"]);
  }
  const sysroot = output("rustc", ["--print", "sysroot"]) ?? fail(`rustc does not run. ${RUSTUP}`);
  if (!existsSync(`${sysroot}/lib/rustlib/wasm32-unknown-unknown/lib`)) {
    if (output("rustup", ["--version"]) === null) fail(`Rust's target wasm32-unknown-unknown is missing, and there is no rustup to add it. ${RUSTUP}`);
    say("Adding Rust's target wasm32-unknown-unknown");
    run("rustup", ["target", "add", "wasm32-unknown-unknown"]);
  }
}

function bindgen() {
  if (!existsSync(wasmBindgen)) say("Compiling wasm-bindgen (a minute, once)");
  run("cargo", ["build", "--quiet", "--locked", "--profile", "tool", "-p", "azulejo-bindgen"]);
}

function packages() {
  const wanted = JSON.parse(readFileSync(at("package-lock.json"), "utf8")).packages;
  const have = existsSync(at("node_modules", ".package-lock.json"))
    ? JSON.parse(readFileSync(at("node_modules", ".package-lock.json"), "utf8")).packages
    : {};
  const stale = Object.entries(wanted).some(([path, { version, optional }]) => path !== "" && !optional && have[path]?.version !== version);
  if (!stale) return;
  say("Installing npm packages");
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) setup();
