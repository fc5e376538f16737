// The demo's Service Worker: keeps its files, so that it works without a network.
// The build names the files by their content; other contents make another worker, with a store of its own.

declare const FILES: Readonly<Record<string, string>>;
declare const VERSION: string;

/** What of a Service Worker's scope is used; the DOM's types do not know it. */
interface Scope {
  readonly registration: { readonly scope: string };
  readonly location: Location;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Lasting) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetching extends Lasting {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

const scope = self as unknown as Scope;
/** The folder of the site. */
const base = new URL("./", scope.location.href).href;
const PAGE = "try.html";
/** Of this place on this host, and no other. */
const prefix = `azulejo ${scope.registration.scope} `;
const store = prefix + VERSION;

scope.addEventListener("install", (event) => event.waitUntil(fill()));
scope.addEventListener("activate", (event) => event.waitUntil(take()));
scope.addEventListener("message", ({ data }) => {
  if (data === "take over") void scope.skipWaiting();
});
scope.addEventListener("fetch", (event) => {
  const name = nameOf(event.request);
  if (name !== undefined) event.respondWith(kept(name, event.request));
});

async function fill(): Promise<void> {
  const cache = await caches.open(store);
  await Promise.all(Object.entries(FILES).map(async ([name, digest]) => cache.put(base + name, await fresh(name, digest))));
}

/** A file from the server. Scripts must be those of this version: half of an old one and half of a new one do not work together. */
async function fresh(name: string, digest: string): Promise<Response> {
  const response = await fetch(base + name, { cache: "no-cache" });
  if (!response.ok) throw new Error(`${name} answered ${response.status}`);
  const bytes = await response.arrayBuffer();
  // A host may put something of its own into a page.
  if (name !== PAGE && hex(await crypto.subtle.digest("SHA-256", bytes)) !== digest) throw new Error(`${name} is of another version`);
  const headers = new Headers(response.headers);
  for (const header of ["content-encoding", "content-length"]) headers.delete(header);
  // A new one: what came after a redirect may not answer a navigation.
  return new Response(bytes, { headers });
}

async function take(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(prefix) && name !== store) await caches.delete(name);
  await scope.clients.claim();
}

/** Which of the kept files is asked for. */
function nameOf({ method, mode, url }: Request): string | undefined {
  const path = url.replace(/[?#].*/, "");
  if (method !== "GET" || !path.startsWith(base)) return undefined;
  const name = path.slice(base.length);
  if (mode === "navigate") return name === "try" || name === PAGE ? PAGE : undefined;
  return Object.hasOwn(FILES, name) ? name : undefined;
}

async function kept(name: string, request: Request): Promise<Response> {
  const cache = await caches.open(store);
  return (await cache.match(base + name)) ?? fetch(request);
}

function hex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
