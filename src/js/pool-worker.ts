// The worker of the pool: the core behind a port.

import { localCore } from "./core.js";
import { choose, engine } from "./engine.js";
import { type Port, serve } from "./rpc.js";

serve(globalThis as unknown as Port, (module) => localCore((module ? choose(module) : Promise.resolve()).then(engine)));
