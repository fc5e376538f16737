// The form that builds an image URI. The controls hold the state; `choice` reads it.

import { el, need } from "./dom.js";
import { type Choice, type Rect, regionRect, toPercent } from "./uri.js";

export interface Offer {
  readonly width: number;
  readonly height: number;
  readonly qualities: readonly string[];
  readonly formats: readonly string[];
  readonly versions: readonly string[];
}

type Four = [string, string, string, string];

const PX = ["px-x", "px-y", "px-w", "px-h"] as const;
const PCT = ["pct-x", "pct-y", "pct-w", "pct-h"] as const;
const COMFORTABLE = 800;

/** The builder for one image at a time; `changed` hears of every new choice. */
export class Builder {
  readonly #form = need("builder", HTMLFormElement);
  #offer: Offer = { width: 1, height: 1, qualities: [], formats: [], versions: [] };
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("input", (event) => this.#heard(event.target));
  }

  /** Begins anew, for an image and what can be asked of it. */
  begin(offer: Offer): void {
    this.#offer = offer;
    fill("qualities", "quality", offer.qualities);
    fill("formats", "format", offer.formats);
    fill("versions", "version", offer.versions);
    this.#reset();
    this.#arrange();
  }

  /** What the controls say now. */
  choice(): Choice {
    return {
      version: this.#picked("version"),
      region: this.#picked("region") as Choice["region"],
      px: values(PX),
      pct: values(PCT),
      size: need("size", HTMLSelectElement).value as Choice["size"],
      width: value("size-w"),
      height: value("size-h"),
      percent: value("size-n"),
      upscale: need("upscale", HTMLInputElement).checked,
      rotation: value("degrees"),
      mirror: need("mirror", HTMLInputElement).checked,
      quality: this.#picked("quality"),
      format: this.#picked("format"),
    };
  }

  /** Takes a region chosen on the image: in percent when percent is what is being used, else in pixels. */
  region(rect: Rect): void {
    put(PX, [rect.x, rect.y, rect.w, rect.h].map(String) as Four);
    put(PCT, toPercent(rect, this.#offer.width, this.#offer.height));
    if (this.#picked("region") !== "pct") this.#pick("region", "px");
    this.#arrange();
    this.#changed();
  }

  #reset(): void {
    const { width, height } = this.#offer;
    const middle = { x: Math.floor(width / 4), y: Math.floor(height / 4), w: Math.max(1, Math.ceil(width / 2)), h: Math.max(1, Math.ceil(height / 2)) };
    put(PX, [middle.x, middle.y, middle.w, middle.h].map(String) as Four);
    put(PCT, toPercent(middle, width, height));
    const side = String(Math.min(COMFORTABLE, Math.max(width, height)));
    need("size-w", HTMLInputElement).value = side;
    need("size-h", HTMLInputElement).value = side;
    need("size-n", HTMLInputElement).value = "50";
    need("size", HTMLSelectElement).value = Math.max(width, height) > COMFORTABLE ? "fit" : "max";
    need("upscale", HTMLInputElement).checked = false;
    need("mirror", HTMLInputElement).checked = false;
    for (const id of ["degrees", "turn"]) need(id, HTMLInputElement).value = "0";
    this.#pick("region", "full");
  }

  #heard(target: EventTarget | null): void {
    const id = target instanceof HTMLElement ? target.id : "";
    if (id === "turn") need("degrees", HTMLInputElement).value = value("turn");
    if (id === "degrees") need("turn", HTMLInputElement).value = value("degrees");
    if (id.startsWith("px-") || id.startsWith("pct-")) this.#keepBothRegions(id);
    if (id === "size") this.#startWithin();
    this.#arrange();
    this.#changed();
  }

  /** Pixels and percentages are two ways to write one rectangle: typing in one changes the other. */
  #keepBothRegions(id: string): void {
    const { width, height } = this.#offer;
    const rect = regionRect(this.choice(), width, height);
    if (!rect) return;
    if (id.startsWith("px-")) put(PCT, toPercent(rect, width, height));
    else put(PX, [rect.x, rect.y, rect.w, rect.h].map(String) as Four);
  }

  /** A newly chosen form of size begins with numbers that need no enlarging; what is typed later is left as it is. */
  #startWithin(): void {
    const choice = this.choice();
    const rect = regionRect(choice, this.#offer.width, this.#offer.height);
    if (!rect || choice.upscale) return;
    if (Number(choice.width) > rect.w) need("size-w", HTMLInputElement).value = String(rect.w);
    if (Number(choice.height) > rect.h) need("size-h", HTMLInputElement).value = String(rect.h);
  }

  /** Shows the fields that the chosen forms need. */
  #arrange(): void {
    const { region, size, version } = this.choice();
    for (const fields of this.#form.querySelectorAll<HTMLElement>("[data-for]")) fields.hidden = fields.dataset["for"] !== region;
    visible("size-w", size === "w" || size === "wh" || size === "fit");
    visible("size-h", size === "h" || size === "wh" || size === "fit");
    visible("size-n", size === "pct");
    const enlarges = version === "3";
    need("upscale", HTMLInputElement).disabled = !enlarges;
    const label = need("upscale-label", HTMLLabelElement);
    label.classList.toggle("off", !enlarges);
    label.title = enlarges ? "" : "Only version 3 has the ^ sign.";
  }

  #picked(name: string): string {
    return this.#form.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)?.value ?? "";
  }

  #pick(name: string, wanted: string): void {
    for (const input of this.#form.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)) input.checked = input.value === wanted;
  }
}

function fill(id: string, name: string, options: readonly string[]): void {
  const labels = options.map((option, at) => el("label", {}, el("input", { type: "radio", name, value: option, checked: at === 0 }), el("span", {}, option)));
  need(id, HTMLElement).replaceChildren(...labels);
}

function value(id: string): string {
  return need(id, HTMLInputElement).value.trim();
}

function values(ids: typeof PX | typeof PCT): Four {
  return [value(ids[0]), value(ids[1]), value(ids[2]), value(ids[3])];
}

function put(ids: typeof PX | typeof PCT, texts: Four): void {
  for (const [at, id] of ids.entries()) need(id, HTMLInputElement).value = texts[at] ?? "";
}

function visible(id: string, shown: boolean): void {
  const label = need(id, HTMLInputElement).closest("label");
  if (label) label.hidden = !shown;
}
