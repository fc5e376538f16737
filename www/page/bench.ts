// The bench: the viewer, the builder beside it, the address it builds, and the answer to that. One subject at a time lies on it.

import { Answer, type Answered, type Make } from "./answer.js";
import { Builder } from "./builder.js";
import { el, need, say, whenQuiet } from "./dom.js";
import { type Shown, Stage, type View } from "./stage.js";
import { type Choice, expectedPixels, path as pathOfChoice, regionRect, slots } from "./uri.js";
import { megapixels } from "./words.js";

/** Answers expected to be larger than this are made on request only. */
const TOO_MANY_PIXELS = 6_000_000;

/** What the bench works on. */
export interface Subject {
  readonly name: string;
  /** px */
  readonly width: number;
  readonly height: number;
  /** The most pixels an answer may have. */
  readonly maxArea: number;
  readonly qualities: readonly string[];
  readonly formats: readonly string[];
  readonly versions: readonly string[];
  /** What the viewer opens. */
  readonly shown: Shown;
  /** What stands before the request, in its address; nothing, if there is only the request. */
  base(version: string): string;
  /** Makes the picture that is asked for. */
  make(choice: Choice): Make;
}

/** What else the page does with what happens on the bench. */
export interface Listener {
  /** Another request was built: its parameters, and as it stands at the end of its address. */
  chose(choice: Choice, path: string): void;
  /** Its answer is shown. */
  answered(path: string, answer: Answered): void;
  /** The viewer cannot show something. */
  failed(sentence: string): void;
}

export class Bench {
  readonly #builder: Builder;
  readonly #answer: Answer;
  readonly #listener: Listener;
  readonly #askSoon: () => void;
  #stage: Stage | null = null;
  #subject: Subject | null = null;

  constructor(listener: Listener, leaving: AbortSignal) {
    this.#listener = listener;
    this.#builder = new Builder(() => this.#changed());
    this.#answer = new Answer(leaving);
    this.#askSoon = whenQuiet(350, () => this.#askIfSmall());
    need("fetch", HTMLButtonElement).addEventListener("click", () => void this.#ask());
    try {
      this.#stage = new Stage(
        need("viewer", HTMLElement),
        (rect) => this.#builder.region(rect),
        (sentence) => listener.failed(sentence),
      );
    } catch (error) {
      listener.failed(error instanceof Error ? error.message : String(error));
    }
  }

  /** The request that is built now, as it stands at the end of its address. */
  get path(): string {
    return pathOfChoice(this.#builder.choice());
  }

  /** The same, parameter by parameter. */
  get choice(): Choice {
    return this.#builder.choice();
  }

  /** Lays a subject on the bench in place of the one before; the viewer shows it whole, or as it was left. */
  lay(subject: Subject, left?: View): void {
    this.clear();
    this.#subject = subject;
    this.#builder.begin(subject);
    this.#stage?.open(subject.shown, subject.width, subject.height, left);
    this.#changed();
  }

  /** Where the visitor is in the image. */
  view(): View | undefined {
    return this.#stage?.view();
  }

  /** Leaves the bench empty. */
  clear(): void {
    this.#subject = null;
    this.#answer.clear();
    need("big", HTMLElement).hidden = true;
    this.#stage?.clear();
  }

  #changed(): void {
    if (!this.#subject) return;
    const { width, height } = this.#subject;
    const choice = this.#builder.choice();
    tell(this.#subject.base(choice.version), slots(choice));
    this.#stage?.mark(choice.region === "full" ? null : regionRect(choice, width, height));
    this.#listener.chose(choice, this.path);
    this.#askSoon();
  }

  #askIfSmall(): void {
    if (!this.#subject) return;
    const { width, height, maxArea } = this.#subject;
    const pixels = expectedPixels(this.#builder.choice(), width, height, maxArea);
    if (pixels <= TOO_MANY_PIXELS) return void this.#ask();
    this.#answer.clear();
    this.#offer(`This picture would have about ${megapixels(pixels, 1)}.`);
  }

  async #ask(): Promise<void> {
    const subject = this.#subject;
    if (!subject) return;
    need("big", HTMLElement).hidden = true;
    const asked = this.path;
    const answer = await this.#answer.ask(subject.make(this.#builder.choice()), `${subject.name}, as asked for`);
    if (subject !== this.#subject || asked !== this.path) return;
    if (answer === "cancelled") this.#offer("Cancelled.");
    else if (answer) this.#listener.answered(asked, answer);
  }

  #offer(sentence: string): void {
    say(need("big-text", HTMLElement), sentence);
    need("big", HTMLElement).hidden = false;
  }
}

/** The address, each slot in its pigment. */
function tell(base: string, { region, size, rotation, quality, format }: ReturnType<typeof slots>): void {
  const slot = (name: string, text: string): HTMLElement => el("b", { "data-slot": name, title: name }, text);
  need("uri", HTMLElement).replaceChildren(
    base && `${base}/`,
    slot("region", region),
    "/",
    slot("size", size),
    "/",
    slot("rotation", rotation),
    "/",
    slot("quality", quality),
    ".",
    slot("format", format),
  );
}
