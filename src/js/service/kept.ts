// Local files by an identifier, in IndexedDB: the page keeps them, and the Service Worker still finds them when it begins anew.

import { IiifError } from "../error.js";

/** A file, or a handle that leaves it where it is. */
export type LocalFile = Blob | FileSystemFileHandle;

export interface KeptFile {
  readonly identifier: string;
  readonly file: LocalFile;
  /** Another for each time that something is kept, even under the same identifier. */
  readonly stamp: string;
  readonly name?: string;
}

/** Handles need the visitor's permission; DOM's types do not know of it yet. */
interface Permitted {
  queryPermission?(options: { mode: "read" }): Promise<PermissionState>;
  requestPermission?(options: { mode: "read" }): Promise<PermissionState>;
}

const NAME = "azulejo";
const STORE = "files";
/** Tells Service Workers that something else is under an identifier. */
export const CHANGES = "azulejo-files";

/**
 * Keeps a file under an identifier, a random one unless one is given: from now on the Service Worker answers for it, until it is forgotten.
 * Of a Blob the browser keeps a copy. A handle (from a file picker or a drop) costs nothing, but the browser may ask for permission again later: see `permit`.
 */
export async function keep(file: LocalFile, { identifier = crypto.randomUUID() }: { identifier?: string } = {}): Promise<string> {
  if (!(file instanceof Blob) && !isHandle(file)) throw new IiifError("invalid-argument", 400, "Only a Blob, a File or a FileSystemFileHandle can be kept.");
  const name = "name" in file ? { name: String(file.name) } : {};
  await run("readwrite", (store) => store.put({ identifier, file, stamp: crypto.randomUUID(), ...name } satisfies KeptFile));
  tell(identifier);
  return identifier;
}

/** What is kept under an identifier. */
export async function kept(identifier: string): Promise<KeptFile | undefined> {
  return (await run("readonly", (store) => store.get(identifier))) as KeptFile | undefined;
}

/** All that is kept. */
export async function allKept(): Promise<KeptFile[]> {
  return (await run("readonly", (store) => store.getAll())) as KeptFile[];
}

export async function forget(identifier: string): Promise<void> {
  await run("readwrite", (store) => store.delete(identifier));
  tell(identifier);
}

/** Asks the visitor to let a kept handle be read again, after the browser was restarted. To be called from a click. `true` if it may be read. */
export async function permit(identifier: string): Promise<boolean> {
  const found = await kept(identifier);
  if (!found) return false;
  if (found.file instanceof Blob) return true;
  const handle = found.file as Permitted;
  const state = (await handle.queryPermission?.({ mode: "read" })) ?? "granted";
  return state === "granted" || (await handle.requestPermission?.({ mode: "read" })) === "granted";
}

/** The file of a handle as it is now; it may be written anew later. */
export async function fileOf(handle: FileSystemFileHandle): Promise<File> {
  const state = (await (handle as Permitted).queryPermission?.({ mode: "read" })) ?? "granted";
  if (state !== "granted") {
    throw new IiifError("source-forbidden", 403, `The browser does not let this site read ${handle.name} any more. Open the page that keeps it and allow it, or choose the file again.`);
  }
  try {
    return await handle.getFile();
  } catch (cause) {
    throw new IiifError("not-found", 404, `The file ${handle.name} was moved or deleted since it was kept.`, { cause });
  }
}

export function isHandle(value: unknown): value is FileSystemFileHandle {
  return typeof FileSystemFileHandle !== "undefined" && value instanceof FileSystemFileHandle;
}

function tell(identifier: string): void {
  const channel = new BroadcastChannel(CHANGES);
  channel.postMessage(identifier);
  channel.close();
}

async function run(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const database = await opened();
  try {
    const transaction = database.transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    // What is not yet committed is not kept.
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(failed(transaction.error));
    });
    return request.result as unknown;
  } finally {
    database.close();
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => void request.result.createObjectStore(STORE, { keyPath: "identifier" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(failed(request.error));
  });
}

function failed(cause: DOMException | null): IiifError {
  if (cause?.name === "QuotaExceededError") return new IiifError("storage", 507, "The browser has no room left for this file. Forget others, or keep a handle instead of the file.", { cause });
  return new IiifError("storage", 500, `The browser's storage failed: ${cause?.message ?? "it gave no reason"}`, { cause });
}
