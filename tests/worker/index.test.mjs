// The index of a JPEG file, in the Worker.

import { serve } from "./service.mjs";
import { indexed } from "./shared/index.mjs";

indexed("what is learnt of a JPEG file", serve);
