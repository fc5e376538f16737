// What the published limits do to sizes: 2.1 §5.3 and 3.0 §5.2 (maxWidth, maxHeight, maxArea), 3.0 implementation notes on max.

import { tooLarge } from "./error.js";
import type { Format } from "./format.js";
import { MOST, root, scaleRound } from "./number.js";
import type { Dimensions } from "./size.js";

/** An image and what its service offers. */
export interface Service extends Dimensions {
  /** Greatest width of an answer, px. */
  readonly maxWidth?: number | undefined;
  /** Greatest height of an answer, px; means something only beside `maxWidth`. */
  readonly maxHeight?: number | undefined;
  /** Greatest area of an answer, px². */
  readonly maxArea?: number | undefined;
  /** Formats of answers. Default: those of azulejo. */
  readonly formats?: readonly Format[] | undefined;
  /** Whether answers may be larger than the region. Default true. */
  readonly upscaling?: boolean | undefined;
  /** What `!w,h` of 3.0 does where the box is larger than the region: the region itself, or an error. Default `clamp`. */
  readonly confinedUpscale?: "clamp" | "reject" | undefined;
}

/** The three limits with every default filled in. */
export class Bounds {
  readonly #width: number;
  readonly #height: number;
  readonly #area: number;
  readonly #heightName: string;
  readonly #limited: boolean;

  constructor({ maxWidth, maxHeight, maxArea }: Service) {
    // maxHeight means something only beside maxWidth, and is maxWidth if it is not given.
    const ownHeight = maxWidth === undefined ? undefined : maxHeight;
    this.#width = limit(maxWidth, MOST);
    this.#height = limit(ownHeight ?? maxWidth, MOST);
    this.#area = limit(maxArea, Infinity);
    this.#heightName = ownHeight === undefined ? "maxWidth" : "maxHeight";
    this.#limited = maxWidth !== undefined || maxArea !== undefined;
  }

  /** The limit that a size is over, if it is. */
  over({ width, height }: Dimensions): [what: string, limit: number] | undefined {
    if (width > this.#width) return ["maxWidth", this.#width];
    if (height > this.#height) return [this.#heightName, this.#height];
    return this.#wide(width, height) ? ["maxArea", this.#area] : undefined;
  }

  /** Refuses a size over a limit, and names the limit. */
  check(size: Dimensions): void {
    const over = this.over(size);
    if (over) throw tooLarge(...over);
  }

  /** `max`: the region, made smaller where it is over the limits. */
  shrink(region: Dimensions): Dimensions {
    if (!this.over(region)) return region;
    // The order and the rounding of the implementation notes: area first, then each side from the original.
    let size = this.#wide(region.width, region.height) ? this.#cutArea(region, region) : region;
    if (size.width > this.#width) size = withWidth(region, this.#width) ?? size;
    if (size.height > this.#height) size = withHeight(region, this.#height) ?? size;
    return this.#cutToBox(size);
  }

  /** `^max`: the largest size of the region's shape. */
  enlarge(region: Dimensions): Dimensions {
    if (!this.#limited) return region;
    return this.over(region) ? this.shrink(region) : this.fit(region, { width: MOST, height: MOST });
  }

  /** `!w,h`: the largest size of the region's shape that fits into the box and the limits. */
  fit(region: Dimensions, into: Dimensions): Dimensions {
    const width = Math.min(into.width, this.#width);
    const height = Math.min(into.height, this.#height);
    const byWidth = BigInt(width) * BigInt(region.height) <= BigInt(height) * BigInt(region.width);
    const size = (byWidth ? withWidth(region, width) : withHeight(region, height)) ?? into;
    const cut = { width: Math.min(size.width, width), height: Math.min(size.height, height) };
    return this.#wide(cut.width, cut.height) ? this.#cutArea(region, cut) : cut;
  }

  #wide(width: number, height: number): boolean {
    return this.#area !== Infinity && BigInt(width) * BigInt(height) > BigInt(this.#area);
  }

  /** Both sides × √(limit ÷ area), rounded down; nothing over `most`. */
  #cutArea({ width, height }: Dimensions, most: Dimensions): Dimensions {
    const side = (side: number, other: number, most: number): number =>
      Math.max(1, Math.min(root((BigInt(side) * BigInt(this.#area)) / BigInt(other)), most));
    return this.#cutToBox({ width: side(width, height, most.width), height: side(height, width, most.height) });
  }

  /** Where a side was raised to 1 or rounded up, the other gives way. */
  #cutToBox(size: Dimensions): Dimensions {
    const share = (of: number): number => Math.max(1, Math.floor(this.#area / of));
    const height = Math.min(size.height, this.#height);
    const width = Math.min(size.width, this.#width, share(height));
    return { width, height: Math.min(height, share(width)) };
  }
}

/** Exactly this width and the region's shape; `undefined` for a height beyond 32 bits. */
export function withWidth(region: Dimensions, width: number): Dimensions | undefined {
  const height = scaleRound(region.height, width, region.width);
  return height === undefined ? undefined : { width, height: Math.max(1, height) };
}

/** Exactly this height and the region's shape; `undefined` for a width beyond 32 bits. */
export function withHeight(region: Dimensions, height: number): Dimensions | undefined {
  const width = scaleRound(region.width, height, region.height);
  return width === undefined ? undefined : { width: Math.max(1, width), height };
}

const limit = (value: number | undefined, most: number): number => Math.max(1, Math.floor(Math.min(value ?? most, most)));
