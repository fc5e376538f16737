// What HTTP asks of a service: methods, headers, negotiation, validation, errors. The same for the Worker and for one that somebody writes.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { deflateSync } from "node:zlib";
import { tiff } from "../../generate/tiff.mjs";
import { dimensions } from "../images.mjs";
import { left } from "../service.mjs";

const IMAGE = "/iiif/3/rocket.jpg/full/200,/0/default.jpg";
const INFO = "/iiif/3/rocket.jpg/info.json";

/** Registers the tests for a service that `serve` starts, with the samples in its bucket. `extra` are paths of its own. */
export function overHttp(name, serve, extra = []) {
  describe(name, () => {
    let service;
    const get = (...given) => service.get(...given);
    before(async () => {
      service = await serve();
    });
    after(() => service.close());

    test("an image, whole and right", async () => {
      const { status, headers, bytes } = await get(IMAGE);
      assert.equal(status, 200);
      assert.deepEqual(dimensions(bytes), ["jpg", 200, 133]);
      assert.equal(headers["content-type"], "image/jpeg");
      assert.equal(Number(headers["content-length"]), bytes.length);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.match(headers["content-security-policy"], /default-src 'none'.*sandbox/);
      assert.match(headers["cache-control"], /max-age=\d+/);
      assert.ok(Date.parse(headers["last-modified"]) <= Date.now());
      assert.match(headers.link, /<http:\/\/iiif\.io\/api\/image\/3\/level2\.json>;rel="profile"/);
      assert.ok(headers.link.includes(`<${service.url}/iiif/3/rocket.jpg/full/200,133/0/default.jpg>;rel="canonical"`));
    });

    test("Server-Timing tells the cost, and the second time the cache answers", async () => {
      const path = "/iiif/3/rocket.jpg/full/201,/0/default.jpg";
      const first = (await get(path)).headers["server-timing"];
      for (const part of ["open;dur=", "fetch;dur=", "render;dur=", "total;dur=", 'cache;desc="miss"', 'passthrough;desc="no"', 'reads;desc="', 'bytes;desc="']) {
        assert.ok(first.includes(part), `${part} in ${first}`);
      }
      const [, reads] = first.match(/reads;desc="(\d+)"/);
      assert.ok(Number(reads) >= 1 && Number(reads) <= 6, first);
      const again = await settled(() => get("/iiif/2/rocket.jpg/full/201,/0/default.jpg"), (answer) => /cache;desc="hit"/.test(answer.headers["server-timing"]), path);
      assert.match(again.headers["server-timing"], /reads;desc="1", bytes;desc="0"/);
    });

    test("a stored tile is sent as it is", async () => {
      const level = (await get("/iiif/3/retina-pyramid.tif/info.json")).json();
      assert.deepEqual(level.tiles, [{ width: 256, scaleFactors: [1, 2, 4, 8] }]);
      const { status, headers, bytes } = await get("/iiif/3/retina-pyramid.tif/512,512,512,512/256,/0/default.jpg");
      assert.deepEqual([status, ...dimensions(bytes)], [200, "jpg", 256, 256]);
      assert.match(headers["server-timing"], /passthrough;desc="yes"/);
      assert.match((await get("/iiif/3/retina-pyramid.tif/512,512,512,512/255,/0/default.jpg")).headers["server-timing"], /passthrough;desc="no"/);
    });

    test("the pages of a document", async () => {
      const rgb = (value) => deflateSync(Buffer.alloc(512 * 512 * 3, value));
      const pages = [10, 120, 230].map((value, index) => ({ width: 500 - index, height: 400, tiles: [rgb(value)], page: true }));
      await service.put("book.tif", tiff(pages));
      await service.put("odd;2", tiff([{ width: 77, height: 55, tiles: [rgb(7)] }]));
      for (const [index, name] of ["book.tif", "book.tif;2", "book.tif%3B3"].entries()) {
        const { status, headers, json } = await get(`/iiif/3/${name}/info.json`);
        const info = json();
        assert.deepEqual([status, info.width, info.height, info.pages, info.id], [200, 500 - index, 400, 3, `${service.url}/iiif/3/${name}`]);
        const link = (page, relation) => `<${service.url}/iiif/3/book.tif${page > 1 ? `%3B${page}` : ""}/info.json>;rel="${relation}"`;
        assert.equal(headers.link.includes(link(index, "prev")), index > 0, headers.link);
        assert.equal(headers.link.includes(link(index + 2, "next")), index < 2, headers.link);
        assert.equal((await get(`/iiif/3/${name}/full/${500 - index},400/0/default.jpg`)).status, 200);
        assert.equal((await get(`/iiif/3/${name}/full/max/0/default.jpg`)).status, 200);
      }
      const [first, second] = await Promise.all(["book.tif", "book.tif;2"].map((name) => get(`/iiif/3/${name}/0,0,50,50/max/0/default.png`)));
      assert.ok(!first.bytes.equals(second.bytes));
      const gone = await get("/iiif/3/book.tif;4/info.json");
      assert.deepEqual([gone.status, gone.text()], [404, "There is no page 4: the image has 3.\n"]);
      assert.equal((await get("/iiif/3/book.tif;0/info.json")).status, 404);
      assert.equal((await get("/iiif/3/rocket.jpg;2/info.json")).status, 404);
      // A name of its own is a name.
      assert.equal((await get("/iiif/3/odd;2/info.json")).json().width, 77);
      // So is one whose page is told: its pages are the document's.
      const told = await get("/iiif/3/book.tif;1/info.json");
      assert.equal(told.json().width, 500);
      assert.ok(told.headers.link.includes(`<${service.url}/iiif/3/book.tif%3B2/info.json>;rel="next"`), told.headers.link);
      // Without its page, a name has to be one.
      for (const name of ["..;2", "x%2F..;2"]) assert.equal((await get(`/iiif/3/${name}/info.json`)).status, 404, name);
    });

    test("the images beside the scan of a slide", async () => {
      const rgb = (pixels, value) => deflateSync(Buffer.alloc(pixels * 3, value));
      const words = (rest) => `Aperio Image Library v1\n${rest}`;
      await service.put(
        "slide.svs",
        tiff([
          { width: 800, height: 600, tiles: Array(4).fill(rgb(512 * 512, 40)), page: true, description: words("800x600") },
          { width: 100, height: 75, tiles: [rgb(100 * 75, 80)], page: true, strip: true, description: words("800x600 -> 100x75") },
          { width: 200, height: 150, tiles: [rgb(512 * 512, 120)], page: true, description: words("800x600 -> 200x150") },
          { width: 30, height: 40, tiles: [rgb(30 * 40, 160)], strip: true, description: words("label 30x40") },
          { width: 90, height: 33, tiles: [rgb(90 * 33, 200)], strip: true, description: words("macro 90x33") },
        ]),
      );
      const pages = [1, "label", "macro", "thumbnail"];
      for (const [name, width, height] of [["slide.svs", 800, 600], ["slide.svs;label", 30, 40], ["slide.svs%3Bmacro", 90, 33], ["slide.svs;thumbnail", 100, 75]]) {
        const { status, headers, json } = await get(`/iiif/3/${name}/info.json`);
        const info = json();
        assert.deepEqual([status, info.width, info.height, info.pages, info.id], [200, width, height, pages, `${service.url}/iiif/3/${name}`]);
        assert.ok(!/rel="(prev|next)"/.test(headers.link), headers.link);
        const { status: shown, bytes } = await get(`/iiif/3/${name}/full/max/0/default.png`);
        assert.deepEqual([shown, ...dimensions(bytes)], [200, "png", width, height]);
      }
      assert.deepEqual((await get("/iiif/3/slide.svs/info.json")).json().tiles, [{ width: 512, scaleFactors: [1, 4] }]);
      const gone = await get("/iiif/3/rocket.jpg;label/info.json");
      assert.deepEqual([gone.status, gone.text()], [404, "The file has no label image.\n"]);
    });

    test("a large answer comes in pieces, and is the same as its parts", async () => {
      const path = "/iiif/3/retina-pyramid.tif/full/^3000,/0/default.png";
      const { status, headers, bytes } = await get(path);
      assert.deepEqual([status, headers["content-length"], headers["content-type"]], [200, undefined, "image/png"]);
      assert.deepEqual(dimensions(bytes), ["png", 3000, 3000]);
      assert.deepEqual((await get(path)).bytes, bytes, "and the same again");
      assert.deepEqual(bytes.subarray(-8, -4).toString(), "IEND");
      const head = await get(path, {}, "HEAD");
      assert.deepEqual([head.status, head.bytes.length, head.headers.etag], [200, 0, headers.etag]);
      // Whoever leaves in the middle of it keeps no place; a machine that has much else to do may take longer to notice than others wait for one.
      for (let times = 0; times < 6; times++) await left(service.url, path, 400);
      const ask = async () => (await get("/iiif/3/rocket.jpg/full/204,/0/default.jpg")).status;
      const begun = Date.now();
      let after = await ask();
      while (after === 503 && Date.now() - begun < 60_000) after = await ask();
      assert.equal(after, 200);
    });

    test("?cache=false asks no cache and fills none", async () => {
      const path = "/iiif/3/rocket.jpg/full/202,/0/default.jpg";
      for (let times = 0; times < 2; times++) {
        const { headers } = await get(`${path}?cache=false`);
        assert.match(headers["server-timing"], /cache;desc="off"/);
        assert.match(headers["server-timing"], /reads;desc="[2-5]"/);
        assert.equal(headers["cache-control"], "no-store");
      }
      assert.match((await get(path)).headers["server-timing"], /cache;desc="miss"/);
      const plain = await get(path);
      assert.deepEqual(plain.bytes, (await get(`${path}?cache=false`)).bytes);
    });

    test("other queries change nothing", async () => {
      const plain = await get(IMAGE);
      for (const query of ["?", "?t=1", "?cache", "?cache=true", "?cache=FALSE", "?%", "?a=b&c[]=%zz"]) {
        const { status, bytes } = await get(IMAGE + query);
        assert.equal(status, 200, query);
        assert.deepEqual(bytes, plain.bytes, query);
      }
    });

    test("HEAD is GET without a body", async () => {
      for (const path of [IMAGE, INFO, "/iiif/3/nothing/info.json", "/iiif/3/rocket.jpg", ...extra]) {
        const [head, whole] = [await get(path, {}, "HEAD"), await get(path)];
        assert.equal(head.bytes.length, 0);
        assert.equal(head.status, whole.status, path);
        if (whole.bytes.length) assert.equal(Number(head.headers["content-length"]), whole.bytes.length, path);
        for (const name of ["content-type", "etag", "link", "location", "access-control-allow-origin"]) assert.equal(head.headers[name], whole.headers[name], `${path} ${name}`);
      }
    });

    test("OPTIONS is a preflight", async () => {
      for (const path of [IMAGE, INFO, "/iiif/3/nothing/info.json", "/nowhere"]) {
        const { status, headers, bytes } = await get(path, { origin: "https://a.example", "access-control-request-method": "GET", "access-control-request-headers": "X-One, x-two" }, "OPTIONS");
        assert.equal(status, 204);
        assert.equal(bytes.length, 0);
        assert.equal(headers["access-control-allow-origin"], "*");
        assert.equal(headers["access-control-allow-methods"], "GET, HEAD, OPTIONS");
        assert.equal(headers["access-control-allow-headers"], "X-One, x-two");
      }
    });

    test("every other method is 405 and says which are not", async () => {
      for (const method of ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"]) {
        const { status, headers } = await get(IMAGE, {}, method);
        assert.equal(status, 405, method);
        assert.equal(headers.allow, "GET, HEAD, OPTIONS");
        assert.equal(headers["access-control-allow-origin"], "*");
      }
    });

    test("CORS on everything, errors and redirects too", async () => {
      for (const path of [IMAGE, INFO, "/iiif/3/rocket.jpg", "/iiif/3/nothing/info.json", "/iiif/3/rocket.jpg/x/max/0/default.jpg", "/nowhere", ...extra]) {
        const { headers } = await get(path, { origin: "https://a.example" });
        assert.equal(headers["access-control-allow-origin"], "*", path);
        assert.match(headers["access-control-expose-headers"], /Server-Timing/);
        assert.equal(headers["access-control-allow-credentials"], undefined);
      }
    });

    test("ETag and If-None-Match", async () => {
      for (const path of [IMAGE, INFO]) {
        const { etag } = (await get(path)).headers;
        assert.match(etag, /^"[0-9a-f]{32}"$/);
        for (const list of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
          const { status, headers, bytes } = await get(path, { "if-none-match": list });
          assert.equal(status, 304, `${path} ${list}`);
          assert.equal(bytes.length, 0);
          assert.equal(headers.etag, etag);
          assert.equal(headers["access-control-allow-origin"], "*");
          assert.ok(headers["cache-control"]);
        }
        assert.equal((await get(path, { "if-none-match": '"x"' })).status, 200);
        // If-None-Match is the stronger one.
        assert.equal((await get(path, { "if-none-match": '"x"', "if-modified-since": new Date().toUTCString() })).status, 200);
      }
      const tags = await Promise.all([IMAGE, IMAGE.replace("200,", "199,"), IMAGE.replace("jpg/full", "jpg/square"), INFO].map(async (path) => (await get(path)).headers.etag));
      assert.equal(new Set(tags).size, tags.length);
      assert.equal((await get(IMAGE.replace("200,", "200,133"))).headers.etag, tags[0], "another spelling of the same");
    });

    test("Last-Modified and If-Modified-Since", async () => {
      const { "last-modified": date } = (await get(IMAGE)).headers;
      assert.equal((await get(IMAGE, { "if-modified-since": date })).status, 304);
      assert.equal((await get(IMAGE, { "if-modified-since": "Mon, 01 Jan 2001 00:00:00 GMT" })).status, 200);
      assert.equal((await get(IMAGE, { "if-modified-since": "some day" })).status, 200);
    });

    test("a replaced object has another ETag and other pixels at once", async () => {
      const { readFileSync } = await import("node:fs");
      const { at } = await import("../../../pkg/lib.mjs");
      const path = "/iiif/3/changing.jpg/full/100,/0/default.jpg";
      await service.put("changing.jpg", readFileSync(at("www/samples/rocket.jpg")));
      const first = await get(path);
      await service.put("changing.jpg", readFileSync(at("www/samples/retina.jpg")));
      const second = await get(path, { "if-none-match": first.headers.etag });
      assert.equal(second.status, 200);
      assert.deepEqual(dimensions(second.bytes), ["jpg", 100, 100]);
      assert.notEqual(second.headers.etag, first.headers.etag);
    });

    test("the base URI leads to the information, as it was spelt", async () => {
      await service.put("a b/ü%[x].jpg", await rocket());
      for (const spelt of ["rocket.jpg", "rocket%2Ejpg", "a%20b%2F%C3%BC%25%5Bx%5D.jpg"]) {
        for (const version of ["1.0", "1.1", "2", "3"]) {
          const { status, headers } = await get(`/iiif/${version}/${spelt}`);
          assert.equal(status, 303);
          assert.equal(headers.location, `${service.url}/iiif/${version}/${spelt}/info.json`);
        }
      }
    });

    test("id is the requested URI byte for byte", async () => {
      for (const spelt of ["rocket.jpg", "rocket%2Ejpg", "%72ocket.jpg", "a%20b%2f%C3%BC%25%5bx%5D.jpg"]) {
        assert.equal((await get(`/iiif/3/${spelt}/info.json`)).json().id, `${service.url}/iiif/3/${spelt}`);
        assert.equal((await get(`/iiif/2/${spelt}/info.json`)).json()["@id"], `${service.url}/iiif/2/${spelt}`);
      }
    });

    test("id follows the host, never one that came before", async () => {
      for (const host of ["one.example", "two.example:8080", "one.example"]) {
        const { json, headers } = await get(INFO, { host });
        assert.equal(json().id, `http://${host}/iiif/3/rocket.jpg`);
        assert.ok(!JSON.stringify(headers).includes("one.example") || host === "one.example");
        const image = await get(IMAGE, { host });
        assert.ok(image.headers.link.includes(`<http://${host}/iiif/3/`));
        assert.equal((await get("/iiif/3/rocket.jpg", { host })).headers.location, `http://${host}/iiif/3/rocket.jpg/info.json`);
      }
      const forwarded = await get(INFO, { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "x-iiif-id": "evil", forwarded: "host=evil.example" });
      assert.equal(forwarded.json().id, `${service.url}/iiif/3/rocket.jpg`);
    });

    test("information by Accept", async () => {
      const type = async (version, accept) => {
        const { headers } = await get(`/iiif/${version}/rocket.jpg/info.json`, accept ? { accept } : {});
        assert.equal(headers.vary?.includes("Accept") ?? false, version >= "2");
        return headers["content-type"];
      };
      const ld3 = 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"';
      assert.equal(await type("3"), ld3);
      assert.equal(await type("3", "application/ld+json"), ld3);
      assert.equal(await type("3", "application/json"), "application/json");
      assert.equal(await type("2"), "application/json");
      assert.equal(await type("2", "*/*"), "application/json");
      assert.equal(await type("2", "application/ld+json"), "application/ld+json");
      assert.equal(await type("1.1", "application/ld+json"), "application/json");
      const link = async (accept) => (await get("/iiif/2/rocket.jpg/info.json", { accept })).headers.link;
      assert.match(await link("application/json"), /json-ld#context/);
      assert.doesNotMatch(await link("application/ld+json"), /json-ld#context/);
    });

    test("1.x: format by Accept, profile in Link", async () => {
      const { headers, bytes } = await get("/iiif/1.1/rocket.jpg/full/50,/0/native", { accept: "image/png;q=1.0" });
      assert.equal(headers["content-type"], "image/png");
      assert.equal(dimensions(bytes)[0], "png");
      assert.equal(headers.vary, "Accept");
      assert.equal((await get("/iiif/1.0/rocket.jpg/full/50,/0/native")).headers["content-type"], "image/jpeg");
      assert.match((await get("/iiif/1.1/rocket.jpg/info.json")).headers.link, /1\.1\/compliance\.html#level2>;rel="profile"/);
    });

    test("1.0: info.xml, and errors in XML", async () => {
      const info = await get("/iiif/1.0/rocket.jpg/info.xml");
      assert.equal(info.headers["content-type"], "application/xml");
      assert.match(info.text(), /<identifier>rocket\.jpg<\/identifier>/);
      const error = await get("/iiif/1.0/rocket.jpg/full/nothing/0/native.jpg");
      assert.equal(error.status, 400);
      assert.equal(error.headers["content-type"], "text/xml");
      assert.match(error.text(), /<parameter>size<\/parameter>/);
      assert.equal((await get("/iiif/1.0/rocket.jpg/full/nothing/0/native.jpg", { accept: "application/json" })).json().code, "syntax");
    });

    test("errors: status, code, a sentence, and how long they may be kept", async () => {
      const cases = [
        ["/iiif/3/nothing/info.json", 404, "not-found"],
        ["/iiif/3/nothing/full/bad/0/default.jpg", 404, "not-found"],
        ["/iiif/3/rocket.jpg/9999,0,1,1/max/0/default.jpg", 400, "region-outside"],
        ["/iiif/3/rocket.jpg/full/0,/0/default.jpg", 400, "empty-result"],
        ["/iiif/3/rocket.jpg/full/9999,/0/default.jpg", 400, "upscale-needs-caret"],
        ["/iiif/3/rocket.jpg/full/%5E99999,/0/default.jpg", 400, "too-large"],
        ["/iiif/3/rocket.jpg/full/max/361/default.jpg", 400, "syntax"],
        ["/iiif/3/rocket.jpg/full/max/0/sepia.jpg", 400, "syntax"],
        ["/iiif/3/rocket.jpg/full/max/0/default.jp2", 400, "unsupported"],
        ["/iiif/1.1/rocket.jpg/full/full/0/native.jp2", 415, "unsupported"],
        ["/iiif/3/rocket.jpg/full/max/0", 400, "syntax"],
        ["/iiif/3/%E0%A4%A/info.json", 400, "syntax"],
        ["/iiif/4/rocket.jpg/info.json", 404, "no-such-path"],
        ["/nowhere", 404, "no-such-path"],
        [`/iiif/3/${"x".repeat(20_000)}/info.json`, 414, "too-long"],
      ];
      for (const [path, status, code] of cases) {
        const answer = await get(path, { accept: "application/json" });
        assert.equal(answer.status, status, path.slice(0, 100));
        assert.deepEqual([answer.json().status, answer.json().code], [status, code], path.slice(0, 100));
        assert.equal(answer.headers["cache-control"], "public, max-age=60");
        assert.equal(answer.headers["x-content-type-options"], "nosniff");
        const plain = await get(path);
        assert.equal(plain.headers["content-type"], "text/plain; charset=utf-8");
        assert.equal(plain.text(), `${answer.json().error}\n`);
      }
      assert.match((await get("/nowhere")).text(), /\/iiif\/1\.0\/.*\/iiif\/3\//);
    });

    test("what is no image is 501, what is broken 500 without being kept", async () => {
      await service.put("text.jpg", Buffer.from("This is not an image."));
      await service.put("cut.jpg", (await rocket()).subarray(0, 100));
      await service.put("empty.jpg", Buffer.alloc(0));
      assert.equal((await get("/iiif/3/text.jpg/info.json")).status, 501);
      for (const path of ["/iiif/3/cut.jpg/full/max/0/default.jpg", "/iiif/3/empty.jpg/full/max/0/default.jpg"]) {
        const { status, headers, json } = await get(path, { accept: "application/json" });
        assert.ok([500, 501].includes(status), `${path} ${status}`);
        assert.match(json().code, /^source-/);
        assert.equal(headers["cache-control"], "no-store");
      }
      assert.equal((await get(IMAGE)).status, 200);
    });

    test("what is damaged is shown, says so, and is kept for a minute at most", async () => {
      const file = await rocket();
      await service.put("half.jpg", file.subarray(0, file.length / 2));
      const { status, headers } = await get("/iiif/3/half.jpg/full/max/0/default.jpg");
      assert.equal(status, 200);
      assert.match(headers["azulejo-incomplete"], /^rows=[1-9]\d*$/);
      assert.equal(headers["cache-control"], "public, max-age=60");
      assert.deepEqual([headers.etag, headers["last-modified"]], [undefined, undefined]);
      assert.match(headers["access-control-expose-headers"], /Azulejo-Incomplete/);
      // What lies above the damage is whole.
      const above = await get("/iiif/3/half.jpg/0,0,64,16/max/0/default.jpg");
      assert.deepEqual([above.status, above.headers["azulejo-incomplete"]], [200, undefined]);
    });

    test("a download name is cleaned", async () => {
      const name = async (wanted) => {
        const { status, headers } = await get(`${IMAGE}?response-content-disposition=${encodeURIComponent(wanted)}`);
        assert.equal(status, 200, wanted);
        return headers["content-disposition"];
      };
      assert.equal(await name('attachment; filename="my rocket.jpg"'), 'attachment; filename="my rocket.jpg"');
      assert.equal(await name("attachment"), 'attachment; filename="rocket.jpg"');
      assert.equal(await name("inline; filename=a.jpg"), 'inline; filename="a.jpg"');
      assert.equal(await name('attachment; filename="rocket.png"'), 'attachment; filename="rocket.jpg"');
      assert.equal(await name("attachment; filename*=UTF-8''%e2%82%ac.jpg"), "attachment; filename=\"_.jpg\"; filename*=UTF-8''%E2%82%AC.jpg");
      const attacks = [
        'attachment; filename="a\r\nset-cookie: x=1.jpg"',
        'attachment; filename="../../etc/passwd"',
        'attachment; filename="a\0b.exe"',
        "attachment; filename*=UTF-8''%0d%0ax: y",
        "attachment; filename*=UTF-8''%E0%A4%A",
        'x"\r\n\r\n<script>',
        'attachment; filename="a"; filename="b"\\"',
        "\u202Egpj.exe",
        `attachment; filename="${"x".repeat(5000)}"`,
      ];
      for (const attack of attacks) {
        const value = await name(attack);
        assert.match(value, /^attachment; filename="[^"\\/\r\n\0]*\.jpg"(; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/, attack);
        assert.ok(value.length < 2000);
      }
      assert.equal((await get(IMAGE)).headers["content-disposition"], undefined);
    });
  });
}

async function rocket() {
  const { readFileSync } = await import("node:fs");
  const { at } = await import("../../../pkg/lib.mjs");
  return readFileSync(at("www/samples/rocket.jpg"));
}

/** Asks again until the answer is as it should be: caches are filled after the answer has left. */
async function settled(ask, isRight, what) {
  for (let times = 0; times < 50; times++) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  throw new Error(`${what} did not become right`);
}
