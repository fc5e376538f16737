// Deploys the Worker to the account that wrangler is logged in to. Arguments go to `wrangler deploy`.

import { build } from "./build.mjs";
import { at, run } from "./lib.mjs";
import { setup } from "./setup.mjs";

setup();
await build();
run(process.execPath, [at("node_modules", "wrangler", "bin", "wrangler.js"), "deploy", ...process.argv.slice(2)]);
