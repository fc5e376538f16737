// The image URI a visitor builds: five parameters, each in a slot of its own. Values stay the text that was typed,
// so that a wrong one reaches the service and is answered with its own sentence.

export type Slot = "region" | "size" | "rotation" | "quality" | "format";

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Choice {
  readonly version: string;
  readonly region: "full" | "square" | "px" | "pct";
  readonly px: readonly [string, string, string, string];
  readonly pct: readonly [string, string, string, string];
  readonly size: "max" | "w" | "h" | "wh" | "fit" | "pct";
  readonly width: string;
  readonly height: string;
  readonly percent: string;
  readonly upscale: boolean;
  readonly rotation: string;
  readonly mirror: boolean;
  readonly quality: string;
  readonly format: string;
}

/** The text of each slot, as the URI has it. */
export function slots(choice: Choice): Record<Slot, string> {
  const caret = choice.upscale && choice.version === "3" ? "^" : "";
  return {
    region: region(choice),
    size: caret + size(choice),
    rotation: (choice.mirror ? "!" : "") + choice.rotation,
    quality: choice.quality,
    format: choice.format,
  };
}

/** The five slots joined: `full/max/0/default.jpg`. */
export function path(choice: Choice): string {
  const { region, size, rotation, quality, format } = slots(choice);
  return [region, size, rotation, `${quality}.${format}`].map(encodeSlot).join("/");
}

/** Percent-encodes what may not stand in a path segment, and leaves the API's own `,` `:` `!` `^` readable. */
export function encodeSlot(text: string): string {
  return encodeURIComponent(text).replace(/%(2C|3A|5E)/g, decodeURIComponent);
}

/** The chosen region in pixels of the image, cut at its edges; null when the service will refuse it. */
export function regionRect(choice: Choice, width: number, height: number): Rect | null {
  if (choice.region === "full") return { x: 0, y: 0, w: width, h: height };
  if (choice.region === "square") {
    const side = Math.min(width, height);
    return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), w: side, h: side };
  }
  const numbers = (choice.region === "px" ? choice.px : choice.pct).map((text) => (text.trim() === "" ? Number.NaN : Number(text)));
  const [a = 0, b = 0, c = 0, d = 0] = numbers;
  if (numbers.some((value) => !Number.isFinite(value) || value < 0) || c === 0 || d === 0) return null;
  const [x, y, right, bottom] =
    choice.region === "px"
      ? [a, b, a + c, b + d]
      : [Math.round((a * width) / 100), Math.round((b * height) / 100), Math.round(((a + c) * width) / 100), Math.round(((b + d) * height) / 100)];
  if (x >= width || y >= height) return null;
  return { x, y, w: Math.max(1, Math.min(right, width) - x), h: Math.max(1, Math.min(bottom, height) - y) };
}

/** About how many pixels the answer will have before rotation; 0 when it will be refused at once, or that cannot be told. */
export function expectedPixels(choice: Choice, width: number, height: number, maxArea: number): number {
  const rect = regionRect(choice, width, height);
  if (!rect) return 0;
  const [w, h, n] = [choice.width, choice.height, choice.percent].map(Number) as [number, number, number];
  const area = rect.w * rect.h;
  const enlarges = choice.upscale && choice.version === "3";
  const fit = Math.min(w / rect.w, h / rect.h);
  const count = {
    max: enlarges && Number.isFinite(maxArea) ? maxArea : Math.min(area, maxArea),
    w: w * w * (rect.h / rect.w),
    h: h * h * (rect.w / rect.h),
    wh: w * h,
    fit: Math.min(area * (enlarges ? fit : Math.min(1, fit)) ** 2, maxArea),
    pct: area * (n / 100) ** 2,
  }[choice.size];
  const refused = count > maxArea || (choice.version === "3" && !enlarges && count > area);
  return Number.isFinite(count) && !refused ? count : 0;
}

/** A rectangle of pixels as percentages with two decimals. */
export function toPercent(rect: Rect, width: number, height: number): [string, string, string, string] {
  const percent = (part: number, whole: number): string => String(Number(((100 * part) / whole).toFixed(2)));
  return [percent(rect.x, width), percent(rect.y, height), percent(rect.w, width), percent(rect.h, height)];
}

function region(choice: Choice): string {
  if (choice.region === "px") return choice.px.join(",");
  if (choice.region === "pct") return `pct:${choice.pct.join(",")}`;
  return choice.region;
}

function size(choice: Choice): string {
  switch (choice.size) {
    case "max":
      return choice.version.startsWith("1.") ? "full" : "max";
    case "w":
      return `${choice.width},`;
    case "h":
      return `,${choice.height}`;
    case "wh":
      return `${choice.width},${choice.height}`;
    case "fit":
      return `!${choice.width},${choice.height}`;
    case "pct":
      return `pct:${choice.percent}`;
  }
}
