// The unit tests of the core as WebAssembly, where SIMD code runs: `build` compiles them, `node` and `browser` run them. Natively they compare scalar code with itself.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { at, fail } from "../../pkg/lib.mjs";
import { testRunner } from "../../pkg/setup.mjs";

const [where] = process.argv.slice(2);
if (!["build", "node", "browser"].includes(where)) fail("Say where the tests are to run: build, node or browser.");

const compiled = compile();
if (where !== "build") run(compiled);

/** The path of the module with all tests. */
function compile() {
  const args = ["test", "--locked", "--lib", "--no-run", "--target", "wasm32-unknown-unknown", "--message-format", "json-render-diagnostics"];
  const { status, stdout } = spawnSync("cargo", args, { cwd: at(), stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28, encoding: "utf8" });
  if (status !== 0) fail("The unit tests do not compile to WebAssembly.");
  const messages = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const made = messages.find(({ reason, executable, target }) => reason === "compiler-artifact" && executable && target.name === "azulejo");
  return made?.executable ?? fail("Cargo does not say where the compiled tests are.");
}

function run(module) {
  const folder = at("tests", "out", "wasm", where);
  mkdirSync(folder, { recursive: true });
  // The runner's own limits are 20 s for all tests and 5 s for the browser to start. A busy machine takes longer.
  const env = { ...process.env, WASM_BINDGEN_TEST_TIMEOUT: "900", WASM_BINDGEN_TEST_DRIVER_TIMEOUT: "60" };
  if (where === "browser") {
    env.WASM_BINDGEN_USE_BROWSER = "1";
    env.CHROMEDRIVER = chromedriver();
    const chromeOptions = { binary: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] };
    writeFileSync(`${folder}/webdriver.json`, JSON.stringify({ "goog:chromeOptions": chromeOptions }));
  }
  const { status, error } = spawnSync(testRunner, [module], { cwd: folder, env, stdio: "inherit" });
  if (error) fail(`${testRunner} does not run: ${error.message}`);
  process.exitCode = status ?? 1;
}

/** The driver of Chromium, which must be of the same version. */
function chromedriver() {
  const named = process.env.CHROMEDRIVER || "chromedriver";
  const found = spawnSync(named, ["--version"], { encoding: "utf8" });
  if (found.status !== 0) fail("There is no chromedriver. Install it (on Debian: apt-get install chromium-driver) or set CHROMEDRIVER to the path of one.");
  // The runner takes a path only.
  return spawnSync("sh", ["-c", `command -v "${named}"`], { encoding: "utf8" }).stdout.trim();
}
