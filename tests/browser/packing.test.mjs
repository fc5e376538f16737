// What the demo's zip is made of: the archive, larger ones than a test can make too, and the plan of its files.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { tilesOf } from "azulejo/request";
import { bundled } from "./bundled.mjs";

const { crc32, zip } = await bundled("try/zip.ts");
const { level0 } = await bundled("try/level0.ts");

describe("the archive", () => {
  let folder;
  before(() => (folder = mkdtempSync(join(tmpdir(), "azulejo-zip-"))));
  after(() => rmSync(folder, { recursive: true }));

  /** Writes it from `start` on, and has Python's zipfile test and list it. */
  const read = async (entries, start = 0) => {
    const path = join(folder, "a.zip");
    rmSync(path, { force: true });
    const file = openSync(path, "w");
    let at = start;
    for await (const bytes of zip(entries, start)) at += writeSync(file, bytes, 0, bytes.length, at);
    closeSync(file);
    const script = "import json, sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; n = z.namelist(); print(json.dumps([len(n), n[0], z.read(n[0]).decode(), n[-1], z.read(n[-1]).decode()]))";
    return JSON.parse(execFileSync("python3", ["-c", script, path], { encoding: "utf8" }));
  };
  const text = (words) => new TextEncoder().encode(words);

  it("has the checksum of the specification's example", () => assert.equal(crc32(text("123456789")), 0xcbf43926));

  it("holds files with any name", async () => {
    assert.deepEqual(await read([{ path: "só/azul.txt", bytes: text("um") }, { path: "empty", bytes: text("") }]), [2, "só/azul.txt", "um", "empty", ""]);
    assert.deepEqual(execFileSync("python3", ["-m", "zipfile", "-t", join(folder, "a.zip")], { encoding: "utf8" }).trim(), "Done testing");
  });

  it("holds more than 65 535 files", async () => {
    const entries = Array.from({ length: 65_600 }, (_, index) => ({ path: `${index}`, bytes: text(`file ${index}`) }));
    assert.deepEqual(await read(entries), [65_600, "0", "file 0", "65599", "file 65599"]);
  });

  for (const [where, start] of [["across", 2 ** 32 - 100], ["beyond", 5 * 2 ** 30]]) {
    it(`goes on ${where} 4 GiB`, async () => {
      // What stands before it is a hole in the file, which takes no room.
      const entries = Array.from({ length: 8 }, (_, index) => ({ path: `file-${index}`, bytes: text(`content ${index}`) }));
      assert.deepEqual(await read(entries, start), [8, "file-0", "content 0", "file-7", "content 7"]);
    });
  }

  it("is the same for the same files", async () => {
    const once = async () => {
      const pieces = [];
      for await (const bytes of zip([{ path: "a", bytes: text("b") }])) pieces.push(bytes);
      return Buffer.concat(pieces);
    };
    assert.deepEqual(await once(), await once());
  });
});

describe("the plan", () => {
  const options = { version: "3", tile: 512, format: "jpg", id: "https://example.org/iiif/a", maxArea: 12_582_912 };

  for (const version of ["2", "3"]) {
    for (const [width, height] of [[1, 1], [512, 512], [513, 200], [1411, 1411], [20_000, 15_001], [100, 9000]]) {
      it(`has every tile and size of ${width} × ${height} in version ${version} once, none too large`, () => {
        for (const format of ["jpg", "webp"]) {
          const { document, files } = level0({ width, height }, { ...options, version, format });
          const paths = files.map(({ path }) => path);
          assert.equal(new Set(paths).size, paths.length);
          for (const kind of new Set(["jpg", format])) {
            for (const { path } of tilesOf(document, { format: kind })) assert.ok(paths.includes(path), path);
            for (const size of document.sizes) assert.ok(paths.includes(`full/${version === "3" ? `${size.width},${size.height}` : `${size.width},`}/0/default.${kind}`));
            assert.ok(paths.includes(`full/${version === "3" ? "max" : "full"}/0/default.${kind}`));
          }
          for (const { request } of files) {
            const [w, h] = request.split("/")[1].split(",").map(Number);
            assert.ok(w >= 1 && h >= 1 && w * h <= options.maxArea, request);
          }
          const { maxWidth } = version === "3" ? document : (document.profile[1] ?? {});
          assert.equal(maxWidth === undefined, width * height <= options.maxArea, "a limit is told where there is one");
        }
      });
    }
  }
});
