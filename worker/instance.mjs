// The one memory of the engine.
//
// After a trap the same WebAssembly.Memory is zeroed and used by a new instance, because a fresh one per trap would leak the old one until the isolate dies. That nothing enters
// an instance after a trap is for src/js/host/isolate.ts to see to.

let memory;

export const instance = {
  /** How many times an instance was started. */
  count: 0,
  /** The bytes by which the memory could not grow, or 0. */
  exhausted: 0,
};

/** For Rust: the memory cannot grow by so many bytes. */
export const exhausted = (bytes) => void (instance.exhausted = bytes);

/** Makes an instance over the one memory; wasm-bindgen's glue calls this instead of `new WebAssembly.Instance`. */
export function instantiate(module, importsOver) {
  if (memory) new Uint8Array(memory.buffer).fill(0);
  const imports = importsOver(memory);
  memory ??= Object.values(imports).find((each) => each.memory).memory;
  return new WebAssembly.Instance(module, imports);
}
