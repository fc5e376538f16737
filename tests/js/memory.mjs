// How much memory an engine takes, which no part of the package tells. To be imported before the package is.

/** Notes the memory of each WebAssembly instance of this realm, newest last. Runs in pages too, so it must stand alone. */
function listen() {
  globalThis.memories = [];
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...given) => {
    const made = await instantiate(...given);
    globalThis.memories.push((made.instance ?? made).exports.memory);
    return made;
  };
}

listen();
export const { memories } = globalThis;
/** The same, as a script for a page's worker. */
export const EAR = `(${listen})();\n`;
