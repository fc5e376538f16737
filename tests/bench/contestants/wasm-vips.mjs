// wasm-vips: libvips in WebAssembly, with one thread and no cache.

import { readFileSync } from "node:fs";
import Vips from "wasm-vips";

const vips = await Vips({ dynamicLibraries: [] });
vips.concurrency(1);
vips.Cache.max(0);

export const name = "wasm-vips";
export const version = () => `${JSON.parse(readFileSync(new URL("../node_modules/wasm-vips/package.json", import.meta.url), "utf8")).version}, libvips ${vips.version()}`;

export const prepare = (files) => {
  const bytes = new Map();
  return (job) => {
    if (job.kind !== "image" || job.few) return undefined;
    if (!bytes.has(job.file)) bytes.set(job.file, readFileSync(files[job.file]));
    const input = bytes.get(job.file);
    const tiff = job.file.endsWith(".tif");
    const page = job.page ?? 0;
    const scaled = (value) => Math.round(value / 2 ** page);
    const load = () => (tiff ? vips.Image.tiffloadBuffer(input, { page }) : vips.Image.jpegloadBuffer(input, { access: "sequential" }));
    return () => {
      const opened = [];
      const keep = (image) => (opened.push(image), image);
      try {
        let image;
        if (job.whole === undefined) {
          image = keep(keep(load()).crop(scaled(job.x), scaled(job.y), scaled(job.size), scaled(job.size)));
          if (image.width !== job.to) image = keep(image.thumbnailImage(job.to, { height: job.to, size: "force" }));
        } else if (job.whole === job.side.width) image = keep(load());
        else image = keep(tiff ? keep(load()).thumbnailImage(job.whole) : vips.Image.thumbnailBuffer(input, job.whole));
        return { bytes: image.jpegsaveBuffer({ Q: 80 }) };
      } finally {
        for (const image of opened) image.delete();
      }
    };
  };
};
