/**
 * What went wrong, by a stable code. Aborts are not among them: they stay the platform's `AbortError`.
 *
 * | code | status | |
 * |---|---|---|
 * | `syntax`, `region-outside`, `empty-result`, `upscale-needs-caret`, `too-large` | 400 | the request cannot be answered as it is |
 * | `upscale-unsupported` | 501 | it enlarges, which its version or the settings exclude |
 * | `unsupported` | 400, 415, 501 | it asks for something that is not offered, or `bitmap` for a format that this browser does not decode |
 * | `invalid-argument` | 400 | a function was called wrongly; a setting, an option or a URL that is none |
 * | `closed` | 400 | the image was closed |
 * | `not-found` | 404 | there is nothing at the URL |
 * | `source-unsupported` | 501 | not an image, or of a kind that is not read |
 * | `source-corrupt` | 500 | the file is damaged or cut off |
 * | `source-too-costly` | 503 | it would take more bytes or memory than the limits allow; also a server without Range and a large file |
 * | `source-unreachable` | 503 | there was no answer: no connection, or the server does not let this site read it (CORS) |
 * | `source-read` | 503 | the server refused, or sent other than what was asked for |
 * | `source-changed` | 503 | the file was replaced while it was read; open it anew |
 * | `engine` | 500 | the WebAssembly module could not be loaded |
 * | `engine-forbidden` | 500 | the page's Content-Security-Policy forbids WebAssembly |
 * | `engine-lost`, `worker-lost` | 500 | what decoded was ended while this call ran, and beginning anew did not help; ask again |
 * | `worker` | 500 | the worker that `createWorker` or `workerUrl` names could not be started |
 * | `bitmaps-unsupported` | 501 | `bitmap` where there are none: it is for browsers |
 * | `source-forbidden` | 403 | a kept handle may not be read any more, until the visitor allows it again |
 * | `storage` | 500, 507 | the browser's storage failed, or has no room for a file that is to be kept |
 * | `service-worker` | 500, 501 | a Service Worker could not be registered, or does not answer for this page |
 * | `internal` | 500 | something went wrong inside; it cost this call only |
 */
export class IiifError extends Error {
  override readonly name = "IiifError";
  /** A stable kebab-case name, as the Worker's answers have it. */
  readonly code: string;
  /** The HTTP status that a server would answer with. */
  readonly status: number;

  constructor(code: string, status: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

interface Thrown {
  code: string;
  status: number;
  message: string;
}

/** Whether it is what the core throws on purpose. @internal */
export function isThrown(value: unknown): value is Thrown {
  return typeof value === "object" && value !== null && "code" in value && "status" in value && "message" in value && !(value instanceof Error);
}

/** The error of what a call into wasm threw. Anything the core did not throw on purpose is a trap: `internal`. @internal */
export function fromWasm(value: unknown): IiifError {
  if (isThrown(value)) return new IiifError(value.code, value.status, value.message);
  return new IiifError("internal", 500, "Something went wrong inside azulejo.", { cause: value });
}

/** What a call hears that was under way in an engine which is no more; it is begun anew in another. @internal */
export function lost(): IiifError {
  return new IiifError("engine-lost", 500, "The engine was ended while this call ran. Try again.");
}
