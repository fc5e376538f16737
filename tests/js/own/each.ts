// A Worker that makes a handler for each request, as one with other paths might.

import { type Bucket, createHandler, r2Source } from "azulejo/worker";

interface Env {
  readonly BUCKET: Bucket;
}

export default {
  fetch(request: Request, env: Env, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    const { host } = new URL(request.url);
    // The same identifier is another file for each host.
    return createHandler<Env>({ resolve: (identifier) => r2Source(env.BUCKET, `${host.split(".")[0]}/${identifier}`), publicUrl: "https://images.example.org" }).fetch(request, env, context);
  },
};
