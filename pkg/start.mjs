// Serves the project on this machine: sets up, builds, puts the samples into the local bucket, runs the Worker. What is edited is built and served anew.
// `--release` builds what is deployed, which takes longer and answers faster, and does not watch.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { build } from "./build.mjs";
import { FAST, RELEASE, at, bucket, end, fail, files, fingerprint, say, start, usablePort } from "./lib.mjs";
import { withBucket } from "./local.mjs";
import { setup } from "./setup.mjs";

const release = process.argv.includes("--release");
const kind = release ? RELEASE : FAST;
const port = await usablePort(process.env.PORT || "8787");
setup();
await build(kind);
await putSamples();
await serve();

/** Puts the samples into the bucket, once. */
async function putSamples() {
  const folder = at("www", "samples");
  const names = readdirSync(folder).filter((name) => !name.endsWith(".md"));
  const stamp = join(bucket.persist, ".samples");
  const now = fingerprint(files(folder));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  say("Putting the samples into the local bucket");
  await withBucket(async (r2) => {
    for (const name of names) await r2.put(name, new Uint8Array(readFileSync(join(folder, name))));
  });
  mkdirSync(bucket.persist, { recursive: true });
  writeFileSync(stamp, now);
}

async function serve() {
  const place = [join(kind.out, "index.js"), "--assets", join(kind.out, "site"), "--live-reload"];
  const args = [at("node_modules", "wrangler", "bin", "wrangler.js"), "dev", ...(release ? [] : place), "--port", String(port), "--persist-to", bucket.state, "--show-interactive-dev-session=false"];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  const child = start(process.execPath, args, { env, stdio: ["ignore", "inherit", "inherit"] });
  let leaving = false;
  const leave = () => {
    if (!leaving) setTimeout(() => end(child, "SIGKILL"), 5000).unref();
    leaving = true;
    end(child);
  };
  // Miniflare, which put the samples, would exit at once and leave nobody to wait for the end of the service.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(signal).on(signal, leave);
  // npm, when it is ended itself, tells only the shell between us.
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === "start") setInterval(() => process.ppid !== parent && leave(), 500).unref();
  process.on("exit", () => end(child, "SIGKILL"));
  child.on("exit", (code) => process.exit(leaving ? 0 : (code ?? 1)));

  const url = `http://localhost:${port}`;
  for (let waited = 0; waited < 60_000; waited += 200) {
    await new Promise((wake) => setTimeout(wake, 200));
    const health = await fetch(`${url}/health`).catch(() => null);
    if (health?.ok) {
      greet(url);
      return release ? undefined : buildWhatIsSaved();
    }
    if (health) fail(await health.text());
  }
  fail("The service did not begin to answer within a minute.");
}

/** Builds after each edit, in a process of its own: an error in the code must not end the service. wrangler loads what has changed. */
function buildWhatIsSaved() {
  let building = false;
  let dirty = false;
  const begin = () => {
    if (building) return void (dirty = true);
    [building, dirty] = [true, false];
    const began = performance.now();
    spawn(process.execPath, [at("pkg", "build.mjs"), "--fast"], { stdio: ["ignore", "inherit", "inherit"] }).on("exit", (code) => {
      building = false;
      say(code === 0 ? `Built in ${((performance.now() - began) / 1000).toFixed(1)} s.` : "Not built. The service goes on as it was; save again once it is mended.");
      if (dirty) begin();
    });
  };
  // Node's watcher misses files that are replaced, as editors and git do. To look at some hundred files takes a few milliseconds.
  const folders = [at("src"), at("www"), at("worker", "src"), at("worker", "entry.ts")];
  const seen = () => files(...folders).map((file) => `${file} ${statSync(file, { throwIfNoEntry: false })?.mtimeMs}`).join("\n");
  let last = seen();
  setInterval(() => {
    const now = seen();
    if (now !== last) begin();
    last = now;
  }, 500).unref();
  say("Watching src, worker and www: what you save is built and served.\n");
}

function greet(url) {
  const example = `${url}/iiif/3/hubble_deep_field.jpg`;
  say(`
azulejo is at ${url}

  the page      ${url}/
  one's own     ${url}/try
  an info.json  ${example}/info.json
  an image      ${example}/square/400,/0/default.jpg

Add images with: npm run add -- FILE...      Stop with Ctrl-C.
`);
}
