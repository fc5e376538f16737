// The built Worker with its page, on a free port, over a bucket in memory: the samples and two files made for these tests.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { paintWall, pyramidTiff } from "../generate/pyramid.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const built = join(root, "worker", "build");
const folder = join(root, "www", "samples");

/** The samples' names. */
export const SAMPLES = readdirSync(folder).filter((name) => !name.endsWith(".md"));

/** A key with everything in it that addresses treat in their own way. */
export const AWKWARD_NAME = "maps/rock+et & 100% #1?.jpg";

/** A tiled TIFF of 6000 × 4000 pixels. */
export const WALL = "wall.tif";

/** Starts the service; with `wall`, the large TIFF is in the bucket too. An address in AZULEJO_URL is used as it is. */
export async function serve({ wall = false } = {}) {
  if (process.env.AZULEJO_URL) return { url: process.env.AZULEJO_URL.replace(/\/$/, ""), close: async () => undefined };
  if (!existsSync(join(built, "index.js")) || !existsSync(join(built, "site"))) throw new Error("There is no built Worker in worker/build. Run: npm run build");
  const miniflare = new Miniflare({
    name: "azulejo",
    rootPath: built,
    modules: [
      { type: "ESModule", path: "index.js" },
      { type: "CompiledWasm", path: "index_bg.wasm" },
    ],
    compatibilityDate: /compatibility_date = "([^"]+)"/.exec(readFileSync(join(root, "wrangler.toml"), "utf8"))?.[1] ?? "2026-03-01",
    bindings: { LOG: "none" },
    r2Buckets: { BUCKET: "azulejo" },
    assets: { directory: join(built, "site"), routerConfig: { has_user_worker: true }, assetConfig: { html_handling: "auto-trailing-slash" } },
  });
  const url = (await miniflare.ready).href.replace(/\/$/, "").replace("127.0.0.1", "localhost");
  const bucket = await miniflare.getR2Bucket("BUCKET");
  for (const name of SAMPLES) await bucket.put(name, new Uint8Array(readFileSync(join(folder, name))));
  await bucket.put(AWKWARD_NAME, new Uint8Array(readFileSync(join(folder, "rocket.jpg"))));
  if (wall) await bucket.put(WALL, new Uint8Array(pyramidTiff(6000, 4000, paintWall)));
  return { url, close: () => miniflare.dispose() };
}
