// Answers: status, headers and body, errors included. The twin of `src/service/{answer,failure,cors,condition}.rs`.

import { IiifError } from "../error.js";
import type { Version } from "../request/version.js";
import { errorXml } from "./xml.js";

const METHODS = "GET, HEAD, OPTIONS";

/** Refuses every other method than these; OPTIONS is answered before. */
export function checkMethod(method: string): void {
  if (method !== "GET" && method !== "HEAD") throw new IiifError("method-not-allowed", 405, "Only GET, HEAD and OPTIONS are allowed.");
}

const EXPOSED = "Azulejo-Incomplete, Content-Disposition, Content-Length, ETag, Last-Modified, Link, Location, Retry-After, Server-Timing";

/** An answer that has not left yet. */
export interface Answer {
  status: number;
  headers: [name: string, value: string][];
  /** Of a stream nobody knows yet how long it is. */
  body?: string | Uint8Array | ReadableStream<Uint8Array>;
}

/** What came from a file or a URL is shown, never run. */
export const UNTRUSTED: readonly [string, string][] = [
  ["content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"],
  ["x-content-type-options", "nosniff"],
];

/** Errors after which the same request may succeed without anything being mended. */
const RETRYABLE: readonly string[] = ["busy", "overloaded", "source-read", "source-changed", "source-unreachable"];

/** An error on its way to the client; in the XML of 1.0 if that version was asked. */
export function failure(error: IiifError, accept: string | null, version: Version | undefined): Answer {
  const { status, code, message } = error;
  const [type, body] = accept?.includes("json")
    ? ["application/json", `${JSON.stringify({ code, error: message, status })}\n`]
    : version === "1.0" && !["too-long", "busy"].includes(code)
      ? ["text/xml", errorXml(error)]
      : ["text/plain; charset=utf-8", `${message}\n`];
  const headers: Answer["headers"] = [["content-type", type], ["cache-control", status < 500 ? "public, max-age=60" : "no-store"], ["vary", "Accept"], ...UNTRUSTED];
  if (status === 405) headers.push(["allow", METHODS]);
  if (RETRYABLE.includes(code)) headers.push(["retry-after", "1"]);
  return { status, headers, body };
}

/** Whatever was thrown, as an error that may be told: a defect is never detailed to the client. */
export function toError(thrown: unknown): IiifError {
  if (thrown instanceof IiifError && thrown.code !== "internal" && thrown.code !== "engine") return thrown;
  return new IiifError("internal", 500, "Something went wrong inside this service.", { cause: thrown });
}

/** The answer to OPTIONS. */
export function preflight(asked: string | null): Answer {
  const names = (asked ?? "").split(",").map((name) => name.trim()).filter((name) => /^[A-Za-z0-9-]+$/.test(name));
  return {
    status: 204,
    headers: [
      ["allow", METHODS],
      ["access-control-allow-methods", METHODS],
      ["access-control-allow-headers", names.slice(0, 32).join(", ") || "accept, if-none-match, if-modified-since"],
      ["access-control-max-age", "86400"],
    ],
  };
}

/** The same without a body, because the client has it. */
export const notModified = ({ headers }: Answer): Answer => ({ status: 304, headers: headers.filter(([name]) => name !== "content-type") });

/** The same of a damaged image, of which so many rows could be decoded. It is kept for a minute at most, and cannot be confirmed: a 304 would not tell. */
export function incomplete(answer: Answer, rows: number): Answer {
  const headers = answer.headers.filter(([name]) => name !== "etag" && name !== "last-modified");
  const told = headers.map(([name, value]): [string, string] => [name, name === "cache-control" ? brief(value) : value]);
  return { ...answer, headers: [...told, ["azulejo-incomplete", `rows=${rows}`]] };
}

const BRIEF = 60;

/** `Cache-Control` for a minute at most, with everything else that it says. */
function brief(control: string): string {
  const directives: string[] = [];
  let lasts = true;
  for (const directive of control.split(",").map((part) => part.trim()).filter(Boolean)) {
    const [text = "", value = ""] = directive.split("=", 2);
    const name = text.trim().toLowerCase();
    if (name === "max-age" || name === "s-maxage") {
      const digits = /^\s*"?(\d+)"?\s*$/.exec(value)?.[1];
      lasts &&= name !== "max-age";
      directives.push(`${name}=${Math.min(Number(digits ?? 0), BRIEF)}`);
    } else if (!["stale-while-revalidate", "stale-if-error", "immutable"].includes(name)) {
      lasts &&= name !== "no-store" && name !== "no-cache";
      directives.push(directive);
    }
  }
  // Without an age caches choose one.
  return [...directives, ...(lasts ? [`max-age=${BRIEF}`] : [])].join(", ");
}

/** As the runtime wants it. A body is kept back from HEAD, but its length is told. Credentials are never allowed, so `*` is the honest default. */
export function send({ status, headers: given, body }: Answer, request: Request, origins: "*" | readonly string[]): Response {
  const headers = new Headers();
  const add = (name: string, value: string): void => {
    try {
      headers.append(name, value);
    } catch {
      // A value that is no header is left out: nothing of a request may break an answer.
    }
  };
  for (const [name, value] of given) add(name, value);
  const origin = request.headers.get("origin");
  const allowed = origins === "*" ? "*" : origin !== null && origins.includes(origin) ? origin : undefined;
  if (allowed !== undefined) {
    add("access-control-allow-origin", allowed);
    add("access-control-expose-headers", EXPOSED);
  }
  if (origins !== "*") add("vary", "Origin");
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const stream = bytes instanceof ReadableStream;
  if (status !== 204 && status !== 304) {
    if (!stream) add("content-length", String(bytes?.length ?? 0));
    add("cross-origin-resource-policy", "cross-origin");
  }
  const silent = request.method === "HEAD";
  if (silent && stream) bytes.cancel().catch(() => undefined);
  return new Response(silent || !bytes ? null : (bytes as BodyInit), { status, headers });
}
