// The Image API's three resources: base URI, information, image. The twin of `src/service/resource.rs` and `condition.rs`.

import { IiifError } from "../error.js";
import type { Incomplete } from "../image.js";
import { quoted } from "../request/error.js";
import { type ImageRequest, format as textOf } from "../request/image-request.js";
import { type Info, readInfo } from "../request/info.js";
import { resolve } from "../request/resolve.js";
import { isFirst } from "../request/version.js";
import type { Settled, ServedImage } from "../server.js";
import { type Answer, UNTRUSTED, incomplete, notModified } from "./answer.js";
import { disposition } from "./disposition.js";
import { hash } from "./hash.js";
import { decodeIdentifier, encodeIdentifier, ofPage } from "./identifier.js";
import { canonicalLink, infoMediaType, mediaType, negotiateFormat } from "./negotiate.js";
import { type Routed, type What, basePath } from "./route.js";
import { infoXml } from "./xml.js";

/** What 2.x recommends where JSON-LD is sent as plain JSON (2.0 §5). */
const CONTEXT_LINK = '<http://iiif.io/api/image/2/context.json>;rel="http://www.w3.org/ns/json-ld#context";type="application/ld+json"';

/** A request under the prefix. */
export interface Asked {
  readonly request: Request;
  readonly routed: Routed;
  /** Scheme, host and port as the client wrote them. */
  readonly host: string;
  /** The query with its question mark, or empty. */
  readonly query: string;
}

/** Answers; an image that was replaced meanwhile is asked for anew, once. */
export async function answer(asked: Asked, options: Settled): Promise<Answer> {
  const identifier = decodeIdentifier(asked.routed.raw);
  let stale: ServedImage | undefined;
  const attempt = async (): Promise<Answer> => {
    const [what, image] = await find(asked, options, identifier, stale);
    stale = image;
    return new Resource(asked, options, identifier, image).answer(what);
  };
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof IiifError && error.code === "source-changed") return attempt();
    throw error;
  }
}

/** The image, and what is asked of it. A mistake in the rest of the path is told of images that exist, be they sound or not. */
async function find({ request, routed }: Asked, options: Settled, identifier: string, stale: ServedImage | undefined): Promise<[What, ServedImage | undefined]> {
  try {
    const image = await options.open(identifier, request, stale);
    if (!image) throw new IiifError("not-found", 404, `There is no image ${quoted(identifier)}.`);
    return [routed.what(), image];
  } catch (error) {
    const aboutFile = error instanceof IiifError && ["source-unsupported", "source-corrupt", "source-too-costly"].includes(error.code);
    const what = aboutFile ? routed.what() : undefined;
    if (what?.ask !== "base") throw error;
    return [what, undefined];
  }
}

class Resource {
  readonly #parameters: URLSearchParams;

  constructor(
    readonly asked: Asked,
    readonly options: Settled,
    readonly identifier: string,
    readonly image: ServedImage | undefined,
  ) {
    this.#parameters = new URLSearchParams(asked.query);
  }

  async answer(what: What): Promise<Answer> {
    const { image } = this;
    if (what.ask === "base" || !image) return this.#redirect(`${this.#base(this.asked.routed.raw)}/info.json`);
    return what.ask === "info" ? this.#info(image, what.form) : this.#image(image, what);
  }

  /** The base URI at this server's own address, for an identifier as it stands in a URL. */
  #base(raw: string): string {
    const { publicUrl = this.asked.host, router } = this.options;
    return publicUrl + basePath(router, this.asked.routed.version, raw);
  }

  #redirect(location: string): Answer {
    return { status: 303, headers: [["location", location], ["cache-control", this.#cacheControl()]] };
  }

  #cacheControl(): string {
    return this.#parameters.get("cache") === "false" ? "no-store" : this.options.cacheControl;
  }

  #info(image: ServedImage, form: "json" | "xml"): Answer {
    const { version, raw } = this.asked.routed;
    // Of 1.0 the identifier is told by itself, which must be one segment to be known.
    const document = image.info({ id: this.#base(version === "1.0" ? encodeIdentifier(this.identifier) : raw), version });
    const [type, body] =
      form === "json" ? [infoMediaType(version, this.asked.request.headers.get("accept")), JSON.stringify(document)] : ["application/xml", infoXml(document, this.identifier)];
    const headers: Answer["headers"] = [["content-type", type], ["x-content-type-options", "nosniff"]];
    if (!isFirst(version)) headers.push(["vary", "Accept"]);
    if (version === "2" && type === "application/json") headers.push(["link", CONTEXT_LINK]);
    headers.push(["link", profileLink(document)]);
    const { document: name, page = 1, hasNext } = image;
    if (name !== undefined) {
      const link = (page: number, relation: string): void => void headers.push(["link", `<${this.#base(encodeIdentifier(ofPage(name, page)))}/info.json>;rel="${relation}"`]);
      if (typeof page === "number" && page > 1) link(page - 1, "prev");
      if (typeof page === "number" && hasNext) link(page + 1, "next");
    }
    return this.#validated(image, { status: 200, headers, body }, [type, body]);
  }

  async #image(image: ServedImage, { request: asked, text }: What & { ask: "image" }): Promise<Answer> {
    const { routed, request, query } = this.asked;
    const { version } = routed;
    const info = readOwn(image);
    const negotiated = asked.format === undefined;
    const format = asked.format ?? negotiateFormat(request.headers.get("accept"), info.formats);
    const whole = { ...asked, format };
    const resolved = resolve(whole, info);
    const base = this.#base(encodeIdentifier(this.identifier));
    if (this.options.canonical === "redirect" && !isFirst(version) && textOf(whole) !== resolved.canonical && !isTile(asked)) {
      return this.#redirect(`${base}/${resolved.canonical}${query}`.replaceAll("^", "%5E"));
    }
    const headers: Answer["headers"] = [
      ["content-type", mediaType(format)],
      ["link", profileLink(image.info({ id: base, version }))],
      ["link", canonicalLink(`${base}/${resolved.canonical}`)],
      ...UNTRUSTED,
    ];
    if (negotiated) headers.push(["vary", "Accept"]);
    const wanted = this.#parameters.get("response-content-disposition");
    if (wanted !== null) headers.push(["content-disposition", disposition(wanted, this.identifier, format)]);
    const answer = this.#validated(image, { status: 200, headers }, [this.identifier, resolved.canonical]);
    if (answer.status !== 200) return answer;
    const signal: AbortSignal | undefined = request.signal;
    const file = await image.render(negotiated ? `${text}.${format}` : text, { version, canonical: resolved.canonical, ...(signal && { signal }) });
    answer.body = file.bytes;
    if (file.timing !== undefined) answer.headers.push(["server-timing", file.timing]);
    if (!file.incomplete) return answer;
    const { onIncomplete = warn } = this.options;
    onIncomplete(file.incomplete, request);
    return incomplete(answer, file.incomplete.rows);
  }

  /** Adds what clients need to keep the answer, or turns it into a 304 if they have it. */
  #validated({ etag, modified }: ServedImage, answer: Answer, parts: readonly string[]): Answer {
    const { headers } = this.asked.request;
    const own = etag === undefined ? undefined : `"${hash([etag, ...parts])}"`;
    if (own !== undefined) answer.headers.push(["etag", own]);
    if (modified) answer.headers.push(["last-modified", modified.toUTCString()]);
    answer.headers.push(["cache-control", this.#cacheControl()]);
    const [list, since] = [headers.get("if-none-match"), headers.get("if-modified-since")];
    const fresh =
      list !== null
        ? own !== undefined && list.split(",").some((tag) => ["*", own].includes(tag.trim().replace(/^W\//, "")))
        : // HTTP's dates have whole seconds.
          since !== null && modified !== undefined && Date.parse(since) >= Math.floor(modified.getTime() / 1000) * 1000;
    return fresh ? notModified(answer) : answer;
  }
}

/** One line of JSON, without the query. */
function warn({ rows, damage }: Incomplete, request: Request): void {
  console.warn(JSON.stringify({ event: "incomplete", path: new URL(request.url).pathname.slice(0, 256), rows, detail: damage.slice(0, 256) }));
}

/** What the service of an image offers. Its own document is not the client's fault. */
function readOwn(image: ServedImage): Info {
  try {
    return readInfo(image.info({ id: "", version: "3" }));
  } catch (cause) {
    throw new IiifError("internal", 500, "The image's own information document is not one.", { cause });
  }
}

/** The `Link` header that names the compliance level, which only 3.0 does not name by its URI. */
function profileLink({ profile }: Record<string, unknown>): string {
  const level = String(Array.isArray(profile) ? profile[0] : profile);
  return `<${level.includes(":") ? level : `http://iiif.io/api/image/3/${level}.json`}>;rel="profile"`;
}

/** Whether this is what viewers ask for by the hundred: to redirect it would double every request. */
function isTile({ region, size }: ImageRequest): boolean {
  const pixels = region === "full" || (typeof region === "object" && "x" in region);
  return pixels && typeof size === "object" && "width" in size && size.width !== undefined && !("confined" in size && size.confined);
}
