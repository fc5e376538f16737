// A Worker over files that lie on another server, whose addresses hold a secret.

import { createHandler, httpSource } from "azulejo/worker";

export default createHandler<{ readonly ORIGIN: string }>({
  resolve: (identifier, { ORIGIN }) => httpSource(`${ORIGIN}/${encodeURIComponent(identifier)}?token=secret`),
});
