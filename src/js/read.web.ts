/** Reads a module by its address. */
export const read = (url: URL): Promise<Response | BufferSource> => fetch(url);
