// The official IIIF validator against the service: every version, level 2 and the optional tests. Only the tests named here may fail, and they must.

import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at, fail, output, run, say } from "../../pkg/lib.mjs";
import { build } from "../../pkg/build.mjs";
import { setup } from "../../pkg/setup.mjs";
import { serve } from "../worker/service.mjs";

const VERSIONS = ["1.0", "1.1", "2.0", "3.0"];
const IMAGE = "67352ccc-d1b0-11e1-89ae-279075081939";
const PACKAGES = ["iiif-validator==1.0.5"];

/** Tests that no server can pass, or not one that keeps to the specification; which versions have them, and why they fail. */
const UNWINNABLE = {
  format_webp: [["2.0", "3.0"], "fetches with urllib.urlopen, which Python 3 does not have, and compares bytes with a string"],
  format_pdf: [VERSIONS, "fetches with urllib.urlopen, which Python 3 does not have; PDF is optional and not offered here"],
  format_jp2: [VERSIONS, "fetches with urllib.urlopen, which Python 3 does not have; JPEG 2000 is of level 2 only in 1.0 and not offered here"],
  size_up: [["3.0"], "wants ^max to be 1000 × 1000 and ^2000,2000 to be served: ^max is the limit, which cannot be both"],
};

// npm test has built, and reads what another build would write.
if (!process.argv.includes("--built")) {
  setup();
  await build();
}
const python = venv();
const service = await serve({ vars: { CONFINED_UPSCALE: "reject", OBJECT_KEY: "{identifier}.png", LOG: "errors" } });
let results;
try {
  const { host } = new URL(service.url);
  results = new Map();
  for (const version of VERSIONS) results.set(version, await validate(host, version));
} finally {
  await service.close();
}
process.exitCode = report(results);

/** A virtual environment with the validator in it. */
function venv() {
  const folder = at("tests", "validator", "venv");
  const python = join(folder, "bin", "python");
  const stamp = join(folder, ".packages");
  const wanted = PACKAGES.join("\n");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    if (output("python3", ["--version"]) === null) fail("The IIIF validator needs Python 3. On Debian: apt-get install python3 python3-venv");
    if (output("python3", ["-c", "import ensurepip, venv"]) === null) fail("The IIIF validator needs Python's venv. On Debian: apt-get install python3-venv");
    say("Installing the IIIF validator");
    run("python3", ["-m", "venv", "--clear", folder]);
    run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES]);
    writeFileSync(stamp, wanted);
  }
  if (output(python, ["-c", "import magic; magic.Magic"]) === null) fail("The IIIF validator needs libmagic. On Debian: apt-get install libmagic1");
  return python;
}

/** Test name → { level, times, reason }. */
function validate(host, version) {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [at("tests", "validator", "validate.py"), host, version, IMAGE], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code !== 0) return reject(new Error(`validate.py ended with ${code}`));
      const lines = text.split("\n").filter((line) => line.startsWith("{"));
      resolve(new Map(lines.map((line) => JSON.parse(line)).map(({ test, ...rest }) => [test, rest])));
    });
  });
}

/** Prints the table; 0 if exactly what may fail fails. */
function report(results) {
  const names = [...new Set([...results.values()].flatMap((tests) => [...tests.keys()]))].sort();
  const problems = [];
  say(`\n${"".padEnd(24)}${VERSIONS.map((version) => version.padEnd(14)).join("")}`);
  for (const name of names) {
    const cells = VERSIONS.map((version) => {
      const result = results.get(version).get(name);
      if (!result) return "";
      const excused = UNWINNABLE[name]?.[0].includes(version) ?? false;
      if (result.reason && !excused) problems.push(`${version} ${name}: ${result.reason}`);
      if (!result.reason && excused) problems.push(`${version} ${name} passes: take it off the list of those that cannot`);
      return (result.reason ? (excused ? "cannot" : "FAIL") : "pass") + (result.level === 3 ? " (opt)" : "");
    });
    say(`${name.padEnd(24)}${cells.map((cell) => cell.padEnd(14)).join("")}`.trimEnd());
  }
  say("");
  for (const version of VERSIONS) {
    const tests = [...results.get(version).values()];
    say(`${version}: ${tests.filter(({ reason }) => !reason).length} of ${tests.length} pass, the random ones ${Math.max(...tests.map(({ times }) => times))} times over`);
    if (tests.length < 30) problems.push(`${version} has only ${tests.length} tests`);
  }
  say("\nWhat cannot pass, and why:");
  for (const [name, [versions, why]] of Object.entries(UNWINNABLE)) say(`  ${name} (${versions.join(", ")}): ${why}`);
  say("");
  for (const problem of problems) console.error(`FAIL ${problem}`);
  return problems.length === 0 ? 0 : 1;
}
