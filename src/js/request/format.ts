// The format: 1.x §4.5, 2.1 §4.5, 3.0 §4.5.

import { syntax, unsupportedFormat } from "./error.js";
import { MOST } from "./number.js";
import type { Version } from "./version.js";

/** A file format by its IIIF extension; other servers may have others. */
export type Format = "jpg" | "png" | "webp" | "gif" | "tif" | "jp2" | "pdf" | "avif" | "jxl" | (string & {});

/** Those that azulejo answers with, in the order in which they are published. */
export const FORMATS: readonly Format[] = ["jpg", "png", "webp", "gif", "tif"];

const LONGEST: Readonly<Record<string, number>> = { jpg: 65_535, png: 0x7fffffff, webp: 16_383, gif: 65_535, tif: 0x7fffffff };

const MEDIA_TYPES: Readonly<Record<string, string>> = { jpg: "image/jpeg", tif: "image/tiff", pdf: "application/pdf" };

/** The media type of a format. */
export const mediaType = (format: Format): string => MEDIA_TYPES[format] ?? `image/${format}`;

/** The longest side that a file of the format can have, px; what is not known of other formats is left to their services. */
export const longestSide = (format: Format): number => LONGEST[format] ?? MOST;

/** Reads the (decoded) extension. Whether the service has it is known only when the request is resolved. */
export function parseFormat(version: Version, text: string): Format {
  if (!text) throw missingFormat(text);
  if (!/^[a-z0-9]+$/.test(text)) throw unsupportedFormat(text, version, FORMATS);
  return text;
}

/** The error for a last segment without an extension. */
export const missingFormat = (value: string): Error => syntax("format", value, "an extension such as .jpg after the quality");

/** JPEG, or else the first. */
export const defaultFormat = (offered: readonly Format[]): Format => (offered.includes("jpg") ? "jpg" : (offered[0] ?? "jpg"));
