// `info.xml` and the XML text of errors: 1.0 §5 and §6.2. The twin of `src/api/info_xml.rs`.

import type { IiifError } from "../error.js";

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = "http://library.stanford.edu/iiif/image-api/ns/";

/** The information document of 1.0 as XML: its keys are the same as those of the JSON. */
export function infoXml(document: Readonly<Record<string, unknown>>, identifier: string): string {
  const lists: Readonly<Record<string, string>> = { scale_factors: "scale_factor", formats: "format", qualities: "quality" };
  const lines = Object.entries({ ...document, identifier }).map(([name, value]) => {
    const inner = lists[name];
    const text = Array.isArray(value) && inner ? value.map((each) => `<${inner}>${escape(String(each))}</${inner}>`).join("") : escape(String(value));
    return `  <${name}>${text}</${name}>\n`;
  });
  return `${HEAD}<info xmlns="${NAMESPACE}">\n${lines.join("")}</info>\n`;
}

/** The body of an error in 1.0; it names the part of the request that is to blame. */
export function errorXml(error: IiifError): string {
  const part = "part" in error && typeof error.part === "string" ? error.part : error.code === "not-found" ? "identifier" : "unknown";
  return `${HEAD}<error xmlns="${NAMESPACE}">\n  <parameter>${part}</parameter>\n  <text>${escape(error.message)}</text>\n</error>\n`;
}

const MARKUP: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text for XML: markup escaped, and what XML 1.0 cannot hold replaced. */
const escape = (text: string): string => text.replace(/[&<>"]|[\uFFFE\uFFFF]|(?![\t\n\r])\p{Cc}/gu, (c) => MARKUP[c] ?? "\uFFFD");
