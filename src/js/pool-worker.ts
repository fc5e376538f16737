// The worker of the pool: the core behind a port.

import { type MortalCore, localCore } from "./core.js";
import { type Modules, adopt, engine } from "./engine.js";
import { type Port, serve } from "./rpc.js";

const own = globalThis as unknown as Port;
const begin = (modules?: Modules): MortalCore => {
  if (modules) adopt(modules);
  return localCore(engine());
};
serve(own, begin);
// A page lends its workers to its Service Worker, which asks through a port and has an engine of its own here.
own.addEventListener("message", ({ data, ports }: MessageEvent<{ ask: { modules?: Modules } }>) => {
  for (const port of ports) {
    serve(port, () => begin(data.ask.modules));
    port.start();
  }
});
