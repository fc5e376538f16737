/** What went wrong, by a stable code. Aborts are not among them: they stay the platform's `AbortError`. */
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

function isThrown(value: unknown): value is Thrown {
  return typeof value === "object" && value !== null && "code" in value && "status" in value && "message" in value && !(value instanceof Error);
}

/** The error of what a call into wasm threw. Anything the core did not throw on purpose is a trap: `internal`. */
export function fromWasm(value: unknown): IiifError {
  if (isThrown(value)) return new IiifError(value.code, value.status, value.message);
  return new IiifError("internal", 500, "Something went wrong inside azulejo.", { cause: value });
}
