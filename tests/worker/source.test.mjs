// R2 as it really is, under the Worker.

import { serve } from "./service.mjs";
import { failingBucket } from "./shared/source.mjs";

failingBucket(serve);
