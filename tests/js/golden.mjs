// The requests and digests of tests/golden, and the files they are about.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { at } from "../../pkg/lib.mjs";

/** Every request with the digest of its answer. */
export const rows = readFileSync(at("tests/golden/digests.tsv"), "utf8")
  .trimEnd()
  .split("\n")
  .slice(1)
  .map((line) => line.split("\t"))
  .map(([name, request, width, height, digest]) => ({ name, request, width: Number(width), height: Number(height), digest }));

/** The requests for one file. */
export const rowsOf = (name) => rows.filter((row) => row.name === name);

/** A file's bytes. */
export const file = (name) => new Uint8Array(readFileSync([`tests/fixtures/${name}`, `www/samples/${name}`].map((path) => at(path)).find(existsSync)));

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
