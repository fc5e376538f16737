// The quality: 1.x §4.4, 2.1 §4.4, 3.0 §4.4.

import { syntax } from "./error.js";
import { type Version, isFirst } from "./version.js";

/** The colours of the answer; in 1.x `default` is written `native` and `gray` `grey`. */
export type Quality = "default" | "color" | "gray" | "bitonal";

/** All of them, in the order in which they are published. */
export const QUALITIES: readonly Quality[] = ["default", "color", "gray", "bitonal"];

/** Reads the (decoded) name, which differs between 1.x and later versions. */
export function parseQuality(version: Version, text: string): Quality {
  const quality = QUALITIES.find((quality) => qualityText(version, quality) === text);
  if (!quality) throw syntax("quality", text, QUALITIES.map((quality) => qualityText(version, quality)).join(", ").replace(/, (\w+)$/, " or $1"));
  return quality;
}

/** The name that the version has for it. */
export function qualityText(version: Version, quality: Quality): string {
  if (!isFirst(version)) return quality;
  return quality === "default" ? "native" : quality === "gray" ? "grey" : quality;
}
