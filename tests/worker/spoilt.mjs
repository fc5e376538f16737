// The Worker over a Cache API that gives back something else than it was given, as a request's `x-damage` says.

import worker from "../../worker/build/index.js";

const DAMAGES = {
  none: (bytes) => bytes,
  lost: () => undefined,
  cut: (bytes) => bytes.slice(0, bytes.length - 1000),
  long: (bytes) => new Uint8Array([...bytes, 0]),
  /** The line that tells of the parts stays, what they hold does not. */
  blank: (bytes) => bytes.fill(0, bytes.indexOf(10) + 1),
  "other-etag": (bytes) => changed(bytes, /"etag":"../, '"etag":"zz'),
  "no-json": (bytes) => bytes.fill(10),
};

/** The same with its text changed, byte by byte. */
function changed(bytes, from, to) {
  const text = String.fromCharCode(...bytes.subarray(0, bytes.indexOf(10)));
  bytes.set(Uint8Array.from(text.replace(from, to), (letter) => letter.charCodeAt(0)));
  return bytes;
}

const { match } = Cache.prototype;
let damage = "none";
Cache.prototype.match = async function (url) {
  const found = await match.call(this, url);
  const bytes = found && DAMAGES[damage](new Uint8Array(await found.arrayBuffer()));
  return bytes && new Response(bytes, { headers: { "content-length": String(bytes.length) } });
};

export default {
  fetch(request, env, context) {
    damage = request.headers.get("x-damage") ?? "none";
    return worker.fetch(request, env, context);
  },
};
