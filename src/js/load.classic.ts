// In a Service Worker that is no module, where a script does not know its own address.

import { CODEC_MODULES, type EachCodec } from "./codecs.js";

/** The module lies next to the page's script of the Service Worker. */
export const packaged = (): URL => new URL("engine.wasm", globalThis.location.href);

export const packagedCodecs = Object.fromEntries(CODEC_MODULES.map((name) => [name, () => new URL(`codecs/${name}.wasm`, globalThis.location.href)])) as unknown as EachCodec<() => URL>;

/** Service Workers start none. */
export const workers = (): (() => Worker) | undefined => undefined;
