// The package, opening the image for each answer: nothing is known of it beforehand.

import { open } from "../../../pkg/dist/node/index.js";
import { runs } from "./azulejo.mjs";

export { version } from "./azulejo.mjs";
export const name = "azulejo, opening each time";
export const prepare = (files) => runs(files, (bytes) => open(bytes, { threads: false }), true);
