// `Content-Disposition` as a client wishes it (RFC 6266, RFC 8187): the name is cleaned, the rest is ours. The twin of `src/service/disposition.rs`, and of `content_disposition` in `src/api/headers.rs`.

import type { Format } from "../request/format.js";
import { SOURCE_FORMATS } from "../source-format.js";
import { decode } from "./identifier.js";

const LONGEST = 150;
const SAME: Readonly<Record<string, Format>> = { jpeg: "jpg", tiff: "tif" };

/** The header for `?response-content-disposition=`; without a name in it the image's own is taken. */
export function disposition(wanted: string, identifier: string, format: Format): string {
  const extended = decode(/^[^]*?''([^]*)$/.exec(parameter(wanted, "filename*=") ?? "")?.[1] ?? "");
  const name = extended || parameter(wanted, "filename=") || identifier.slice(identifier.lastIndexOf("/") + 1);
  const value = attachment(name, format);
  return /^\s*inline/i.test(wanted) ? value.replace("attachment", "inline") : value;
}

function parameter(text: string, name: string): string | undefined {
  const at = text.replace(/[A-Z]/g, (c) => c.toLowerCase()).indexOf(name);
  if (at < 0) return undefined;
  const value = text.slice(at + name.length).trimStart();
  return value.startsWith('"') ? value.slice(1).split('"')[0] : value.split(";")[0]?.trim();
}

function attachment(wanted: string, format: Format): string {
  const name = fileName(wanted, format);
  if (/^[ -$&-~]*$/.test(name)) return `attachment; filename="${name}"`;
  const fallback = name.replace(/[^ -$&-~]/gu, "_");
  const encoded = encodeURIComponent(name).replace(/[*'()]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`).replace(/%(?:23|24|26|2B|5E|60|7C)/g, decodeURIComponent);
  return `attachment; filename="${fallback}"; filename*=UTF-8''${encoded}`;
}

/** The name with the format's extension, unless it has it or `.jpeg`, `.tiff`; another image extension is replaced. */
function fileName(name: string, format: Format): string {
  // Controls and the marks that turn the direction of writing hide what a name ends with; the others part paths somewhere.
  const visible = name.replace(/[\p{Cc}\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu, "").replace(/[/\\:*?"<>|]/g, "_");
  const cleaned = [...visible].slice(0, LONGEST).join("").replace(/^[ .]+|[ .]+$/g, "");
  const at = cleaned.lastIndexOf(".");
  const [stem, own] = at < 0 ? [cleaned, ""] : [cleaned.slice(0, at), cleaned.slice(at + 1).toLowerCase()];
  if (stem && (own === format || SAME[own] === format)) return cleaned;
  const image = SOURCE_FORMATS.some((source) => source === own) || /^(?:jpg|tif|jp2|jxl|avif)$/.test(own);
  return `${(image ? stem : cleaned) || "image"}.${format}`;
}
