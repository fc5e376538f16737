// The vector tables over HTTP: status, canonical URI, and the dimensions of what really comes back. The same for every service.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { at } from "../../../pkg/lib.mjs";
import { dimensions, flatPng, png } from "../images.mjs";

const table = (name) => {
  const [head, ...rows] = readFileSync(at("tests", "vectors", name), "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split("\t"));
  return rows.map((cells) => Object.fromEntries(head.map((column, index) => [column, cells[index]])));
};

// What no client can send stays out of the request line: blanks, what is not ASCII, and what would begin a query.
const sendable = (path) => path.replace(/[^!-~]|[?#]/gu, encodeURIComponent);

const number = (text) => (text === "-" ? undefined : Number(text));

/** Puts a picture of these dimensions into the bucket, once. */
async function picture(service, width, height) {
  const key = `${width}x${height}`;
  if (!service.pictures.has(key)) await service.put(key, width * height > 2_000_000 ? flatPng(width, height) : png(width, height));
  service.pictures.add(key);
  return key;
}

/** The dimensions after rotation; for other than right angles each may be one off. */
function rotated(width, height, rotation) {
  const degrees = Number(rotation.replace("!", ""));
  if (degrees % 180 === 0) return [width, height, 0];
  if (degrees % 90 === 0) return [height, width, 0];
  const [sin, cos] = [Math.sin, Math.cos].map((f) => Math.abs(f((degrees * Math.PI) / 180)));
  return [width * cos + height * sin, width * sin + height * cos, 2];
}

async function check(service, version, row) {
  const key = await picture(service, Number(row.width), Number(row.height));
  const base = `/iiif/${version}/${key}`;
  const answer = await service.get(sendable(`${base}/${row.request}`));
  const what = `${version} ${key} ${row.request} (${row.note})`;
  // Answers of many megapixels may be more than the memory holds; then they are refused, and say so.
  if (row.note.startsWith("large:") && answer.status === 503) return assert.match(answer.text(), /needs .*(MiB|CPU time), and the limit is /, what);
  assert.equal(answer.status, Number(row.status), `${what}: ${answer.bytes.subarray(0, 200)}`);
  if (answer.status !== 200) return assert.match(answer.headers["content-type"], /^text\//, what);
  const canonical = `<${service.url}${base}/${row.canonical.replaceAll("^", "%5E")}>;rel="canonical"`;
  assert.ok(answer.headers.link.includes(canonical), `${what}: ${answer.headers.link}, not ${canonical}`);
  const [format, width, height] = dimensions(answer.bytes);
  const [, , rotation, last] = row.canonical.split("/");
  const [wanted, high, tolerance] = rotated(number(row.out_width), number(row.out_height), rotation);
  assert.equal(format, last.split(".")[1], what);
  assert.ok(Math.abs(width - wanted) <= tolerance && Math.abs(height - high) <= tolerance, `${what}: ${width}×${height}, not ${wanted}×${high}`);
}

/** Registers the tests for a service that `serve` starts; `takes` tells which variables it can be given. */
export function vectors(serve, takes = () => true) {
  describe("requests of each version", () => {
    let service;
    before(async () => {
      service = Object.assign(await serve({ samples: false, vars: { LOG: "none" } }), { pictures: new Set() });
    });
    after(() => service.close());
    for (const version of ["1.0", "1.1", "2", "3"]) {
      test(version, async () => {
        const rows = table(`${version}.tsv`);
        assert.ok(rows.length > 150);
        for (const row of rows) await check(service, version, row);
      });
    }
  });

  test("limits and settings", async () => {
    const service = Object.assign(await serve({ samples: false }), { pictures: new Set() });
    try {
      const settings = new Map();
      for (const row of table("limits.tsv")) {
        const vars = {
          MAX_WIDTH: row.max_width.replace("-", "none"),
          MAX_HEIGHT: row.max_height.replace("-", "none"),
          MAX_AREA: row.max_area.replace("-", "none"),
          UPSCALING: row.upscaling,
          CONFINED_UPSCALE: row.confined,
          LOG: "none",
        };
        // maxHeight alone is a mistake in the settings, which the Worker does not let pass.
        if (vars.MAX_WIDTH === "none" && vars.MAX_HEIGHT !== "none") continue;
        if (!takes(vars)) continue;
        const key = JSON.stringify(vars);
        settings.set(key, [...(settings.get(key) ?? []), row]);
      }
      for (const [vars, rows] of settings) {
        await service.set(JSON.parse(vars));
        for (const row of rows) await check(service, row.version, row);
      }
    } finally {
      await service.close();
    }
  });

  test("routes", async () => {
    const service = await serve({ samples: false });
    try {
      const rows = table("routes.tsv");
      for (const identifier of new Set(rows.map((row) => row.identifier))) {
        if (identifier !== "-") await service.put(identifier, png(30, 20));
      }
      for (const slashes of ["off", "on"]) {
        await service.set({ ALLOW_SLASHES: slashes, LOG: "none" });
        for (const { path, version, kind, status, note } of rows.filter((row) => row.slashes === slashes)) {
          // On the way to the Worker dot segments are folded, and a path begins with a slash.
          if (!path.startsWith("/") || /\/(\.|%2e){1,2}\//i.test(path) || path === "/health") continue;
          const answer = await service.get(path);
          assert.equal(answer.status, Number(status), `${path} (${note})`);
          if (kind === "image") assert.equal(dimensions(answer.bytes)[1], 30, path);
          if (kind === "info.json" && version === "3") assert.equal(answer.json().id, service.url + path.replace(/\/info(\.|%2E)json$/, ""), path);
          if (kind === "base") assert.equal(answer.headers.location, `${service.url}${path.replace(/\/$/, "")}/info.json`);
        }
      }
    } finally {
      await service.close();
    }
  });
}
