// A headless Chromium for the tests, and an ear for everything that goes wrong in its pages.

import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const OUT = fileURLToPath(new URL("../out/", import.meta.url));
/** What Chromium prepares for its own window, which has no visitor: the suggestions of an address bar, by a process in each context, which takes as long as a page. */
const UNSEEN = ["WebUIOmniboxPopup", "WebUIOmniboxAimPopup"];
/** What Playwright turns off: of several such lists Chromium heeds the last. */
const UNWANTED = [
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "LensOverlay",
  "MediaRouter",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "OptimizationHints",
  "NetworkTimeServiceQuerying",
  "AimEnabled",
  "PreconnectToSearch",
];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--disable-features=${[...UNWANTED, ...UNSEEN]}`,
];

/** Starts Chromium, or says what to do about its absence. Where there is no GPU, WebGL is emulated, which takes half of the time of a test: only where it is asked for. */
export async function launch({ webgl = false } = {}) {
  const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(`There is no Chromium at ${executablePath}. Install it (on Debian: apt-get install chromium) or set CHROMIUM to the path of one.`);
  }
  return chromium.launch({ executablePath, args: webgl ? FLAGS : [...FLAGS, "--disable-software-rasterizer"] });
}

/**
 * A new page and the list of its troubles: console errors, uncaught exceptions, failed requests and refusals.
 * `answers` grows with every answer from the image service.
 */
export async function watched(browser, options = {}) {
  // Motion takes time, and all of a processor where there is no GPU: only where it is asked for.
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const troubles = [];
  const answers = [];
  page.on("console", (message) => message.type() === "error" && troubles.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => troubles.push(`exception: ${error.stack ?? error}`));
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    // a page drops its own requests when a newer question makes them pointless
    if (reason !== "net::ERR_ABORTED") troubles.push(`failed: ${request.url()} ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()}: ${response.url()}`);
    if (new URL(response.url()).pathname.startsWith("/iiif/")) answers.push({ url: response.url(), status: response.status() });
  });
  return { page, context, troubles, answers };
}

/** Closes all pages: a viewer that nobody looks at any more would still ask for every frame. */
export const leave = (browser) => Promise.all(browser.contexts().map((context) => context.close()));

/** Puts a screenshot into tests/out. */
export async function shot(page, name, options = {}) {
  mkdirSync(OUT, { recursive: true });
  await page.screenshot({ path: `${OUT}${name}.png`, animations: "disabled", ...options });
}
