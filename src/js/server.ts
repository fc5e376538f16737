// The IIIF Image API over HTTP for whatever can be opened: a host of the core's HTTP service, for images that were opened before.

import { checkService } from "./check.js";
import { IiifError } from "./error.js";
import type { Images } from "./host/exchange.js";
import { respond } from "./host/exchange.js";
import { isolate } from "./host/images.js";
import type { Isolate, ServiceEngine } from "./host/isolate.js";
import type { Incomplete, RenderOptions, Version } from "./image.js";
import { type Page, parsePage } from "./page.js";
import { leadsToMax } from "./request/bounds.js";
import { type Info, readInfo } from "./request/info.js";
import type { ServiceSettings } from "./settings.js";

/** What is known of a request besides its text. */
export interface ServedRequest extends RenderOptions {
  version: Version;
  /** The canonical form: the same for every spelling, to cache under. */
  canonical: string;
}

/** An image that is served. Every `IiifImage` is one. */
export interface ServedImage {
  info(options: { id: string; version?: Version }): Record<string, unknown>;
  /** `timing` becomes the header `Server-Timing`, and the rows of what is `incomplete` the header `Azulejo-Incomplete`. */
  render(request: string, options: ServedRequest): Promise<{ bytes: Uint8Array | ReadableStream<Uint8Array>; timing?: string; incomplete?: Incomplete }>;
  /** The identifier of the document that this is a page of, where pages have names: `name;2` is the second page of `name`, `name;label` the label of a slide. Its information links to the pages around it. */
  readonly document?: string | undefined;
  /** Which page of a document this is, from 1, or which image beside a slide; and whether there is another page after it. */
  readonly page?: Page | undefined;
  readonly hasNext?: boolean;
  /** Names the version of the file and the settings it is rendered with: answers have an ETag if it is known. */
  readonly etag?: string | undefined;
  /** When the file was last modified. */
  readonly modified?: Date | undefined;
}

/** What is told to the owner of a service. */
export interface ServerListeners {
  /** Told of every error that is not the client's. Default: a line of JSON in the console. */
  onError?(error: IiifError, request: Request): void;
  /** Told of every answer to a damaged file that is shown as far as it can be decoded. Default: a line of JSON in the console. */
  onIncomplete?(incomplete: Incomplete, request: Request): void;
}

export interface ServerOptions extends ServerListeners, Pick<ServiceSettings, "prefix" | "versions" | "allowSlashes" | "publicUrl" | "cacheControl" | "allowedOrigins" | "canonical" | "log"> {
  /**
   * The image of an identifier (decoded), or null where there is none: 404. It may also throw an `IiifError`. The server closes nothing.
   * `stale` is an image that turned out to be of a version of the file that is no more: it should be opened anew.
   */
  open(identifier: string, request: Request, stale?: ServedImage): Promise<ServedImage | null>;
}

/** What an identifier may mean: a document and a page of it. In the order in which they are tried. @internal */
export interface Candidate {
  readonly document: string;
  readonly page: Page;
}

/** A function that answers requests, and with null those whose path is not the server's. It rejects only with the `AbortError` of an aborted request. */
export function server(options: ServerOptions): (request: Request) => Promise<Response | null> {
  const { open, ...rest } = options;
  return serving(rest, isolate(), (_, identifier, request, stale) => open(identifier, request, stale));
}

/** The same in this isolate, for images that are opened by what their identifier may mean. @internal */
export function serving(
  { onError, onIncomplete, ...settings }: ServerListeners & ServiceSettings,
  isolate: Isolate,
  open: (candidates: readonly Candidate[], identifier: string, request: Request, stale: ServedImage | undefined) => Promise<ServedImage | null>,
): (request: Request) => Promise<Response | null> {
  checkService(settings);
  const starts = prefixes(settings);
  const options = { ...settings, log: settings.log ?? "errors" };
  const served = { isolate, make: (engine: ServiceEngine) => engine.imagesService(options), ...(onError && { onError }), ...(onIncomplete && { onIncomplete }) };
  return async (request) => {
    // What is certainly not for this server needs no engine.
    const path = pathOf(request.url);
    if (!starts.some((start) => path.startsWith(start))) return null;
    return respond(served, request, { images: opening(request, open) }, (work) => void work.catch(() => undefined));
  };
}

const pathOf = (url: string): string => /^[^:]*:\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] ?? "";

/** What the paths of a service begin with, one for each version. @internal */
export const prefixes = ({ prefix = "/iiif/{version}/", versions = ["1.0", "1.1", "2", "3"] }: Pick<ServiceSettings, "prefix" | "versions">): string[] =>
  versions.map((version) => prefix.replace("{version}", version));

function opening(request: Request, open: (candidates: readonly Candidate[], identifier: string, request: Request, stale: ServedImage | undefined) => Promise<ServedImage | null>): Images {
  const opened = new Map<number, ServedImage>();
  const image = (number: number): ServedImage => {
    const found = opened.get(number);
    if (!found) throw new IiifError("internal", 500, `The service asked for the image ${number}, which was not opened.`);
    return found;
  };
  return {
    async open({ number, identifier, documents, pages, stale, version }) {
      const candidates = documents.map((document, index) => ({ document, page: parsePage(pages[index] ?? "") ?? 1 }));
      const found = await open(candidates, identifier, request, stale === undefined ? undefined : opened.get(stale));
      if (!found) return {};
      opened.set(number, found);
      return { text: described(found, version) };
    },
    describe({ image: number, id, version, lines }) {
      const document = image(number).info({ id, version });
      return { text: `${profileOf(document)}\n${lines ? propertiesOf(document) : JSON.stringify(document)}` };
    },
    render: ({ image: number, request: text, version, canonical }, signal) => image(number).render(text, { version, canonical, ...(signal && { signal }) }),
  };
}

/** What an image is, in the lines of `src/service/served.rs`; the first is empty if its own information document is none. */
function described(image: ServedImage, version: Version): string {
  try {
    const info = readInfo(image.info({ id: "", version: "3" }));
    const { width, height, maxArea, upscaling, formats } = info;
    const { maxWidth, maxHeight }: Partial<Info> = leadsToMax(info) ? {} : info;
    const { etag, modified, page = 1, hasNext = false, document } = image;
    const offered = [width, height, maxWidth, maxHeight, maxArea, upscaling, formats.join(" "), profileOf(image.info({ id: "", version }))];
    return [...offered, etag, modified?.getTime(), page, hasNext, document].map((part) => String(part ?? "").replaceAll("\n", " ")).join("\n");
  } catch {
    return "";
  }
}

const profileOf = ({ profile }: Record<string, unknown>): string => String(Array.isArray(profile) ? profile[0] : profile);

/** A line for each property: its name and its values, separated by tabs. */
const propertiesOf = (document: Record<string, unknown>): string =>
  Object.entries(document)
    .map(([name, value]) => [name, ...(Array.isArray(value) ? value : [value])].map((part) => String(part).replace(/[\t\n]/g, " ")).join("\t"))
    .join("\n");
