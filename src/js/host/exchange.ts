// One request on its way through the service (`src/service` of the core): does what the service asks for, until it is done.

import { IiifError, fromWasm, isThrown } from "../error.js";
import type { Incomplete } from "../image.js";
import type { VersionedSource } from "../r2.js";
import type { Source } from "../sources.js";
import type { Ask, Reply, Told } from "./ask.js";
import { find, store } from "./cache.js";
import { begin, discreet, look, read } from "./files.js";
import { Broken, type Instance, type Isolate, type ServiceEngine, pause } from "./isolate.js";
import { type Listeners, answered, event, tell } from "./log.js";
import { Pipe } from "./pipe.js";

/** Images that a host has opened itself. */
export interface Images {
  /** A number of its own for an opened image, and what it is; nothing if there is none. */
  open(ask: Ask & { kind: "open" }): Promise<Reply>;
  describe(ask: Ask & { kind: "describe" }): Reply;
  render(ask: Ask & { kind: "render" }, signal: AbortSignal | undefined): Promise<{ bytes: Uint8Array | ReadableStream<Uint8Array>; timing?: string; incomplete?: Incomplete }>;
}

/** What a host has for a request. */
export interface Holdings {
  /** An object of a bucket by its key, whether it is there or not. */
  object?(key: string): VersionedSource;
  /** The file that a key stands for, if there is one. */
  file?(key: string): Source | null | Promise<Source | null>;
  list?(ask: Ask & { kind: "list" }): Promise<Reply>;
  images?: Images;
}

/** A service as a host knows it. */
export interface Served<E extends ServiceEngine> extends Listeners {
  readonly isolate: Isolate<E>;
  /** Makes it, in an instance that has none yet. */
  make(engine: E): number;
}

const HEADERS = ["accept", "if-none-match", "if-modified-since", "origin", "access-control-request-headers"];
/** The runtime of a Worker lets no more than six connections be open. */
const AT_ONCE = 6;
const NAMES = "https://azulejo.invalid/";

/** What the wasm is told of a request, in one text: to cross the border once is much cheaper than for each of these. */
const lines = ({ method, url, headers }: Request): string => [method, url, ...HEADERS.map((name) => headers.get(name))].join("\n");

/** Answers a request; null if it is left to others. `wait` keeps the runtime at work that goes on after the answer has begun. Rejects only if the request is aborted. */
export async function respond<E extends ServiceEngine>(served: Served<E>, request: Request, holdings: Holdings, wait: (work: Promise<unknown>) => void): Promise<Response | null> {
  const { isolate } = served;
  const attempt = (begin: (engine: E, service: number) => number | undefined, cause?: IiifError) => (instance: Instance<E>): Promise<Response | null> => {
    const service = instance.service(served, (engine) => served.make(engine));
    return new Exchange(instance, served, request, holdings, wait, cause).run(instance.call((engine) => begin(engine, service)));
  };
  const text = lines(request);
  try {
    return await isolate.serve(attempt((engine, service) => engine.begin(service, text, Date.now())));
  } catch (thrown) {
    request.signal?.throwIfAborted();
    const cause = causeOf(thrown);
    const { code, status, message } = cause;
    const refused = attempt((engine, service) => engine.beginRefused(service, text, Date.now(), code, status, message), cause);
    return isolate.serve(refused).catch(() => {
      const told = thrown instanceof IiifError && thrown.code === "engine-forbidden" ? thrown : cause;
      const { onError } = served;
      if (onError) tell(() => onError(told, request));
      else event("all", "request", true, { method: request.method, status, code: told.code, detail: String(thrown) });
      return withoutEngine(told, request);
    });
  }
}

/** Why a request has no answer of the service's: what the client is told, with what was thrown as its cause. */
function causeOf(thrown: unknown): IiifError {
  if (thrown instanceof IiifError && thrown.code === "busy") return thrown;
  if (thrown instanceof Broken && thrown.how !== "trapped") return new IiifError("overloaded", 503, "This service is out of memory just now. Try again.", { cause: thrown });
  // What the core throws here is about the settings.
  return new IiifError("internal", 500, "Something went wrong inside this service.", { cause: isThrown(thrown) ? fromWasm(thrown) : thrown });
}

/** The answer where the engine cannot even be started. */
function withoutEngine({ code, status, message }: IiifError, { method, headers: asked }: Request): Response {
  const json = asked.get("accept")?.includes("json") ?? false;
  const text = json ? JSON.stringify({ code, error: message, status }) : message;
  // Whose pages may read answers only the engine knows; this one says nothing that is not for everybody.
  const headers = {
    "content-type": json ? "application/json" : "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    vary: "Accept",
    ...(status === 503 && { "retry-after": "1" }),
  };
  return new Response(method === "HEAD" ? null : `${text}\n`, { status, headers });
}

class Exchange {
  #number = 0;
  #over = false;
  #settle!: (response: Response | null) => void;
  #fail!: (error: unknown) => void;
  /** Files that were resolved, by their keys. */
  readonly #files = new Map<string, Source>();
  /** Bytes that are held for an answer, by their ask. */
  readonly #held = new Map<number, Uint8Array | ReadableStream<Uint8Array>>();
  #pipe: Pipe | undefined;
  #told: Told | undefined;
  #reading = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    readonly instance: Instance,
    readonly served: Listeners,
    readonly request: Request,
    readonly holdings: Holdings,
    readonly wait: (work: Promise<unknown>) => void,
    /** What was thrown last of what the service asked for. */
    public cause?: IiifError,
  ) {}

  run(number: number | undefined): Promise<Response | null> {
    if (number === undefined) throw new IiifError("internal", 500, "The engine has no such service.");
    this.#number = number;
    const answer = new Promise<Response | null>((settle, fail) => {
      this.#settle = settle;
      this.#fail = fail;
    });
    this.#advance();
    return answer;
  }

  /** Lets the service go on, and does what it asks for. */
  #advance(): void {
    if (this.#over) return;
    try {
      this.request.signal?.throwIfAborted();
      const asks = this.instance.call((engine) => engine.step(this.#number, Date.now()));
      // The service gives up an exchange of which it hears nothing for a minute.
      if (asks === undefined) throw new IiifError("busy", 503, "The storage did not answer in time. Try again.");
      for (const ask of JSON.parse(asks) as Ask[]) this.#do(ask);
    } catch (error) {
      this.#break(error);
    }
  }

  /** Nothing more comes of it. */
  #break(error: unknown): void {
    const over = this.#over;
    this.#end();
    if (this.#pipe) {
      if (!over && !this.request.signal?.aborted) event(this.#told?.log ?? "errors", "stream", true, { code: "engine-lost", detail: String(error) });
      this.#pipe.abort();
    }
    this.#fail(error);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.instance.alive) return;
    try {
      this.instance.call((engine) => engine.end(this.#number));
    } catch {
      // It trapped, which `call` has noted: the next request starts another instance.
    }
  }

  #do(ask: Ask): void {
    switch (ask.kind) {
      case "answer":
        return this.#answer(ask);
      case "elsewhere":
        return this.#settle(null);
      case "keep":
        return this.wait(store(NAMES + ask.name, this.#take(ask), "application/octet-stream"));
      case "keep-index": {
        const bytes = this.#take(ask);
        // It is made anew another time if this fails.
        return this.wait((async () => this.#room(ask.key)?.write(ask.etag, bytes))().catch(() => undefined));
      }
      case "end":
        return this.#close(ask);
      case "done":
        return this.#end();
      default: {
        const work = this.#ask(ask);
        // Until there is an answer the runtime waits for that.
        if (this.#told) this.wait(work);
        return void work;
      }
    }
  }

  /** Does what is asked for, and hands over the reply. */
  async #ask(ask: Ask): Promise<void> {
    let reply: Reply = {};
    let refused: IiifError | undefined;
    try {
      reply = await this.#reply(ask);
    } catch (thrown) {
      if (this.request.signal?.aborted) return this.#break(this.request.signal.reason);
      refused = toError(thrown);
      this.cause = refused;
    }
    if (this.#over) return;
    try {
      this.instance.call((engine) => {
        // What is no text or number would be thrown at by the glue, which looks like a trap.
        if (refused) engine.refuse(this.#number, ask.number, String(refused.code), Number(refused.status) || 500, String(refused.message));
        else engine.reply(this.#number, ask.number, reply.text === undefined ? undefined : String(reply.text), reply.bytes);
      });
    } catch (error) {
      return this.#break(error);
    }
    this.#advance();
  }

  async #reply(ask: Ask): Promise<Reply> {
    const { signal } = this.request;
    switch (ask.kind) {
      case "resolve": {
        const source = await resolved(() => this.#have(this.holdings.file)(ask.key));
        if (source) this.#files.set(source.key, source);
        return { text: source?.key };
      }
      case "look":
        return this.#file(ask.key, (source) => look(source, signal));
      case "begin":
        return this.#file(ask.key, (source) => begin(source, ask.length, signal));
      case "read":
        return this.#inTurn(() => this.#file(ask.key, (source) => read(source, ask.offset, ask.length, ask, signal)));
      case "find": {
        const bytes = await find(NAMES + ask.name);
        if (bytes) this.#held.set(ask.number, bytes);
        return { text: bytes && String(bytes.length) };
      }
      case "recall":
        return { bytes: await find(NAMES + ask.name) };
      case "index":
        return { bytes: await this.#room(ask.key)?.read(ask.etag) };
      case "pause":
        await pause(ask.ms);
        return {};
      case "list":
        return this.#have(this.holdings.list)(ask);
      case "open":
        return this.#have(this.holdings.images).open(ask);
      case "describe":
        return this.#have(this.holdings.images).describe(ask);
      case "render": {
        const { bytes, timing, incomplete } = await this.#have(this.holdings.images).render(ask, signal);
        this.#held.set(ask.number, bytes);
        const length = bytes instanceof Uint8Array ? String(bytes.length) : "";
        return { text: [length, timing ?? "", incomplete?.rows ?? "", incomplete?.damage.replaceAll("\n", " ") ?? ""].join("\n") };
      }
      case "piece":
        await this.#pipe?.write(this.#take(ask));
        return {};
      default:
        throw new IiifError("internal", 500, `The service asked for ${ask.kind}.`);
    }
  }

  /** What this host must have, as the service asks for it. */
  #have<T>(part: T | undefined): T {
    if (part === undefined) throw new IiifError("internal", 500, "The service asked for what this host does not have.");
    return part;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    while (this.#reading >= AT_ONCE) await new Promise<void>((go) => this.#waiting.push(go));
    if (this.#over) throw new IiifError("internal", 500, "The exchange is over.");
    this.#reading++;
    try {
      return await work();
    } finally {
      this.#reading--;
      this.#waiting.shift()?.();
    }
  }

  /** The file of a key: one that was resolved, or any of a bucket. */
  #source(key: string): VersionedSource | Source {
    return this.#files.get(key) ?? this.#have(this.holdings.object)(key);
  }

  async #file(key: string, work: (source: Source) => Promise<Reply>): Promise<Reply> {
    const source = this.#source(key);
    return discreet(source, () => work(source));
  }

  #room(key: string): VersionedSource["index"] {
    return (this.#source(key) as Partial<VersionedSource>).index;
  }

  #take(ask: Ask): Uint8Array {
    return this.instance.call((engine) => engine.take(this.#number, ask.number)) ?? new Uint8Array(0);
  }

  #answer(told: Ask & Told): void {
    const { status, headers = [], text, held, pieces, silent, keep } = told;
    this.#told = told;
    answered(told, this.request, this.cause, this.served);
    const bytes = held === undefined ? this.instance.call((engine) => engine.take(this.#number, told.number)) : this.#held.get(held);
    const type = headers[headers.indexOf("content-type") + 1] ?? "";
    if (keep !== undefined && bytes instanceof Uint8Array) this.wait(store(NAMES + keep, bytes.slice(), type));
    if (silent && bytes instanceof ReadableStream) bytes.cancel().catch(() => undefined);
    if (pieces) this.#pipe = new Pipe();
    const body = silent || status === 304 || status === 204 ? null : (this.#pipe?.readable ?? text ?? bytes ?? null);
    this.#settle(new Response(body as BodyInit | null, { status, headers: headersOf(headers) }));
  }

  #close({ code, detail }: { code?: string; detail?: string }): void {
    if (code === undefined) return this.wait(this.#pipe?.close() ?? Promise.resolve());
    // Who has left hears nothing of it.
    if (code !== "busy") event(this.#told?.log ?? "errors", "stream", true, { code, detail });
    this.#pipe?.abort();
  }
}

/** The file that somebody's function gives. If it calls the package wrongly, that is no business of the client's, and the message may hold an address with a secret in it. */
async function resolved(work: () => Source | null | Promise<Source | null>): Promise<Source | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof IiifError) || error.code !== "invalid-argument") throw error;
    throw new IiifError("internal", 500, "Something went wrong inside this service.", { cause: error });
  }
}

function headersOf(parts: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < parts.length; at += 2) {
    try {
      headers.append(parts[at]!, parts[at + 1]!);
    } catch {
      // A value that is no header is left out: nothing of a request may break an answer.
    }
  }
  return headers;
}

/** Whatever was thrown, as an error that may be told: a defect is never detailed to the client. */
function toError(thrown: unknown): IiifError {
  if (thrown instanceof IiifError && thrown.code !== "internal" && thrown.code !== "engine") return thrown;
  return new IiifError("internal", 500, "Something went wrong inside this service.", { cause: thrown });
}
