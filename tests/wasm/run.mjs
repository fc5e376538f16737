// Runs the unit tests of the core as WebAssembly, where its SIMD code is used: `build` compiles them, `node` and `browser` run them. On a native target, these
// tests compare scalar code with itself.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { at, fail } from "../../pkg/lib.mjs";
import { testRunner } from "../../pkg/setup.mjs";
import { launch, watched } from "../browser/browser.mjs";

/** ms that all tests may take in a browser: 60 times what they take on a machine that does nothing else. */
const LONGEST = 900_000;

const [where] = process.argv.slice(2);
if (!["build", "node", "browser"].includes(where)) fail("Say where the tests are to run: build, node or browser.");

const runner = testRunner();
const compiled = compile();
if (where === "node") process.exitCode = spawnSync(runner, [compiled], { cwd: folder(), stdio: "inherit" }).status ?? 1;
if (where === "browser") process.exitCode = await inBrowser(compiled);

/** The path of the module with all tests. */
function compile() {
  const args = ["test", "--locked", "--lib", "--no-run", "--target", "wasm32-unknown-unknown", "--message-format", "json-render-diagnostics"];
  const { status, stdout } = spawnSync("cargo", args, { cwd: at(), stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28, encoding: "utf8" });
  if (status !== 0) fail("The unit tests do not compile to WebAssembly.");
  const messages = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const made = messages.find(({ reason, executable, target }) => reason === "compiler-artifact" && executable && target.name === "azulejo");
  return made?.executable ?? fail("Cargo does not say where the compiled tests are.");
}

/** A folder for what the runner writes. */
function folder() {
  const path = at("tests", "out", "wasm", where);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Runs the tests in Chromium: the runner serves a page that runs them and shows what they say. */
async function inBrowser(module) {
  const address = `127.0.0.1:${await freePort()}`;
  const env = { ...process.env, WASM_BINDGEN_USE_BROWSER: "1", NO_HEADLESS: "1", WASM_BINDGEN_TEST_ADDRESS: address };
  const child = spawn(runner, [module], { cwd: folder(), env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit").then(([status]) => fail(`The runner ended with status ${status} before the tests did.`));
  const serves = new Promise((told) => child.stdout.setEncoding("utf8").on("data", (text) => text.includes(address) && told()));
  await Promise.race([serves, ended]);
  const browser = await launch();
  try {
    const { page, troubles } = await watched(browser);
    await page.goto(`http://${address}`);
    const finished = page.waitForFunction(() => document.querySelector("#output")?.textContent.includes("test result: "), null, { timeout: LONGEST, polling: 200 });
    const failure = await Promise.race([finished, ended]).then(() => null, ({ message }) => message);
    const said = await page.locator("#output").textContent();
    console.log(said);
    const passed = /^test result: ok\. [1-9]/m.test(said);
    if (!passed) console.log([failure, ...troubles].filter(Boolean).join("\n"));
    return passed ? 0 : 1;
  } finally {
    await browser.close();
    child.removeAllListeners("exit");
    child.kill();
  }
}

/** A port of this machine that nothing listens on. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
