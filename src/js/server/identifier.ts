// The identifier: 3.0 §2 and §9, URI encoding and decoding. The twin of `src/api/identifier.rs`.

import { IiifError } from "../error.js";
import { type Page, parsePage } from "../page.js";
import { quoted } from "../request/error.js";

/** Bytes that an identifier may have: what an object store takes as a key. */
const MAX_BYTES = 1024;

/** A mistake in the identifier, which 1.0 names in its errors. */
export class IdentifierError extends IiifError {
  readonly part = "identifier";
}

/** Decodes once; `undefined` for a broken escape or what is not UTF-8. */
export function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The name of an image as it stands in a URL, decoded once: 1 to 1024 bytes, no control characters, no `.` or `..` between slashes. */
export function decodeIdentifier(raw: string): string {
  const text = decode(raw);
  if (text === undefined || !isIdentifier(text)) {
    const expected = "1 to 1024 bytes of percent-encoded UTF-8 without control characters or dot segments";
    throw new IdentifierError("syntax", 400, `The identifier ${quoted(text ?? raw)} is not valid: expected ${expected}.`);
  }
  return text;
}

function isIdentifier(text: string): boolean {
  const dots = (segment: string): boolean => segment === "." || segment === "..";
  return text !== "" && new TextEncoder().encode(text).length <= MAX_BYTES && !/\p{Cc}/u.test(text) && !text.split(/[/\\]/).some(dots);
}

/** The name as one segment of a URL. */
export function encodeIdentifier(identifier: string): string {
  // RFC 3986 pchar less `@`, which IIIF wants encoded, and less `;`, at which simple readers of Link headers cut.
  return encodeURIComponent(identifier).replace(/%(?:24|26|2B|2C|3A|3D)/g, decodeURIComponent);
}

/** The document and the page that `document;page` means: a number from 1, or the name of an image beside a slide. A document has a name by the same rules: without its page, `..;2` is none. */
export function readPage(identifier: string): { document: string; page: Page } | undefined {
  const [, document, text] = /^(.+);([^;]+)$/s.exec(identifier) ?? [];
  const page = text === undefined ? undefined : parsePage(text);
  return document === undefined || page === undefined || !isIdentifier(document) ? undefined : { document, page };
}

/** The name of a page of a document; the first is the document's own. */
export const ofPage = (document: string, page: Page): string => (page === 1 ? document : `${document};${page}`);
