// The TypeScript Worker of own/worker.ts, bundled with the built package and run in Miniflare: the same interface as tests/worker/service.mjs.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { at } from "../../../pkg/lib.mjs";
import { collect, connect, samples } from "../../worker/service.mjs";

const compatibilityDate = readFileSync(at("wrangler.toml"), "utf8").match(/compatibility_date = "([^"]+)"/)[1];

/** As Wrangler does it: one module, the package found by its exports, and the wasm beside it. `front` is a module that is put before the Worker. */
async function bundled(entry, front, engine) {
  if (!existsSync(at("pkg/dist/workerd/worker.js"))) throw new Error("pkg/dist is missing: node pkg/package.mjs");
  const own = at("tests/js/own", entry);
  const { outputFiles } = await build({
    entryPoints: [front ? at(front) : own],
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["workerd"],
    write: false,
    logLevel: "warning",
    // What the package's entries share, and of what this one needs nothing.
    logOverride: { "ignored-bare-import": "silent" },
    plugins: [
      {
        name: "own",
        setup(build) {
          build.onResolve({ filter: /worker\/build\/index\.js$/ }, () => ({ path: own }));
          build.onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: `./${basename(path)}`, external: true }));
        },
      },
    ],
  });
  // One's own: the same may be under test elsewhere.
  mkdirSync(at("tests/out/js"), { recursive: true });
  const folder = mkdtempSync(at("tests/out/js/own-"));
  writeFileSync(`${folder}/worker.js`, outputFiles[0].contents);
  writeFileSync(`${folder}/worker.wasm`, engine ?? readFileSync(at("pkg/dist/worker.wasm")));
  copyFileSync(at("pkg/dist/service.wasm"), `${folder}/service.wasm`);
  return folder;
}

/** Starts the Worker with a bucket; `vars` are its variables, `engine` the bytes of another wasm. */
export async function serve({ vars = {}, front, samples: filled = true, caches = true, entry = "worker.ts", date = compatibilityDate, engine, persist } = {}) {
  const folder = await bundled(entry, front, engine);
  const log = [];
  const options = {
    modules: [
      { type: "ESModule", path: `${folder}/worker.js` },
      { type: "CompiledWasm", path: `${folder}/worker.wasm` },
      { type: "CompiledWasm", path: `${folder}/service.wasm` },
    ],
    modulesRoot: folder,
    compatibilityDate: date,
    port: 0,
    cache: caches,
    r2Buckets: ["BUCKET"],
    ...(persist && { r2Persist: persist }),
    bindings: vars,
    handleRuntimeStdio: (...streams) => streams.forEach((stream) => collect(stream, log)),
  };
  const service = await connect(new Miniflare(options), options, log);
  if (filled) await samples(service.put);
  const close = async () => {
    await service.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...service, close };
}
