// In a Service Worker: where images are decoded. In the workers that a page lends, and without a page here.

import { lost } from "../error.js";
import type { Host, Lane } from "../pool.js";
import { type RemoteCore, remoteCore } from "../rpc.js";
import { type Client, type Message, type Scope, said } from "./scope.js";

/** Workers of a page, as long as there is one that lends them. */
export interface Borrowed extends Host {
  /** For the tiles of stitched images, in engines of their own: an answer that is being made of them may fill its engine's memory. */
  readonly tiles: Host;
  /** Resolves when workers were lent, or when it is known that none will be for now. The page that asks is asked first. */
  settle(clientId: string): Promise<void>;
  /** Calls that make sense at once. */
  readonly width: number;
}

interface Lent extends Lane {
  readonly core: RemoteCore;
  readonly port: MessagePort;
}

interface Lender {
  readonly id: string;
  readonly lanes: readonly Lent[];
  /** Engines start when they are first needed. */
  readonly tiles: () => readonly Lent[];
  readonly all: () => readonly Lent[];
  /** When one of its lanes was heard of. */
  heard: number;
}

/** A page whose script is busy may not be heard for so long; then it is done without it until it speaks, ms. */
const ANSWER = 300;
/** To load the engine in all workers of a page. */
const START = 10_000;
/** How often the page is looked for while it decodes: that it is gone nobody tells. */
const LOOK = 500;
/** A worker that says nothing for so long is frozen with its page. */
const SILENCE = 60_000;
/** Within the Service Worker: an answer may take all the memory that the engine has. */
const INSIDE = 1;

/** `inside` and `tilesInside` are where images and tiles are decoded without a page. */
export function borrowed(scope: Scope, inside: Host, tilesInside: Host): Borrowed {
  const here = new Map<string, Client>();
  let lender: Lender | undefined;
  let asked = false;
  let settling: Promise<void> | undefined;
  let looking: ReturnType<typeof setInterval> | undefined;
  let stir: (() => void)[] = [];

  const say = (client: Client, azulejo: Message["azulejo"]): void => client.postMessage({ azulejo } satisfies Message);
  const stirred = (): void => {
    for (const wake of stir.splice(0)) wake();
  };

  /** What runs there is begun anew elsewhere. */
  function lose(gone: Lender): void {
    if (lender === gone) lender = undefined;
    for (const { core, port } of gone.all()) {
      core.end(lost());
      port.close();
    }
    stirred();
  }

  /** A page gives each worker two ports: for images, and for tiles. */

  function lend(client: Client, ports: readonly MessagePort[]): void {
    if (lender) lose(lender);
    const start = (port: MessagePort): Lent => {
      const core = remoteCore(port, undefined);
      port.addEventListener("message", () => (own.heard = Date.now()));
      // Told by some browsers when the other side is no more.
      port.addEventListener("close", () => core.alive && lose(own));
      port.start();
      return {
        core,
        port,
        get alive() {
          return core.alive;
        },
      };
    };
    let tiles: readonly Lent[] | undefined;
    const own: Lender = {
      id: client.id,
      lanes: ports.filter((_, index) => index % 2 === 0).map(start),
      tiles: () => (tiles ??= ports.filter((_, index) => index % 2 === 1).map(start)),
      all: () => [...own.lanes, ...(tiles ?? [])],
      heard: Date.now(),
    };
    lender = own;
    stirred();
  }

  scope.addEventListener("message", (event) => {
    const word = said(event.data);
    const client = event.source as unknown as Client;
    if (word === "claim") event.waitUntil(scope.clients.claim());
    else if (word === "here") here.set(client.id, client);
    else if (word === "lent") lend(client, event.ports);
    else if (word === "gone" || word === "unfit") {
      here.delete(client.id);
      if (lender?.id === client.id) lose(lender);
    }
    if (word) stirred();
  });

  /** Waits for a condition, but not longer than a while. */
  async function until(condition: () => boolean, most: number): Promise<void> {
    const end = Date.now() + most;
    while (!condition() && Date.now() < end) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(LOOK, Math.max(0, end - Date.now())));
        stir.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async function find(clientId: string): Promise<void> {
    // Pages speak when they come; only a Service Worker that begins anew knows none of them.
    if (!asked) {
      asked = true;
      const clients = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
      for (const client of clients) say(client, "who");
      if (clients.length) await until(() => here.size > 0, ANSWER);
    }
    while (!lender && here.size) {
      const client = here.get(clientId) ?? here.values().next().value!;
      say(client, "lend");
      await until(() => lender?.id === client.id || !here.has(client.id), START);
      const lent = lender as Lender | undefined;
      if (lent?.id !== client.id) here.delete(client.id);
      else if (!(await ready(lent))) {
        lose(lent);
        here.delete(client.id);
        say(client, "end");
      }
    }
  }

  /** Whether the engine runs in the lanes: a policy may forbid it there. */
  async function ready({ id, lanes }: Lender): Promise<boolean> {
    let state: boolean | undefined;
    void Promise.all(lanes.map(({ core }) => core.ready())).then(
      () => {
        state = true;
        stirred();
      },
      () => {
        state = false;
        stirred();
      },
    );
    const end = Date.now() + START;
    while (state === undefined && Date.now() < end && (await scope.clients.get(id))) await until(() => state !== undefined, LOOK);
    return state === true;
  }

  async function look(): Promise<void> {
    const looked = lender;
    if (!looked?.all().some(({ core }) => core.pending)) {
      clearInterval(looking);
      looking = undefined;
      return;
    }
    const gone = !(await scope.clients.get(looked.id));
    if (lender !== looked || (!gone && Date.now() - looked.heard < SILENCE)) return;
    here.delete(looked.id);
    lose(looked);
  }

  function hostOver(lanesOf: (lender: Lender) => readonly Lent[], instead: Host): Host {
    return {
      take(prefer) {
        if (!lender) return instead.take(prefer);
        if (!lender.all().some(({ core }) => core.pending)) lender.heard = Date.now();
        looking ??= setInterval(() => void look(), LOOK);
        const lanes = lanesOf(lender);
        const idle = lanes.filter(({ core }) => !core.pending);
        return idle.find(prefer) ?? idle[0] ?? lanes.reduce((least, lane) => (lane.core.pending < least.core.pending ? lane : least));
      },
      drop(lane) {
        const found = lender;
        if (!found?.all().some((each) => each === lane)) return instead.drop(lane);
        const client = here.get(found.id);
        // The page starts others in their place.
        lose(found);
        if (client) say(client, "end");
      },
      close() {
        if (lender) lose(lender);
        instead.close();
      },
    };
  }

  return {
    ...hostOver(({ lanes }) => lanes, inside),
    tiles: hostOver(({ tiles }) => tiles(), tilesInside),
    settle(clientId) {
      if (lender && !settling) return Promise.resolve();
      settling ??= find(clientId).finally(() => (settling = undefined));
      return settling;
    },
    get width() {
      // One more than there are: it reads while they decode.
      return lender ? lender.lanes.length + 1 : INSIDE;
    },
  };
}
