// What the tests do on the page of an image: wait for it, move in it, read it.

import assert from "node:assert/strict";

/** Waits until the viewer is open, at rest, and shows everything it wants to. (The page's content policy forbids strings as code.) */
export async function drawn(page) {
  await page.waitForFunction(
    () => {
      const viewer = globalThis.OpenSeadragon?.getViewer(document.querySelector("#viewer"));
      return (
        viewer?.isOpen() && Math.abs(viewer.viewport.getZoom(true) / viewer.viewport.getZoom(false) - 1) < 1e-3 && viewer.world.getItemAt(0)?.getFullyLoaded()
      );
    },
    undefined,
    { timeout: 60_000 },
  );
}

/** Waits for the end of a movement and for its tiles. */
export async function settled(page) {
  await page.waitForTimeout(200);
  await drawn(page);
}

/** Zooms as far as it goes at each place (in viewport coordinates), then to one pixel for one pixel. */
export async function zoomThrough(page, places = [[0.5, 0.3]]) {
  for (const [x, y] of places) {
    for (const far of [true, false]) {
      await page.evaluate(
        ([left, top, farthest]) => {
          const { viewport } = globalThis.OpenSeadragon.getViewer(document.querySelector("#viewer"));
          viewport.zoomTo(farthest ? viewport.getMaxZoom() : viewport.imageToViewportZoom(1));
          viewport.panTo(new globalThis.OpenSeadragon.Point(left, top));
        },
        [x, y, far],
      );
      await settled(page);
    }
  }
}

/** Every tile came with 200, and at least `count` of them are of full resolution (asked for in their own size). */
export function assertTiles(answers, count) {
  for (const { url, status } of answers) assert.equal(status, 200, url);
  const full = answers.filter(({ url }) => {
    const [, region, size] = /\/((?:\d+,){3}\d+|full)\/([^/]+)\/0\/default\.\w+$/.exec(url) ?? [];
    return region === "full" ? size === "max" : region?.split(",").slice(2).join(",") === size;
  });
  assert.ok(full.length >= count, `${full.length} tiles of full resolution, at least ${count} wanted, among\n${answers.map(({ url }) => url).join("\n")}`);
}

/** The URI the builder shows. */
export async function uri(page) {
  return page.textContent("#uri");
}

/** Waits until the answer to the present choice is shown. */
export async function answered(page) {
  await page.waitForTimeout(450);
  await page.waitForFunction(() => !document.querySelector(".waiting") && document.querySelector("#figures").textContent.includes("Pixels"), undefined, {
    timeout: 60_000,
  });
}

/** The picture shown as the answer. */
export async function preview(page) {
  return page.$eval("#preview", (image) => ({ src: image.src, width: image.naturalWidth, height: image.naturalHeight }));
}

/** Presses Tab until the end of the page; names each stop and tells whether its focus can be seen. */
export async function walk(page) {
  const stops = [];
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const at = document.activeElement;
      if (at === null || at === document.body) return null;
      const shown = at.type === "radio" ? at.nextElementSibling : at;
      const name =
        at.id || at.name || (at.matches(".openseadragon-canvas") && at.closest("#viewer") ? "viewer-canvas" : at.textContent.trim().slice(0, 30) || at.tagName);
      return { name, ring: getComputedStyle(shown).outlineStyle !== "none" };
    });
    if (!stop) break;
    stops.push(stop);
  }
  return stops;
}
