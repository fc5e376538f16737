// The Worker with a bucket that fails on purpose. A request's header `x-faults` is a JSON list of { call, kind, ms?, key? }: what goes wrong with
// which of its R2 calls, counted from 1.

import worker from "../../worker/build/index.js";

export default {
  fetch(request, env, context) {
    const faults = JSON.parse(request.headers.get("x-faults") ?? "[]");
    return worker.fetch(request, faults.length ? { ...env, BUCKET: new R2Bucket(env.BUCKET, faults) } : env, context);
  },
};

// The binding is recognised by this name.
class R2Bucket {
  constructor(bucket, faults) {
    this.bucket = bucket;
    this.faults = faults;
    this.calls = 0;
  }

  head(key) {
    return this.call(key, () => this.bucket.head(key));
  }

  get(key, options) {
    return this.call(key, () => this.bucket.get(key, options));
  }

  list(options) {
    return this.bucket.list(options);
  }

  async call(key, answer) {
    this.calls++;
    const fault = this.faults.find(({ call }) => call === this.calls || call === "every");
    if (!fault) return answer();
    switch (fault.kind) {
      case "throw":
        throw new Error("R2 says no (10001)");
      case "gone":
        return null;
      case "delete":
        await this.bucket.delete(key);
        return answer();
      case "swap":
        await this.bucket.put(key, await (await this.bucket.get(fault.key)).arrayBuffer());
        return answer();
      case "slow":
        await new Promise((wake) => setTimeout(wake, fault.ms));
        return answer();
      default:
        return tampered(await answer(), fault.kind);
    }
  }
}

/** Of buffers what their arrays tell as their length, which the wasm asks for to make room. */
const lengths = new WeakMap();
const arrays = Object.getPrototypeOf(Uint8Array.prototype);
const { get: lengthOf } = Object.getOwnPropertyDescriptor(arrays, "length");
Object.defineProperty(arrays, "length", {
  configurable: true,
  get() {
    const told = lengths.get(this.buffer);
    return told ? told() : lengthOf.call(this);
  },
});

function tampered(object, kind) {
  const { key, etag, size, uploaded, body } = object;
  const bytes = () => object.arrayBuffer();
  const plain = { key, etag, size, uploaded, body, bodyUsed: false, arrayBuffer: bytes };
  const ofLength = (told) => ({
    ...plain,
    arrayBuffer: async () => {
      const buffer = await bytes();
      lengths.set(buffer, told);
      return buffer;
    },
  });
  switch (kind) {
    case "short":
      return { ...plain, arrayBuffer: async () => (await bytes()).slice(1) };
    case "long":
      return { ...plain, arrayBuffer: async () => new Uint8Array([...new Uint8Array(await bytes()), 0]).buffer };
    case "broken-body":
      return { ...plain, arrayBuffer: async () => Promise.reject(new Error("the connection was lost")) };
    case "other-etag":
      return { ...plain, etag: "of another object" };
    // These break the wasm instance, each in a way of its own.
    case "panic":
      // Longer than any can be: to make room for it is a trap.
      return ofLength(() => 2 ** 31);
    case "exhaust":
      return { ...plain, arrayBuffer: async () => new ArrayBuffer(100 << 20) };
    case "throw-through":
      // An import that throws unwinds the wasm like a stack overflow does: as a RangeError, not as a trap.
      return ofLength(() => {
        throw new RangeError("Maximum call stack size exceeded");
      });
    default:
      throw new Error(`no fault ${kind}`);
  }
}
