// Where a large file goes: straight to the disk where the browser lets a page write there, else into memory and from there to the downloads.

export interface Target {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** All is written: it becomes the file. */
  close(): Promise<void>;
  /** It becomes no file. */
  abort(): Promise<void>;
}

interface Picker {
  showSaveFilePicker?(options: { suggestedName: string; types: readonly object[] }): Promise<FileSystemFileHandle>;
}

/** Pieces are gathered to so many bytes. */
const PIECE = 4 << 20;

/** Asks where to; right after a click, or the browser refuses. Rejects with an `AbortError` if the visitor does. */
export async function target(name: string): Promise<Target> {
  const picker = window as Picker;
  const choice = { suggestedName: name, types: [{ description: "ZIP archive", accept: { "application/zip": [".zip"] } }] };
  // Frames of other sites may not ask.
  const handle = await picker.showSaveFilePicker?.(choice).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "SecurityError") return undefined;
    throw error;
  });
  if (!handle) return gathered(toDownloads(name));
  const writable = await handle.createWritable();
  return gathered({ write: (bytes) => writable.write(bytes), close: () => writable.close(), abort: () => writable.abort() });
}

function toDownloads(name: string): Target {
  // Blobs, which the browser may keep on the disk, and not arrays.
  let parts: Blob[] = [];
  return {
    async write(bytes) {
      parts.push(new Blob([bytes]));
    },
    async close() {
      download(new Blob(parts, { type: "application/zip" }), name);
      parts = [];
    },
    async abort() {
      parts = [];
    },
  };
}

/** Hands a file to the browser's downloads. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Many small writes as few large ones. */
function gathered(target: Target): Target {
  let piece: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const flush = async (): Promise<void> => {
    if (!length) return;
    const all = new Uint8Array(length);
    let at = 0;
    for (const bytes of piece) {
      all.set(bytes, at);
      at += bytes.length;
    }
    piece = [];
    length = 0;
    await target.write(all);
  };
  return {
    async write(bytes) {
      piece.push(bytes);
      length += bytes.length;
      if (length >= PIECE) await flush();
    },
    async close() {
      await flush();
      await target.close();
    },
    abort: () => target.abort(),
  };
}
