// Puts files into the local bucket, also while the service runs: npm run add -- FILE... [--prefix KEY/]

import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { fail, say } from "./lib.mjs";
import { setup } from "./setup.mjs";
import { withBucket } from "./local.mjs";

const USAGE = "Use: npm run add -- FILE... [--prefix KEY/]";
const PART = 32 << 20; // larger files go in parts of so many bytes
const LONGEST_KEY = 1024;

const { names, prefix } = read();
setup();
await withBucket(async (r2) => {
  for (const [file, key] of names.map((name) => [name, prefix + basename(name)])) {
    await put(r2, key, file);
    say(`${key}  →  /iiif/3/${encodeURIComponent(key)}/info.json`);
  }
});

function read() {
  try {
    const { values, positionals } = parseArgs({ options: { prefix: { type: "string", default: "" } }, allowPositionals: true });
    if (positionals.length === 0) fail(USAGE);
    for (const name of positionals) {
      if (!existsSync(name)) fail(`There is no file ${name}.`);
      if (!statSync(name).isFile()) fail(`${name} is not a file. ${USAGE}`);
      if (Buffer.byteLength(values.prefix + basename(name)) > LONGEST_KEY) fail(`The key of ${name} is longer than ${LONGEST_KEY} bytes.`);
    }
    return { names: positionals, prefix: values.prefix };
  } catch (error) {
    return fail(`${error.message}\n${USAGE}`);
  }
}

async function put(r2, key, file) {
  const { size } = statSync(file);
  if (size <= PART) return r2.put(key, new Uint8Array(readFileSync(file)));
  const upload = await r2.createMultipartUpload(key);
  const parts = [];
  const from = openSync(file, "r");
  for (let at = 0; at < size; at += PART) {
    const bytes = new Uint8Array(Math.min(PART, size - at));
    if (readSync(from, bytes, 0, bytes.length, at) !== bytes.length) fail(`${file} changed while it was read.`);
    parts.push(await upload.uploadPart(parts.length + 1, bytes));
  }
  closeSync(from);
  return upload.complete(parts);
}
