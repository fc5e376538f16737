// The npm scripts as a user meets them: what they say when something is wrong, and that they clean up.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RELEASE } from "../../pkg/lib.mjs";
import { glueOf } from "../../pkg/modules.mjs";
import { at } from "../../pkg/lib.mjs";
import { png } from "./images.mjs";

const script = (name) => at("pkg", `${name}.mjs`);
const run = (name, args = [], env = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script(name), ...args], { env: { ...process.env, ...env }, encoding: "utf8" });
  return { status, said: stdout + stderr };
};

test("a port that cannot be used is named, and another one suggested", async () => {
  for (const PORT of ["abc", "99999", "-1", "80 80"]) {
    const { status, said } = run("start", [], { PORT });
    assert.equal(status, 1, PORT);
    assert.match(said, new RegExp(`PORT is "${PORT}".*PORT=8788 npm start`, "s"));
  }
  const taken = createServer();
  await new Promise((ready) => taken.listen(0, "127.0.0.1", ready));
  const { port } = taken.address();
  const { status, said } = run("start", [], { PORT: String(port) });
  taken.close();
  assert.equal(status, 1);
  assert.match(said, new RegExp(`Port ${port} is in use.*PORT=\\d+ npm start`, "s"));
});

test("a missing cargo is named, and where to get it", () => {
  const { status, said } = run("setup", [], { PATH: "" });
  assert.equal(status, 1);
  assert.match(said, /Cargo is missing.*rustup/s);
});

test("add says how it is used", () => {
  for (const args of [[], ["--nonsense"], ["no/such/file.tif"], [at("pkg")]]) {
    const { status, said } = run("add", args);
    assert.equal(status, 1, args.join(" "));
    assert.match(said, args[0] === "no/such/file.tif" ? /no file no\/such\/file\.tif/ : /npm run add -- FILE/);
  }
});

test("npm test names its checks", () => {
  const { status, said } = run("test", ["nonsense"]);
  assert.equal(status, 1);
  assert.match(said, /There is no check nonsense; there are format, .*validator/);
});

test("start serves the samples, add adds while it runs, and Ctrl-C ends it all", async () => {
  const folder = mkdtempSync(join(tmpdir(), "azulejo-"));
  const env = { ...process.env, AZULEJO_STATE: join(folder, "state"), PORT: "0" };
  const child = spawn(process.execPath, [script("start"), "--release"], { env, stdio: ["ignore", "pipe", "pipe"] });
  try {
    let said = "";
    const url = await new Promise((resolve, reject) => {
      child.on("exit", () => reject(new Error(said)));
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text) => {
          said += text;
          const greeting = said.match(/azulejo is at (http:\/\/localhost:\d+)\n[^]*Stop with Ctrl-C/);
          if (greeting) resolve(greeting[1]);
        });
      }
    });
    const examples = [...said.matchAll(/^ {2}(?:the page|an info\.json|an image) +(\S+)$/gm)].map(([, address]) => address);
    assert.equal(examples.length, 3);
    for (const address of examples) assert.equal((await fetch(address)).status, 200, address);
    assert.ok((await (await fetch(`${url}/images.json`)).json()).images.length >= 5);

    writeFileSync(join(folder, "new one.png"), png(30, 20));
    const added = run("add", [join(folder, "new one.png"), "--prefix", "maps/"], env);
    assert.equal(added.status, 0, added.said);
    assert.match(added.said, /maps\/new one\.png {2}→ {2}\/iiif\/3\/maps%2Fnew%20one\.png\/info\.json/);
    assert.equal((await (await fetch(`${url}/iiif/3/maps%2Fnew%20one.png/info.json`)).json()).width, 30);

    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGINT");
    assert.equal(await ended, 0);
    await assert.rejects(fetch(`${url}/health`), "nothing listens any more");
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the glue of wasm-bindgen makes instances over a memory of ours, and keeps nothing of one that is gone", () => {
  const written = readFileSync(glueOf(RELEASE, "worker"), "utf8");
  assert.match(written, /memory: memory \|\| new WebAssembly\.Memory\(\{ ?initial: ?\d+, ?maximum: ?1024 ?\}\)/);
  // These would call into an instance that is gone.
  for (const none of ["new FinalizationRegistry", "makeMutClosure", "addEventListener"]) assert.ok(!written.includes(none), none);
});
