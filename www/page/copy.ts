// Copy buttons, with a way for pages on plain http, where the clipboard interface is missing.

import { need } from "./dom.js";

/** Lets a button copy what `what` returns; the button and the page's status line say so. */
export function copies(button: HTMLButtonElement, what: () => string): void {
  const label = button.textContent ?? "";
  let timer = 0;
  button.addEventListener("click", () => {
    void put(what()).then((done) => {
      const word = done ? "Copied" : "Press Ctrl+C";
      button.textContent = word;
      button.classList.toggle("done", done);
      need("status", HTMLElement).textContent = done ? "Copied to the clipboard." : "The browser refused to copy.";
      clearTimeout(timer);
      timer = window.setTimeout(() => {
        button.textContent = label;
        button.classList.remove("done");
      }, 1600);
    });
  });
}

async function put(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return putBySelection(text);
  }
}

function putBySelection(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
