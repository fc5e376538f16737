// The page without a network: a Service Worker keeps what it needs, and says when there is a newer one.

import { el, need } from "../page/dom.js";

/** Begins to keep the page. Without Service Workers it is a page like others. */
export async function keep(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const words = need("offline", HTMLElement);
  // What the page itself needs comes first.
  if (document.readyState !== "complete") await new Promise((loaded) => window.addEventListener("load", loaded, { once: true }));
  try {
    const updating = navigator.serviceWorker.controller !== null;
    const registration = await navigator.serviceWorker.register("sw.js", { scope: "try" });
    const offer = (): void => {
      const { waiting } = registration;
      if (waiting) words.replaceChildren("There is a newer version of this page. ", renewal(waiting));
    };
    registration.addEventListener("updatefound", () => {
      const worker = registration.installing;
      worker?.addEventListener("statechange", () => {
        if (worker.state === "installed" && updating) offer();
      });
    });
    await navigator.serviceWorker.ready;
    words.textContent = "This page is kept: it works offline.";
    offer();
  } catch {
    words.textContent = "This page could not be kept for offline use.";
  }
}

function renewal(waiting: ServiceWorker): HTMLButtonElement {
  const button = el("button", { type: "button" }, "Load it");
  button.addEventListener("click", () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    waiting.postMessage("take over");
  });
  return button;
}
