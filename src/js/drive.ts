import type { CoreJob } from "./core.js";
import { IiifError } from "./error.js";
import type { Source } from "./sources.js";

/** The version of a file that was seen first, and all its size. */
export interface Pin {
  size: number;
  etag?: string;
}

const AT_ONCE = 6;

/** Runs a job to its end: fetches what it names, all of one version of the file, at most six reads at a time. */
export async function drive<T>(job: CoreJob<T>, source: Source, pin: Pin, signal?: AbortSignal): Promise<T> {
  let over = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      // A step in a worker may take a while, and its result is of no use any more.
      const step = await unlessAborted(job.step(), signal);
      signal?.throwIfAborted();
      if ("done" in step) return step.done;
      const ranges: [number, number][] = [];
      for (let index = 0; index + 1 < step.needed.length; index += 2) ranges.push([step.needed[index]!, step.needed[index + 1]!]);
      // Once a read has failed the others are of no use, and the job is gone: to call it would break the engine.
      await inParallel(ranges, async ([start, end]) => {
        const bytes = over ? undefined : await readExactly(source, start, end - start, pin, signal);
        if (bytes && !over) await job.provide(start, bytes);
      });
      signal?.throwIfAborted();
    }
  } finally {
    over = true;
    job.free();
  }
}

/** Exactly `length` bytes of the pinned version. */
async function readExactly(source: Source, offset: number, length: number, pin: Pin, signal?: AbortSignal): Promise<Uint8Array> {
  const options = { ...(signal && { signal }), ...(pin.etag !== undefined && { etag: pin.etag }) };
  const { bytes, size, etag } = await source.read(offset, length, options);
  const changed = (size !== undefined && size !== pin.size) || (pin.etag !== undefined && etag !== undefined && etag !== pin.etag);
  if (changed) throw new IiifError("source-changed", 503, `${source.key} was replaced while it was read.`);
  if (bytes.length !== length) throw new IiifError("source-read", 503, `${source.key} gave ${bytes.length} bytes where ${length} were asked for.`);
  return bytes;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane));
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
