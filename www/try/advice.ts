// Errors with what to do about them, where the core's own sentence does not say.

const ADVICE: Readonly<Record<string, string>> = {
  "source-unsupported": "If it is an image, save it as TIFF, PNG or JPEG with another program.",
  "source-corrupt": "The file is damaged or was cut off. Get it again from where it came.",
  "source-too-costly": "It takes more memory or more reading than a page should. Save it as a tiled TIFF with a pyramid: of that only the parts that are seen are read.",
  "source-read": "Try again.",
  "source-unreachable": "If you can open the address in a tab of its own, save the file from there and drop it here.",
  "source-forbidden": "If you can open the address in a tab of its own, save the file from there and drop it here.",
  "not-found": "Look for a mistake in the address.",
  "source-changed": "Try again.",
  "engine-lost": "Try again.",
  "worker-lost": "Try again.",
  busy: "Try again.",
  internal: "Load the page again, and please report it together with the file.",
};

/** The message of an error, and advice. */
export function advised(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const advice = ADVICE[code];
  return advice === undefined ? message : `${message} ${advice}`;
}
