// What the service asks its host for: the twin of the enum in `src/service/ask.rs`, which writes these objects.

import type { Version } from "../request/version.js";

/** An answer to be sent. */
export interface Told {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers?: readonly string[];
  /** The body, if it is a text. */
  readonly text?: string;
  /** The ask since which the host holds the body. */
  readonly held?: number;
  /** Whether the body comes in pieces. */
  readonly pieces?: boolean;
  /** Whether only the headers were asked for. */
  readonly silent?: boolean;
  /** The name under which the bytes are to be kept. */
  readonly keep?: string;
  /** Of an error: its name, and what the client does not get to know. */
  readonly code?: string;
  readonly detail?: string;
  /** Descriptions of the file's colours that were not used. */
  readonly unused?: string;
  /** Of a damaged file: its key, how many rows are shown, and what is wrong. */
  readonly key?: string;
  readonly rows?: number;
  readonly damage?: string;
  readonly log: "all" | "errors" | "none";
  readonly ms: number;
  readonly reads: number;
  readonly bytes: number;
}

export type Ask = { readonly number: number } & (
  | { readonly kind: "resolve" | "look"; readonly key: string }
  | { readonly kind: "begin"; readonly key: string; readonly length: number }
  | { readonly kind: "read"; readonly key: string; readonly offset: number; readonly length: number; readonly size: number; readonly etag?: string }
  | { readonly kind: "find" | "recall" | "keep"; readonly name: string }
  | { readonly kind: "index" | "keep-index"; readonly key: string; readonly etag: string }
  | { readonly kind: "pause"; readonly ms: number }
  | { readonly kind: "list"; readonly prefix: string; readonly limit: number; readonly cursor?: string }
  | { readonly kind: "open"; readonly identifier: string; readonly documents: readonly string[]; readonly pages: readonly string[]; readonly stale?: number; readonly version: Version }
  | { readonly kind: "describe"; readonly image: number; readonly id: string; readonly version: Version; readonly lines: boolean }
  | { readonly kind: "render"; readonly image: number; readonly request: string; readonly version: Version; readonly canonical: string }
  | ({ readonly kind: "answer" } & Told)
  | { readonly kind: "end"; readonly code?: string; readonly detail?: string }
  | { readonly kind: "piece" | "elsewhere" | "done" }
);

/** What a host replies: a text, bytes, both, or nothing. */
export interface Reply {
  readonly text?: string | undefined;
  readonly bytes?: Uint8Array | undefined;
}
