// sharp, native: libvips with one thread and no cache, as its answers would otherwise come from memory. Of a pyramid it is given the page that fits.

import { readFileSync } from "node:fs";
import sharp from "sharp";

sharp.concurrency(1);
sharp.cache(false);

export const name = "sharp";
export const version = () => `${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;

export const prepare = (files, pages = true) => {
  const bytes = new Map();
  return (job) => {
    if (job.kind !== "image" || (!pages && job.page === undefined)) return undefined;
    if (!bytes.has(job.file)) bytes.set(job.file, readFileSync(files[job.file]));
    const input = bytes.get(job.file);
    const page = pages && job.page ? job.page : 0;
    const options = { limitInputPixels: false, ...(page && { page }) };
    const scaled = (value) => Math.round(value / 2 ** page);
    return async () => {
      let image = sharp(input, options);
      if (job.whole === undefined) {
        const side = scaled(job.size);
        image = image.extract({ left: scaled(job.x), top: scaled(job.y), width: side, height: side });
        if (job.to !== side) image = image.resize(job.to, job.to);
      } else if (job.whole !== job.side.width) image = image.resize(job.whole);
      return { bytes: await image.jpeg({ quality: 80 }).toBuffer() };
    };
  };
};
