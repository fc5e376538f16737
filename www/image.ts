// The page at /image?id=…: one image, its viewer, its addresses, its documents.

import { Answer } from "./page/answer.js";
import { Builder } from "./page/builder.js";
import { copies } from "./page/copy.js";
import { type InfoDocument, showDocuments } from "./page/documents.js";
import { el, need, say, whenQuiet } from "./page/dom.js";
import { type ImageInfo, type Service, list, newest, pathOf, readInfo } from "./page/service.js";
import { imageSnippet, showElsewhere, viewerSnippet } from "./page/share.js";
import { Stage } from "./page/stage.js";
import { expectedPixels, path as pathOfChoice, regionRect, slots } from "./page/uri.js";
import { dimensions, megapixels } from "./page/words.js";

/** Answers expected to be larger than this are fetched on request only. */
const TOO_MANY_PIXELS = 6_000_000;

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
  const path = pathOf(service, newest(service), id);
  const origin = info.id.endsWith(path) ? info.id.slice(0, -path.length) : location.origin;
  const tiles = info.tile ? ` · tiles of ${dimensions(info.tile.width, info.tile.height)}` : "";
  need("facts", HTMLElement).textContent = `${dimensions(info.width, info.height)} pixels · ${megapixels(info.width, info.height)}${tiles}`;
  need("page", HTMLElement).hidden = false;
  showDocuments(documents(service, id, origin), leaving.signal);
  need("snippet-osd", HTMLElement).textContent = viewerSnippet(origin + path);
  for (const kind of ["img", "osd"]) copies(need(`copy-${kind}`, HTMLButtonElement), () => need(`snippet-${kind}`, HTMLElement).textContent ?? "");
  showElsewhere({ name, service: origin + path, version: newest(service), width: info.width, height: info.height });
  build(name, id, service, info, origin);
}

function documents(service: Service, id: string, origin: string): InfoDocument[] {
  const one = (version: string, form: "json" | "xml", label: string): InfoDocument => {
    const path = `${pathOf(service, version, id)}/info.${form}`;
    return { label, form, path, address: origin + path };
  };
  return ["3", "2", "1.1", "1.0"]
    .filter((version) => service.versions.includes(version))
    .flatMap((version) => (version === "1.0" ? [one(version, "json", "1.0"), one(version, "xml", "1.0 XML")] : [one(version, "json", version)]));
}

function build(name: string, id: string, service: Service, info: ImageInfo, origin: string): void {
  const versions = ["3", "2"].filter((version) => service.versions.includes(version));
  const answer = new Answer(leaving.signal);
  const builder = new Builder({ width: info.width, height: info.height, qualities: info.qualities, formats: service.formats, versions }, () => changed());
  const here = (): string => `${pathOf(service, builder.choice().version, id)}/${pathOfChoice(builder.choice())}`;
  const fetchNow = async (): Promise<void> => {
    need("big", HTMLElement).hidden = true;
    const asked = here();
    const size = await answer.ask(asked, `${name}, as asked for`);
    if (size && asked === here()) need("snippet-img", HTMLElement).textContent = imageSnippet(origin + asked, name, size);
  };
  const fetchSoon = whenQuiet(350, () => {
    const pixels = expectedPixels(builder.choice(), info.width, info.height, info.maxArea);
    if (pixels <= TOO_MANY_PIXELS) return void fetchNow();
    answer.clear();
    need("big-text", HTMLElement).textContent = `This picture would have about ${megapixels(pixels, 1)}.`;
    need("big", HTMLElement).hidden = false;
  });
  let stage: Stage | null = null;
  const changed = (): void => {
    const choice = builder.choice();
    const path = here();
    tell(origin, pathOf(service, choice.version, id), slots(choice));
    need("open-uri", HTMLAnchorElement).href = path;
    need("save-uri", HTMLAnchorElement).href = `${path}?response-content-disposition=attachment`;
    need("snippet-img", HTMLElement).textContent = imageSnippet(origin + path, name, null);
    stage?.mark(choice.region === "full" ? null : regionRect(choice, info.width, info.height));
    fetchSoon();
  };
  copies(need("copy-uri", HTMLButtonElement), () => origin + here());
  need("fetch", HTMLButtonElement).addEventListener("click", () => void fetchNow());
  try {
    stage = new Stage(
      need("viewer", HTMLElement),
      pathOf(service, newest(service), id),
      info,
      (rect) => builder.region(rect),
      (sentence) => say(need("trouble", HTMLElement), sentence),
    );
  } catch (error) {
    say(need("trouble", HTMLElement), error instanceof Error ? error.message : String(error));
  }
  changed();
}

/** The URI, each slot in its pigment. */
function tell(origin: string, path: string, { region, size, rotation, quality, format }: ReturnType<typeof slots>): void {
  const slot = (name: string, text: string): HTMLElement => el("b", { "data-slot": name, title: name }, text);
  need("uri", HTMLElement).replaceChildren(
    `${origin}${path}/`,
    slot("region", region),
    "/",
    slot("size", size),
    "/",
    slot("rotation", rotation),
    "/",
    slot("quality", quality),
    ".",
    slot("format", format),
  );
}

void start();
