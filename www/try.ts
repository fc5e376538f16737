// The page at /try: anybody's images, rendered here in the browser by the npm package.

import { IiifError } from "azulejo";
import type { Answered, Size } from "./page/answer.js";
import { Bench } from "./page/bench.js";
import { copies } from "./page/copy.js";
import { showDocuments } from "./page/documents.js";
import { el, need } from "./page/dom.js";
import { Progress } from "./page/progress.js";
import { Trouble } from "./page/trouble.js";
import type { View } from "./page/stage.js";
import type { Choice } from "./page/uri.js";
import { openWays, originOf } from "./try/adding.js";
import { advised } from "./try/advice.js";
import { Album, type Item, type Lease } from "./try/album.js";
import { type Comparable, Compare } from "./try/compare.js";
import { showFormats } from "./try/formats.js";
import { keep } from "./try/offline.js";
import type { Origin } from "./try/origin.js";
import { Packing } from "./try/packing.js";
import { Strip } from "./try/strip.js";

/** The image on the bench. */
interface Current {
  readonly item: Item;
  readonly lease: Lease;
}

const leaving = new AbortController();
const adding = new Trouble(need("add-trouble", HTMLElement));
const viewing = new Trouble(need("view-trouble", HTMLElement));
const opening = new Progress(need("opening", HTMLElement));
const views = new WeakMap<Item, View>();
const troubled = new WeakSet<Lease>();
let current: Current | null = null;
/** The image that is on the bench, or being opened for it. */
let selected: Item | null = null;
let selecting = new AbortController();
let saved = "";

const album: Album = new Album((item, open) => strip.mark(item, open));
const strip: Strip = new Strip(need("strip", HTMLElement), album, { select: (item) => void select(item), remove, failed }, leaving.signal);
const bench: Bench = new Bench({ chose, answered, failed: (sentence) => void unshown(sentence) }, leaving.signal);
const compare: Compare = new Compare(comparable, leaving.signal);
const packing: Packing = new Packing((id) => documents(id), leaving.signal);

function add(origins: readonly Origin[]): void {
  adding.clear();
  const items = origins.map((origin) => album.add(origin));
  for (const item of items) strip.add(item);
  begun();
  if (items[0]) void select(items[0]);
}

/** Brings an image onto the bench. */
async function select(item: Item): Promise<void> {
  if (selected === item) return;
  leave();
  selected = item;
  const mine = (selecting = new AbortController());
  strip.select(item);
  title(item.origin.name, "Opening …");
  try {
    const lease = await opening.run(`Opening ${item.origin.name}`, (signal) => album.acquire(item, signal), AbortSignal.any([mine.signal, leaving.signal]));
    if (mine.signal.aborted) return lease.release();
    current = { item, lease };
    show(current);
  } catch (error) {
    if (mine.signal.aborted || leaving.signal.aborted) return;
    failed(item, error);
  }
}

function show({ item, lease: { opened } }: Current): void {
  title(opened.name, opened.facts);
  need("page", HTMLElement).hidden = false;
  bench.lay(opened, views.get(item));
  const { image, maxArea, name } = opened;
  packing.show(image && { name, image, maxArea, acquire: (signal) => album.acquire(item, signal) });
  documents(packing.id);
}

/** Takes the image off the bench, and remembers where the visitor was in it. */
function leave(): void {
  selecting.abort();
  selected = null;
  if (current) {
    const view = bench.view();
    if (view) views.set(current.item, view);
    // First the viewer, whose tiles would fail otherwise.
    bench.clear();
    current.lease.release();
  }
  current = null;
  viewing.clear();
  packing.show(null);
  compare.clear();
  save(null);
  need("page", HTMLElement).hidden = true;
}

function remove(item: Item): void {
  const at = album.items.indexOf(item);
  const shown = selected === item;
  const focused = need("strip", HTMLElement).contains(document.activeElement) || document.activeElement === need("remove", HTMLButtonElement);
  if (shown) leave();
  album.remove(item);
  strip.remove(item);
  const next = album.items[Math.min(at, album.items.length - 1)];
  if (shown && next) void select(next);
  begun();
  if (focused && next) strip.focus();
  else if (focused) need("choose", HTMLButtonElement).focus();
}

/** An image that cannot be opened leaves the page, and its reason is told. */
function failed(item: Item, error: unknown): void {
  if (!album.items.includes(item)) return;
  if (error instanceof DOMException && error.name === "AbortError") adding.tell(`${item.origin.name} was not opened: cancelled.`);
  else if (error instanceof IiifError && error.code.startsWith("engine")) adding.tell(error.message);
  else adding.tell(`${item.origin.name}: ${advised(error)}`);
  remove(item);
}

/** The viewer cannot show a part of the image. It has only an error's words; what there is to do is found out by asking for the whole. */
async function unshown(sentence: string): Promise<void> {
  const lease = current?.lease;
  if (!lease) return viewing.tell(sentence);
  // Once for an image: all its tiles fail for the same reason.
  if (troubled.has(lease)) return;
  troubled.add(lease);
  const reason = await lease.opened.thumbnail(leaving.signal).then(() => sentence, advised);
  if (current?.lease === lease) viewing.tell(reason);
}

function begun(): void {
  const any = album.items.length > 0;
  document.body.classList.toggle("begun", any);
  need("shelf", HTMLElement).hidden = !any;
  need("status", HTMLElement).textContent = `${album.items.length} ${album.items.length === 1 ? "image" : "images"}`;
}

function title(name: string, facts: string): void {
  need("name", HTMLElement).textContent = name;
  need("facts", HTMLElement).textContent = facts;
}

function chose(choice: Choice, path: string): void {
  save(null);
  compare.clear();
  const place = need("canonical", HTMLElement);
  try {
    const canonical = decodeURIComponent(current?.lease.opened.canonical(choice) ?? "");
    place.replaceChildren(...(canonical === decodeURIComponent(path) ? ["This is its canonical form."] : ["Canonical: ", el("code", {}, canonical)]));
  } catch {
    // The core says why not, where the picture would be.
    place.textContent = "It has no canonical form: it will be refused.";
  }
}

function answered(path: string, { blob, size }: Answered): void {
  save(blob, fileName(path.slice(path.lastIndexOf(".") + 1), size));
}

/** What a picture of the image on the bench is saved as. */
function fileName(format: string, size?: Size | null): string {
  const stem = (current?.item.origin.name ?? "image").replace(/\.\w{1,5}$/, "");
  return `${stem}${size ? ` ${size.width}×${size.height}` : ""}.${format}`;
}

function comparable(): Comparable | null {
  if (!current) return null;
  const { opened } = current.lease;
  const { choice } = bench;
  return { formats: opened.formats, make: (format, signal) => opened.make({ ...choice, format })(signal), fileName: (format) => fileName(format) };
}

/** Offers a picture for download, or none. */
function save(blob: Blob | null, name = ""): void {
  const link = need("save-uri", HTMLAnchorElement);
  if (saved) URL.revokeObjectURL(saved);
  saved = blob ? URL.createObjectURL(blob) : "";
  link.toggleAttribute("aria-disabled", !blob);
  if (!blob) return link.removeAttribute("href");
  link.href = saved;
  link.download = name;
}

function documents(id: string): void {
  if (current) showDocuments(current.lease.opened.documents(id), leaving.signal);
}

function start(): void {
  copies(need("copy-uri", HTMLButtonElement), () => need("uri", HTMLElement).textContent ?? "");
  need("remove", HTMLButtonElement).addEventListener("click", () => selected && remove(selected));
  openWays({ add, refused: (sentence) => adding.tell(sentence) });
  void showFormats(leaving.signal);
  void keep();
  const asked = new URLSearchParams(location.search).get("url");
  if (asked === null) return;
  try {
    add([originOf(asked)]);
  } catch (error) {
    adding.tell(error instanceof Error ? error.message : String(error));
  }
}

start();
