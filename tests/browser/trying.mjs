// What the tests do on the page at /try: bring images to it, read it, take files from it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { drawn } from "./viewing.mjs";

/** The built pages. */
export const SITE = fileURLToPath(new URL("../../worker/build/site/", import.meta.url));

/** A sample as a file of the name it has. */
export const sample = (name) => ({ name, bytes: readFileSync(fileURLToPath(new URL(`../../www/samples/${name}`, import.meta.url))) });

export const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

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
