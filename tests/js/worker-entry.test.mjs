// `azulejo/worker` in workerd, as a Worker of somebody's own: the Rust Worker's tests, asked of it.

import { failingBucket } from "../worker/shared/source.mjs";
import { overHttp } from "../worker/shared/http.mjs";
import { serve } from "./own/service.mjs";

overHttp("a Worker of one's own, over HTTP", serve);
failingBucket(serve);
