// sharp, as it is without knowing of pages: the largest level is scaled down. Only where that makes a difference.

import { prepare as prepared } from "./sharp.mjs";

export { version } from "./sharp.mjs";
export const name = "sharp, first page";
export const prepare = (files) => prepared(files, false);
