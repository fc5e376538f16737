// Generated from src/settings/table.rs: BLESS=1 cargo test --lib settings

/** What a request may ask for and cost, and how answers are encoded. Every setting has a default. */
export interface Settings {
  /** Greatest width of an answer, published as `maxWidth`. Unit: px. Default "none". */
  maxWidth?: number | "none";
  /** Greatest height of an answer, published as `maxHeight`. Needs `maxWidth`. Unit: px. Default "none". */
  maxHeight?: number | "none";
  /** Greatest area of an answer, published as `maxArea`. Unit: px². Default 12582912. */
  maxArea?: number | "none";
  /** Memory that a request may take, and all requests of a Worker together. A request that needs more is refused before anything is read. From 1 to 112. Unit: MiB. Default 42. */
  memory?: number;
  /** Bytes of the source that a request may read. From 1 to 1048576. Unit: MiB. Default 512. */
  fetched?: number;
  /** CPU time that a request may take, estimated for a typical server. A request that is expected to take more is refused before anything is read. From 0 to 86400. Unit: s. Default 5. */
  work?: number;
  /** What happens with a damaged or cut-off file. `show` gives what can be decoded, and gray, white or transparent pixels for the rest; the Worker says so in the header `Azulejo-Incomplete: rows=N`, and such an answer is cached for a minute at most. `refuse` is an error. A read that fails is always an error. Default "show". */
  incomplete?: "show" | "refuse";
  /** The former name of `incomplete`: `true` is "show", `false` is "refuse". */
  showIncomplete?: boolean;
  /** Values of a TIFF's samples that become black and white, if they have more than 8 bits, are signed or floating point: `auto` (what the file says), `full` (the whole range of the type; 0 to 1 for floating point) or `MIN,MAX`. Default "auto". */
  window?: string;
  /** Quality of JPEG, on the scale of libjpeg. From 1 to 100. Default 80. */
  jpegQuality?: number;
  /** Makes JPEGs of up to 1 megapixel smaller by a fifth. They are a little less like the image, and encoding takes about ten times as long (some 15 ms more for a tile). Stored tiles are sent as they are. Default false. */
  jpegSmall?: boolean;
  /** Quality of lossy WebP, on the scale of libwebp. 46 to 51 are encoded as 52, and 90 to 92 as 93. From 0 to 100. Default 75. */
  webpQuality?: number;
  /** Encodes WebP without loss. Default false. */
  webpLossless?: boolean;
  /** Effort of compressing PNG. Beyond `fast`, only line art becomes much smaller. Default "fast". */
  pngCompression?: "fastest" | "fast" | "balanced" | "high";
}

/** The values that a setting may have. @internal */
export type Rule = "boolean" | readonly string[] | { readonly text: string } | { readonly whole: boolean; readonly least: number; readonly most: number; readonly none?: boolean };

/** The settings, each with its values. @internal */
export const RULES: Readonly<Record<keyof Settings, Rule>> = {
  maxWidth: { whole: true, least: 1, most: 4294967295, none: true },
  maxHeight: { whole: true, least: 1, most: 4294967295, none: true },
  maxArea: { whole: true, least: 1, most: 9007199254740992, none: true },
  memory: { whole: false, least: 1, most: 112 },
  fetched: { whole: false, least: 1, most: 1048576 },
  work: { whole: false, least: 0, most: 86400 },
  incomplete: ["show", "refuse"],
  showIncomplete: "boolean",
  window: { text: "auto, full, or two numbers MIN,MAX of which the first is smaller" },
  jpegQuality: { whole: true, least: 1, most: 100 },
  jpegSmall: "boolean",
  webpQuality: { whole: true, least: 0, most: 100 },
  webpLossless: "boolean",
  pngCompression: ["fastest", "fast", "balanced", "high"],
};

/** Default of `memory`, MiB. @internal */
export const MEMORY = 42;
