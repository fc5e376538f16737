// The IIIF Image API over HTTP for whatever can be opened: what the Service Worker and `azulejo/worker` answer with, and the twin of the Rust Worker.

import { IiifError } from "./error.js";
import type { Incomplete, RenderOptions, Version } from "./image.js";
import type { Page } from "./page.js";
import { type Answer, checkMethod, failure, preflight, send, toError } from "./server/answer.js";
import { type Asked, answer } from "./server/resources.js";
import { type Router, VERSIONS, basePath, route } from "./server/route.js";

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

export interface ServerOptions {
  /**
   * The image of an identifier (decoded), or null where there is none: 404. It may also throw an `IiifError`. The server closes nothing.
   * `stale` is an image that turned out to be of a version of the file that is no more: it should be opened anew.
   */
  open(identifier: string, request: Request, stale?: ServedImage): Promise<ServedImage | null>;
  /** Where images are; `{version}` stands for 1.0, 1.1, 2 and 3. Default `/iiif/{version}/`. */
  prefix?: string;
  /** Default: all. Without `{version}` in the prefix it must be one. */
  versions?: readonly Version[];
  /** Whether an identifier may hold slashes that are not encoded. Default false. */
  allowSlashes?: boolean;
  /** What the ids of images begin with, before the prefix: scheme, host and perhaps a path. Default: the request's own. */
  publicUrl?: string;
  /** Default `public, max-age=3600, stale-while-revalidate=604800`. */
  cacheControl?: string;
  /** Whose pages may read the answers. Default `*`. */
  allowedOrigins?: "*" | readonly string[];
  /** Whether requests in another than the canonical form are told it in a header, or are redirected (tiles never are). Default `link`. */
  canonical?: "link" | "redirect";
  /** Told of every error that is not the client's. Default: `console.error`. */
  onError?(error: IiifError, request: Request): void;
  /** Told of every answer to a damaged file that is shown as far as it can be decoded. Default: `console.warn`. */
  onIncomplete?(incomplete: Incomplete, request: Request): void;
}

/** The options with every default filled in. */
export interface Settled extends ServerOptions {
  readonly router: Router;
  readonly cacheControl: string;
  readonly allowedOrigins: "*" | readonly string[];
}

/** Cloudflare's limit; others have none. */
const LONGEST_URL = 16 << 10;

/** A function that answers requests, and with null those whose path is not the server's. It rejects only with the `AbortError` of an aborted request. */
export function server(options: ServerOptions): (request: Request) => Promise<Response | null> {
  const settled = settle(options);
  return async (request) => {
    const { host, path, query } = parts(request.url);
    const routed = route(settled.router, path);
    if (!routed) return null;
    const reply = (answer: Answer): Response => send(answer, request, settled.allowedOrigins);
    try {
      if (request.method === "OPTIONS") return reply(preflight(request.headers.get("access-control-request-headers")));
      checkMethod(request.method);
      checkLength(request.url);
      return reply(await answer({ request, routed, host, query } satisfies Asked, settled));
    } catch (thrown) {
      request.signal?.throwIfAborted();
      const error = toError(thrown);
      if (error.status >= 500) (options.onError ?? report)(error, request);
      // Before the path was read, no version was asked.
      return reply(failure(error, request.headers.get("accept"), error.status === 405 || error.status === 414 ? undefined : routed.version));
    }
  };
}

function parts(url: string): { host: string; path: string; query: string } {
  const [, host = "", path = "", query = ""] = /^([^:]*:\/\/[^/?#]*)([^?#]*)(\?[^#]*)?/.exec(url) ?? [];
  return { host, path, query };
}

/** @internal */
export function checkLength(url: string): void {
  const { path, query } = parts(url);
  if (path.length + query.length > LONGEST_URL) throw new IiifError("too-long", 414, "The address is too long.");
}

/** The paths under which a server has images, one a version. @internal */
export function prefixes(options: Pick<ServerOptions, "prefix" | "versions">): string[] {
  const { router } = settle(options);
  return router.versions.map((version) => basePath(router, version, ""));
}

function report(error: IiifError): void {
  console.error(error);
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

function settle(options: Omit<ServerOptions, "open">): Settled {
  const { prefix = "/iiif/{version}/", versions = VERSIONS, allowSlashes = false, publicUrl, allowedOrigins = "*" } = options;
  const refuse = (name: string, expected: string): never => {
    throw new IiifError("invalid-argument", 400, `The option ${name} should be ${expected}.`);
  };
  const holes = prefix.split("{version}").length - 1;
  if (!/^\/(?:[!-~]*\/)?$/.test(prefix) || /[?#%\\"<>^`|]|\/\//.test(prefix) || holes > 1) refuse("prefix", "a path such as /iiif/{version}/");
  if (!versions.length || versions.some((version) => !VERSIONS.includes(version))) refuse("versions", "a list of 1.0, 1.1, 2 and 3");
  if (!holes && versions.length > 1) refuse("versions", "exactly one, as the prefix has no {version}");
  if (publicUrl !== undefined && !/^https?:\/\/[^\s?#]+$/.test(publicUrl)) refuse("publicUrl", "a URL such as https://images.example.org, without a query");
  if (allowedOrigins !== "*" && !allowedOrigins.every(isOrigin)) {
    refuse("allowedOrigins", "* or a list of origins such as https://example.org");
  }
  return {
    open: async () => null,
    cacheControl: "public, max-age=3600, stale-while-revalidate=604800",
    ...options,
    allowedOrigins,
    router: { prefix, versions, allowSlashes },
    ...(publicUrl !== undefined && { publicUrl: publicUrl.replace(/\/+$/, "") }),
  };
}
