import { IiifError } from "./error.js";

// Which image of a file is meant: a page of a document, or an image beside the scan of a slide. The twin of src/api/page.rs.

/** The images that scanners store beside the scan of a slide: its label, a picture of all of it, and the scan as a small picture. */
export const ASSOCIATED = ["label", "macro", "thumbnail"] as const;
export type Associated = (typeof ASSOCIATED)[number];

/** A page by its number, from 1 (the scan of a slide is page 1), or an image beside the scan of a slide by its name. */
export type Page = number | Associated;

/** Six digits, as in an identifier. */
const MOST_PAGES = 999_999;

const isAssociated = (page: unknown): page is Associated => (ASSOCIATED as readonly unknown[]).includes(page);

/** Reads what stands behind the semicolon of an identifier. @internal */
export function parsePage(text: string): Page | undefined {
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : isAssociated(text) ? text : undefined;
}

/** @internal */
export function checkPage(page: unknown): asserts page is Page {
  const isNumber = typeof page === "number" && Number.isInteger(page) && page >= 1 && page <= MOST_PAGES;
  if (isNumber || isAssociated(page)) return;
  throw new IiifError("invalid-argument", 400, `page is ${String(page)}, and should be a number from 1 to ${MOST_PAGES}, or one of ${ASSOCIATED.join(", ")}.`);
}
