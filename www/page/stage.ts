// The OpenSeadragon viewer with buttons of our own, a mark on the chosen region, and a way to draw one.

import type OpenSeadragon from "openseadragon";
import { el, need, prefersStillness } from "./dom.js";
import type { Rect } from "./uri.js";

declare global {
  interface Window {
    OpenSeadragon?: typeof OpenSeadragon;
  }
}

/** A part of the image in the viewer's own units. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What a viewer can show: a plain tile source, an info document or its address. */
export type Shown = object | string;

/** The viewer, of one image at a time; `drawn` hears of regions the visitor chose on it, in pixels of the image. */
export class Stage {
  readonly #viewer: OpenSeadragon.Viewer;
  readonly #osd: typeof OpenSeadragon;
  #width = 0;
  #height = 0;
  readonly #chosen = el("div", { class: "chosen", "aria-hidden": true });
  #marked = false;
  #left: View | undefined;
  /** The last image that was opened and not closed, by what nothing else is equal to. */
  #opening: object | null = null;
  #mark: Rect | null = null;

  constructor(host: HTMLElement, drawn: (rect: Rect) => void, failed: (sentence: string) => void) {
    const osd = window.OpenSeadragon;
    if (!osd) throw new Error("The viewer's script did not load. Load the page again.");
    this.#osd = osd;
    withoutInlineStyle();
    const still = prefersStillness();
    this.#viewer = osd({
      element: host,
      showNavigationControl: false,
      showNavigator: true,
      navigatorPosition: "BOTTOM_RIGHT",
      navigatorSizeRatio: 0.18,
      navigatorOpacity: 1,
      navigatorBorderColor: "#8795ad",
      navigatorDisplayRegionColor: "#e2ad4a",
      maxZoomPixelRatio: 4,
      visibilityRatio: 0.4,
      animationTime: still ? 0 : 0.7,
      immediateRender: still,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    } as OpenSeadragon.Options);
    this.#viewer.canvas.setAttribute("role", "application");
    this.#viewer.canvas.setAttribute("aria-label", "The image. Arrow keys move it, plus and minus zoom, 0 shows it whole.");
    this.#viewer.addHandler("canvas-key", keepUpright);
    this.#viewer.addHandler("open", () => this.#opened());
    this.#viewer.addHandler("open-failed", (event) => failed(`The viewer could not open the image: ${String(event.message)}`));
    this.#viewer.addHandler("tile-load-failed", (event) => failed(`A part of the image could not be shown. ${String(event.message ?? "")}`.trim()));
    for (const name of ["open", "animation", "resize"] as const) this.#viewer.addHandler(name, () => this.#tellZoom());
    // The navigator adds its copy later, even of what is gone by then.
    const { world, navigator } = this.#viewer;
    navigator.world.addHandler("add-item", ({ item }) => {
      const shown = Array.from({ length: world.getItemCount() }, (_, index) => world.getItemAt(index).source);
      if (!shown.includes(item.source)) navigator.world.removeItem(item);
    });
    this.#buttons(drawn);
  }

  /** Shows an image of this size, px, in place of what is shown: whole, or as it was left. */
  open(shown: Shown, width: number, height: number, left?: View): void {
    [this.#width, this.#height] = [width, height];
    this.#mark = null;
    this.#marked = false;
    this.#viewer.clearOverlays();
    this.#left = left;
    const opening = (this.#opening = {});
    this.#viewer.open({
      tileSource: shown,
      // The viewer adds an image some time after it was told to, even if it was closed meanwhile.
      success: ({ item }: { item: OpenSeadragon.TiledImage }) => {
        if (this.#opening !== opening) this.#viewer.world.removeItem(item);
      },
    } as unknown as OpenSeadragon.TileSourceSpecifier);
  }

  #opened(): void {
    if (this.#left) this.#viewer.viewport.fitBounds(new this.#osd.Rect(this.#left.x, this.#left.y, this.#left.width, this.#left.height), true);
    this.mark(this.#mark);
  }

  /** Shows nothing, and frees what was shown. */
  clear(): void {
    this.#mark = null;
    this.#marked = false;
    this.#opening = null;
    this.#viewer.close();
    need("zoom", HTMLOutputElement).textContent = "–";
  }

  /** Where the visitor is in the image, to be left and found again. */
  view(): View | undefined {
    if (!this.#viewer.isOpen()) return undefined;
    const { x, y, width, height } = this.#viewer.viewport.getBounds(false);
    return { x, y, width, height };
  }

  /** Shows this region on the image, or none. */
  mark(rect: Rect | null): void {
    this.#mark = rect;
    if (!this.#viewer.isOpen()) return;
    if (!rect) {
      if (this.#marked) this.#viewer.removeOverlay(this.#chosen);
      this.#marked = false;
      return;
    }
    const place = this.#viewer.viewport.imageToViewportRectangle(rect.x, rect.y, rect.w, rect.h);
    if (this.#marked) this.#viewer.updateOverlay(this.#chosen, place);
    else this.#viewer.addOverlay({ element: this.#chosen, location: place });
    this.#marked = true;
  }

  #buttons(drawn: (rect: Rect) => void): void {
    const viewport = (): OpenSeadragon.Viewport => this.#viewer.viewport;
    const on = (id: string, act: () => void): void =>
      need(id, HTMLButtonElement).addEventListener("click", () => {
        if (this.#viewer.isOpen()) act();
      });
    on("zoom-in", () => viewport().zoomBy(1.6).applyConstraints());
    on("zoom-out", () =>
      viewport()
        .zoomBy(1 / 1.6)
        .applyConstraints(),
    );
    on("zoom-fit", () => viewport().goHome());
    on("zoom-full", () => viewport().zoomTo(viewport().imageToViewportZoom(1 / devicePixelRatio)));
    const stage = need("stage", HTMLElement);
    need("full-screen", HTMLButtonElement).hidden = !document.fullscreenEnabled;
    on("full-screen", () => void (document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen()).catch(() => undefined));
    on("visible", () => {
      const bounds = viewport().viewportToImageRectangle(viewport().getBounds(true));
      const rect = this.#inside(bounds.x, bounds.y, bounds.x + bounds.width, bounds.y + bounds.height);
      if (rect) drawn(rect);
    });
    this.#drawing(on, drawn);
  }

  #drawing(on: (id: string, act: () => void) => void, drawn: (rect: Rect) => void): void {
    const button = need("draw", HTMLButtonElement);
    const layer = need("drawing", HTMLElement);
    const marquee = need("marquee", HTMLElement);
    const hint = need("hint", HTMLElement);
    let from: { x: number; y: number } | null = null;
    const active = (on: boolean): void => {
      layer.hidden = hint.hidden = !on;
      marquee.hidden = true;
      from = null;
      button.setAttribute("aria-pressed", String(on));
      need("status", HTMLElement).textContent = on ? (hint.textContent ?? "") : "";
    };
    const corners = (event: PointerEvent): { left: number; top: number; right: number; bottom: number } => {
      const frame = layer.getBoundingClientRect();
      const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
      const start = from ?? { x, y };
      return { left: Math.min(start.x, x), top: Math.min(start.y, y), right: Math.max(start.x, x), bottom: Math.max(start.y, y) };
    };
    on("draw", () => active(Boolean(layer.hidden)));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || layer.hidden) return;
      // It cancels this and nothing else.
      event.preventDefault();
      active(false);
    });
    layer.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      layer.setPointerCapture(event.pointerId);
      const { left, top } = corners(event);
      from = { x: left, y: top };
    });
    layer.addEventListener("pointermove", (event) => {
      if (!from) return;
      const { left, top, right, bottom } = corners(event);
      marquee.hidden = false;
      Object.assign(marquee.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
    });
    layer.addEventListener("pointerup", (event) => {
      if (!from) return;
      const { left, top, right, bottom } = corners(event);
      from = null;
      marquee.hidden = true;
      if (right - left < 4 || bottom - top < 4) return;
      const image = (x: number, y: number): OpenSeadragon.Point => this.#viewer.viewport.viewerElementToImageCoordinates(new this.#osd.Point(x, y));
      const [a, b] = [image(left, top), image(right, bottom)];
      const rect = this.#inside(a.x, a.y, b.x, b.y);
      if (!rect) return;
      active(false);
      drawn(rect);
    });
    layer.addEventListener("pointercancel", () => {
      from = null;
      marquee.hidden = true;
    });
  }

  /** Whole pixels of the image between two corners; null when they lie outside of it. */
  #inside(left: number, top: number, right: number, bottom: number): Rect | null {
    const x = Math.max(0, Math.round(left));
    const y = Math.max(0, Math.round(top));
    const w = Math.min(this.#width, Math.round(right)) - x;
    const h = Math.min(this.#height, Math.round(bottom)) - y;
    return w > 0 && h > 0 ? { x, y, w, h } : null;
  }

  #tellZoom(): void {
    if (!this.#viewer.isOpen()) return;
    const zoom = this.#viewer.viewport.viewportToImageZoom(this.#viewer.viewport.getZoom(true)) * devicePixelRatio * 100;
    need("zoom", HTMLOutputElement).textContent = `${zoom < 10 ? zoom.toFixed(1) : Math.round(zoom)} %`;
  }
}

/**
 * OpenSeadragon 6 adds a `<style>` with text, which a strict content policy refuses, unless one with its mark is there
 * already. An element of that name outside of HTML satisfies it and styles nothing.
 */
function withoutInlineStyle(): void {
  const placeholder = document.createElementNS(null, "style");
  placeholder.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(placeholder);
}

/** OpenSeadragon turns and mirrors on r and f; here that belongs to the builder, and drawing relies on an upright image. */
function keepUpright(event: OpenSeadragon.CanvasKeyEvent): void {
  const { originalEvent } = event;
  if (originalEvent instanceof KeyboardEvent && /^[rf]$/i.test(originalEvent.key)) event.preventDefaultAction = true;
}
