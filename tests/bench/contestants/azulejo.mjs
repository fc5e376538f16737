// The package as its users have it in Node: images are opened once and stay open.

import { readFileSync } from "node:fs";
import { at } from "../../../pkg/lib.mjs";
import { memories } from "../../js/memory.mjs";
import { PARAMETERS, requestOf } from "../jobs.mjs";

const { open, terminate } = await import(at("pkg/dist/node/index.js"));
const { parse } = await import(at("pkg/dist/node/request.js"));

export const name = "azulejo";
export const version = () => JSON.parse(readFileSync(at("package.json"), "utf8")).version;
const ID = "https://example.org/iiif/3/photograph";

export const prepare = (files) => runs(files, (bytes) => open(bytes, { threads: false }), false);

/** For each job how to do it once; `anew` opens the image each time. */
export function runs(files, opened, anew) {
  const images = new Map();
  const bytesOf = (file) => new Uint8Array(readFileSync(files[file]));
  const kept = (file) => {
    if (!images.has(file)) images.set(file, anew ? bytesOf(file) : opened(bytesOf(file)));
    return images.get(file);
  };
  return async (job) => {
    if (job.kind === "parse") return anew ? undefined : () => parse(PARAMETERS);
    const held = await kept(job.file);
    const work = job.kind === "info" ? (image) => ({ bytes: Buffer.from(JSON.stringify(image.info({ id: ID }))) }) : (image) => image.render(request);
    const request = job.kind === "image" && requestOf(job);
    if (!anew) return () => work(held);
    return async () => {
      const image = await opened(held);
      const answer = await work(image);
      image.close();
      return answer;
    };
  };
}

/** Bytes of wasm memory after a job in a fresh engine. */
export async function memory(files, job) {
  terminate();
  const before = memories.length;
  const run = await prepare(files)(job);
  await run();
  return memories.slice(before).reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}
