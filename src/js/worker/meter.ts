/** What a request has cost: reads, bytes, milliseconds. Told in `Server-Timing`, in the words of the Rust Worker. */
export class Meter {
  readonly #began = Date.now();
  #reads = 0;
  #bytes = 0;
  #under = 0;
  #since = 0;
  /** ms in which at least one read was under way. */
  waited = 0;
  /** ms until the image was open. */
  open = 0;
  /** ms in the queue. */
  queue = 0;
  /** ms waiting for the pixels' bytes. */
  fetch = 0;
  /** ms decoding, scaling and encoding. */
  render = 0;

  /** Counts a read of so many bytes. */
  async read<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    this.#reads++;
    this.#bytes += bytes;
    if (!this.#under++) this.#since = Date.now();
    try {
      return await work();
    } finally {
      if (!--this.#under) this.waited += Date.now() - this.#since;
    }
  }

  /** The value of a `Server-Timing` header. */
  timing(cache: "hit" | "miss" | "off", passthrough?: boolean, unused?: string): string {
    const phases = [["open", this.open], ["queue", this.queue], ["fetch", this.fetch], ["render", this.render]] as const;
    return [
      ...phases.map(([name, ms]) => `${name};dur=${ms}`),
      ...(passthrough === undefined ? [] : [`passthrough;desc="${passthrough ? "yes" : "no"}"`]),
      ...(unused?.split(", ").map((sentence) => `${sentence.split(" ")[0]};desc="unusable"`) ?? []),
      `total;dur=${Date.now() - this.#began}`,
      `reads;desc="${this.#reads}"`,
      `bytes;desc="${this.#bytes}"`,
      `cache;desc="${cache}"`,
    ].join(", ");
  }
}
