// The vector tables, asked of the Worker.

import { serve } from "./service.mjs";
import { vectors } from "./shared/vectors.mjs";

vectors(serve);
