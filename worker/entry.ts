// The Worker's entry: the service over the R2 bucket that is bound to BUCKET.

import { bucketOf, listed } from "../src/js/host/bucket.js";
import { type Served, respond } from "../src/js/host/exchange.js";
import type { FilesEngine } from "../src/js/host/isolate.js";
import { isolate } from "../src/js/host/workers.js";
import { r2Source } from "../src/js/r2.js";
import type { Context } from "../src/js/worker.js";

let served: Served<FilesEngine> | undefined;

export default {
  fetch(request: Request, env: Record<string, unknown>, context: Context): Promise<Response> {
    const wait = (work: Promise<unknown>): void => context.waitUntil(work.catch(() => undefined));
    const bucket = bucketOf(env);
    served ??= { isolate, make: (engine) => engine.bucketService(env, bucket !== undefined) };
    const holdings = bucket && { object: (key: string) => r2Source(bucket, key, { writeIndex: true }), list: (ask: Parameters<typeof listed>[1]) => listed(bucket, ask) };
    const answer = respond(served, request, holdings ?? {}, wait).then(
      (response) => response ?? new Response(null, { status: 404 }),
      () => new Response(null, { status: 499 }),
    );
    // To the end, even if the client leaves: what is never resumed would keep its memory and its place in the queue.
    wait(answer);
    return answer;
  },
};
