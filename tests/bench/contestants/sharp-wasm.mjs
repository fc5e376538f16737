// sharp's build for WebAssembly. Native ones would be loaded in its stead wherever they are installed.

import Module from "node:module";

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (/^@img\/sharp-(?!wasm32)/.test(request)) throw Object.assign(new Error(`${request} is hidden`), { code: "MODULE_NOT_FOUND" });
  return resolve.call(this, request, ...rest);
};
const { default: sharp } = await import("sharp");
if (!sharp.versions.emscripten) throw new Error("this is not sharp's WebAssembly");
const { prepare, version } = await import("./sharp.mjs");
export const name = "sharp, WebAssembly";
export { prepare, version };
