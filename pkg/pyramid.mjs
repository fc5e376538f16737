// Writes an image as a tiled TIFF pyramid: npm run pyramid -- IN OUT.tif [--tile 512 --quality 88 --compression jpeg|webp|deflate --page 1]

import { createReadStream, createWriteStream, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { at, fail } from "./lib.mjs";

const USAGE = `npm run pyramid -- IN OUT.tif [--tile 512] [--quality 88] [--compression jpeg|webp|deflate] [--page 1]

IN is a file or a URL, and of a document its first page or another; of a slide --page may be label, macro or thumbnail. --tile is a multiple of 16 from 64 to 2048, --quality goes from 1 to 100 (WebP of 100 is lossless);
without --compression images with alpha become Deflate, and all others JPEG. Out of a plain JPEG into JPEG nothing is
lost at full size, and --quality is that of the smaller levels.`;

const OPTIONS = { tile: { type: "string" }, quality: { type: "string" }, compression: { type: "string" }, page: { type: "string" }, help: { type: "boolean" } };

/** What was asked for, or the end with a word on what is wrong. */
function read(args) {
  const wrong = (what) => fail(`${what}\n\n${USAGE}`);
  let parsed;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return wrong(error.message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  if (positionals.length !== 2) wrong(`There ${positionals.length === 1 ? "is 1 name" : `are ${positionals.length} names`} where IN and OUT are wanted.`);
  const number = (name) => {
    const text = values[name];
    if (text === undefined) return undefined;
    return /^\d+$/.test(text) ? Number(text) : wrong(`--${name} is "${text}", and should be a number.`);
  };
  const page = () => (["label", "macro", "thumbnail"].includes(values.page) ? values.page : number("page"));
  const [input, output] = positionals;
  const isUrl = /^https?:\/\//.test(input);
  if (!isUrl && !existsSync(input)) fail(`There is no file ${input}.`);
  if (!isUrl && !statSync(input).isFile()) fail(`${input} is not a file.`);
  if (!existsSync(dirname(resolve(output)))) fail(`There is no folder ${dirname(resolve(output))} for ${basename(output)}.`);
  if (existsSync(output) && !statSync(output).isFile()) fail(`${output} is there already, and not a file.`);
  return { input, isUrl, output: resolve(output), tile: number("tile"), quality: number("quality"), compression: values.compression, page: page() };
}

/** A file by ranges. One that is changed meanwhile is noticed by its time. */
async function fileSource(path) {
  const file = await open(path, "r");
  return {
    key: path,
    async read(offset, length) {
      const { size, mtimeMs } = await file.stat();
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled);
        if (!bytesRead) break;
        filled += bytesRead;
      }
      return { bytes: bytes.subarray(0, filled), size, etag: String(mtimeMs) };
    },
    close: () => file.close(),
  };
}

/** A file for each spool, in a folder. */
function fileSpools(folder) {
  const streams = [];
  const path = (index) => join(folder, String(index));
  return {
    path,
    async write(index, bytes) {
      streams[index] ??= await open(path(index), "w");
      await streams[index].write(bytes);
    },
    close: () => Promise.all(streams.map((stream) => stream?.close())),
  };
}

/** A bar on a terminal, a line for each tenth elsewhere. */
function progress(stream = process.stderr) {
  const WIDTH = 40;
  let last = -1;
  return {
    tell(rows, of) {
      const share = rows / of;
      const step = Math.floor(share * (stream.isTTY ? 100 : 10));
      if (step === last) return;
      last = step;
      const done = Math.round(share * WIDTH);
      if (stream.isTTY) stream.write(`\r${"█".repeat(done)}${"░".repeat(WIDTH - done)} ${String(step).padStart(3)} %`);
      else stream.write(`${step * 10} %\n`);
    },
    end() {
      if (stream.isTTY && last >= 0) stream.write("\n");
    },
  };
}

const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

async function main(args) {
  const { input, isUrl, output, ...options } = read(args);
  const entry = at("pkg", "dist", "node", "index.js");
  if (!existsSync(entry)) fail("The package is not built yet: npm run build");
  const { IiifError, spoolPyramid } = await import(pathToFileURL(entry).href);

  // Beside the result, so that they lie on the same disk, which has room for it, and the last step is a rename.
  const folder = mkdtempSync(join(dirname(output), `.${basename(output)}-`));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  const control = new AbortController();
  const stop = (signal) => control.abort(new Error(`ended by ${signal}`));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, stop);
  process.once("exit", clean);

  const bar = progress();
  const spools = fileSpools(folder);
  const source = isUrl ? new URL(input) : await fileSource(resolve(input));
  const began = performance.now();
  try {
    const { head, spools: order, width, height } = await spoolPyramid(source, spools.write, { ...options, signal: control.signal, onProgress: bar.tell });
    bar.end();
    await spools.close();
    const whole = join(folder, "whole.tif");
    const out = createWriteStream(whole);
    out.write(head);
    for (const index of order) {
      await pipeline(createReadStream(spools.path(index)), out, { end: false, signal: control.signal });
      // What is copied makes room for the next.
      rmSync(spools.path(index));
    }
    out.end();
    await new Promise((closed, failed) => out.once("close", closed).once("error", failed));
    const { size } = statSync(whole);
    await rename(whole, output);
    console.log(`${output}: ${width} × ${height} px, ${order.length} ${order.length === 1 ? "level" : "levels"}, ${mb(size)}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  } catch (error) {
    bar.end();
    await spools.close().catch(() => undefined);
    clean();
    const known = error instanceof IiifError || error === control.signal.reason || typeof error?.code === "string";
    fail(`${input} was not converted: ${known ? error.message : (error?.stack ?? error)}`);
  } finally {
    if (!isUrl) await source.close();
    clean();
  }
}

await main(process.argv.slice(2));
