// How many requests may hold pixels at the same time: the isolate's memory is one for all.
//
// Waiting is polling by timers of one's own. Being woken by another request would run this one's code in that one's context, which the runtime
// forbids; and what another one promised never comes true if the runtime ends it.

import { IiifError } from "../error.js";

/** Renders that are under way at the same time, at most. */
const RENDERS = 2;
/** ms after which a waiting request gives up: viewers do not ask again for a tile that failed, so a late one is better. */
const PATIENCE = 20_000;
/** ms after which a place is free again, whoever holds it: the runtime may drop a request without a word. */
const LEASE = 60_000;
/** ms between two looks of the first in the queue. */
const PAUSE = 4;

/** What a render takes. */
export interface Load {
  /** Bytes. */
  readonly memory: number;
  /** Whether it is next to no work. Then only its memory is counted. */
  readonly light: boolean;
}

interface Ticket extends Load {
  readonly budget: number;
  since: number;
}

let queue: Ticket[] = [];
let inside: Ticket[] = [];

/** A place inside. */
export interface Pass {
  /** Whether it was waited for. */
  readonly waited: boolean;
  leave(): void;
}

/** Waits until there is room for a render within `budget` bytes; `busy` if that takes too long. */
export async function enter({ memory, light }: Load, budget: number): Promise<Pass> {
  const ticket: Ticket = { memory, light, budget, since: Date.now() };
  const forget = (): void => {
    queue = queue.filter((other) => other !== ticket);
    inside = inside.filter((other) => other !== ticket);
  };
  queue.push(ticket);
  for (let waited = false; ; waited = true) {
    const before = admit(ticket);
    if (before === undefined) return { waited, leave: forget };
    if (Date.now() - ticket.since > PATIENCE) {
      forget();
      throw new IiifError("busy", 503, "This service is busy. Try again.");
    }
    // The further back, the less often a look is worth it.
    await pause(PAUSE * (1 + Math.min(before, 24)));
  }
}

/** Lets a ticket in, or tells how many are before it. */
function admit(ticket: Ticket): number | undefined {
  const now = Date.now();
  inside = inside.filter(({ since }) => now - since < LEASE);
  // Whoever is still here by now has gone without a word; the living give up before.
  queue = queue.filter(({ since }) => now - since < PATIENCE + 1000);
  const before = queue.indexOf(ticket);
  const held = inside.reduce((sum, { memory }) => sum + memory, 0);
  const renders = inside.filter(({ light }) => !light).length;
  const fits = !inside.length || ((ticket.light || renders < RENDERS) && held + ticket.memory <= ticket.budget);
  if (before > 0 || !fits) return Math.max(0, before);
  queue = queue.filter((other) => other !== ticket);
  ticket.since = now;
  inside.push(ticket);
  return undefined;
}

/** A timer of this request's own. */
export const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));
