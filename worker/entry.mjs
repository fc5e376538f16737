// The Worker's entry: hands each request to the wasm and sees to it that a trap costs one request, never the isolate.

import { __wbg_reset_state as reset, handle } from "azulejo:glue";
import { instance } from "./instance.mjs";

const ATTEMPTS = 4; // a request is innocent of another's trap, and is begun anew this often
const LANE_MS = 30_000; // no request is longer in the lane

const running = new Map(); // request number → what settles it when it breaks the instance
let count = 0;
let laneFreeAt = 0;

export default {
  fetch(request, env, context) {
    const answer = serve(request, env, context);
    // To the end, even if the client leaves: a future that is never polled again would keep its memory and its place in the queue.
    context.waitUntil(answer);
    return answer;
  },
};

async function serve(request, env, context) {
  let outcome = await once(request, env, context);
  for (let attempt = 2; attempt <= ATTEMPTS && (outcome === "lost" || outcome === "exhausted"); attempt++) {
    // One at a time, so that several that trap do not take each other's neighbours down again and again.
    while (Date.now() < laneFreeAt) await new Promise((wake) => setTimeout(wake, 10));
    laneFreeAt = Date.now() + LANE_MS;
    const first = outcome;
    outcome = await once(request, env, context);
    laneFreeAt = 0;
    if (first === "exhausted") break; // not even alone, on empty memory
  }
  if (outcome instanceof Response) return outcome;
  if (outcome === "lost" || outcome === "exhausted") return failure(request, env, 503, "overloaded", "This service is out of memory just now. Try again.");
  return failure(request, env, 500, "internal", "Something went wrong inside this service.");
}

/** A Response, or "trapped" | "exhausted" (this request broke the instance), or "lost" (another one did). */
function once(request, env, context) {
  if (instance.broken || instance.inside) reset();
  const id = ++count;
  const { generation } = instance;
  let watch;
  return new Promise((settle) => {
    running.set(id, settle);
    // Each request finds out by a timer of its own: the runtime gives a request up for hung if it waits only for what another one does.
    watch = setInterval(() => (instance.broken || instance.generation !== generation) && settle("lost"), 25);
    handle(id, request, env, context).then(settle, settle);
  }).finally(() => {
    clearInterval(watch);
    running.delete(id);
  });
}

instance.onBreak = () => {
  console.error(JSON.stringify({ event: "trap", error: String(instance.broken), exhausted: instance.exhausted }));
  running.get(instance.current)?.(instance.exhausted ? "exhausted" : "trapped");
};

function failure(request, env, status, code, error) {
  const json = /json/.test(request.headers.get("accept") ?? "");
  const headers = new Headers({
    "content-type": json ? "application/json" : "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  const origin = request.headers.get("origin");
  const allowed = (env.ALLOWED_ORIGINS ?? "*").split(/[\s,]+/);
  if (allowed.includes("*")) headers.set("access-control-allow-origin", "*");
  else if (allowed.includes(origin)) headers.set("access-control-allow-origin", origin);
  if (status === 503) headers.set("retry-after", "1");
  const body = json ? JSON.stringify({ error, status, code }) : `${error}\n`;
  return new Response(request.method === "HEAD" ? null : body, { status, headers });
}
