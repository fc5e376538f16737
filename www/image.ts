// The page at /image?id=…: one image, its viewer, its addresses, its documents.

import type { Size } from "./page/answer.js";
import { Bench } from "./page/bench.js";
import { copies } from "./page/copy.js";
import { type InfoDocument, fetchDocument, showDocuments } from "./page/documents.js";
import { need, say } from "./page/dom.js";
import { fetched } from "./page/fetched.js";
import { type ImageInfo, type Service, list, newest, pathOf, readInfo, viewable } from "./page/service.js";
import { imageSnippet, showElsewhere, viewerSnippet } from "./page/share.js";
import { path } from "./page/uri.js";
import { dimensions, megapixels } from "./page/words.js";

const leaving = new AbortController();

async function start(): Promise<void> {
  const name = new URLSearchParams(location.search).get("id") ?? "";
  need("name", HTMLElement).textContent = name || "No image";
  document.title = `${name || "No image"} · azulejo`;
  try {
    if (name === "") throw new Error("This page shows one image, but its address names none. Choose one from the list.");
    const { service } = await list({ limit: 1 }, leaving.signal);
    const id = encodeURIComponent(name);
    const info = await readInfo(pathOf(service, newest(service), id), leaving.signal);
    show(name, id, service, info);
  } catch (error) {
    say(need("trouble", HTMLElement), error instanceof Error ? error.message : String(error));
  }
}

function show(name: string, id: string, service: Service, info: ImageInfo): void {
  const here = pathOf(service, newest(service), id);
  const origin = info.id.endsWith(here) ? info.id.slice(0, -here.length) : location.origin;
  const tiles = info.tile ? ` · tiles of ${dimensions(info.tile.width, info.tile.height)}` : "";
  need("facts", HTMLElement).textContent = `${dimensions(info.width, info.height)} pixels · ${megapixels(info.width, info.height)}${tiles}`;
  need("page", HTMLElement).hidden = false;
  showDocuments(documents(service, id, origin), leaving.signal);
  need("snippet-osd", HTMLElement).textContent = viewerSnippet(origin + here);
  for (const kind of ["img", "osd"]) copies(need(`copy-${kind}`, HTMLButtonElement), () => need(`snippet-${kind}`, HTMLElement).textContent ?? "");
  showElsewhere({ name, service: origin + here, version: newest(service), width: info.width, height: info.height });
  build(name, id, service, info, origin);
}

function documents(service: Service, id: string, origin: string): InfoDocument[] {
  const one = (version: string, form: "json" | "xml", label: string): InfoDocument => {
    const path = `${pathOf(service, version, id)}/info.${form}`;
    return { label, form, path, address: origin + path, read: (signal) => fetchDocument(path, form, signal) };
  };
  return ["3", "2", "1.1", "1.0"]
    .filter((version) => service.versions.includes(version))
    .flatMap((version) => (version === "1.0" ? [one(version, "json", "1.0"), one(version, "xml", "1.0 XML")] : [one(version, "json", version)]));
}

function build(name: string, id: string, service: Service, info: ImageInfo, origin: string): void {
  const versions = ["3", "2"].filter((version) => service.versions.includes(version));
  const base = (version: string): string => pathOf(service, version, id);
  const snippet = (path: string, size: Size | null): void => {
    need("snippet-img", HTMLElement).textContent = imageSnippet(`${origin}${base(bench.choice.version)}/${path}`, name, size);
  };
  const bench = new Bench(
    {
      chose({ version }, path) {
        const here = `${base(version)}/${path}`;
        need("open-uri", HTMLAnchorElement).href = here;
        need("save-uri", HTMLAnchorElement).href = `${here}?response-content-disposition=attachment`;
        snippet(path, null);
      },
      answered: (path, { size }) => snippet(path, size),
      failed: (sentence) => say(need("trouble", HTMLElement), sentence),
    },
    leaving.signal,
  );
  copies(need("copy-uri", HTMLButtonElement), () => `${origin}${base(bench.choice.version)}/${bench.path}`);
  bench.lay({
    ...{ name, width: info.width, height: info.height, maxArea: info.maxArea, qualities: info.qualities, formats: service.formats, versions },
    shown: viewable(base(newest(service)), info),
    base: (version) => origin + base(version),
    make: (choice) => fetched(`${base(choice.version)}/${path(choice)}`),
  });
}

void start();
