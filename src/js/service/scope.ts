// What Service Workers have and DOM's types do not know; no more of it than is used.

/** The global scope of a Service Worker. */
export interface Scope {
  readonly registration: ServiceWorkerRegistration;
  readonly location: { readonly href: string; readonly origin: string };
  readonly clients: {
    claim(): Promise<void>;
    get(id: string): Promise<Client | undefined>;
    matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<readonly Client[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEventLike) => void): void;
  addEventListener(type: "message", listener: (event: Extendable & MessageEvent) => void): void;
}

/** A page. */
export interface Client {
  readonly id: string;
  postMessage(message: unknown): void;
}

interface Extendable {
  waitUntil(promise: Promise<unknown>): void;
}

/** The part of `FetchEvent` that is used. */
export interface FetchEventLike extends Extendable {
  readonly request: Request;
  /** The page that asks; empty for a page that is being opened. */
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
}

/** What a Service Worker and its pages say to each other. */
export interface Message {
  readonly azulejo:
    /** To pages: who decodes? To a Service Worker: this page would. */
    | "who"
    | "here"
    /** To a page: lend your workers. To a Service Worker: these they are, by their ports. */
    | "lend"
    | "lent"
    /** To a page: end the workers that were lent. */
    | "end"
    /** To a Service Worker: a worker could not run; the page is going away; be my Service Worker. */
    | "unfit"
    | "gone"
    | "claim";
}

/** What is said, if it is said by azulejo. */
export function said(data: unknown): Message["azulejo"] | undefined {
  return typeof data === "object" && data !== null && "azulejo" in data ? (data as Message).azulejo : undefined;
}
