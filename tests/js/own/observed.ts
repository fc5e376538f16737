// A Worker whose reads take time and are counted: how many requests read pixels at the same time is told at /most.

import { type Bucket, type VersionedSource, createHandler, r2Source } from "azulejo/worker";

interface Env {
  readonly BUCKET: Bucket;
}

let reading = 0;
let most = 0;

/** The same source, each read delayed by so many ms. */
function slowed(source: VersionedSource, ms: number): VersionedSource {
  let under = 0;
  return {
    ...source,
    async read(offset, length, options) {
      if (!under++) most = Math.max(most, ++reading);
      try {
        await new Promise((wake) => setTimeout(wake, ms));
        return await source.read(offset, length, options);
      } finally {
        if (!--under) reading--;
      }
    },
  };
}

const handler = createHandler<Env>({
  resolve(identifier, { BUCKET }, request) {
    const source = r2Source(BUCKET, identifier);
    const ms = request.headers.get("x-slow");
    return ms === null ? source : slowed(source, Number(ms));
  },
});

export default {
  async fetch(request: Request, env: Env, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    if (new URL(request.url).pathname !== "/most") return handler.fetch(request, env, context);
    const answer = Response.json({ most, reading });
    most = 0;
    return answer;
  },
};
