// Brings what the project needs and this checkout lacks: the wasm target, wasm-bindgen, npm packages. Quick when nothing is missing.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { at, fail, lockedVersion, output, run, say } from "./lib.mjs";

const RUSTUP = "Install Rust with rustup, from https://rustup.rs, open a new terminal and run this again.";
const NODE = [20, 3];

/** wasm-bindgen's command, at the version that Cargo.lock has. */
export const wasmBindgen = at("target", "tools", "bin", process.platform === "win32" ? "wasm-bindgen.exe" : "wasm-bindgen");

/** What runs unit tests that are compiled to WebAssembly; it comes with wasm-bindgen's command. */
export const testRunner = at("target", "tools", "bin", process.platform === "win32" ? "wasm-bindgen-test-runner.exe" : "wasm-bindgen-test-runner");

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
  const version = lockedVersion("wasm-bindgen");
  if (existsSync(wasmBindgen) && output(wasmBindgen, ["--version"]) === `wasm-bindgen ${version}`) return;
  say(`Installing wasm-bindgen-cli ${version} into target/tools (some minutes, once)`);
  // Not --locked: a lock file that names a release some registry mirror does not have yet would stop everybody there.
  run("cargo", ["install", "wasm-bindgen-cli", "--version", version, "--force", "--root", at("target", "tools")]);
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
