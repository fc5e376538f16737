// The built Worker in Miniflare, with an R2 bucket in memory: real ranges, real etags, no account and no network.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { request as rawRequest } from "node:http";
import { Miniflare } from "miniflare";
import { at } from "../../pkg/lib.mjs";

const wrangler = readFileSync(at("wrangler.toml"), "utf8");
const compatibilityDate = wrangler.match(/compatibility_date = "([^"]+)"/)[1];

/** Starts a service. `front` is a module that is put before it; `samples` fills the bucket with the project's samples; without `caches` the Cache API keeps nothing; `port` 0 is any; `persist` is a folder for the bucket, instead of memory. */
export async function serve({ vars = {}, front, samples: filled = true, site = false, caches = true, port = 0, persist } = {}) {
  const built = ["worker/build/index.js", "worker/build/index_bg.wasm"];
  for (const file of built) if (!existsSync(at(file))) throw new Error(`${file} is missing: npm run build`);
  const modules = [
    ...(front ? [{ type: "ESModule", path: at(front) }] : []),
    { type: "ESModule", path: at(built[0]) },
    { type: "CompiledWasm", path: at(built[1]) },
  ];
  const log = [];
  const options = {
    modules,
    modulesRoot: at(),
    compatibilityDate,
    port,
    cache: caches,
    r2Buckets: ["BUCKET"],
    ...(persist && { r2Persist: persist }),
    bindings: vars,
    handleRuntimeStdio: (...streams) => streams.forEach((stream) => collect(stream, log)),
    ...(site && { assets: { directory: at("worker/build/site"), routerConfig: { has_user_worker: true } } }),
  };
  const service = await connect(new Miniflare(options), options, log);
  if (filled) await samples(service.put);
  return service;
}

/** Puts the project's samples into a bucket. */
export async function samples(put) {
  const folder = at("www", "samples");
  for (const name of readdirSync(folder).filter((name) => !name.endsWith(".md"))) await put(name, readFileSync(`${folder}/${name}`));
}

/** What the tests do with a running service. */
export async function connect(miniflare, options, log) {
  const url = await miniflare.ready.then(({ origin }) => origin, async (error) => {
    // Whoever waits for it hears of it, and is not kept alive by it.
    await miniflare.dispose().catch(() => undefined);
    throw error;
  });
  return {
    url,
    log,
    put: async (key, bytes, more) => (await miniflare.getR2Bucket("BUCKET")).put(key, new Uint8Array(bytes), more),
    bucket: () => miniflare.getR2Bucket("BUCKET"),
    /** The path is sent as it is: nothing is normalised on the way. */
    get: (path, headers = {}, method = "GET", agent = false) => send(url, path, headers, method, agent),
    /** Other variables; the isolate begins anew, the bucket stays. */
    set: (vars) => miniflare.setOptions({ ...options, port: Number(new URL(url).port), bindings: vars }),
    close: () => miniflare.dispose(),
  };
}

/** Gathers the lines of a stream. */
export function collect(stream, log) {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    log.push(...lines);
  });
}

/** Asks for a path as it is: nothing is normalised on the way. By a connection of its own unless an agent has some: a kept one may be closed just when it is taken again. */
export function send(url, path, headers = {}, method = "GET", agent = false) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = rawRequest({ hostname, port, path, agent, method, headers: { "accept-encoding": "identity", ...headers } }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: response.statusCode, headers: response.headers, bytes, text: () => bytes.toString("utf8"), json: () => JSON.parse(bytes) });
      });
    });
    request.on("error", reject).end();
  });
}

/** Asks, and hangs up after so many milliseconds. Not by fetch: in Node 20 one that is aborted may never settle. */
export function left(url, path, ms, headers = {}) {
  const { hostname, port } = new URL(url);
  return new Promise((gone) => {
    const request = rawRequest({ hostname, port, path, agent: false, headers }, (response) => response.resume().on("error", () => {}));
    request.on("error", () => {}).on("close", gone).end();
    setTimeout(() => request.destroy(), ms);
  });
}
