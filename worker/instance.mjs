// The one wasm instance, and the guard on its border.
//
// Anything thrown out of a wasm call means that Rust stopped half-way: a trap, a stack overflow (which arrives as a RangeError), an import that
// threw. The memory is then in no known state, so nothing may enter that instance again. The next request resets it. The same
// WebAssembly.Memory is zeroed and used again, because a fresh one per reset would leak the old one until the isolate dies.

let memory;

const SLICE = 64 << 10;
const STALL_MS = { first: 2_500, later: 5_000 };

/** What the entry must know of the instance. */
export const instance = {
  /** Why nothing may enter any more, or null. */
  broken: null,
  /** How many instances there have been. */
  generation: 0,
  /** The bytes by which the memory could not grow, or 0. */
  exhausted: 0,
  /** Calls into wasm that have not returned. Found above 0 between events, one was cut off. */
  inside: 0,
  /** The number of the request that is being polled, or 0. */
  current: 0,
  /** Called once when the instance breaks. */
  onBreak: () => {},
};

/** For Rust: the future of this request is being polled. */
export const enter = (id) => (instance.current = id);

/** For Rust: the poll is over. */
export const leave = () => (instance.current = 0);

/** For Rust: the memory cannot grow by so many bytes. */
export const exhausted = (bytes) => (instance.exhausted = bytes);

/** What wasm-bindgen's glue schedules its futures by, in place of the runtime's own, which costs many times as much. What a task throws has been seen at the border. */
export const queueMicrotask = (task) => void Promise.resolve().then(task).catch(() => {});

/** For Rust: what tells the version of an object, or null. These three reject rather than throw, whatever the storage does: an import that throws breaks the instance. */
export async function look(bucket, key) {
  const object = await bucket.head(key);
  return object && part(object);
}

/** For Rust: the same with its first bytes. */
export async function begin(bucket, key, length) {
  const object = await bucket.get(key, { range: { offset: 0, length } });
  return object && part(object, await bytesOf(object));
}

/**
 * For Rust: a range of an object's bytes, or null if it is not this version of it any more. The answer tells its version: an `onlyIf` would be one more
 * thing to be written and read with each of them.
 */
export async function read(bucket, key, offset, length, etag, size) {
  let object;
  try {
    object = await bucket.get(key, { range: { offset, length } });
  } catch (error) {
    // Another version may have no such range.
    if ((await bucket.head(key))?.etag === etag) throw error;
    return null;
  }
  if (object?.etag === etag && object.size === size) return bytesOf(object);
  await object?.body.cancel();
  return null;
}

const bytesOf = async (object) => new Uint8Array(await object.arrayBuffer());
const part = ({ etag, size, uploaded }, bytes) => ({ etag, size, uploaded, bytes });

/** For Rust: the bytes that are cached under a URL, or undefined. A cache that fails has nothing. */
export async function find(url) {
  try {
    const found = await caches.default.match(url);
    const bytes = found && new Uint8Array(await found.arrayBuffer());
    return bytes?.length && bytes.length === Number(found.headers.get("content-length")) ? bytes : undefined;
  } catch {}
}

/** For Rust: caches bytes, for good: another version of source or engine has another URL. */
export async function store(url, bytes, type) {
  const headers = { "content-type": type, "content-length": String(bytes.length), "cache-control": "public, max-age=31536000, immutable" };
  try {
    await caches.default.put(url, new Response(bytes, { headers }));
  } catch {}
}

/** For Rust: an answer; `lines` are the names and values of its headers in turn. A value that is no header is left out: nothing of a request may break an answer. */
export function respond(status, lines, body) {
  try {
    const headers = new Headers();
    const parts = lines.split("\n");
    for (let at = 0; at + 1 < parts.length; at += 2) append(headers, parts[at], parts[at + 1]);
    return new Response(body, { status, headers });
  } catch {
    return Response.error();
  }
}

function append(headers, name, value) {
  try {
    headers.append(name, value);
  } catch {}
}

/** For Rust: a body that is written in pieces, by a timer of the request's own broken off if its instance is. */
export class Pipe {
  #writer;
  #watch;
  #taken = false;

  constructor() {
    const { readable, writable } = new TransformStream();
    const { generation } = instance;
    this.readable = readable;
    this.#writer = writable.getWriter();
    this.#watch = setInterval(() => (instance.broken || instance.generation !== generation) && this.abort(), 25);
  }

  /** In slices, each of which must be taken in time: whoever left before the answer began never takes any, and nobody is told. */
  async write(piece) {
    for (let at = 0; at < piece.length; at += SLICE) {
      let timer;
      const stalled = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("nobody reads the answer")), this.#taken ? STALL_MS.later : STALL_MS.first)));
      await Promise.race([this.#writer.write(piece.subarray(at, at + SLICE)), stalled]).finally(() => clearTimeout(timer));
      this.#taken = true;
    }
  }

  close() {
    clearInterval(this.#watch);
    return this.#writer.close();
  }

  abort() {
    clearInterval(this.#watch);
    this.#writer.abort(new Error("the answer broke off")).catch(() => {});
  }
}

/** Makes an instance over the one memory; wasm-bindgen's glue calls this instead of `new WebAssembly.Instance`. */
export function instantiate(module, importsOver) {
  if (memory) new Uint8Array(memory.buffer).fill(0);
  const imports = importsOver(memory);
  memory ??= Object.values(imports).find((each) => each.memory).memory;
  Object.assign(instance, { generation: instance.generation + 1, broken: null, exhausted: 0, inside: 0, current: 0 });
  return { exports: guarded(new WebAssembly.Instance(module, imports).exports) };
}

function guarded(exports) {
  const wrap = (call) => (...given) => {
    if (instance.broken) throw new Error("the wasm instance is broken");
    instance.inside++;
    try {
      const result = call(...given);
      instance.inside--;
      return result;
    } catch (error) {
      if (!instance.broken) {
        instance.broken = error;
        instance.onBreak();
      }
      throw error;
    }
  };
  return Object.fromEntries(Object.entries(exports).map(([name, value]) => [name, typeof value === "function" ? wrap(value) : value]));
}
