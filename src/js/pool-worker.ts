// The worker of the pool: the core behind a port.

import { load } from "#load";
import { localCore } from "./core.js";
import { engine } from "./engine.js";
import { type Port, serve } from "./rpc.js";

serve(globalThis as unknown as Port, engine(() => load()).then(localCore));
