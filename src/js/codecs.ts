// Names of the modules of codecs.

/** Each is a file `codecs/….wasm`. Their names: `Codec` in codecs/src/lib.rs. */
export const CODEC_MODULES = ["bmp", "gif", "icc", "mozjpeg", "tiff", "webp"] as const;

/** A module of codecs that few images and requests need: BMP, GIF, ICC profiles with tables, small JPEGs (`jpegSmall`), LZW and Zstandard in TIFF, WebP. */
export type CodecModule = (typeof CODEC_MODULES)[number];

/** Something for each module. @internal */
export type EachCodec<T> = Readonly<Record<CodecModule, T>>;
