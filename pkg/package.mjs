// Builds what npm publishes into pkg/dist: the core as wasm, one bundle per kind of host, and the types.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { at, cargoTarget, files, fingerprint, run, say } from "./lib.mjs";
import { setup, wasmBindgen } from "./setup.mjs";

/** What npm publishes. */
export const dist = at("pkg", "dist");

const glue = join(cargoTarget, "azulejo-package");
const FEATURES = ["simd", "bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "multivalue", "mutable-globals", "nontrapping-float-to-int"]
  .concat(["reference-types", "sign-ext"])
  .map((name) => `--enable-${name}`);

/** Builds what is out of date; `true` if anything was. */
export async function buildPackage() {
  const inputs = files(at("src"), at("Cargo.toml"), at("Cargo.lock"), at(".cargo", "config.toml"), at("rust-toolchain.toml"));
  const own = at("pkg", "package.mjs");
  mkdirSync(dist, { recursive: true });
  step("engine", [...inputs.filter((file) => file.endsWith(".rs") || file.includes("argo") || file.includes("toolchain")), own], compile);
  const esbuild = await import("esbuild");
  await bundle(esbuild);
  const { length } = brotliCompressSync(readFileSync(join(dist, "engine.wasm")));
  say(`package: engine.wasm ${(length / 1024).toFixed(1)} KiB brotli`);
}

function step(name, inputs, work) {
  const stamp = join(dist, `.${name}.stamp`);
  const now = fingerprint(inputs);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now && existsSync(join(dist, "engine.wasm"))) return;
  say(`Building the package: ${name}`);
  rmSync(stamp, { force: true });
  work();
  writeFileSync(stamp, now);
}

function compile() {
  const target = ["--target", "wasm32-unknown-unknown"];
  run("cargo", ["rustc", "--release", "--locked", ...target, "-p", "azulejo", "--lib", "--crate-type", "cdylib", "--features", "web"]);
  rmSync(glue, { recursive: true, force: true });
  const raw = join(cargoTarget, "wasm32-unknown-unknown", "release", "azulejo.wasm");
  run(wasmBindgen, ["--target", "web", "--omit-default-module-path", "--out-name", "engine", "--out-dir", glue, raw]);
  run(process.execPath, [at("node_modules", "binaryen", "bin", "wasm-opt"), "-O3", ...FEATURES, join(glue, "engine_bg.wasm"), "-o", join(dist, "engine.wasm")]);
}

/** What each kind of host gets, in a folder of its own: they differ in how the wasm module is found. */
const ENTRIES = {
  web: ["index", "openseadragon", "pool-worker", "request", "support"],
  node: ["index"],
  workerd: ["index"],
};

async function bundle(esbuild) {
  for (const [host, entries] of Object.entries(ENTRIES)) {
    rmSync(join(dist, host), { recursive: true, force: true });
    await esbuild.build({
      entryPoints: entries.map((name) => at("src", "js", `${name}.ts`)),
      outdir: join(dist, host),
      bundle: true,
      // What several entries use is there once: an IiifError is the same class wherever it comes from.
      splitting: true,
      format: "esm",
      target: "es2022",
      platform: host === "node" ? "node" : "neutral",
      alias: { "#glue": join(glue, "engine.js"), "#load": at("src", "js", `load.${host}.ts`) },
      external: ["*.wasm", "node:*"],
      logLevel: "warning",
    });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  setup();
  await buildPackage();
}
