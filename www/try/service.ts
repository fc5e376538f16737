// A service of the IIIF Image API elsewhere. The viewer opens it directly; it makes its own pictures.
// If it is of level 0 and cannot, they are made here of its tiles.

import { IiifError, level0Source, open } from "azulejo";
import { canonical, parse, readInfo } from "azulejo/request";
import { fetched } from "../page/fetched.js";
import { parseInfo } from "../page/service.js";
import { path } from "../page/uri.js";
import { dimensions, megapixels } from "../page/words.js";
import { type Opened, type Origin, nameOf, opened } from "./origin.js";

/** px, the longer side. */
const THUMBNAIL = 240;

/** The service whose information document lies at this address. */
export function serviceOrigin(url: URL): Origin {
  const base = url.href.replace(/\/info\.json(?=$|[?#]).*/, "");
  const name = nameOf(new URL(base));
  const open = async (signal: AbortSignal): Promise<Opened> => {
    const found = await documentAt(url, signal);
    return readInfo(found).level === 0 ? openLevel0(name, base, found, signal) : openService(name, base, found);
  };
  return { name, open };
}

async function documentAt(url: URL, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, headers: { accept: "application/ld+json, application/json;q=0.9" } }).catch((cause: unknown) => {
    signal.throwIfAborted();
    const message = `${url.href} could not be fetched. The server may be out of reach, or does not allow this site to read it (CORS: Access-Control-Allow-Origin).`;
    throw new IiifError("source-unreachable", 503, message, { cause });
  });
  if (!response.ok) throw new IiifError(response.status === 404 ? "not-found" : "source-read", 503, `${url.href} answered with status ${response.status}.`);
  return response.json().catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new IiifError("source-unsupported", 501, `${url.href} is no information document: it is not JSON.`, { cause });
  });
}

async function openLevel0(name: string, base: string, document: unknown, signal: AbortSignal): Promise<Opened> {
  const image = await open(level0Source(`${base}/info.json`), { signal });
  const { width, height, version } = readInfo(document);
  const facts = [`service of version ${version}, level 0`, `${dimensions(width, height)} pixels`, megapixels(width, height)].join(" · ");
  return { ...opened(name, image, facts), shown: named(document, base) };
}

function openService(name: string, base: string, document: unknown): Opened {
  const service = readInfo(document);
  const { width, height, version, formats, level } = service;
  const { qualities, maxArea } = parseInfo(document);
  const first = version.startsWith("1.");
  return {
    ...{ name, width, height, maxArea, formats, versions: [version], image: null, shown: named(document, base) },
    qualities: first ? qualities.map((quality) => (quality === "default" ? "native" : quality)) : qualities,
    facts: [`service of version ${version}, level ${level}`, `${dimensions(width, height)} pixels`, megapixels(width, height)].join(" · "),
    base: () => base,
    make: (choice) => fetched(`${base}/${path(choice)}`),
    async thumbnail(signal) {
      // What services of level 1 have too.
      const size = width >= height ? `${Math.min(THUMBNAIL, width)},` : `,${Math.min(THUMBNAIL, height)}`;
      return (await fetched(`${base}/full/${size}/0/${first ? "native" : "default"}.jpg`)(signal)).blob;
    },
    canonical: (choice) => canonical(parse(path(choice), version), service),
    documents: () => [{ label: version, form: "json", path: `${base}/info.json`, address: `${base}/info.json`, read: async () => JSON.stringify(document) }],
    close: () => undefined,
  };
}

/** What the viewer opens. A document's own id may be wrong; under the address that answered, the service can be reached. */
function named(document: unknown, base: string): object | string {
  const { version } = readInfo(document);
  if (version === "1.0") return `${base}/info.json`;
  return { ...(document as object), [version === "3" ? "id" : "@id"]: base };
}
