// The ways in: files that are dropped, chosen or pasted, addresses that are typed, dropped or pasted, and the samples.

import { el, need } from "../page/dom.js";
import { type Origin, fileOrigin, urlOrigin } from "./origin.js";
import { serviceOrigin } from "./service.js";

const SAMPLES: readonly (readonly [string, string])[] = [
  ["retina-pyramid.tif", "a tiled TIFF with its pyramid, 1411 × 1411"],
  ["hubble_deep_field.jpg", "a JPEG, 1000 × 872"],
  ["astronaut.png", "a PNG, 512 × 512"],
  ["rocket.jpg", "a JPEG, 640 × 427"],
];

/** So many files of a dropped folder are taken. */
const MOST_FILES = 1000;

export interface AddingListener {
  add(origins: readonly Origin[]): void;
  /** Nothing came of it, for this reason. */
  refused(sentence: string): void;
}

/** Opens every way in. */
export function openWays(listener: AddingListener): void {
  const files = (list: Iterable<File>): void => {
    const all = [...list];
    if (all.length) listener.add(all.map(fileOrigin));
  };
  choose(files);
  typeAddress(listener);
  drop(listener, files);
  paste(listener, files);
  need("samples", HTMLUListElement).append(...SAMPLES.map(([name, words]) => sample(name, words, listener)));
}

/** What lies at an address: a service if an info.json is named, else a file. */
export function originOf(text: string): Origin {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    const typed = JSON.stringify(text.trim().slice(0, 80));
    throw new Error(`${typed} is no address. It should be whole, such as https://example.org/map.tif or https://example.org/iiif/map/info.json.`);
  }
  if (!/^https?:$/.test(url.protocol)) throw new Error(`An address should begin with https:// here, not with ${url.protocol}. Drop a file of your own on this page instead.`);
  if (location.protocol === "https:" && url.protocol === "http:" && !/^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)) {
    throw new Error("This page came over https and may not load from plain http. Try the address with https.");
  }
  return url.pathname.endsWith("/info.json") ? serviceOrigin(url) : urlOrigin(url);
}

function choose(files: (list: Iterable<File>) => void): void {
  const input = need("files", HTMLInputElement);
  need("choose", HTMLButtonElement).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    files(input.files ?? []);
    // The same file again is a change too.
    input.value = "";
  });
}

function typeAddress(listener: AddingListener): void {
  need("by-url", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const field = need("url", HTMLInputElement);
    if (field.value.trim() === "") return field.focus();
    if (address(field.value, listener)) field.value = "";
  });
}

function address(text: string, listener: AddingListener): boolean {
  try {
    listener.add([originOf(text)]);
    return true;
  } catch (error) {
    listener.refused(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function drop(listener: AddingListener, files: (list: Iterable<File>) => void): void {
  const sign = need("dropping", HTMLElement);
  const ours = ({ dataTransfer }: DragEvent): boolean => Boolean(dataTransfer?.types.some((type) => type === "Files" || type === "text/uri-list"));
  const over = (event: DragEvent): void => {
    if (!ours(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    sign.hidden = false;
  };
  window.addEventListener("dragenter", over);
  window.addEventListener("dragover", over);
  window.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) sign.hidden = true;
  });
  window.addEventListener("drop", (event) => {
    sign.hidden = true;
    if (!ours(event) || !event.dataTransfer) return;
    event.preventDefault();
    const { items } = event.dataTransfer;
    // Both have to be asked for now: after this event nothing is there any more.
    const folders = [...items].map((item) => item.webkitGetAsEntry?.()).filter((entry): entry is FileSystemDirectoryEntry => entry?.isDirectory === true);
    const inFolders = new Set(folders.map(({ name }) => name));
    const loose = [...event.dataTransfer.files].filter((file) => !inFolders.has(file.name));
    const link = event.dataTransfer.getData("text/uri-list").split(/\r?\n/).find((line) => line !== "" && !line.startsWith("#"));
    if (loose.length || folders.length) {
      void walk(folders).then(
        (found) => (loose.length + found.length ? files([...loose, ...found]) : listener.refused("There are no files in this folder.")),
        () => listener.refused("The folder could not be read. Choose its files instead."),
      );
    } else if (link !== undefined) address(link, listener);
  });
}

/** The files in folders, and in the folders in them. */
async function walk(folders: readonly FileSystemDirectoryEntry[]): Promise<File[]> {
  const found: File[] = [];
  const left = [...folders];
  for (let folder = left.shift(); folder && found.length < MOST_FILES; folder = left.shift()) {
    const reader = folder.createReader();
    for (;;) {
      const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (!entries.length) break;
      for (const entry of entries) {
        if (entry.name.startsWith(".")) continue;
        if (entry.isDirectory) left.push(entry as FileSystemDirectoryEntry);
        else found.push(await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
      }
    }
  }
  return found.slice(0, MOST_FILES);
}

function paste(listener: AddingListener, files: (list: Iterable<File>) => void): void {
  window.addEventListener("paste", (event) => {
    if (event.target instanceof HTMLInputElement || !event.clipboardData) return;
    const { clipboardData } = event;
    if (clipboardData.files.length) return files(clipboardData.files);
    const text = clipboardData.getData("text/plain").trim();
    if (/^https?:\/\/\S+$/.test(text)) address(text, listener);
  });
}

function sample(name: string, words: string, listener: AddingListener): HTMLLIElement {
  const url = new URL(`try-files/samples/${name}`, document.baseURI);
  const picture = el("img", { src: `${url.href}.small.jpg`, alt: "", width: 96, height: 96 });
  const button = el("button", { type: "button", title: words }, picture, el("span", {}, el("b", {}, name), el("span", { class: "facts" }, words)));
  button.addEventListener("click", () => listener.add([urlOrigin(url)]));
  return el("li", {}, button);
}
