// Small helpers over the DOM. Text from outside enters a page through these, as text and never as markup.

export type Attributes = Record<string, string | number | boolean>;

/** Makes an element; `true` sets an empty attribute, `false` leaves it out. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/** The element with this id and of this kind; a page without it is a mistake of ours, so it throws. */
export function need<T extends Element>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} with the id ${id}`);
  return element;
}

/** Shows the element when there is text for it, hides it when there is none. */
export function say(element: HTMLElement, text: string): void {
  element.textContent = text;
  element.hidden = text === "";
}

/** Calls `act` once the calls have paused for `ms`. */
export function whenQuiet(ms: number, act: () => void): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(act, ms);
  };
}

/** Whether the visitor asked for less movement. */
export function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
