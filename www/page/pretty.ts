// Info documents as people read them: indented, coloured, and the text still the text.

const SHORT = 76;

/** A JSON document, indented; small objects and lists stay on one line. Throws when it is not JSON. */
export function prettyJson(text: string): DocumentFragment {
  return colour(print(JSON.parse(text) as unknown, ""), /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d[\d.eE+-]*)/g, (match) =>
    match[1] === undefined ? ["number", match[0]] : match[2] === undefined ? ["string", match[0]] : ["key", match[0]],
  );
}

/** An XML document, indented. Throws when it is not well-formed. */
export function prettyXml(text: string): DocumentFragment {
  const parsed = new DOMParser().parseFromString(text, "text/xml");
  if (parsed.querySelector("parsererror")) throw new Error("the document is not well-formed XML");
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', ...elementLines(parsed.documentElement, "")];
  return colour(lines.join("\n"), /<[^>]*>/g, (match) => ["markup", match[0]]);
}

function print(value: unknown, indent: string): string {
  const line = oneLine(value);
  if (typeof value !== "object" || value === null || (indent !== "" && line.length + indent.length <= SHORT)) return line;
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const entries: string[] = Array.isArray(value)
    ? value.map((item) => deeper + print(item, deeper))
    : Object.entries(value).map(([key, item]) => `${deeper}${JSON.stringify(key)}: ${print(item, deeper)}`);
  return entries.length === 0 ? open + close : `${open}\n${entries.join(",\n")}\n${indent}${close}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

function elementLines(element: Element, indent: string): string[] {
  const attributes = [...element.attributes].map(({ name, value }) => ` ${name}="${escaped(value)}"`).join("");
  const open = `${indent}<${element.nodeName}${attributes}`;
  const children = [...element.children];
  const text = escaped(element.textContent?.trim() ?? "");
  if (children.length === 0) return [text === "" ? `${open}/>` : `${open}>${text}</${element.nodeName}>`];
  return [`${open}>`, ...children.flatMap((child) => elementLines(child, `${indent}  `)), `${indent}</${element.nodeName}>`];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function colour(text: string, pattern: RegExp, kind: (match: RegExpMatchArray) => [string, string]): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const [name, shown] = kind(match);
    const span = document.createElement("span");
    span.className = name;
    span.textContent = shown;
    fragment.append(text.slice(from, match.index), span);
    from = match.index + shown.length;
  }
  fragment.append(text.slice(from));
  return fragment;
}
