// What the tests do on the page at /try: bring images to it, read it, take files from it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import { watched } from "./browser.mjs";
import { bundled } from "./bundled.mjs";
import { drawn } from "./viewing.mjs";

const { crc32 } = await bundled("try/zip.ts");

/** The built pages. */
export const SITE = fileURLToPath(new URL("../../worker/build/site/", import.meta.url));

/** A sample as a file of the name it has. */
export const sample = (name) => ({ name, bytes: readFileSync(fileURLToPath(new URL(`../../www/samples/${name}`, import.meta.url))) });

export const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Opens the page of a running service. */
export async function visit(browser, service, path = "/try", options = {}) {
  const found = await watched(browser, options);
  // Asking where to save is a window of the system, which no test can answer.
  await found.page.addInitScript(() => delete globalThis.showSaveFilePicker);
  await found.page.goto(new URL(path, service.url).href);
  await found.page.waitForSelector("#samples li:nth-child(4)");
  return found;
}

/** Drops files on the page, as a visitor does. */
export async function drop(page, files) {
  const sent = files.map(({ name, bytes }) => [name, Buffer.from(bytes).toString("base64")]);
  await page.evaluate((sent) => {
    const dataTransfer = new DataTransfer();
    for (const [name, base64] of sent) dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    for (const type of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  }, sent);
}

/** Waits until the image of this name is on the bench and drawn, and remembers from then on what of it fails. */
export async function opened(page, name) {
  await page.waitForFunction((name) => document.querySelector("#name").textContent === name && !document.querySelector("#page").hidden, name, { timeout: 60_000 });
  await heard(page);
}

/** Waits until the page's viewer is drawn, and remembers from then on what fails in it. */
export async function heard(page) {
  await page.evaluate(() => {
    globalThis.failures ??= [];
    const viewer = globalThis.OpenSeadragon.getViewer(document.querySelector("#viewer"));
    if (viewer.heard) return;
    viewer.heard = true;
    for (const event of ["tile-load-failed", "open-failed"]) viewer.addHandler(event, ({ message }) => globalThis.failures.push(`${event}: ${message}`));
  });
  await drawn(page);
}

/** No part of an image failed to be shown since it was opened. */
export async function assertShown(page) {
  assert.deepEqual(await page.evaluate(() => globalThis.failures), []);
  assert.equal(await page.isVisible("#view-trouble"), false);
}

/** Waits for the answer to the request that is built now. */
export async function made(page, path) {
  await page.waitForFunction((path) => document.querySelector("#uri").textContent === path, path);
  await page.waitForFunction(
    (format) => document.querySelector("#save-uri").download.endsWith(`.${format}`) && document.querySelector("#save-uri").href.startsWith("blob:"),
    path.slice(path.lastIndexOf(".") + 1),
    { timeout: 60_000 },
  );
}

/** What a click downloads: its name and bytes. */
export async function taken(page, selector) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(selector)]);
  return { name: download.suggestedFilename(), path: await download.path(), bytes: readFileSync(await download.path()) };
}

/** Builds a request with the controls, by the names and values of the form. */
export async function build(page, { region = "full", px, pct, size = "max", w, h, n, degrees = "0", mirror = false, quality = "default", format = "jpg", version = "3" }) {
  const check = (name, value) => page.check(`input[name="${name}"][value="${value}"]`);
  await check("version", version);
  await check("region", region);
  for (const [form, values] of [["px", px], ["pct", pct]]) {
    if (values) for (const [at, side] of ["x", "y", "w", "h"].entries()) await page.fill(`#${form}-${side}`, String(values[at]));
  }
  await page.selectOption("#size", size);
  for (const [id, value] of [["#size-w", w], ["#size-h", h], ["#size-n", n]]) if (value !== undefined) await page.fill(id, String(value));
  await page.fill("#degrees", degrees);
  await page.setChecked("#mirror", mirror);
  await check("quality", quality);
  await check("format", format);
}

/** Where the strip's images are: `name state`, in order. */
export const strip = (page) => page.$$eval("#strip .cell", (cells) => cells.map((cell) => `${cell.querySelector(".name").textContent} ${cell.dataset.state}`));

/** A valid PNG of one bit a pixel, black and of so many pixels a side. */
export function vastPng(side) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head[8] = 1;
  const pixels = deflateSync(Buffer.alloc(side * (1 + Math.ceil(side / 8))), { level: 1 });
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}
