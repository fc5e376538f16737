/** Whether a text is a URL, against a base if there is one. `URL.canParse` came to browsers later than all else that is used here. */
export function isUrl(text: string, base?: string): boolean {
  try {
    new URL(text, base);
    return true;
  } catch {
    return false;
  }
}
