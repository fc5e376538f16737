// An R2 bucket, as the service lists it.

import { IiifError } from "../error.js";
import type { Bucket } from "../r2.js";
import type { Ask, Reply } from "./ask.js";

/** What is used of a binding besides reading. */
interface Listing {
  list(options: { prefix: string; limit: number; cursor?: string }): Promise<{ objects: { key: string; size: number; uploaded: Date }[]; truncated: boolean; cursor?: string }>;
}

/** The bucket that is bound to `BUCKET`, if one is. */
export function bucketOf({ BUCKET }: { readonly BUCKET?: unknown }): (Bucket & Listing) | undefined {
  const bound = typeof BUCKET === "object" && BUCKET !== null && ["head", "get", "list"].every((name) => typeof (BUCKET as Record<string, unknown>)[name] === "function");
  return bound ? (BUCKET as Bucket & Listing) : undefined;
}

/** A part of its list, as `src/service/list.rs` reads it. */
export async function listed(bucket: Listing, { prefix, limit, cursor }: Ask & { kind: "list" }): Promise<Reply> {
  try {
    const { objects, truncated, cursor: next = "" } = await bucket.list({ prefix, limit, ...(cursor !== undefined && { cursor }) });
    const fields = objects.filter(({ key }) => !key.includes("\0")).flatMap(({ key, size, uploaded }) => [String(size), uploaded.toISOString(), key]);
    return { text: [truncated ? next : "", ...fields].join("\0") };
  } catch (cause) {
    // It is the cursor's fault if the list can be read from its beginning.
    if (cursor !== undefined && (await bucket.list({ prefix, limit: 1 }).catch(() => undefined))) throw new IiifError("syntax", 400, "The cursor is not one of an earlier answer.", { cause });
    throw new IiifError("source-read", 503, "The list could not be read: the storage did not answer. Try again.", { cause });
  }
}
