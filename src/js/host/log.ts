// The log of a service: one line of JSON an event. No query strings, control characters escaped, long texts cut.

import { IiifError } from "../error.js";
import type { Incomplete } from "../image.js";
import type { Told } from "./ask.js";

/** Who is told of errors and damaged files instead of the log. */
export interface Listeners {
  onError?(error: IiifError, request: Request): void;
  onIncomplete?(incomplete: Incomplete, request: Request): void;
}

const LONGEST = 256;

/** A text that is safe in a log. */
const safe = (text: string): string => {
  const characters = [...text];
  const cut = characters.slice(0, LONGEST).join("").replace(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
  return characters.length > LONGEST ? `${cut}…` : cut;
};

const isLogged = (level: Told["log"], fault: boolean): boolean => level === "all" || (level === "errors" && fault);

/** Writes an event: a fault to the errors. */
export function event(level: Told["log"], name: string, fault: boolean, fields: Readonly<Record<string, string | number | null | undefined>>): void {
  if (!isLogged(level, fault)) return;
  const shown = Object.entries(fields).flatMap(([key, value]) => (value === undefined || value === null ? [] : [[key, typeof value === "string" ? safe(value) : value]]));
  const line = JSON.stringify({ event: name, ...Object.fromEntries(shown) });
  if (fault) console.error(line);
  else console.log(line);
}

const MOST_CAUSES = 8;

/** Calls a listener. What it throws is its own fault, and must not change an answer. */
export function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    console.error(error);
  }
}

/** All that an error and its causes say. */
function reasons(error: unknown): string {
  const found: string[] = [];
  for (let reason = error; reason instanceof Error && found.length < MOST_CAUSES; reason = reason.cause) found.push(reason.message);
  return [...new Set(found)].join(" ");
}

/** Tells of an answer; `cause` is what was thrown to the host, if anything was. */
export function answered(told: Told, request: Request, cause: IiifError | undefined, { onError, onIncomplete }: Listeners): void {
  const { status, code, detail, unused, key, rows, damage, log, ms, reads, bytes } = told;
  const own = cause?.code === code ? cause : undefined;
  const fault = status >= 500;
  if (fault && onError) tell(() => onError(own ?? new IiifError(code ?? "internal", status, detail ?? told.text?.trim() ?? "Something went wrong inside this service."), request));
  // A file whose colours may be wrong is for somebody to look at.
  const notable = fault || unused !== undefined;
  if (isLogged(log, notable) && !(fault && onError)) {
    const path = /^[^:]*:\/\/[^/?#]*([^?#]*)/.exec(request.url)?.[1] || "/";
    event(log, "request", notable, { method: request.method, path, status, code, detail: own ? reasons(own) : detail, unused, ms, reads, bytes });
  }
  if (rows === undefined) return;
  if (onIncomplete) tell(() => onIncomplete({ rows, damage: damage ?? "" }, request));
  else event(log, "incomplete", true, { key, rows, detail: damage });
}
