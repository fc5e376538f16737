// The page at /: every image of the bucket.

import { copies } from "./page/copy.js";
import { el, need, say, whenQuiet } from "./page/dom.js";
import { Gallery } from "./page/gallery.js";
import { type Listed, type Listing, list } from "./page/service.js";

const PAGE_SIZE = 60;

const wall = need("wall", HTMLUListElement);
const filter = need("filter", HTMLInputElement);
const more = need("more", HTMLButtonElement);
const summary = need("summary", HTMLParagraphElement);
const trouble = need("trouble", HTMLElement);
const leaving = new AbortController();

const known = new Map<string, { image: Listed; card: HTMLLIElement }>();
let gallery: Gallery | null = null;
/** Where each listing (by its prefix) goes on; null when it is read to its end. */
const cursors = new Map<string, string | null>();
let asking: AbortController | null = null;

function wanted(): string {
  return filter.value.trim();
}

/** The next listing worth asking for: names that begin with the filter first, then the bucket as a whole. */
function next(): { prefix: string; cursor: string | undefined } | null {
  for (const prefix of wanted() === "" || cursors.get("") === null ? [""] : [wanted(), ""]) {
    const cursor = cursors.get(prefix);
    if (cursor !== null) return { prefix, cursor };
  }
  return null;
}

async function load(signal: AbortSignal, ask = next()): Promise<void> {
  if (!ask) return;
  more.disabled = true;
  more.textContent = "Loading …";
  try {
    const listing = await list({ prefix: ask.prefix, limit: PAGE_SIZE, ...(ask.cursor === undefined ? {} : { cursor: ask.cursor }) }, signal);
    cursors.set(ask.prefix, listing.cursor);
    take(listing);
    say(trouble, "");
  } catch (error) {
    if (signal.aborted) return;
    say(trouble, error instanceof Error ? error.message : String(error));
  } finally {
    more.disabled = false;
    more.textContent = "Load more";
  }
  show();
}

function take(listing: Listing): void {
  gallery ??= new Gallery(listing.service, leaving.signal);
  for (const image of listing.images) {
    if (!known.has(image.name)) known.set(image.name, { image, card: gallery.card(image) });
  }
}

function show(): void {
  const needle = wanted().toLowerCase();
  const names = [...known.keys()].sort((a, b) => (a < b ? -1 : 1));
  const matching = names.filter((name) => name.toLowerCase().includes(needle));
  const cards = matching.map((name) => known.get(name)?.card).filter((card) => card !== undefined);
  if (cards.length !== wall.children.length || cards.some((card, at) => wall.children[at] !== card)) wall.replaceChildren(...cards);
  const complete = cursors.get("") === null;
  more.hidden = next() === null;
  need("empty", HTMLElement).hidden = !(complete && known.size === 0);
  need("tools", HTMLElement).hidden = complete && known.size === 0;
  summary.replaceChildren(...sentence(matching.length, names.length, complete));
}

function sentence(matching: number, all: number, complete: boolean): (Node | string)[] {
  const images = (count: number): string => `${count} ${count === 1 ? "image" : "images"}`;
  if (wanted() === "") return [complete ? images(all) : `${images(all)} so far; the bucket holds more`];
  const among = complete ? `of ${images(all)}` : `of the ${images(all)} loaded so far`;
  return [`${matching} ${among} ${matching === 1 ? "has" : "have"} `, el("q", {}, wanted()), " in the name"];
}

function search(): void {
  asking?.abort();
  asking = new AbortController();
  const url = new URL(location.href);
  if (wanted()) url.searchParams.set("q", wanted());
  else url.searchParams.delete("q");
  history.replaceState(null, "", url);
  show();
  if (cursors.get("") !== null && wanted() !== "" && !cursors.has(wanted())) void load(AbortSignal.any([asking.signal, leaving.signal]));
}

async function start(): Promise<void> {
  filter.value = new URLSearchParams(location.search).get("q") ?? "";
  filter.addEventListener("input", whenQuiet(200, search));
  more.addEventListener("click", () => void load(leaving.signal));
  copies(need("copy-add", HTMLButtonElement), () => need("add", HTMLElement).textContent ?? "");
  need("again", HTMLButtonElement).addEventListener("click", () => location.reload());
  await load(leaving.signal, { prefix: "", cursor: undefined });
  search();
}

void start();
