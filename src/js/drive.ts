import type { Answer, CoreJob, Piece, Soon } from "./core.js";
import { IiifError } from "./error.js";
import type { ReadOptions, Source } from "./sources.js";

/** The version of a file that was seen first, and all its size. */
export interface Pin {
  size: number;
  etag?: string;
}

const AT_ONCE = 6;

/**
 * Runs a job to its end: fetches what it names, all of one version of the file, at most six reads at a time. Pieces of the result are handed on as they
 * come, and waited for until they are taken.
 */
export async function drive<T>(job: CoreJob<T>, source: Source, pin: Pin, signal?: AbortSignal, hand?: (piece: Uint8Array, of: Piece) => unknown): Promise<T> {
  let over = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const stepping = job.step();
      // A step in a worker may take a while, and its result is of no use any more.
      const step = isLater(stepping) ? await unlessAborted(stepping, signal) : stepping;
      signal?.throwIfAborted();
      if ("done" in step) return step.done;
      if ("piece" in step) {
        await hand?.(step.piece, step);
        continue;
      }
      const ranges: [number, number][] = [];
      for (let index = 0; index + 1 < step.needed.length; index += 2) ranges.push([step.needed[index]!, step.needed[index + 1]!]);
      // Once a read has failed the others are of no use, and the job is gone: to call it would break the engine.
      await inParallel(ranges, async ([start, end]) => {
        const bytes = over ? undefined : await readExactly(source, start, end - start, pin, signal);
        const providing = bytes && !over ? job.provide(start, bytes) : undefined;
        if (isLater(providing)) await providing;
      });
      signal?.throwIfAborted();
    }
  } finally {
    over = true;
    job.free();
  }
}

/** Runs a render to its end, whose answer is given whole. */
export async function driveWhole(job: CoreJob<Answer>, source: Source, pin: Pin, signal?: AbortSignal): Promise<Answer> {
  const pieces: Uint8Array[] = [];
  const answer = await drive(job, source, pin, signal, (piece) => pieces.push(piece));
  if (!pieces.length) return answer;
  pieces.push(answer.bytes);
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { ...answer, bytes };
}

/** Exactly `length` bytes of the pinned version. */
async function readExactly(source: Source, offset: number, length: number, pin: Pin, signal?: AbortSignal): Promise<Uint8Array> {
  const options: ReadOptions = {};
  if (signal) options.signal = signal;
  if (pin.etag !== undefined) options.etag = pin.etag;
  const { bytes, size, etag } = await source.read(offset, length, options);
  const changed = (size !== undefined && size !== pin.size) || (pin.etag !== undefined && etag !== undefined && etag !== pin.etag);
  if (changed) throw new IiifError("source-changed", 503, `${source.key} was replaced while it was read.`);
  if (bytes.length !== length) throw new IiifError("source-read", 503, `${source.key} gave ${bytes.length} bytes where ${length} were asked for.`);
  return bytes;
}

const isLater = <T>(value: Soon<T>): value is Promise<T> => value instanceof Promise;

function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<unknown> {
  // As nearly always; of the work that a stored tile is, lanes would be a good part.
  if (items.length === 1) return work(items[0]!);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!);
  };
  return Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane));
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
