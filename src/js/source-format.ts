// Generated from src/error.rs: BLESS=1 cargo test --lib settings

/** The formats of files that can be opened; `level0` is a service of level 0. */
export type SourceFormat = "jpeg" | "png" | "webp" | "gif" | "tiff" | "bmp" | "level0";

/** Those of files. @internal */
export const SOURCE_FORMATS: readonly SourceFormat[] = ["jpeg", "png", "webp", "gif", "tiff", "bmp"];
