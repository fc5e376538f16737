// A module of the pages, to be tested in Node.

import { mkdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** What `www/{name}` exports. */
export async function bundled(name) {
  const folder = fileURLToPath(new URL("../out/www/", import.meta.url));
  const outfile = `${folder}${name.replaceAll("/", "-").replace(/ts$/, "mjs")}`;
  mkdirSync(folder, { recursive: true });
  await build({ entryPoints: [fileURLToPath(new URL(`../../www/${name}`, import.meta.url))], outfile, bundle: true, format: "esm", platform: "node", target: "es2022", logLevel: "warning" });
  return import(pathToFileURL(outfile).href);
}
