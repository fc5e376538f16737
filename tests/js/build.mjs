// Bundles an entry of the npm package for the tests and tells how large it is: minified, and that in brotli.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Bundles `src/js/{name}.ts` to `tests/out/js/{name}.js`, a module. */
export async function bundle(name) {
  const options = { entryPoints: [at(`src/js/${name}.ts`)], bundle: true, format: "esm", target: "es2022", platform: "neutral", write: false, logLevel: "warning" };
  const [readable, minified] = await Promise.all([build({ ...options, sourcemap: "inline" }), build({ ...options, minify: true })]);
  const file = at(`tests/out/js/${name}.js`);
  mkdirSync(at("tests/out/js"), { recursive: true });
  writeFileSync(file, readable.outputFiles[0].contents);
  const bytes = minified.outputFiles[0].contents;
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  return { file, url: new URL(`../out/js/${name}.js`, import.meta.url).href, minified: bytes.length, brotli: brotli.length };
}

/** The rows of a vector table by column. */
export function table(name) {
  const lines = readFileSync(at(`tests/vectors/${name}`), "utf8").split("\n");
  const [head, ...rows] = lines.filter((line) => line && !line.startsWith("#")).map((line) => line.split("\t"));
  return rows.map((cells) => Object.fromEntries(head.map((column, index) => [column, cells[index]])));
}
