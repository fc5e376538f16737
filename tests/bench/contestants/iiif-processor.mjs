// iiif-processor, the IIIF server for Node, over native sharp. It is told the dimensions, as it advises, so that it does not look for them each time.

import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { Processor } from "iiif-processor";
import sharp from "sharp";
import { ADDRESS, requestOf } from "../jobs.mjs";

sharp.concurrency(1);
sharp.cache(false);

export const name = "iiif-processor";
export const version = () => JSON.parse(readFileSync(new URL("../node_modules/iiif-processor/package.json", import.meta.url), "utf8")).version;
const none = async () => Readable.from([]);

export const prepare = (files) => {
  const bytes = new Map();
  return async (job) => {
    if (job.kind === "parse") return () => new Processor(`https://example.org${ADDRESS}`, none);
    if (job.few) return undefined;
    if (!bytes.has(job.file)) bytes.set(job.file, readFileSync(files[job.file]));
    const input = bytes.get(job.file);
    const { pages = 1 } = await sharp(input).metadata();
    const { width, height } = job.side;
    const levels = Array.from({ length: pages }, (_, page) => ({ width: Math.floor(width / 2 ** page), height: Math.floor(height / 2 ** page) }));
    const url = `https://example.org/iiif/3/photograph/${job.kind === "info" ? "info.json" : requestOf(job)}`;
    const options = { dimensionFunction: async () => levels, ...(pages > 1 && { sharpOptions: { limitInputPixels: false } }) };
    return async () => {
      // The whole file at once, the least that a stream can cost.
      const { type, body, message } = await new Processor(url, async () => Readable.from([input]), options).execute();
      if (type !== "content") throw new Error(message);
      return { bytes: Buffer.from(body) };
    };
  };
};
