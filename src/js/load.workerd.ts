// In workerd, where a static import is the only way, and gives a module.

import type { EachCodec } from "./codecs.js";
import bmp from "../codecs/bmp.wasm";
import gif from "../codecs/gif.wasm";
import icc from "../codecs/icc.wasm";
import mozjpeg from "../codecs/mozjpeg.wasm";
import tiff from "../codecs/tiff.wasm";
import webp from "../codecs/webp.wasm";
import module from "../engine.wasm";

export const packaged = (): WebAssembly.Module => module;

export const packagedCodecs: EachCodec<() => WebAssembly.Module> = { bmp: () => bmp, gif: () => gif, icc: () => icc, mozjpeg: () => mozjpeg, tiff: () => tiff, webp: () => webp };

/** Everything happens in this thread. */
export const workers = (): (() => Worker) | undefined => undefined;
