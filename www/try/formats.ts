// Which of the newer formats this browser shows.

import { type Features, type ImageFormat, type Support, support } from "azulejo/support";
import { el, need } from "../page/dom.js";

const FORMATS: readonly (readonly [ImageFormat, string])[] = [
  ["jxl", "JPEG XL"],
  ["avif", "AVIF"],
  ["webp", "WebP"],
];
const FEATURES: readonly (keyof Features)[] = ["lossy", "lossless", "alpha", "animated"];

/** Fills the table. */
export async function showFormats(signal: AbortSignal): Promise<void> {
  const found = await support({ signal });
  need("formats-table", HTMLTableSectionElement).replaceChildren(...FORMATS.map(([format, name]) => row(found, format, name)));
}

function row({ features }: Support, format: ImageFormat, name: string): HTMLTableRowElement {
  const cells = FEATURES.map((feature) => {
    const value = features[format][feature];
    const [sign, word] = value === undefined ? ["?", "unknown"] : value ? ["✓", "yes"] : ["–", "no"];
    return el("td", { "data-support": word }, el("span", { "aria-hidden": true, class: "sign" }, sign), el("span", { class: "word" }, word));
  });
  return el("tr", {}, el("th", { scope: "row" }, name), ...cells);
}
