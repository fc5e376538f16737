// A body that is written in pieces.

import { IiifError } from "../error.js";

/** ms in which each part must be taken, the first and all others: whoever left before the answer began never takes any, and nobody is told. */
const STALL = { first: 2_500, later: 5_000 };

export class Pipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #taken = false;

  constructor() {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.readable = readable;
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => undefined);
  }

  /** Resolves once there is room for more. Rejects if the client has left, or takes nothing. */
  async write(piece: Uint8Array): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stalled = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new IiifError("busy", 503, "Nobody reads the answer.")), this.#taken ? STALL.later : STALL.first)));
    const left = (): never => {
      throw new IiifError("busy", 503, "The client has left.");
    };
    await Promise.race([this.#writer.write(piece).catch(left), stalled]).finally(() => clearTimeout(timer));
    this.#taken = true;
  }

  async close(): Promise<void> {
    await this.#writer.close().catch(() => undefined);
  }

  /** There is no more to come, though there should be: the client sees that the body is not whole. */
  abort(): void {
    this.#writer.abort(new Error("The answer broke off.")).catch(() => undefined);
  }
}
