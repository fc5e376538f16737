// Finished answers in the Cache API, where the host has it. A cache that fails has nothing.

const shared = (): Cache | undefined => (typeof caches === "undefined" ? undefined : (caches as CacheStorage & { default?: Cache }).default);

/** The bytes of a finished answer. */
export async function find(url: string): Promise<Uint8Array | undefined> {
  try {
    const found = await shared()?.match(url);
    if (!found) return undefined;
    const bytes = new Uint8Array(await found.arrayBuffer());
    return bytes.length && bytes.length === Number(found.headers.get("content-length")) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a finished, whole answer for good: another version of source or package has another URL. */
export async function store(url: string, bytes: Uint8Array, type: string): Promise<void> {
  const headers = { "content-type": type, "content-length": String(bytes.length), "cache-control": "public, max-age=31536000, immutable" };
  try {
    await shared()?.put(url, new Response(bytes as Uint8Array<ArrayBuffer>, { headers }));
  } catch {
    // The answer has left; it is made anew the next time.
  }
}
