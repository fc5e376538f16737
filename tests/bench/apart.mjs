// The built Worker alone in workerd, by the runtime's own bindings: R2 and the Cache API are in this process, and are asked over HTTP. What workerd
// then takes of the processor is the Worker's and its bindings'; what keeps the bytes is not in it, as it is not in Cloudflare's bill.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { at } from "../../pkg/lib.mjs";
import { send } from "../worker/service.mjs";

const compatibilityDate = readFileSync(at("wrangler.toml"), "utf8").match(/compatibility_date = "([^"]+)"/)[1];
/** The runtime that Miniflare brings along. */
const { default: workerd } = createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd");
const NO_SUCH_KEY = 10007;

/** Starts it. `found()` counts what the Cache API had so far: what opens images, which alone it keeps, so that every answer is made. */
export async function apart({ vars = {} } = {}) {
  const [bucket, cache] = [r2(), headersOnly()];
  const [r2Port, cachePort] = await Promise.all([bucket, cache].map(({ server }) => listening(server)));
  mkdirSync(at("tests/out"), { recursive: true });
  const folder = mkdtempSync(at("tests/out", "apart-"));
  for (const name of ["index.js", "index_bg.wasm"]) copyFileSync(at("worker/build", name), `${folder}/${name}`);
  writeFileSync(`${folder}/config.capnp`, config({ r2Port, cachePort, vars }));
  const child = spawn(workerd, ["serve", `${folder}/config.capnp`, "--control-fd=3"], { stdio: ["ignore", "inherit", "inherit", "pipe"] });
  const url = `http://127.0.0.1:${await portOf(child)}`;
  return {
    put: bucket.put,
    found: cache.found,
    get: (path, headers = {}, method = "GET", agent = false) => send(url, path, headers, method, agent),
    async close() {
      child.kill();
      await once(child, "exit");
      for (const { server } of [bucket, cache]) server.close().closeAllConnections();
      rmSync(folder, { recursive: true });
    },
  };
}

const config = ({ r2Port, cachePort, vars }) => `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "r2", external = (address = "127.0.0.1:${r2Port}", http = ())),
    (name = "cache", external = (address = "127.0.0.1:${cachePort}", http = ())),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);

const main :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "index.js"), (name = "./index_bg.wasm", wasm = embed "index_bg.wasm")],
  compatibilityDate = "${compatibilityDate}",
  cacheApiOutbound = "cache",
  bindings = [(name = "BUCKET", r2Bucket = "r2"), ${Object.entries(vars).map(([name, value]) => `(name = "${name}", text = "${value}")`).join(", ")}]
);
`;

async function listening(server) {
  // One that is closed for idleness may be just about to be used again.
  server.keepAliveTimeout = 0;
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server.address().port;
}

/** workerd tells on a pipe which port it has taken. */
async function portOf({ stdio }) {
  let told = "";
  for await (const text of stdio[3]) {
    told += text;
    const port = /"port":(\d+)/.exec(told)?.[1];
    if (port) return port;
  }
  throw new Error(`workerd did not begin: ${told}`);
}

/** A bucket as workerd's binding asks it (its r2-api.capnp): what is wanted is JSON in a header, the answer JSON and then the bytes. Only GET and HEAD. */
function r2() {
  const objects = new Map();
  const server = createServer(({ headers }, response) => {
    const { method, object: name, range = {} } = JSON.parse(headers["cf-r2-request"]);
    const object = objects.get(name);
    if (!object) return void response.writeHead(404, { "cf-r2-error": JSON.stringify({ version: 1, v4code: NO_SUCH_KEY, message: "there is no such object" }) }).end();
    const { bytes, etag } = object;
    const offset = Number(range.offset ?? 0);
    const part = method === "head" ? bytes.subarray(0, 0) : bytes.subarray(offset, offset + Number(range.length ?? bytes.length));
    const told = Buffer.from(
      JSON.stringify({ name, version: etag, etag, size: bytes.length, uploaded: 1.7e12, httpFields: {}, customFields: [], range: { offset, length: part.length }, checksums: {} }),
    );
    response.writeHead(200, { "cf-r2-metadata-size": told.length, "content-length": told.length + part.length });
    response.end(Buffer.concat([told, part]));
  });
  return {
    server,
    /** Many names may share the bytes. */
    put: (names, bytes) => {
      const etag = createHash("md5").update(bytes).digest("hex");
      for (const name of names) objects.set(name, { bytes, etag });
    },
  };
}

/** The Cache API as workerd asks it: what is put is an answer as HTTP writes it. */
function headersOnly() {
  const kept = new Map();
  let found = 0;
  const server = createServer(async (request, response) => {
    const name = `${request.headers.host}${request.url}`;
    const body = Buffer.concat(await request.toArray());
    if (request.method === "PUT") {
      const end = body.indexOf("\r\n\r\n") + 4;
      if (/^content-type: application\/octet-stream/im.test(body.toString("latin1", 0, end))) kept.set(name, body.subarray(end));
      return void response.writeHead(204).end();
    }
    const bytes = kept.get(name);
    if (!bytes) return void response.writeHead(504).end();
    found++;
    response.writeHead(200, { "cf-cache-status": "HIT", "content-type": "application/octet-stream", "content-length": bytes.length }).end(bytes);
  });
  return { server, found: () => found };
}
