import { type MortalCore, localCore } from "../core.js";
import { engine } from "../engine.js";
import { pause } from "./gate.js";

/** ms after which a start counts as given up: the runtime may have ended the request that began it. */
const LEASE = 2000;

let core: MortalCore | undefined;
let starting: number | undefined;

/** The isolate's engine: started by the first request, and anew by the first one after a trap. What is shared is the engine, never a promise of it. */
export async function isolateCore(): Promise<MortalCore> {
  while (!core?.alive) {
    const now = Date.now();
    if (starting !== undefined && now - starting < LEASE) {
      await pause(5);
      continue;
    }
    starting = now;
    try {
      const glue = await engine();
      // Who may render is for the gate to say: here nobody waits for what another request does.
      core = localCore(Promise.resolve(glue), { admits: false });
    } finally {
      starting = undefined;
    }
  }
  return core;
}
