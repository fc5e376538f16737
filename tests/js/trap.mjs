// An engine that can be made to trap, for the tests: the package's own, with its exports wrapped. An instance that has trapped traps in every later call,
// so that whoever goes on using one is found out.

import { readFileSync } from "node:fs";
import binaryen from "binaryen";
import { at } from "../../pkg/lib.mjs";

/** A request that brings the engine down: it renders like `full/90,/0/default.jpg` otherwise. */
export const trappingRequest = "full/90,/0.000000000000000000000000000000000000000000000/default.jpg";

/** A file of this size brings the engine down when it is opened. */
export const trappingSize = 4711;

/** A request of the HTTP service whose lines are so long brings the engine down. */
export const trappingLength = 2000;

/** The bytes of the module: `engine`, or one of the HTTP service. */
export function trappingEngine(name = "engine") {
  const module = binaryen.readBinary(readFileSync(at("pkg", "dist", `${name}.wasm`)));
  // Those that the package is built with (pkg/package.mjs): others are not known everywhere.
  const features = ["SIMD128", "BulkMemory", "BulkMemoryOpt", "CallIndirectOverlong", "Multivalue", "MutableGlobals", "NontrappingFPToInt", "ReferenceTypes", "SignExt"];
  module.setFeatures(features.reduce((all, name) => all | binaryen.Features[name], 0));
  module.addGlobal("poisoned", binaryen.i32, true, module.i32.const(0));
  const poisoned = () => module.global.get("poisoned", binaryen.i32);
  const die = () => module.block(null, [module.global.set("poisoned", module.i32.const(1)), module.unreachable()]);
  const ofService = {
    // The length of the request's lines.
    begin: () => module.i32.ge_u(module.local.get(2, binaryen.i32), module.i32.const(trappingLength)),
  };
  const ofEngine = {
    // The length of the request's text.
    image_render: () => module.i32.eq(module.local.get(4, binaryen.i32), module.i32.const(trappingRequest.length)),
    openjob_new: () => module.f64.eq(module.local.get(0, binaryen.f64), module.f64.const(trappingSize)),
  };
  const causes = name === "engine" ? ofEngine : ofService;
  const names = Array.from({ length: module.getNumExports() }, (_, index) => binaryen.getExportInfo(module.getExportByIndex(index)));
  for (const { name, kind, value } of names) {
    if (kind !== binaryen.ExternalFunction || !/^(image|openjob|renderjob|answer)_|^(begin|step|take|reply|refuse|end)$|^__wbg_.*_free$/.test(name)) continue;
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(value));
    const passed = binaryen.expandType(params).map((type, index) => module.local.get(index, type));
    const guards = [module.if(poisoned(), module.unreachable())];
    if (causes[name]) guards.push(module.if(causes[name](), die()));
    const wrapper = `wrapped ${name}`;
    module.addFunction(wrapper, params, results, [], module.block(null, [...guards, module.call(value, passed, results)], results));
    module.removeExport(name);
    module.addFunctionExport(wrapper, name);
  }
  for (const cause of Object.keys(causes)) if (!names.some((each) => each.name === cause)) throw new Error(`${name}.wasm has no export ${cause} any more`);
  if (!module.validate()) throw new Error("The wrapped engine is not valid.");
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}
