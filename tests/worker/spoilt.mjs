// The Worker over a Cache API that gives back something else than it was given, as a request's `x-damage` says.

import worker from "../../worker/build/index.js";

const DAMAGES = {
  none: (bytes) => bytes,
  lost: () => undefined,
  cut: (bytes) => bytes.slice(0, bytes.length - 1000),
  long: (bytes) => new Uint8Array([...bytes, 0]),
  /** The lines that tell of the version and the parts stay, what they hold does not. */
  blank: (bytes) => bytes.fill(0, fourthLine(bytes)),
  "other-etag": (bytes) => bytes.fill(122, 0, 2),
  "no-lines": (bytes) => bytes.fill(10),
};

/** Where what follows the four lines begins. */
function fourthLine(bytes) {
  let at = 0;
  for (let line = 0; line < 4; line++) at = bytes.indexOf(10, at) + 1;
  return at;
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
