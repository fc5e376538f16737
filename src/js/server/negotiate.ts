// HTTP headers and negotiation: 1.x §4.5 and §6, 2.1 §5 and §7, 3.0 §5.1 and §7. The twin of `src/api/headers.rs`. Pure functions.

import { type Format, defaultFormat } from "../request/format.js";
import type { Version } from "../request/version.js";

const JSON_TYPE = "application/json";
const JSON_LD = "application/ld+json";
const JSON_LD_3 = 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"';

const MEDIA_TYPES: Readonly<Record<string, string>> = { jpg: "image/jpeg", tif: "image/tiff", pdf: "application/pdf" };

/** The media type of a format. */
export const mediaType = (format: Format): string => MEDIA_TYPES[format] ?? `image/${format}`;

/** The `Content-Type` of `info.json` for an `Accept` header. From 2.0 on the answer varies by it. */
export function infoMediaType(version: Version, accept: string | null): string {
  if (!accept?.trim()) return version === "3" ? JSON_LD_3 : JSON_TYPE;
  const [ld, json] = [preference(accept, JSON_LD), preference(accept, JSON_TYPE)];
  if (version === "3") return ld.quality > 0 && ld.quality >= json.quality && (ld.named || !json.named) ? JSON_LD_3 : JSON_TYPE;
  // JSON is the default; JSON-LD must be asked for by name.
  return version === "2" && ld.named && ld.quality > json.quality ? JSON_LD : JSON_TYPE;
}

/** The format of a 1.x request without an extension: the best of those offered; JPEG, or else the first, among equals or if nothing fits. */
export function negotiateFormat(accept: string | null, offered: readonly Format[]): Format {
  const quality = (format: Format): number => (accept === null ? 0 : preference(accept, mediaType(format)).quality);
  return offered.reduce((best, format) => (quality(format) > quality(best) ? format : best), defaultFormat(offered));
}

/** The value of a `Link` header that names the canonical URI; what must not stand in a URI (`^` too) is percent-encoded. */
export const canonicalLink = (uri: string): string => `<${uri.replace(/[^!-~]|["<>\\^`{|}]/gu, encodeURIComponent)}>;rel="canonical"`;

/** How much an `Accept` header wants a media type (RFC 9110 §12.5.1): the most specific range decides; parameters other than `q` are not compared. */
function preference(accept: string, type: string): { quality: number; named: boolean } {
  const family = `${type.split("/")[0] ?? ""}/*`;
  let best = { specificity: 0, quality: 0 };
  for (const range of splitOutsideQuotes(accept, ",")) {
    const [name = "", ...parameters] = splitOutsideQuotes(range, ";").map((part) => part.trim());
    const specificity = [type, family, "*/*"].indexOf(name.toLowerCase());
    if (specificity < 0) continue;
    const weight = parameters.find((part) => /^q=/i.test(part));
    const found = { specificity: 3 - specificity, quality: weight === undefined ? 1000 : thousandths(weight.slice(2)) };
    if (found.specificity > best.specificity || (found.specificity === best.specificity && found.quality > best.quality)) best = found;
  }
  return { quality: best.quality, named: best.specificity === 3 };
}

function thousandths(text: string): number {
  const number = text.trim().replace(/\.+$/, "");
  return /^(?:\d+|\d*\.\d+)$/.test(number) ? Math.min(1000, Math.round(Number(number) * 1000)) : 0;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts = [""];
  let [quotes, escaped] = [false, false];
  for (const c of text) {
    const escape = quotes && c === "\\" && !escaped;
    if (c === '"' && !escaped) quotes = !quotes;
    escaped = escape;
    if (c === separator && !quotes) parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts;
}
