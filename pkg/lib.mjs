// What the scripts share. Node's own modules only: set-up runs before there is a node_modules.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A path inside the project. */
export const at = (...parts) => join(root, ...parts);

/** Where cargo puts what it builds. */
export const cargoTarget = process.env.CARGO_TARGET_DIR ?? at("target");

const registry = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry", "src");

/**
 * How WebAssembly is built, and where everything lands. `RELEASE` is what is deployed and published, and what the tests use. `FAST` compiles again in seconds after
 * an edit, for `npm start`; its code is slower and larger.
 */
export const RELEASE = {
  profile: "release",
  optimised: true,
  /** The Worker and the pages. */
  out: at("worker", "build"),
  /** What npm publishes. */
  dist: at("pkg", "dist"),
  packageGlue: join(cargoTarget, "azulejo-package"),
};
export const FAST = {
  profile: "fast",
  optimised: false,
  out: join(cargoTarget, "azulejo-fast", "worker"),
  dist: join(cargoTarget, "azulejo-fast", "dist"),
  packageGlue: join(cargoTarget, "azulejo-fast", "package"),
};

/** What wasm-opt may use. */
export const WASM_FEATURES = ["simd", "bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"].map(
  (name) => `--enable-${name}`,
);

/** Optimises a module that wasm-bindgen wrote, or copies it. */
export function finishWasm({ optimised }, from, to, ...passes) {
  mkdirSync(dirname(to), { recursive: true });
  if (!optimised) return copyFileSync(from, to);
  run(process.execPath, [at("node_modules", "binaryen", "bin", "wasm-opt"), "-O3", ...passes, ...WASM_FEATURES, from, "-o", to]);
}

/** For cargo when it makes wasm: the same bytes wherever it is built, and nobody's folders in them. */
export const sameEverywhere = ["--config", `target.wasm32-unknown-unknown.rustflags=[${JSON.stringify(`--remap-path-prefix=${registry}=crates`)}]`];

const state = process.env.AZULEJO_STATE ?? at(".wrangler", "state");

/** The local R2 bucket: its name, and where wrangler keeps it (in `v3` of the folder it is told). */
export const bucket = { name: "azulejo", state, persist: join(state, "v3") };

/** Says a line. */
export const say = (line) => console.log(line);

/** Says what is wrong and what to do, and ends. */
export function fail(line) {
  console.error(`\n${line}`);
  process.exit(1);
}

/** Runs a command with its output shown; ends the script if it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (error) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0) fail(`Failed: ${[command, ...args].join(" ")}`);
}

/** What a command prints, or null if it is missing or fails. */
export function output(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8", ...options });
  return status === 0 ? stdout.trim() : null;
}

/** Starts a command that goes on by itself, as a process group of its own so that all of it can be ended. */
export const start = (command, args, options = {}) => spawn(command, args, { cwd: root, detached: true, ...options });

/** Ends a started command and all that it started. */
export function end(child, signal = "SIGTERM") {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // it has ended by itself
  }
}

/** All files under the given files and folders, in a fixed order. */
export function files(...paths) {
  return paths.filter(existsSync).flatMap((path) => {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true })
      .map((name) => join(path, name))
      .filter((file) => statSync(file).isFile())
      .sort();
  });
}

/** A fingerprint of files' names and contents. */
export function fingerprint(paths, ...extra) {
  const hash = createHash("sha256").update(JSON.stringify(extra));
  for (const path of paths) hash.update(`\0${relative(root, path)}\0`).update(readFileSync(path));
  return hash.digest("hex");
}

/**
 * The environment in which the engine is compiled: its version, and a fingerprint of its sources, are part of ETags and of the names under which answers are kept. They are the
 * same in the Worker and in the package.
 */
export function engineName() {
  const { version } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  const sources = files(at("src"), at("Cargo.toml"), at("Cargo.lock"), at(".cargo", "config.toml"), at("rust-toolchain.toml")).filter((file) => !file.endsWith(".ts"));
  return { ...process.env, AZULEJO_BUILD: `${version}-${fingerprint(sources).slice(0, 12)}` };
}

/** The version of a package in Cargo.lock. */
export function lockedVersion(name) {
  const found = readFileSync(at("Cargo.lock"), "utf8").match(new RegExp(`name = "${name}"\\nversion = "([^"]+)"`));
  return found?.[1] ?? fail(`Cargo.lock does not name ${name}.`);
}

/** Checks that a port can be listened on, and says what to do if not. 0 asks for any free one. */
export function usablePort(text) {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) fail(`PORT is "${text}", and should be a number from 1 to 65535. Try: PORT=8788 npm start`);
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }) => {
      const why = { EADDRINUSE: "is in use by another program", EACCES: "needs more rights than you have" }[code] ?? `cannot be used (${code})`;
      fail(`Port ${port} ${why}. Choose another one: PORT=${port < 60000 ? Math.max(port + 1, 8788) : 8788} npm start`);
    });
    server.listen(port, "127.0.0.1", () => {
      const { port: given } = server.address();
      server.close(() => resolve(given));
    });
  });
}
