// The Worker's entry: hands each request to the wasm and sees to it that a trap costs one request, never the isolate.

import { __wbg_reset_state as reset, handle } from "azulejo:glue";
import { instance } from "./instance.mjs";

const PATIENCE_MS = 30_000; // so long a request waits to be begun anew: viewers give a tile up after that
const LONGEST_MS = 40_000; // no request runs longer: what is older was ended by the runtime

const running = new Map(); // request number → since when, and what settles it
const lost = new Map(); // those that another one's trap took down, until they are begun anew → since when
let count = 0;

export default {
  fetch(request, env, context) {
    const answer = serve(request, env, context);
    // To the end, even if the client leaves: a future that is never polled again would keep its memory and its place in the queue.
    context.waitUntil(answer);
    return answer;
  },
};

async function serve(request, env, context) {
  const patience = Date.now() + PATIENCE_MS;
  // Newcomers stay out until those that were taken down are done.
  if (any(lost)) await until(() => !any(lost), patience);
  let outcome = await once(request, env, context);
  while ((outcome === "lost" || outcome === "exhausted") && Date.now() < patience) {
    const first = outcome;
    const id = ++count;
    lost.set(id, { since: Date.now() });
    // One at a time and alone, so that several that trap do not take each other's neighbours down again and again.
    const alone = await until(() => !any(running) && id === [...lost].find(recent)?.[0], patience);
    outcome = alone ? await once(request, env, context) : "lost";
    lost.delete(id);
    if (alone && first === "exhausted") break; // not even alone, on empty memory
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
    running.set(id, { since: Date.now(), settle });
    // By a timer of its own, as in `until`.
    watch = setInterval(() => (instance.broken || instance.generation !== generation) && settle("lost"), 25);
    handle(id, lines(request), env, context).then(settle, settle);
  }).finally(() => {
    clearInterval(watch);
    running.delete(id);
  });
}

const HEADERS = ["accept", "if-none-match", "if-modified-since", "origin", "access-control-request-headers"];

/** What the wasm is told of a request, in one text: to cross the border once is much cheaper than for each of these. */
const lines = ({ method, url, headers }) => [method, url, ...HEADERS.map((name) => headers.get(name))].join("\n");

/** Whether the runtime can still be at it. */
const recent = ([, { since }]) => since > Date.now() - LONGEST_MS;
const any = (requests) => [...requests].some(recent);

/** Whether it came true in time. By a timer of its own: the runtime gives a request up for hung if it waits only for what another one does. */
async function until(happens, deadline) {
  while (!happens()) {
    if (Date.now() >= deadline) return false;
    await new Promise((wake) => setTimeout(wake, 10));
  }
  return true;
}

instance.onBreak = () => {
  console.error(JSON.stringify({ event: "trap", error: String(instance.broken), exhausted: instance.exhausted }));
  running.get(instance.current)?.settle(instance.exhausted ? "exhausted" : "trapped");
};

function failure(request, env, status, code, error) {
  const json = /json/.test(request.headers.get("accept") ?? "");
  const headers = new Headers({
    "content-type": json ? "application/json" : "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    vary: "Accept",
    "x-content-type-options": "nosniff",
  });
  const origin = request.headers.get("origin");
  const allowed = (env.ALLOWED_ORIGINS ?? "*").split(/[\s,]+/);
  if (allowed.includes("*")) headers.set("access-control-allow-origin", "*");
  else {
    headers.append("vary", "Origin");
    if (allowed.includes(origin)) headers.set("access-control-allow-origin", origin);
  }
  if (headers.has("access-control-allow-origin")) headers.set("access-control-expose-headers", "Retry-After");
  if (status === 503) headers.set("retry-after", "1");
  const body = json ? JSON.stringify({ code, error, status }) : `${error}\n`;
  return new Response(request.method === "HEAD" ? null : body, { status, headers });
}
