// How large what npm publishes is for those who load it: the engine, and each entry as a bundler makes it, minified; all in brotli.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { at, say } from "./lib.mjs";
import { CODECS } from "./modules.mjs";

const dist = at("pkg", "dist");

/** Bytes in brotli that must not be exceeded; without a number it is only told. */
export const BUDGETS = [
  { file: "engine.wasm", most: 400_000 },
  ...CODECS.map((name) => ({ file: `codecs/${name}.wasm` })),
  { file: "service.wasm" },
  { file: "worker.wasm" },
  { file: "web/openseadragon.js", most: 6_000 },
  { file: "web/support.js", most: 3_000 },
  { file: "web/request.js", most: 5_500 },
  { file: "web/index.js" },
  { file: "web/pool-worker.js" },
  { file: "web/service-worker.js" },
  { file: "service-worker.classic.js" },
  { file: "workerd/worker.js" },
];

/** Each with its size: as it is, and in brotli. */
export async function sizes() {
  const { build } = await import("esbuild");
  const measured = [];
  for (const { file, most } of BUDGETS) {
    const path = join(dist, file);
    const bytes = file.endsWith(".wasm") ? readFileSync(path) : await bundled(build, path);
    measured.push({ file, bytes: bytes.length, brotli: brotliCompressSync(bytes).length, most });
  }
  return measured;
}

async function bundled(build, entry) {
  const options = { bundle: true, minify: true, format: basename(entry).includes(".classic.") ? "iife" : "esm", platform: "neutral", external: ["*.wasm", "node:*"] };
  const { outputFiles } = await build({ entryPoints: [entry], write: false, logLevel: "error", ...options });
  return outputFiles[0].contents;
}

/** As a table. */
export function table(rows) {
  const kB = (bytes) => (bytes === undefined ? "" : (bytes / 1000).toFixed(1));
  const lines = rows.map(({ file, bytes, brotli, most }) => [file.padEnd(26), ...[bytes, brotli, most].map((size) => kB(size).padStart(8)), brotli > most ? "  too large" : ""].join(" "));
  return [`${"kB".padEnd(26)} minified   brotli     most`, ...lines].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) say(table(await sizes()));
