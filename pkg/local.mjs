// The local R2 bucket, in the place where `wrangler dev` keeps it; both may have it open at the same time.

import { join } from "node:path";
import { bucket } from "./lib.mjs";

/** Does some work with the bucket. */
export async function withBucket(work) {
  const { Miniflare } = await import("miniflare");
  const script = "export default { fetch: () => new Response(null) }";
  const miniflare = new Miniflare({ modules: true, script, r2Buckets: { BUCKET: bucket.name }, r2Persist: join(bucket.persist, "r2") });
  try {
    return await work(await miniflare.getR2Bucket("BUCKET"));
  } finally {
    await miniflare.dispose();
  }
}
