// A Worker that somebody writes with `createHandler` answers as this project's Worker does, over the same bucket and under the same variables: status, body and every header.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { at } from "../../pkg/lib.mjs";
import { png } from "../worker/images.mjs";
import { serve as serveRust } from "../worker/service.mjs";
import { serve as serveOwn } from "./own/service.mjs";

/** What the connection adds. */
const OWN = ["date", "connection", "keep-alive", "transfer-encoding"];
const NAMES = ["rocket.jpg", "retina-pyramid.tif", "a b/ü%[x];@.png"];

let own, rust, folder;
let all = 0;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "azulejo-bucket-"));
  rust = await serveRust({ persist: folder });
  await rust.put(NAMES[2], png(300, 200));
  await rust.put("text.jpg", Buffer.from("This is not an image."));
  await rust.put("cut.jpg", readFileSync(at("www/samples/rocket.jpg")).subarray(0, 3000));
  own = await serveOwn({ persist: folder, samples: false });
  await opened();
});
after(async () => {
  await Promise.all([own?.close(), rust?.close()]);
  if (folder) rmSync(folder, { recursive: true, force: true });
  assert.ok(all >= 1200, `${all} requests`);
});

/** What a Server-Timing header names, without times, bytes and memory. */
const names = (timing) => timing.replace(/;dur=[\d.]+/g, "").replace(/(mem|bytes|reads);desc="[^"]*"/g, "$1");

function shown({ status, headers, bytes }) {
  const plain = Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.includes(name)).map(([name, value]) => [name, String(value)]));
  if (plain["server-timing"]) plain["server-timing"] = names(plain["server-timing"]);
  const image = headers["content-type"]?.startsWith("image/");
  const text = bytes.toString(image ? "base64" : "utf8");
  // Only a bucket has a list: what is found nowhere is told of it.
  if (status === 404) delete plain["content-length"];
  return { status, ...plain, text: text.replace(", a list of them at /images.json", "") };
}

/** Each opens the files of the bucket by itself: the local storage refuses two that do so at the same moment. */
async function opened() {
  for (const service of [own, rust]) {
    for (const prefix of ["/iiif/3/", "/images/v3/", "/"]) await service.get(`${prefix}rocket.jpg/info.json?cache=false`);
  }
}

let asked = 0;
let different = [];
beforeEach(() => {
  [asked, different] = [0, []];
});
afterEach(() => {
  assert.ok(asked > 80, `${asked} requests`);
  assert.deepEqual(different, []);
});

async function same(path, headers = {}, method = "GET") {
  asked++;
  all++;
  // Under one name: it is in the ids of images, and so in their ETags.
  const [mine, theirs] = await Promise.all([own, rust].map(async (service) => shown(await service.get(path, { host: "images.example.org", ...headers }, method))));
  const unlike = Object.keys({ ...mine, ...theirs }).filter((name) => mine[name] !== theirs[name]);
  if (unlike.length) different.push(`${method} ${path.slice(0, 100)} ${JSON.stringify(headers)}: ${unlike.map((name) => `${name} ${String(mine[name]).slice(0, 150)} | ${String(theirs[name]).slice(0, 150)}`)}`);
}

/** Everything that may stand in a path, right and wrong, of each version. */
function* paths(prefix = "/iiif/{version}/") {
  for (const version of ["1.0", "1.1", "2", "3"]) {
    const base = (name) => `${prefix.replace("{version}", version)}${name}`;
    for (const name of NAMES.map(encodeURIComponent)) {
      for (const what of ["", "/info.json", "/info.xml", "/full/100,/0/default.jpg", "/full/!100,90/0/native.png", "/full/50,/0/native", "/0,0,64,64/64,/90/gray.jpg"]) yield base(name) + what;
    }
    const requests = [
      "full/full/0/default.jpg", "full/max/0/default.webp", "square/60,60/!90/color.gif", "pct:10,10,33.3,33.3/pct:50/12.5/bitonal.png", "full/^700,/0/default.jpg",
      "full/%5Emax/0/default.tif", "9999,0,1,1/max/0/default.jpg", "full/0,/0/default.jpg", "full/9999,/0/default.jpg", "full/max/361/default.jpg",
      "full/max/0/sepia.jpg", "full/max/0/default.jp2", "full/max/0/default.JPG", "full/max/0", "full/max/0/default.jpg/x", "x/y/z/a.b", "%E0%A4%A/max/0/default.jpg", "full/w%0A,/0/default.jpg",
      "1e3,0,1,1/max/0/default.jpg", "full/,0/0/default.jpg", "full/!0,0/0/default.jpg", "info.json/", "//info.json", "full/max/0/default",
    ];
    for (const request of requests) yield base(`rocket.jpg/${request}`);
    for (const wrong of ["nothing/info.json", "nothing/full/x/0/y.jpg", "%00/info.json", "..%2Fx/info.json", "%E0%A4%A/info.json", "x".repeat(1025) + "/info.json", "text.jpg/info.json", "text.jpg", "text.jpg/x", "cut.jpg/info.json", "cut.jpg/full/max/0/default.jpg", ""]) {
      yield base(wrong);
    }
  }
  for (const path of ["/", "/nowhere", "/iiif/4/x", "/iiif/", "/IIIF/3/rocket.jpg", `/iiif/3/${"x".repeat(20_000)}/info.json`]) yield path;
}

test("every path of every version", async () => {
  for (const path of paths()) {
    await same(path);
    await same(path, { accept: "application/json" });
  }
});

test("methods, negotiation, conditions, downloads", async () => {
  const [image, info] = ["/iiif/3/rocket.jpg/full/200,/0/default.jpg", "/iiif/3/rocket.jpg/info.json"];
  for (const method of ["HEAD", "OPTIONS", "POST", "DELETE"]) {
    for (const path of [image, info, "/iiif/3/rocket.jpg", "/iiif/3/nothing", "/iiif/1.0/rocket.jpg/x", "/nowhere"]) {
      await same(path, { origin: "https://a.example", "access-control-request-method": "GET", "access-control-request-headers": "X-One, x_two, accept" }, method);
    }
  }
  const accepts = ["*/*", "application/ld+json", "application/ld+json;q=0.5, application/json", "application/json;q=0", 'application/ld+json;profile="a,b;c=\\"d"', "text/html, */*;q=0.1", ""];
  for (const version of ["1.0", "1.1", "2", "3"]) for (const accept of accepts) await same(`/iiif/${version}/rocket.jpg/info.json`, { accept });
  for (const accept of ["image/png;q=1.0", "image/webp, image/png;q=0.9", "image/*;q=0.2, image/gif;q=0.5", "image/jpeg;q=0, */*", "image/png;q=1.", "image/png;q=x", "image/tiff;q=2"]) {
    await same("/iiif/1.1/rocket.jpg/full/50,/0/native", { accept });
  }
  const names = ["attachment", "inline; filename=a.jpg", 'attachment; filename="../../etc/passwd"', "attachment; filename*=UTF-8''%e2%82%ac.jpg", "attachment; filename*=UTF-8''%E0%A4%A", "FILENAME=x.PNG", 'filename="', "\u202Egpj.exe", "x".repeat(500), "café 50%.jpeg", "", ".jpg", "a.tiff"];
  for (const name of names) await same(`${image}?response-content-disposition=${encodeURIComponent(name)}`);
  for (const query of ["?", "?cache=false", "?cache", "?a=b&c[]=%zz", "?response-content-disposition"]) await same(image + query);
  for (const headers of [{ "if-none-match": "*" }, { "if-none-match": '"x", W/"y"' }, { "if-modified-since": "Mon, 01 Jan 2001 00:00:00 GMT" }, { "if-modified-since": "some day" }, { "if-modified-since": new Date(Date.now() + 1e6).toUTCString() }]) {
    for (const path of [image, info]) await same(path, headers);
  }
});

test("variables", async () => {
  const settings = [
    [{ PREFIX: "/images/v{version}/", VERSIONS: "2 3" }, "/images/v{version}/"],
    [{ PREFIX: "/", VERSIONS: "3" }, "/"],
    [{ ALLOW_SLASHES: "on" }],
    [{ PUBLIC_URL: "https://images.example.org/art/", CACHE_CONTROL: "private, max-age=60" }],
    [{ CANONICAL: "redirect" }],
    [{ MAX_WIDTH: 300, MAX_HEIGHT: 100, MAX_AREA: 20_000, JPEG_QUALITY: 20, WEBP_QUALITY: 5, PNG_COMPRESSION: "high" }],
    [{ JPEG_SMALL: "on", JPEG_QUALITY: 92 }],
    [{ MEMORY: 4 }],
    [{ ALLOWED_ORIGINS: "https://a.example, http://localhost:3000" }],
    [{ FORMATS: "png,jpg", PAGES: "off", UPSCALING: "off", CONFINED_UPSCALE: "reject", TILE_WIDTH: 256 }],
  ];
  for (const [index, [vars, prefix]] of settings.entries()) {
    await Promise.all([own.set(vars), rust.set({ ...vars, LOG: "none" })]);
    await opened();
    // A third of them each: three settings meet every path.
    for (const path of [...paths(prefix)].filter((_, number) => number % 3 === index % 3)) await same(path, { origin: "https://a.example" });
    await same("/iiif/3/rocket.jpg/info.json", { origin: "https://b.example" });
  }
});
