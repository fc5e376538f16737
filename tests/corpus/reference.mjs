// What libvips makes of a file: all its pixels in sRGB, upright, reduced to cells. libtiff reads TIFFs that libvips does not, tifffile those whose samples neither
// scales to a picture. What was made is kept in target/corpus.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, cargoTarget } from "../../pkg/lib.mjs";
import { cellsOf } from "./cells.mjs";
import { labToSrgb, naive, pngColors } from "./color.mjs";

/** Another number where what is kept was made in another way. */
const METHOD = 2;

/** `{ width, height, cells, by }`, or `{ trouble }` where neither reads the file. */
export function reference(row, path) {
  const folder = join(cargoTarget, "corpus", `method-${METHOD}`);
  const kept = join(folder, `${row.sha256}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8"));
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), "corpus-"));
  try {
    const made = read(row, path, work);
    writeFileSync(kept, JSON.stringify(made));
    return made;
  } finally {
    rmSync(work, { recursive: true });
  }
}

function read(row, path, work) {
  const troubles = [];
  for (const [by, source] of sourcesOf(row, path, work)) {
    try {
      return { by, ...inSrgb(row, source(), work) };
    } catch (error) {
      troubles.push(`${by}: ${error.message}`);
    }
  }
  return { trouble: troubles.join("; ").slice(0, 300) };
}

/** Ways to read a file, the best first. */
function sourcesOf(row, path, work) {
  const converted = (name, command, ...args) => () => {
    const file = join(work, name);
    run(command, [...args, path, file]);
    return file;
  };
  if (row.format !== "tiff") return [["libvips", () => path]];
  const tifffile = ["tifffile", converted("scaled.tif", "python3", at("tests/corpus/tiff.py"))];
  if (SCALED.test(row.features)) return [tifffile];
  return [["libvips", () => path], ["libtiff", converted("rgba.tif", "tiff2rgba", "-c", "none")], tifffile];
}

/** Samples that are signed, floating point, of more than 16 bits or of an odd depth; but libvips knows CIELab of floating point. */
const SCALED = /^(?!.*cielab)(?=.*(sampleformat[23]|\dx(3|5|7|12|14|24|32|64)bit))/;

function inSrgb(row, path, work) {
  const [upright, wide, color] = ["upright.v", "wide.v", "color.v"].map((name) => join(work, name));
  run("vips", ["autorot", path, upright]);
  const stored = readVips(upright);
  const own = row.format === "png" && pngColors(readFileSync(path));
  if (own) return { space: "gAMA", profiled: false, ...described(converted(stored, stored.channels > 2 ? 3 : 1, own)) };
  // Of a profile's tables those that other viewers use by default; one that does not fit the samples is left alone. Alpha keeps its depth only in this way.
  const depth = stored.format === USHORT ? "16" : "8";
  const profiled = stored.profiled && spawnSync("vips", ["icc_transform", upright, wide, "srgb", "--embedded", "--depth", depth, "--intent", "perceptual"]).status === 0;
  if (!profiled && stored.type === CMYK) return { space: "cmyk", profiled, ...described(converted(stored, 4, naive)) };
  if (!profiled && /cielab/.test(row.features)) {
    run("vips", ["colourspace", upright, wide, "lab"]);
    return { space: "lab", profiled, ...described(converted(readVips(wide), 3, labToSrgb)) };
  }
  run("vips", ["colourspace", profiled ? wide : upright, color, "srgb"]);
  const image = readVips(color);
  if (image.format !== UCHAR || image.channels > 4) throw new Error(`${image.channels} bands of format ${image.format}`);
  return { space: SPACES[stored.type] ?? stored.type, profiled, ...described(image) };
}

const described = ({ width, height, channels, pixels }) => ({ width, height, cells: cellsOf({ width, height, channels, pixels }) });

/** Pixels of `inks` channels, and perhaps alpha, as RGB of 0 to 255. */
function converted({ width, height, channels, format, pixels }, inks, color) {
  const read = READERS[format];
  if (!read) throw new Error(`format ${format}`);
  const alpha = inks < 4 && channels > inks;
  const out = new Float32Array(width * height * (alpha ? 4 : 3));
  const sample = (index) => read(pixels, index);
  for (let pixel = 0, to = 0; pixel < width * height; pixel++) {
    const own = Array.from({ length: inks }, (_, band) => sample(pixel * channels + band));
    for (const value of inks === 1 ? color(own[0], own[0], own[0]) : color(...own)) out[to++] = 255 * value;
    if (alpha) out[to++] = 255 * sample(pixel * channels + inks);
  }
  return { width, height, channels: alpha ? 4 : 3, pixels: out };
}

const UCHAR = 0;
const USHORT = 2;
/** Samples of 0 to 1, and those of CIELab as they are. */
const READERS = {
  [UCHAR]: (pixels, index) => pixels[index] / 255,
  [USHORT]: (pixels, index) => pixels.readUInt16LE(2 * index) / 65535,
  6: (pixels, index) => pixels.readFloatLE(4 * index),
};
/** VipsInterpretation. */
const CMYK = 15;
const SPACES = { 0: "multiband", 1: "b-w", 12: "xyz", 13: "lab", 15: "cmyk", 22: "srgb", 25: "rgb16", 26: "grey16", 28: "scrgb" };

/** A file of libvips' own format: a head of 64 bytes, the samples, metadata as XML. */
function readVips(path) {
  const file = readFileSync(path);
  const [width, height, channels, bits, format, , type] = Array.from({ length: 7 }, (_, index) => file.readInt32LE(4 + 4 * index));
  const end = 64 + (width * height * channels * bits) / 8;
  return { width, height, channels, format, type, pixels: file.subarray(64, end), profiled: file.includes('name="icc-profile-data"', end) };
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 24 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command}: ${stderr.trim()}`);
  return stdout.trim();
}
