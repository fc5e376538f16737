// Generated from src/error.rs: BLESS=1 cargo test --lib settings

/** The formats of files that can be opened. */
export type SourceFormat = "jpeg" | "png" | "webp" | "gif" | "tiff" | "bmp";

/** All of them. @internal */
export const SOURCE_FORMATS: readonly SourceFormat[] = ["jpeg", "png", "webp", "gif", "tiff", "bmp"];
