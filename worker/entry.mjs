// The Worker's entry: the host of the service (src/js/host) over an R2 bucket, and the engine in a memory that outlives a trap.

import * as glue from "azulejo:glue";
import { bucketOf, listed } from "../src/js/host/bucket.ts";
import { respond } from "../src/js/host/exchange.ts";
import { Isolate } from "../src/js/host/isolate.ts";
import { r2Source } from "../src/js/r2.ts";
import { instance } from "./instance.mjs";

const isolate = new Isolate(async () => {
  if (instance.count) glue.__wbg_reset_state();
  // The first instance was made when the module was loaded.
  instance.count++;
  instance.exhausted = 0;
  return { engine: glue, exhausted: () => instance.exhausted > 0 };
});

let served;

export default {
  fetch(request, env, context) {
    const wait = (work) => context.waitUntil(work.catch(() => undefined));
    const bucket = bucketOf(env);
    served ??= { isolate, make: (engine) => engine.bucketService(env, bucket !== undefined) };
    const holdings = { file: (key) => r2Source(bucket, key, { writeIndex: true }), list: (ask) => listed(bucket, ask) };
    const answer = respond(served, request, holdings, wait).catch(() => new Response(null, { status: 499 }));
    // To the end, even if the client leaves: what is never resumed would keep its memory and its place in the queue.
    wait(answer);
    return answer;
  },
};
