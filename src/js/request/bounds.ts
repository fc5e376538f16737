// What the published limits and the formats do to sizes: 2.1 §5.3 and 3.0 §5.2 (maxWidth, maxHeight, maxArea), 3.0 implementation notes on max.

import { FORMATS, type Format, defaultFormat, longestSide } from "./format.js";
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

/** The limits of a service, with every default filled in, and the longest side of a format. */
export class Bounds {
  /** The greatest sides: those of the service, or that of the format if it is less. */
  readonly #width: number;
  readonly #height: number;
  readonly #area: number;
  readonly #service: Dimensions & { readonly heightIsOwn: boolean };
  readonly #format: Format | undefined;
  readonly #limited: boolean;

  /** Of answers in a format; without one, of whatever the service has. */
  constructor(service: Service, format?: Format) {
    const { maxWidth, maxHeight, maxArea } = leadsToMax(service) ? { ...service, maxWidth: undefined, maxHeight: undefined } : service;
    // maxHeight means something only beside maxWidth, and is maxWidth if it is not given.
    const ownHeight = maxWidth === undefined ? undefined : maxHeight;
    const longest = format === undefined ? MOST : longestSide(format);
    this.#service = { width: limit(maxWidth, MOST), height: limit(ownHeight ?? maxWidth, MOST), heightIsOwn: ownHeight !== undefined };
    this.#width = Math.min(this.#service.width, longest);
    this.#height = Math.min(this.#service.height, longest);
    this.#area = limit(maxArea, Infinity);
    this.#format = format;
    this.#limited = maxWidth !== undefined || maxArea !== undefined;
  }

  /** The limit that a size is over, if it is, in words. */
  over(size: Dimensions): string | undefined {
    const { width, height, heightIsOwn } = this.#service;
    if (size.width > width) return `this service's maxWidth of ${width} pixels`;
    if (size.height > height) return `this service's ${heightIsOwn ? "maxHeight" : "maxWidth"} of ${height} pixels`;
    if (this.#wide(size.width, size.height)) return `this service's maxArea of ${this.#area} pixels${megapixels(this.#area)}`;
    const longest = this.#format === undefined ? MOST : longestSide(this.#format);
    return Math.max(size.width, size.height) > longest ? `the longest side of ${this.#format}, ${longest} pixels` : undefined;
  }

  /** `max`: the region, made smaller where it is over the limits. */
  shrink(region: Dimensions): Dimensions {
    if (!this.over(region)) return region;
    // The order and the rounding of the implementation notes: area first, then each side from the original.
    let size = this.#wide(region.width, region.height) ? this.#cutArea(region, region) : region;
    if (size.width > this.#width) size = withWidth(region, this.#width) ?? size;
    if (size.height > this.#height) size = withHeight(region, this.#height) ?? size;
    return this.#withinArea({ width: Math.min(size.width, this.#width), height: Math.min(size.height, this.#height) });
  }

  /** `^max`: the largest size of the region's shape. */
  enlarge(region: Dimensions): Dimensions {
    return this.#limited && !this.over(region) ? this.fit(region, { width: MOST, height: MOST }) : this.shrink(region);
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
    return this.#withinArea({ width: side(width, height, most.width), height: side(height, width, most.height) });
  }

  /** Where a side was raised to 1 or rounded up, the other gives way. */
  #withinArea(size: Dimensions): Dimensions {
    const share = (of: number): number => Math.max(1, Math.floor(this.#area / of));
    const width = Math.min(size.width, share(size.height));
    return { width, height: Math.min(size.height, share(width)) };
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

/** `(12.5 megapixels)`, rounded down. */
function megapixels(area: number): string {
  return area < 1e6 ? "" : ` (${Math.floor(area / 1e5) / 10} megapixels)`;
}

/**
 * Whether `maxWidth` and `maxHeight` only say for viewers that do not know `maxArea` how large the whole image can be, as azulejo publishes them of an image larger
 * than `maxArea`. Its parts are then held against `maxArea` alone. One side may be raised to that of a tile; then the other leads to the size.
 */
export function leadsToMax({ width, height, maxWidth, maxHeight, maxArea, formats = FORMATS }: Service): boolean {
  if (maxWidth === undefined || maxHeight === undefined || maxArea === undefined || BigInt(width) * BigInt(height) <= BigInt(Math.floor(maxArea))) return false;
  const image = { width, height };
  const most = new Bounds({ ...image, maxArea }, defaultFormat(formats)).shrink(image);
  if (maxWidth === most.width && maxHeight === most.height) return true;
  if (maxWidth > most.width) return maxHeight === Math.min(most.height, withWidth(image, most.width)?.height ?? most.height);
  return maxHeight > most.height && maxWidth === Math.min(most.width, withHeight(image, most.height)?.width ?? most.width);
}

/** The largest size of the same shape, no larger than this, that `fits`, which must hold for all smaller sizes as well. */
export function largestThat({ width, height }: Dimensions, fits: (size: Dimensions) => boolean): Dimensions | undefined {
  const longer = Math.max(width, height);
  const scaled = (longest: number): Dimensions => {
    const side = (side: number): number => Math.max(1, scaleRound(side, longest, longer) ?? longest);
    return { width: side(width), height: side(height) };
  };
  // The longer side: the first fits, the second does not.
  let [low, high] = [0, longer + 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(scaled(middle))) low = middle;
    else high = middle;
  }
  return low > 0 ? scaled(low) : undefined;
}
