// The info documents of all versions, behind tabs; each is read when its tab is first opened.

import { copies } from "./copy.js";
import { el, need, say } from "./dom.js";
import { prettyJson, prettyXml } from "./pretty.js";
import { refusal } from "./service.js";

/** One document: what its tab says, the address to show for it, where it really lies if it lies anywhere, and its text. */
export interface InfoDocument {
  readonly label: string;
  readonly form: "json" | "xml";
  readonly address: string;
  readonly path?: string;
  read(signal: AbortSignal): Promise<string>;
}

/** The document at a path of the service. */
export async function fetchDocument(path: string, form: InfoDocument["form"], signal: AbortSignal): Promise<string> {
  const accept = form === "xml" ? "application/xml, text/xml" : "application/json, application/ld+json;q=0.9";
  const response = await fetch(path, { signal, headers: { accept } });
  if (!response.ok) throw await refusal(response);
  return response.text();
}

/** Fills the tabs; the first document is open, or the one whose tab was when other documents were there. */
export function showDocuments(documents: readonly InfoDocument[], signal: AbortSignal): void {
  const list = need("info-tabs", HTMLElement);
  const panel = need("info-panel", HTMLElement);
  const bodies = new Map<InfoDocument, HTMLElement>();
  const tabs = documents.map((document, at) =>
    el("button", { type: "button", role: "tab", id: `info-tab-${at}`, "aria-controls": "info-panel" }, document.label),
  );
  const open = (at: number): void => {
    const document = documents[at];
    const tab = tabs[at];
    if (!document || !tab) return;
    for (const other of tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    const body = bodies.get(document) ?? article(document, signal);
    bodies.set(document, body);
    panel.replaceChildren(body);
    panel.setAttribute("aria-labelledby", tab.id);
  };
  for (const [at, tab] of tabs.entries()) {
    tab.addEventListener("click", () => open(at));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = (to + tabs.length) % tabs.length;
      open(next);
      tabs[next]?.focus();
    });
  }
  const before = list.querySelector('[aria-selected="true"]')?.textContent;
  list.replaceChildren(...tabs);
  open(Math.max(0, documents.findIndex(({ label }) => label === before)));
}

function article(info: InfoDocument, signal: AbortSignal): HTMLElement {
  const pre = el("pre", {}, "…");
  const trouble = el("p", { class: "trouble", hidden: true });
  const copyAddress = el("button", { type: "button" }, "Copy address");
  const copyText = el("button", { type: "button" }, "Copy document");
  const address = info.path === undefined ? el("span", { class: "mono" }, info.address) : el("a", { href: info.path, class: "mono" }, info.address);
  copies(copyAddress, () => info.address);
  copies(copyText, () => pre.textContent ?? "");
  void load(info, pre, trouble, signal);
  return el("div", {}, el("div", { class: "row" }, address, el("div", { class: "acts" }, copyAddress, copyText)), trouble, pre);
}

async function load(info: InfoDocument, pre: HTMLElement, trouble: HTMLElement, signal: AbortSignal): Promise<void> {
  try {
    const text = await info.read(signal);
    pre.textContent = text;
    pre.replaceChildren(info.form === "xml" ? prettyXml(text) : prettyJson(text));
  } catch (error) {
    if (pre.textContent === "…") pre.textContent = "";
    if (!signal.aborted) say(trouble, error instanceof Error ? error.message : String(error));
  }
}
