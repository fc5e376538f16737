// From a URL's path to what it asks for: 1.x §2, 2.1 §2, 3.0 §2, and §9 on decoding. The twin of `src/api/route.rs`.

import { syntax } from "../request/error.js";
import { parse } from "../request/image-request.js";
import type { ImageRequest } from "../request/image-request.js";
import { parseRegion } from "../request/region.js";
import { parseRotation } from "../request/rotation.js";
import { parseSize } from "../request/size.js";
import type { Version } from "../request/version.js";
import { decode } from "./identifier.js";

/** The versions in the order in which they are tried and named. */
export const VERSIONS: readonly Version[] = ["1.0", "1.1", "2", "3"];

const HOLE = "{version}";

/** Which paths are the server's, and how they are read. */
export interface Router {
  /** What stands before the identifier, with `{version}` at most once. */
  readonly prefix: string;
  /** Without `{version}` in the prefix it is the first. */
  readonly versions: readonly Version[];
  /** Whether an identifier may hold slashes that are not encoded. */
  readonly allowSlashes: boolean;
}

/** What a path asks for; an image request has also the text that it was read from. */
export type What = { readonly ask: "base" } | { readonly ask: "info"; readonly form: "json" | "xml" } | { readonly ask: "image"; readonly request: ImageRequest & { readonly version: Version }; readonly text: string };

/** A path under the prefix, read. */
export interface Routed {
  readonly version: Version;
  /** The identifier as it stands in the URL. */
  readonly raw: string;
  /** What is asked of the image; throws for a request that is not well-formed, which is told only if the image exists. */
  readonly what: () => What;
}

/** Reads a path as it was received: percent-encoded, without a query. `undefined` if it is not the server's. */
export function route(router: Router, path: string): Routed | undefined {
  for (const version of router.versions) {
    const rest = restOf(router, version, path);
    if (rest === undefined) continue;
    if (!rest || rest.startsWith("/")) return undefined;
    return { version, ...(router.allowSlashes ? fromTheRight(version, rest) : fromTheLeft(version, rest)) };
  }
  return undefined;
}

/** The path of an image's base URI; the identifier is encoded already. */
export function basePath(router: Router, version: Version, raw: string): string {
  const prefix = trimmed(router).replace(HOLE, version);
  return prefix ? `/${prefix}/${raw}` : `/${raw}`;
}

const trimmed = ({ prefix }: Router): string => prefix.replace(/^\/+|\/+$/g, "");

/** What follows the prefix of a version. */
function restOf(router: Router, version: Version, path: string): string | undefined {
  const prefix = trimmed(router);
  if (!prefix.includes(HOLE) && router.versions[0] !== version) return undefined;
  const start = basePath(router, version, "");
  return path.startsWith(start) ? path.slice(start.length) : undefined;
}

type Parted = Pick<Routed, "raw" | "what">;

/** The identifier is the first segment. */
function fromTheLeft(version: Version, rest: string): Parted {
  const at = rest.indexOf("/");
  const tail = rest.slice(at + 1);
  // A slash at the end is part of the base URI for those who write it so.
  if (at < 0 || !tail) return { raw: at < 0 ? rest : rest.slice(0, at), what: () => ({ ask: "base" }) };
  return { raw: rest.slice(0, at), what: () => infoForm(version, tail) ?? image(version, tail) };
}

/** The identifier is whatever stands before what is understood. */
function fromTheRight(version: Version, rest: string): Parted {
  const at = rest.lastIndexOf("/");
  if (at >= 0) {
    const info = infoForm(version, rest.slice(at + 1));
    if (info) return { raw: rest.slice(0, at), what: () => info };
    if (at === rest.length - 1) {
      const what = (): What => {
        if (rest.endsWith("//")) throw syntax("path", rest, "at most one slash at the end");
        return { ask: "base" };
      };
      return { raw: rest.replace(/\/+$/, ""), what };
    }
  }
  const [, raw, tail] = /^(.*)\/([^/]*\/[^/]*\/[^/]*\/[^/]*)$/s.exec(rest) ?? [];
  if (raw !== undefined && tail !== undefined) {
    const what = (): What => image(version, tail);
    if (sound(what) || resemblesRequest(version, tail)) return { raw, what };
  }
  return { raw: rest, what: () => ({ ask: "base" }) };
}

function image(version: Version, text: string): What {
  if (text.split("/").length !== 4) throw syntax("path", text, "{identifier}/{region}/{size}/{rotation}/{quality}.{format}");
  return { ask: "image", request: parse(text, version), text };
}

function infoForm(version: Version, segment: string): What | undefined {
  const name = decode(segment);
  if (name === "info.json") return { ask: "info", form: "json" };
  return name === "info.xml" && version === "1.0" ? { ask: "info", form: "xml" } : undefined;
}

/** Whether four segments are an image request with a mistake rather than part of an identifier: two of the first three parameters are sound. */
function resemblesRequest(version: Version, tail: string): boolean {
  const [region = "", size = "", rotation = ""] = tail.split("/").map((part) => decode(part) ?? "");
  const parts = [() => parseRegion(version, region), () => parseSize(version, size), () => parseRotation(version, rotation)];
  return parts.filter(sound).length >= 2;
}

function sound(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
