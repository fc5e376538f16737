// Answers that are made in pieces.

import type { Answer, CoreJob } from "../core.js";

/** An answer whose first bytes are there, and that ends when `finished` does. */
export interface Streamed {
  readonly stream: ReadableStream<Uint8Array>;
  readonly finished: Promise<void>;
}

/** Runs a render by `drive`: gives its answer, or as soon as there is a first piece of one that is made in pieces, a stream of it. */
export function whole(job: CoreJob<Answer>, drive: (job: CoreJob<Answer>, hand: (piece: Uint8Array) => unknown) => Promise<Answer>): Promise<Answer | Streamed> {
  return new Promise((resolve, reject) => {
    let writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
    const hand = (piece: Uint8Array): Promise<void> => {
      if (!writer) {
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
        writer = writable.getWriter();
        resolve({ stream: readable, finished });
      }
      // Rejects if the client has left: then nobody waits for the rest.
      return writer.write(piece);
    };
    const finished = drive(job, hand).then(
      async (answer) => {
        if (!writer) return resolve(answer);
        await writer.write(answer.bytes);
        await writer.close();
      },
      (error: unknown) => {
        if (!writer) return reject(error);
        // The client sees that it is not whole.
        return writer.abort(error);
      },
    );
    finished.catch(() => undefined);
  });
}
