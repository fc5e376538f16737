// `azulejo/request`: the same vectors as the core, and tiles that cover every image once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bundle, table } from "./build.mjs";

const built = await bundle("request");
const { RequestError, canonical, format, parse, readInfo, resolve, tilesOf } = await import(built.url);

const VERSIONS = ["1.0", "1.1", "2", "3"];
const MAX_AREA = 12582912;

function answer(row, version, service) {
  const info = { width: Number(row.width), height: Number(row.height), ...service };
  try {
    const { canonical, size } = resolve(parse(row.request, version), info);
    return `200 ${canonical} ${size.width} ${size.height}`;
  } catch (error) {
    assert.ok(error instanceof RequestError, `${row.request}: ${error.stack}`);
    return `${error.status} - - -`;
  }
}

function hold(name, rows, answerOf) {
  assert.ok(rows.length > 100, `${name} has ${rows.length} rows`);
  const differ = [];
  for (const row of rows) {
    const expected = [row.status, row.canonical, row.out_width, row.out_height].join(" ");
    const got = answerOf(row);
    if (got !== expected) differ.push(`${row.version ?? ""} ${row.request}: ${got}, expected ${expected}`);
  }
  assert.deepEqual(differ, []);
}

const caught = (body) => {
  try {
    body();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
};

describe("vectors", () => {
  for (const version of VERSIONS) {
    test(version, () => hold(version, table(`${version}.tsv`), (row) => answer(row, version, { maxArea: MAX_AREA })));
  }

  test("limits", () => {
    const number = (text) => (text === "-" ? undefined : Number(text));
    hold("limits", table("limits.tsv"), (row) =>
      answer(row, row.version, {
        maxWidth: number(row.max_width),
        maxHeight: number(row.max_height),
        maxArea: number(row.max_area),
        upscaling: row.upscaling === "on",
        confinedUpscale: row.confined,
      }),
    );
  });

  test("what was parsed is written and parsed again as the same", () => {
    for (const version of VERSIONS) {
      for (const row of table(`${version}.tsv`).filter((row) => row.status === "200")) {
        const request = parse(row.request, version);
        assert.deepEqual(parse(format(request), version), request, row.request);
        const again = resolve(request, { width: Number(row.width), height: Number(row.height), maxArea: MAX_AREA });
        assert.deepEqual(resolve(parse(again.canonical, version), { width: Number(row.width), height: Number(row.height), maxArea: MAX_AREA }), again, row.request);
      }
    }
  });
});

describe("requests", () => {
  test("in parts", () => {
    assert.deepEqual(parse("pct:41.60,.5,40,070/^!360,360/!22.50/gray.webp", 3), {
      version: "3",
      region: { pct: ["41.6", "0.5", "40", "70"] },
      size: { width: 360, height: 360, confined: true, upscale: true },
      rotation: { mirror: true, degrees: "22.5" },
      quality: "gray",
      format: "webp",
    });
    assert.deepEqual(parse("full/,50/0/grey", "1.1"), { version: "1.1", region: "full", size: { height: 50 }, rotation: { degrees: "0" }, quality: "gray" });
  });

  test("made by hand, with numbers", () => {
    const request = { version: 3, region: { pct: [0.1, 2 ** -24, 50, 50] }, size: { pct: 50 }, rotation: { degrees: 22.5 }, quality: "default", format: "jxl" };
    assert.equal(format(request), "pct:0.1,0.000000059604644775390625,50,50/pct:50/22.5/default.jxl");
    const info = { width: 1000, height: 500, formats: ["jxl"] };
    assert.equal(canonical(request, info), "1,0,500,250/250,125/22.5/default.jxl");
    assert.deepEqual(resolve(request, info).rotation, { mirror: false, degrees: 22.5 });
  });

  test("made by hand and wrong", () => {
    const good = { version: 3, region: "full", size: "max", rotation: { degrees: 0 }, quality: "default", format: "jpg" };
    const info = { width: 300, height: 200 };
    const faults = { region: { x: -1, y: 0, width: 5, height: 5 }, size: { width: NaN }, rotation: { degrees: -0.5 }, quality: "sepia", format: "a/b" };
    for (const [part, value] of Object.entries(faults)) {
      assert.throws(() => resolve({ ...good, [part]: value }, info), RequestError, part);
    }
    assert.equal(caught(() => resolve({ ...good, size: {} }, info)).part, "size");
    for (const side of [0, -1, 1.5, NaN, "300", 2 ** 32, undefined]) assert.equal(caught(() => resolve(good, { width: side, height: 200 })).part, "info");
  });

  test("errors say which part, by which code, in the core's words", () => {
    const at = (path, info = { width: 300, height: 200 }, version = 3) => caught(() => resolve(parse(path, version), info));
    for (const [path, code, status, part, info] of [
      ["full%2Fmax/0/default.jpg", "syntax", 400, "path"],
      ["full/max%zz/0/default.jpg", "syntax", 400, "size"],
      ["full/max/0/default", "syntax", 400, "format"],
      ["full/max/0/default.jpg.png", "syntax", 400, "quality"],
      ["0,0,0,1/max/0/default.jpg", "empty-result", 400, "region"],
      ["300,0,1,1/max/0/default.jpg", "region-outside", 400, "region"],
      ["full/0,x/0/default.jpg", "syntax", 400, "size"],
      ["full/0,/0/default.jpg", "empty-result", 400, "size"],
      ["full/301,/0/default.jpg", "upscale-needs-caret", 400, "size"],
      ["full/^301,/0/default.jpg", "upscale-unsupported", 501, "size", { width: 300, height: 200, upscaling: false }],
      ["full/max/0/default.jxl", "unsupported", 400, "format"],
      ["full/100,/0/default.jpg", "too-large", 400, "size", { width: 300, height: 200, maxWidth: 99 }],
    ]) {
      const error = at(path, info);
      assert.deepEqual([error.code, error.status, error.part], [code, status, part], path);
    }
    assert.equal(at("full/max/0/default.jpg", {}, 3).part, "info");
    assert.equal(at("full/full/0/native.jxl", undefined, "1.1").status, 415);
    assert.equal(caught(() => parse("full/max/0/default.jpg", 4)).code, "syntax");
    assert.equal(at("full/301,/0/default.jpg").message, 'The size "301," is larger than the region, which is 300 × 200 pixels: put ^ before it to scale up.');
    assert.equal(at("a%00b/max/0/default.jpg").message, 'The region "a\\u{0}b" is not valid: expected full, square, x,y,w,h or pct:x,y,w,h.');
    assert.equal(at(`${"é".repeat(99)}/max/0/default.jpg`).message.includes(`"${"é".repeat(80)}…"`), true);
  });

  test("decimals of any length", () => {
    const info = { width: 300, height: 200 };
    const began = performance.now();
    const third = `33.${"3".repeat(1e5)}`;
    assert.equal(canonical(parse(`pct:0,0,${third},${"9".repeat(1e5)}/pct:${third}/45.${"0".repeat(1e5)}1/default.png`), info), "0,0,100,200/33,67/45/default.png");
    assert.ok(performance.now() - began < 500);
    // Also where a number has an exponent in JavaScript: above 0 it stays above 0.
    const tiny = { version: 3, region: { pct: [1e-30, 0, 1e-30, 1e-300] }, size: { pct: 1e-30 }, rotation: { degrees: 1e-30 }, quality: "default", format: "jpg" };
    assert.equal(canonical(tiny, info), "0,0,1,1/max/0/default.jpg");
    assert.equal(caught(() => parse("full/max/360.0000000000000000000000000001/default.jpg")).part, "rotation");
  });

  test("what is too large is told the largest size that fits", () => {
    const message = (path, info, version = 3) => caught(() => resolve(parse(path, version), info)).message;
    const wide = { width: 100000, height: 100 };
    assert.equal(message("full/70000,/0/default.jpg", wide), 'The size "70000," is over the longest side of jpg, 65535 pixels: at most 65535,66 fits.');
    assert.equal(message("full/full/0/default.jpg", { ...wide, maxArea: 1e6 }, 2), 'The size "full" is over this service\'s maxArea of 1000000 pixels (1 megapixels): at most 31622,31 fits.');
    const square = { width: 300, height: 300, maxWidth: 100 };
    assert.equal(message("full/80,50/0/default.jpg", { ...square, maxHeight: 40 }), 'The size "80,50" is over this service\'s maxHeight of 40 pixels: at most 64,40 fits.');
    const rotated = 'The size "80,80" becomes 114 × 114 pixels when it is rotated, over this service\'s maxWidth of 100 pixels: at most 70,70 fits with this rotation.';
    assert.equal(message("full/80,80/45/default.jpg", square), rotated);
    assert.match(message("full/1,1/45/default.jpg", { ...square, maxWidth: 1 }), /: no size fits with this rotation\.$/);
  });

  test("maxWidth and maxHeight of an image larger than maxArea bind the whole, not its parts", () => {
    const at = (path, info) => resolve(parse(path), info).size;
    const large = { width: 20000, height: 10000, maxArea: 12582912, maxWidth: 5016, maxHeight: 2508 };
    assert.deepEqual(at("full/max/0/default.jpg", large), { width: 5016, height: 2508 });
    assert.deepEqual(at("square/max/0/default.jpg", large), { width: 3547, height: 3547 });
    assert.deepEqual(at("0,0,10000,500/max/0/default.jpg", large), { width: 10000, height: 500 });
    // Limits that are a service's own do bind them.
    assert.deepEqual(at("square/max/0/default.jpg", { ...large, maxHeight: 2500 }), { width: 2500, height: 2500 });
    // Of a thin image one side is raised to that of a tile, and the other leads to its size.
    const thin = { width: 1000, height: 100000, maxArea: 12582912, maxWidth: 512, maxHeight: 35400 };
    assert.deepEqual(at("0,0,2000,2000/^1500,3000/0/default.jpg", thin), { width: 1500, height: 3000 });
    assert.equal(caught(() => at("0,0,2000,2000/^1500,3000/0/default.jpg", { ...thin, maxHeight: 35401 })).code, "too-large");
  });

  test("hostile text takes no time", () => {
    for (const text of [`pct:${"0".repeat(1e5)}x`, `pct:1.${"0".repeat(1e5)}1x`, "9".repeat(1e5), ",".repeat(1e5), "%".repeat(1e5), `pct:${"1.".repeat(5e4)}`]) {
      const began = performance.now();
      assert.throws(() => parse(`${text}/max/0/default.jpg`, 3), RequestError);
      assert.throws(() => parse(`full/${text}/0/default.jpg`, 3), RequestError);
      assert.throws(() => parse(`full/max/${text}/default.jpg`, 3), RequestError);
      assert.ok(performance.now() - began < 500);
    }
  });
});

const tiles = [{ width: 256, scaleFactors: [1, 2, 4, 8] }];
const document = (version, { width, height, level = 2, sets = tiles, sizes, limits = {} }) => {
  if (version[0] === "1") {
    const [set] = sets;
    const context = version === "1.1" ? { "@context": "http://library.stanford.edu/iiif/image-api/1.1/context.json", "@id": "https://e.org/a" } : { identifier: "a" };
    const own = set && { tile_width: set.width, tile_height: set.height ?? set.width, scale_factors: set.scaleFactors };
    return { ...context, width, height, ...own, formats: ["jpg", "png"], profile: `http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level${level}` };
  }
  if (version === "2") {
    const profile = [`http://iiif.io/api/image/2/level${level}.json`, { formats: ["webp"], supports: ["sizeAboveFull"], ...limits }];
    return { "@context": "http://iiif.io/api/image/2/context.json", "@id": "https://e.org/a/", protocol: "http://iiif.io/api/image", width, height, tiles: sets, sizes, profile };
  }
  const context = { "@context": ["http://example.org/x", "http://iiif.io/api/image/3/context.json"], id: "https://e.org/a", type: "ImageService3" };
  return { ...context, protocol: "http://iiif.io/api/image", profile: `level${level}`, width, height, tiles: sets, sizes, extraFormats: ["webp"], ...limits };
};

describe("info.json", () => {
  test("of every version", () => {
    for (const version of VERSIONS) {
      const info = readInfo(document(version, { width: 1000, height: 600, limits: { maxWidth: 900, maxArea: 5000 } }));
      assert.deepEqual([info.version, info.width, info.height, info.level, info.tiles], [version, 1000, 600, 2, [{ width: 256, height: 256, scaleFactors: [1, 2, 4, 8] }]]);
      assert.equal(info.id, version === "1.0" ? "a" : "https://e.org/a");
      assert.deepEqual(info.formats, version[0] === "1" ? ["jpg", "png"] : ["jpg", "png", "webp"]);
      assert.equal(info.upscaling, version !== "3");
      if (version[0] !== "1") assert.deepEqual([info.maxWidth, info.maxHeight, info.maxArea], [900, undefined, 5000]);
    }
  });

  test("that is none", () => {
    for (const bad of [null, 5, "x", [], {}, { width: 5, height: 5 }, { type: "ImageService3", width: 0, height: 5 }, { type: "ImageService3", width: "5", height: 5 }]) {
      const error = caught(() => [...tilesOf(bad)]);
      assert.ok(error instanceof RequestError && error.part === "info", JSON.stringify(bad));
    }
    const odd = { type: "ImageService3", width: 5, height: 5, tiles: [null, { width: 0, scaleFactors: [1] }, { width: 4, scaleFactors: [0, -1, 1.5, "2", null] }], sizes: [{}] };
    assert.deepEqual([readInfo(odd).tiles, readInfo(odd).sizes, [...tilesOf(odd)]], [[], [], []]);
  });
});

describe("tiles", () => {
  // A fixed generator, so that a failure can be had again.
  let seed = 12345;
  const random = (most) => 1 + ((seed = (seed * 1103515245 + 12345) % 2147483648) % most);

  test("cover the image once, are parsed and resolved to themselves", () => {
    for (let round = 0; round < 60; round++) {
      const [width, height] = [random(round % 3 ? 300 : 40), random(300)];
      const sets = [{ width: 8 * random(20), height: 8 * random(20), scaleFactors: [1, 2, 4, 3] }];
      for (const version of VERSIONS) {
        const info = readInfo(document(version, { width, height, sets }));
        const covered = new Map();
        for (const { scaleFactor, x, y, region, size, path } of tilesOf(document(version, { width, height, sets }))) {
          const what = `${version} ${width}×${height} ${path}`;
          const cover = covered.get(scaleFactor) ?? new Uint8Array(width * height);
          covered.set(scaleFactor, cover);
          for (let row = region.y; row < region.y + region.height; row++) {
            for (let column = region.x; column < region.x + region.width; column++) cover[row * width + column]++;
          }
          assert.deepEqual([region.x, region.y], [x * scaleFactor * sets[0].width, y * scaleFactor * sets[0].height], what);
          assert.deepEqual(size, { width: Math.ceil(region.width / scaleFactor), height: Math.ceil(region.height / scaleFactor) }, what);
          const resolved = resolve(parse(path, version), info);
          assert.deepEqual([resolved.region, resolved.size], [region, size], what);
        }
        assert.deepEqual([...covered.keys()], [4, 3, 2, 1]);
        for (const cover of covered.values()) assert.ok(cover.every((times) => times === 1), `${version} ${width}×${height}`);
      }
    }
  });

  test("are asked for as viewers and static tiles do", () => {
    const paths = (version, level) => [...tilesOf(document(version, { width: 500, height: 300, level }))].map((tile) => tile.path);
    assert.deepEqual(paths("3", 0).slice(0, 4), ["full/63,38/0/default.jpg", "full/125,75/0/default.jpg", "full/250,150/0/default.jpg", "0,0,256,256/256,256/0/default.jpg"]);
    assert.deepEqual(paths("2", 0).slice(0, 4), ["full/63,/0/default.jpg", "full/125,/0/default.jpg", "full/250,/0/default.jpg", "0,0,256,256/256,/0/default.jpg"]);
    assert.equal(paths("1.1", 1).at(-1), "256,256,244,44/244,/0/native.jpg");
    const small = (version) => [...tilesOf(document(version, { width: 200, height: 100, sets: [{ width: 256, scaleFactors: [1] }] }), { format: "webp", quality: "gray" })];
    assert.deepEqual(["1.0", "2", "3"].map((version) => small(version)[0].path), ["full/full/0/grey.webp", "full/full/0/gray.webp", "full/max/0/gray.webp"]);
  });

  test("where none are published: sizes at level 0, else 512", () => {
    const sizes = [{ width: 250, height: 150 }, { width: 500, height: 300 }];
    const [half, whole, ...none] = tilesOf(document("3", { width: 500, height: 300, level: 0, sets: [], sizes }));
    assert.deepEqual([half.path, half.scaleFactor, whole.path, none], ["full/250,150/0/default.jpg", 2, "full/max/0/default.jpg", []]);
    assert.deepEqual([...tilesOf(document("2", { width: 500, height: 300, level: 0, sets: [] }))], []);
    for (const version of VERSIONS) assert.equal([...tilesOf(document(version, { width: 1500, height: 600, sets: [] }))].length, 1 + 2 + 6);
    const limited = [...tilesOf(document("3", { width: 500, height: 300, sets: [], limits: { maxWidth: 200 } }))];
    assert.ok(limited.every(({ size }) => size.width <= 128 && size.height <= 128));
  });

  test("are made one by one", () => {
    const all = tilesOf(document("3", { width: 4e9, height: 4e9, sets: [{ width: 1, scaleFactors: [1] }] }));
    assert.equal(all.next().value.path, "0,0,1,1/1,1/0/default.jpg");
  });
});

test("the size of the bundle", (t) => {
  t.diagnostic(`azulejo/request: ${built.minified} bytes minified, ${built.brotli} in brotli`);
  assert.ok(built.brotli <= 5500, `${built.brotli} bytes`);
});
