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

/** Which paths a service answers, and how. Every setting has a default. */
export interface ServiceSettings {
  /** Path under which images are served. Without `{version}`, `versions` must name exactly one version. Default "/iiif/{version}/". */
  prefix?: string;
  /** Versions of the Image API that are served. Default: all. */
  versions?: readonly ("1.0" | "1.1" | "2" | "3")[];
  /** Formats of answers, in the order in which `info.json` lists them. Default: all. */
  formats?: readonly ("jpg" | "png" | "webp" | "gif" | "tif")[];
  /** Whether an identifier may contain slashes that are not encoded as `%2F`. Default false. */
  allowSlashes?: boolean;
  /** Whether `name;2` is the second page of `name`, and `name;label`, `name;macro` and `name;thumbnail` are the images beside the scan of a slide. An object whose key is `name;2` itself takes precedence only if `name` does not exist. Default true. */
  pages?: boolean;
  /** What `id`, links and redirects begin with, such as `https://images.example.org`. If it is empty, the host of each request. */
  publicUrl?: string;
  /** Whether answers may be larger than the region: `^` in version 3, any size before. Default true. */
  upscaling?: boolean;
  /** What `!w,h` of version 3 does if the box is larger than the region. `clamp` gives the region in its own size; `reject` answers 400, as the official validator expects. Default "clamp". */
  confinedUpscale?: "clamp" | "reject";
  /** `link` names the canonical URL in a `Link` header. `redirect` redirects to it, except for tiles. Default "link". */
  canonical?: "link" | "redirect";
  /** Side of the tiles that `info.json` offers for images that are not stored in tiles. From 64 to 4096. Unit: px. Default 512. */
  tileWidth?: number;
  /** Sites whose pages may read the answers: `*` for all, or a list such as `https://example.org https://www.example.org`. Default "*". */
  allowedOrigins?: "*" | readonly string[];
  /** The header `Cache-Control` of images and information. Default "public, max-age=3600, stale-while-revalidate=604800". */
  cacheControl?: string;
  /** What is logged: every request, only errors of the service, or nothing. Default "all". */
  log?: "all" | "errors" | "none";
}

/** The values that a setting may have. @internal */
export type Rule =
  | "boolean"
  | readonly string[]
  | { readonly list: readonly string[]; readonly expected: string }
  | { readonly text: string }
  | { readonly whole: boolean; readonly least: number; readonly most: number; readonly none?: boolean };

/** The settings of images and answers, each with its values. @internal */
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

/** Those that have other bounds in Workers. @internal */
export const WORKER_RULES: Readonly<Partial<Record<keyof Settings, Rule>>> = {
  memory: { whole: false, least: 4, most: 58 },
  work: { whole: false, least: 1, most: 300 },
};

/** Those of a service, each with its values. @internal */
export const SERVICE_RULES: Readonly<Record<keyof ServiceSettings, Rule>> = {
  prefix: { text: "a path such as /iiif/{version}/" },
  versions: { list: ["1.0", "1.1", "2", "3"], expected: "a list of 1.0, 1.1, 2 and 3" },
  formats: { list: ["jpg", "png", "webp", "gif", "tif"], expected: "a list of jpg, png, webp, gif and tif" },
  allowSlashes: "boolean",
  pages: "boolean",
  publicUrl: { text: "a URL such as https://images.example.org, without a query" },
  upscaling: "boolean",
  confinedUpscale: ["clamp", "reject"],
  canonical: ["link", "redirect"],
  tileWidth: { whole: true, least: 64, most: 4096 },
  allowedOrigins: { text: "* or a list of origins such as https://example.org" },
  cacheControl: { text: "the value of a Cache-Control header" },
  log: ["all", "errors", "none"],
};

/** Default of `memory`, MiB. @internal */
export const MEMORY = 42;
