import { IiifError } from "../error.js";
import { type Version, isFirst } from "./version.js";

/** The parts of a request that an error can be about; `info` is the information document. */
export type Part = "path" | "region" | "size" | "rotation" | "quality" | "format" | "info";

/** What is wrong with a request: `code`, `status` and words are those of the Worker's answers. */
export class RequestError extends IiifError {
  /** The part that is to blame. */
  readonly part: Part;

  constructor(code: string, status: number, part: Part, message: string) {
    super(code, status, message);
    this.part = part;
  }
}

export const syntax = (part: Part, value: string, expected: string): RequestError =>
  new RequestError("syntax", 400, part, `The ${part} ${quoted(value)} is not valid: expected ${expected}.`);

export const empty = (part: Part, value: string): RequestError =>
  new RequestError("empty-result", 400, part, `The ${part} ${quoted(value)} has no pixels: width and height must be at least 1.`);

/** Over `limit`, as a size or, if `rotated` is given, as the box that holds it once it is rotated. `largest` is the largest size that is not. */
export function tooLarge(size: string, limit: string, largest: Sides | undefined, rotated?: Sides): RequestError {
  const what = rotated ? ` becomes ${rotated.width} × ${rotated.height} pixels when it is rotated,` : " is";
  const most = largest ? `at most ${largest.width},${largest.height} fits` : "no size fits";
  return new RequestError("too-large", 400, "size", `The size ${quoted(size)}${what} over ${limit}: ${most}${rotated ? " with this rotation" : ""}.`);
}

interface Sides {
  readonly width: number;
  readonly height: number;
}

export const unsupportedFormat = (value: string, version: Version, offered: readonly string[]): RequestError =>
  new RequestError("unsupported", isFirst(version) ? 415 : 400, "format", `This service does not have the format ${quoted(value)}: it has ${offered.join(", ")}.`);

const SHORT: Readonly<Record<string, string>> = { "\t": "\\t", "\r": "\\r", "\n": "\\n" };

/** A value of the request, made safe to print: shortened, control characters escaped. */
export function quoted(value: string): string {
  const characters = [...value.slice(0, 200)];
  const shown = characters.slice(0, 80).join("").replace(/\p{Cc}/gu, (c) => SHORT[c] ?? `\\u{${c.charCodeAt(0).toString(16)}}`);
  return `"${shown}${characters.length > 80 ? "…" : ""}"`;
}
