// Answers that are made in pieces.

import type { Answer, CoreJob, Piece } from "../core.js";
import { IiifError } from "../error.js";
import type { Incomplete } from "../image.js";

/** An answer whose first bytes are there, and that ends when `finished` does. */
export interface Streamed {
  readonly stream: ReadableStream<Uint8Array>;
  readonly finished: Promise<void>;
  /** As `Answer.unused`. */
  readonly unused?: string | undefined;
  /** Of a damaged file. Damage that is found later breaks the stream. */
  readonly incomplete?: Incomplete | undefined;
}

/** Bytes that are handed on at a time. */
const SLICE = 64 << 10;
/** ms in which they must be taken, the first and all others: whoever left before the answer began never takes any, and nobody is told. */
const STALL = { first: 2_500, later: 5_000 };

/** Rejects if the client has left, or takes nothing: then nobody waits for the rest. */
async function put(writer: WritableStreamDefaultWriter<Uint8Array>, bytes: Uint8Array, first = false): Promise<void> {
  for (let at = 0; at < bytes.length; at += SLICE) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stalled = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new IiifError("busy", 503, "Nobody reads the answer.")), first && at === 0 ? STALL.first : STALL.later)));
    await Promise.race([writer.write(bytes.subarray(at, at + SLICE)), stalled]).finally(() => clearTimeout(timer));
  }
}

/** Runs a render by `drive`: gives its answer, or as soon as there is a first piece of one that is made in pieces, a stream of it. */
export function whole(job: CoreJob<Answer>, drive: (job: CoreJob<Answer>, hand: (piece: Uint8Array, of: Piece) => unknown) => Promise<Answer>): Promise<Answer | Streamed> {
  return new Promise((resolve, reject) => {
    let writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
    const hand = (piece: Uint8Array, { unused, incomplete }: Piece): Promise<void> => {
      const first = !writer;
      if (!writer) {
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
        writer = writable.getWriter();
        resolve({ stream: readable, finished, unused, incomplete });
      }
      return put(writer, piece, first);
    };
    const finished = drive(job, hand).then(
      async (answer) => {
        if (!writer) return resolve(answer);
        await put(writer, answer.bytes).then(() => writer?.close(), (error: unknown) => void writer?.abort(error).catch(() => undefined));
      },
      (error: unknown) => {
        if (!writer) return reject(error);
        // The client sees that it is not whole. When it hears of it is its own matter.
        writer.abort(error).catch(() => undefined);
      },
    );
    finished.catch(() => undefined);
  });
}
