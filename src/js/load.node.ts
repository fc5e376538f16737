// In Node.

import { CODEC_MODULES, type EachCodec } from "./codecs.js";

export const packaged = (): URL => new URL("../engine.wasm", import.meta.url);

export const packagedCodecs = Object.fromEntries(CODEC_MODULES.map((name) => [name, () => new URL(`../codecs/${name}.wasm`, import.meta.url)])) as unknown as EachCodec<() => URL>;

/** Everything happens in this thread. */
export const workers = (): (() => Worker) | undefined => undefined;
