// Where the package's services run: in an engine of their own in this thread.

import type { Engine } from "../core.js";
import { engine } from "../engine.js";
import { IiifError } from "../error.js";
import { Isolate } from "./isolate.js";

/** An isolate over the package's engine, which is started by the first request. */
export const isolateOf = (begin: () => Promise<Engine>): Isolate =>
  new Isolate(async () => {
    const { service, extra } = await begin();
    let loaded = false;
    return {
      engine: service,
      async equip(modules) {
        const unknown = modules.find((name) => name !== "extra");
        if (unknown !== undefined) throw new IiifError("internal", 500, `There is no module of codecs ${unknown}.`);
        if (!loaded) await extra();
        loaded = true;
      },
    };
  });

let shared: Isolate | undefined;

/** The isolate that all services of this thread share. */
export const isolate = (): Isolate => (shared ??= isolateOf(engine));
