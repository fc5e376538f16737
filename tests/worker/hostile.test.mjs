// Requests that mean harm: a status of the client's fault, never one of ours, and no header that a request could have written.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { png } from "./images.mjs";
import { serve } from "./service.mjs";

const ALLOWED = new Set([200, 303, 304, 400, 404, 405, 414, 415, 501]);
const GOOD = "/iiif/3/image.png/full/50,/0/default.jpg";

const IDENTIFIERS = [
  "..%2F..%2Fetc%2Fpasswd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5C..%5Cwindows", "%252e%252e%252f", "....%2F%2F", "%c0%ae%c0%ae%2f", "%00", "image.png%00.jpg",
  "%E0%A4%A", "%FF%FE", "%", "%zz", "%u002e", "https:%2F%2Fevil.example", "https:%2F%2Fevil.example%2Fx.png", "%2F%2Fevil.example", "file:%2F%2F%2Fetc%2Fpasswd",
  "http:%2F%2F169.254.169.254%2Flatest", "x".repeat(1025), "x".repeat(8000), "%F0%9F%92%A9".repeat(100), "%0D%0Aset-cookie:%20a=b", "%0a%0dX", "a%09b", "%1b%5b31m",
  "<script>alert(1)<%2Fscript>", "%3Cscript%3E", "'%20OR%201=1--", "$%7Bjndi:ldap:%2F%2Fevil.example%7D", "%7B%7B7*7%7D%7D", "__proto__", "constructor", "toString", "con", "nul",
  "..", ".", "%2e", "...", "%20", "+", "~", "*", "%E2%80%AEgnp.egami", "%EF%BB%BF", "%ED%A0%80", "%F4%90%80%80", ";a=b", "a;b", "a?b", "a%3Fb", "a%23b", "[frob]", "image.png%2F", "%2Fimage.png",
];
const REGIONS = [
  "0,0,0,0", "-1,0,1,1", "0,0,99999999999999999999,1", "4294967295,0,1,1", "4294967296,0,1,1", "0,0,1e9,1", "NaN,0,1,1", "Infinity,0,1,1", "0x10,0,1,1", "1,1", "1,1,1,1,1", ",,,", "pct:", "pct:0,0,0,0",
  "pct:-1,0,1,1", "pct:1e2,0,1,1", "pct:100,100,1,1", `pct:${"9".repeat(500)},0,1,1`, `pct:0.${"3".repeat(2000)},0,1,1`, "pct:NaN,0,1,1", "square%00", "FULL", "full%20", "%66ull", "０,０,１,１",
];
const SIZES = [
  "0,", ",0", "0,0", "!0,0", "^0,", "^", "!", "^!", "!^1,1", "^^max", "-1,", "1.5,", "99999999999999999999,", "^99999999999999999999,", "4294967296,", "^4294967295,4294967295", "pct:0", "pct:-1",
  "pct:1e9", "^pct:99999999", `pct:${"0".repeat(3000)}1`, "max,", ",", "1,1,1", "1,,", "full", "0x1,", "+1,", "1, ", "^max%0d%0a",
];
const ROTATIONS = ["-1", "361", "360.0001", "1e1", "NaN", "!", "!!0", "0!", "", "+5", ".", "..5", "9".repeat(4000), `0.${"1".repeat(4000)}`, "0%00", "90deg", "!360", "359.999999999999999999"];
const LASTS = ["default", "default.", ".jpg", "default.jpg.png", "default.JPG", "default.exe", "default.jpg%00", "default.jp2", "default.pdf", "%2e%2e.jpg", "native.jpg", "default.jpg;x=y", "default.jpg%0d%0ax:y", "color.svg"];

describe("hostile requests", () => {
  let service;
  before(async () => {
    service = await serve({ samples: false, vars: { LOG: "none" } });
    await service.put("image.png", png(120, 80));
  });
  after(() => service.close());

  async function harmless(path, headers = {}) {
    const answer = await service.get(path.replace(/[^!-~]/g, encodeURIComponent), headers);
    const what = `${path.slice(0, 200)} → ${answer.status}`;
    assert.ok(ALLOWED.has(answer.status), what);
    for (const [name, value] of Object.entries(answer.headers)) {
      assert.doesNotMatch(String(value), /[\r\n\0]/, `${what} ${name}`);
      if (name !== "location" && name !== "link") assert.doesNotMatch(String(value), /evil/, `${what} ${name}`);
    }
    assert.equal(answer.headers["set-cookie"], undefined, what);
    if (answer.headers.location) assert.ok(answer.headers.location.startsWith(`${service.url}/`), `${what} ${answer.headers.location}`);
    return answer;
  }

  test("identifiers", async () => {
    for (const identifier of IDENTIFIERS) {
      for (const rest of ["", "/info.json", "/full/50,/0/default.jpg", "/full/bad/0/default.jpg"]) {
        for (const version of ["1.0", "3"]) await harmless(`/iiif/${version}/${identifier}${rest}`);
      }
    }
  });

  test("parameters", async () => {
    const parts = ["full", "50,", "0", "default.jpg"];
    for (const [place, values] of [REGIONS, SIZES, ROTATIONS, LASTS].entries()) {
      for (const value of values) {
        for (const version of ["1.1", "2", "3"]) await harmless(`/iiif/${version}/image.png/${parts.map((part, index) => (index === place ? value : part)).join("/")}`);
      }
    }
  });

  test("paths and queries", async () => {
    const paths = [
      "//evil.example/x", "/\\evil.example", "/iiif/3/\\..\\..\\x", "/iiif/3/../../etc/passwd", "/iiif/3/%2e%2e/health", "/iiif/3/image.png/../image.png/info.json", "/iiif/3//image.png/info.json",
      "/.git/config", "/.env", "/wrangler.toml", "/index_bg.wasm", "/iiif", "/iiif/", "/iiif/3", "/iiif/3/", "/iiif/%33/image.png/info.json", "/health/", "/HEALTH", "/images.json/", `/${"a/".repeat(4000)}`,
      `/iiif/3/image.png/${"full/".repeat(3000)}`, `/iiif/3/image.png/info.json?${"a=b&".repeat(3000)}`, "/images.json?limit=-1", "/images.json?limit=99999999999", "/images.json?limit=abc", "/images.json?prefix=%00",
      `/images.json?prefix=${"x".repeat(3000)}`, "/images.json?cursor=../../", "/images.json?cursor[]=1", `${GOOD}?response-content-disposition=%0d%0aevil:%201`, `${GOOD}?response-content-disposition=${"%ff".repeat(500)}`,
    ];
    for (const path of paths) await harmless(path);
  });

  test("headers", async () => {
    const values = ["", "*", "evil", "x".repeat(8000), ",".repeat(4000), '"'.repeat(999), "application/json;q=".repeat(300), "*/*;q=999999999999", "text/html;q=-1", "\u00ff\u00fe"];
    for (const name of ["accept", "if-none-match", "if-modified-since", "origin", "range", "x-forwarded-host", "x-original-url", "forwarded", "access-control-request-headers", "cookie", "authorization"]) {
      for (const value of values) {
        await harmless(GOOD, { [name]: value });
        await harmless("/iiif/3/image.png/info.json", { [name]: value });
      }
    }
  });

  test("a Range is not our business: the whole answer comes", async () => {
    const { status, bytes } = await harmless(GOOD, { range: "bytes=0-9" });
    assert.equal(status, 200);
    assert.ok(bytes.length > 10);
  });

  test("a thousand random mixtures", async () => {
    let state = 12345;
    const random = (limit) => (state = (state * 1103515245 + 12345) & 0x7fffffff) % limit;
    const pick = (list) => list[random(list.length)];
    const pieces = ["full", "max", "square", "0,0,50,50", "pct:1,1,1,1", "50,", ",50", "!9,9", "^", "90", "!", "default.jpg", "gray.png", "info.json", "image.png", "%2F", "%25", "..", "", "%00", ",", ":", "é"];
    for (let times = 0; times < 1000; times++) {
      const segments = Array.from({ length: 1 + random(6) }, () => pick(pieces) + (random(4) ? "" : pick(pieces)));
      await harmless(`/iiif/${pick(["1.0", "1.1", "2", "3"])}/${segments.join("/")}`);
    }
  });

  test("what is no HTTP does no harm either", async () => {
    const { hostname, port } = new URL(service.url);
    for (const text of ["GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", "GET /\0 HTTP/1.1\r\n\r\n", "BLAH\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"]) {
      await new Promise((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.end(text));
        socket.on("close", resolve).on("error", resolve).resume();
      });
    }
    assert.equal((await service.get(GOOD)).status, 200);
  });

  test("afterwards all is well", async () => {
    const { memory } = (await service.get("/health")).json();
    assert.ok(memory < 16 << 20, `${memory}`);
  });
});
