// `azulejo/support`: which image formats this browser decodes. No wasm, nothing happens at import, no data: URIs and no fetch, so that no content security policy is in the way.

/** The formats that are asked about. */
export type ImageFormat = "jxl" | "avif" | "webp";

/** What of a format is decoded; `undefined` where it cannot be known here. */
export interface Features {
  readonly lossy: boolean | undefined;
  readonly lossless: boolean | undefined;
  readonly alpha: boolean | undefined;
  /** Known only where there is an `ImageDecoder`, or if not even the first frame is decoded. */
  readonly animated: boolean | undefined;
}

/** What this browser decodes: for each format whether it shows ordinary (lossy, opaque) pictures, and the features one by one. */
export interface Support extends Readonly<Record<ImageFormat, boolean | undefined>> {
  readonly features: Readonly<Record<ImageFormat, Features>>;
}

let known: Support | undefined;
let running: Promise<Support> | undefined;

/**
 * Finds out what this browser decodes, by tiny files: once for all callers, and once for a tab where it has session storage.
 * Works in windows, workers and Service Workers; without a decoder of images (Node, server-side rendering) everything is `undefined`. Rejects only when aborted.
 */
export async function support({ signal }: { signal?: AbortSignal } = {}): Promise<Support> {
  signal?.throwIfAborted();
  const answer = supportSync() ?? (running ??= run());
  if (!signal) return answer;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort);
    void Promise.resolve(answer).then(resolve, reject).then(() => signal.removeEventListener("abort", abort));
  });
}

/** What is known already: `undefined` until the first `support()` of the tab has ended. */
export function supportSync(): Support | undefined {
  return (known ??= recall());
}

/**
 * What an `Accept` header says, for servers: `true` for each format that it names, nothing for those it does not, as browsers that decode a format need not say so.
 * Who answers by it should send `Vary: Accept`.
 */
export function fromAccept(header: string | null | undefined): { readonly [format in ImageFormat]?: true } {
  const hint: { [format in ImageFormat]?: true } = {};
  for (const entry of (header ?? "").toLowerCase().split(",")) {
    const [type = "", ...parameters] = entry.split(";").map((part) => part.trim());
    const format = FORMATS.find((format) => type === `image/${format}`);
    if (format && !parameters.some((parameter) => /^q\s*=\s*0(\.0*)?$/.test(parameter))) hint[format] = true;
  }
  return hint;
}

const FORMATS = ["jxl", "avif", "webp"] as const;
const FEATURES = ["lossy", "lossless", "alpha", "animated"] as const;

async function run(): Promise<Support> {
  const [jxl, avif, webp] = await Promise.all([featuresOf("jxl"), featuresOf("avif"), featuresOf("webp")]);
  known = summary({ jxl, avif, webp });
  remember(known);
  return known;
}

const summary = (features: Support["features"]): Support => ({ jxl: features.jxl.lossy, avif: features.avif.lossy, webp: features.webp.lossy, features });

async function featuresOf(format: ImageFormat): Promise<Features> {
  const type = `image/${format}`;
  // cheap, but says nothing of features; lacking in Service Workers and older Safaris
  if (typeof ImageDecoder === "function" && !(await ImageDecoder.isTypeSupported(type).catch(() => true))) {
    return { lossy: false, lossless: false, alpha: false, animated: false };
  }
  const file = (feature: keyof Features): Blob => new Blob([bytes(FILES[format][feature])], { type });
  const [lossy, lossless, alpha, animated] = await Promise.all([decodes(file("lossy")), decodes(file("lossless")), decodes(file("alpha")), moves(file("animated"))]);
  return { lossy, lossless, alpha, animated };
}

async function decodes(file: Blob): Promise<boolean | undefined> {
  if (typeof createImageBitmap === "function") {
    try {
      (await createImageBitmap(file)).close();
      return true;
    } catch (error) {
      // the name that the specification gives to undecodable bytes; anything else says nothing of the format
      if (error instanceof DOMException && error.name === "InvalidStateError") return false;
    }
  }
  if (await shows(file)) return true;
  // A policy may forbid blob: images: then a GIF is not shown either, and nothing is known.
  return (await shows(new Blob([bytes(GIF)], { type: "image/gif" }))) ? false : undefined;
}

async function shows(file: Blob): Promise<boolean> {
  if (typeof Image !== "function" || typeof Image.prototype.decode !== "function") return false;
  let url: string | undefined;
  try {
    const image = new Image();
    image.src = url = URL.createObjectURL(file);
    await image.decode();
    return true;
  } catch {
    return false;
  } finally {
    if (url) URL.revokeObjectURL(url);
  }
}

async function moves(file: Blob): Promise<boolean | undefined> {
  if (typeof ImageDecoder !== "function") return (await decodes(file)) === false ? false : undefined;
  let decoder: ImageDecoder | undefined;
  try {
    decoder = new ImageDecoder({ data: await file.arrayBuffer(), type: file.type });
    await decoder.tracks.ready;
    // Frames are counted, not decoded: Chromium 156 crashes over the second frame of a JPEG XL.
    return (decoder.tracks.selectedTrack?.frameCount ?? 0) > 1;
  } catch {
    return false;
  } finally {
    decoder?.close();
  }
}

const KEY = "azulejo/support/1";

/** Kept for the tab, for this very browser, if there is nothing left to find out. */
function remember(support: Support): void {
  if (FORMATS.some((format) => support[format] === undefined)) return;
  try {
    sessionStorage.setItem(KEY, JSON.stringify([navigator.userAgent, support.features]));
  } catch {
    // no storage here, or none that may be used
  }
}

function recall(): Support | undefined {
  try {
    const [agent, kept] = JSON.parse(sessionStorage.getItem(KEY) ?? "") as [unknown, Record<string, Record<string, unknown>>];
    if (agent !== navigator.userAgent) return undefined;
    const features = (format: ImageFormat): Features => {
      const [lossy, lossless, alpha, animated] = FEATURES.map((feature) => {
        const value = kept[format]?.[feature];
        return typeof value === "boolean" ? value : undefined;
      });
      return { lossy, lossless, alpha, animated };
    };
    const support = summary({ jxl: features("jxl"), avif: features("avif"), webp: features("webp") });
    return FORMATS.some((format) => support[format] === undefined) ? undefined : support;
  } catch {
    return undefined;
  }
}

const bytes = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

const GIF = "R0lGODlhAQABAIAAAAAAAAAAACwAAAAAAQABAAACAkQBADs";

// One colour, 1 × 1 or 8 × 8 pixels; two frames where animated. JPEG XL: VarDCT, then modular (libjxl 0.7). AVIF: 4:2:0, then 4:4:4 without a matrix (libaom 3.6),
// the sequence with the boxes that it needs and no more. WebP: VP8, VP8L, VP8 with ALPH, ANIM.
const FILES: Readonly<Record<ImageFormat, Readonly<Record<keyof Features, string>>>> = {
  jxl: {
    lossy: "/wpBQEJxIQASiAIA1ABd5RIAABUqo4wbvJzr+fJDh8W0jesMbbVtYUmiyDg2SSdwSBKLwMYFmIEABpg5YegD0lSSAA",
    lossless: "/woAEBBQXAgIAgEAOABLGIsVwkna5QH2Ar1BAA",
    alpha: "/woAELCguBAICBAAPABLGIsVwknbYTrAniBvkPw",
    animated: "/woAEEEAFhSXBAgIoAIAADwASxiLFcJJ5tkB9gZ7QPgDCAigQgAAOABLGIsVwknm2QGcwR4Q/g",
  },
  avif: {
    lossy: "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAABAAABGgAAABkAAAAoaWluZgAAAAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABLaXBjbwAAABRpc3BlAAAAAAAAAAgAAAAIAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgQAMAAAAABNjb2xybmNseAABAA0ABoAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAAACFtZGF0EgAKCBgIv+SAhoNCMgscgAAAQAAAcgwOQA",
    lossless: "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAABAAABGgAAACAAAAAoaWluZgAAAAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABLaXBjbwAAABRpc3BlAAAAAAAAAAgAAAAIAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgSAAAAAAABNjb2xybmNseAABAA0AAIAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAAAChtZGF0EgAKCDgIv+UBDQAgMhIQAAAAD/pD/oDHqPasXKez8Mw",
    alpha: "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAAGNbWV0YQAAAAAAAAAoaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAsaWxvYwAAAABEAAACAAEAAAABAAABxgAAABkAAgAAAAEAAAG1AAAAEQAAAEJpaW5mAAAAAAACAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAAAaaW5mZQIAAAAAAgAAYXYwMUFscGhhAAAAABppcmVmAAAAAAAAAA5hdXhsAAIAAQABAAAAw2lwcnAAAACdaXBjbwAAABRpc3BlAAAAAAAAAAgAAAAIAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgQAMAAAAABNjb2xybmNseAABAA0ABoAAAAAOcGl4aQAAAAABCAAAAAxhdjFDgQAcAAAAADhhdXhDAAAAAHVybjptcGVnOm1wZWdCOmNpY3A6c3lzdGVtczphdXhpbGlhcnk6YWxwaGEAAAAAHmlwbWEAAAAAAAAAAgABBAECgwQAAgQBBYYHAAAAMm1kYXQSAAoFGAi/5VAyBhyAAAEQDxIACggYCL/kgIaDQjILHIAAAEAAAHIMDkA",
    animated: "AAAAJGZ0eXBhdmlzAAAAAGF2aXNhdmlmbXNmMW1pZjFtaWFmAAAA5m1ldGEAAAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAABAAADdAAAACAAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABhdjAxAAAAAGppcHJwAAAAS2lwY28AAAAUaXNwZQAAAAAAAAAIAAAACAAAABBwaXhpAAAAAAMICAgAAAAMYXYxQ4EADAAAAAATY29scm5jbHgAAQANAAaAAAAAF2lwbWEAAAAAAAAAAQABBAECgwQAAAJibW9vdgAAAGxtdmhkAAAAAAAAAAAAAAAAAAAACgAAAAIAAQAAAQAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAAAe50cmFrAAAAXHRraGQAAAADAAAAAAAAAAAAAAABAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAAAgAAAAIAAAAAAGKbWRpYQAAACBtZGhkAAAAAAAAAAAAAAAAAAAACgAAAAJVxAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAAAAABQW1pbmYAAAAUdm1oZAAAAAEAAAAAAAAAAAAAACRkaW5mAAAAHGRyZWYAAAAAAAAAAQAAAAx1cmwgAAAAAQAAAQFzdGJsAAAAFHN0Y28AAAAAAAAAAQAAA3QAAAAcc3RzYwAAAAAAAAABAAAAAQAAAAIAAAABAAAAHHN0c3oAAAAAAAAAAAAAAAIAAAAgAAAAIQAAABhzdHRzAAAAAAAAAAEAAAACAAAAAQAAAJVzdHNkAAAAAAAAAAEAAACFYXYwMQAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAIAAgASAAAAEgAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABj//wAAAAxhdjFDgQAMAAAAABNjb2xybmNseAABAA0ABoAAAAAQY2NzdAAAAAB8AAAAAAAASW1kYXQSAAoMAAAAARfv/8yAhoNCMg4QAOQAAALAAAAAcgwOQBIACgwAAAABF+//zICGg0IyDxAA5AAAAsAAAACvkgK2wA",
  },
  webp: {
    lossy: "UklGRiwAAABXRUJQVlA4ICAAAABwAQCdASoBAAEAD8D+JaACdAFAAAD8yhGGjWDLbT4AAA",
    lossless: "UklGRh4AAABXRUJQVlA4TBEAAAAvAAAAAAdQsAIXpv+BiOh/AAA",
    alpha: "UklGRkgAAABXRUJQVlA4WAoAAAAQAAAAAAAAAAAAQUxQSAIAAAAQf1ZQOCAgAAAAcAEAnQEqAQABAA/A/iWgAnQBQAAA/MoRho1gy20+AAA",
    animated: "UklGRogAAABXRUJQVlA4WAoAAAACAAAAAAAAAAAAQU5JTQYAAAD/////AABBTk1GKgAAAAAAAAAAAAAAAAAAAGQAAABWUDhMEQAAAC8AAAAAB1CwAhem/4GI6H8AAEFOTUYqAAAAAAAAAAAAAAAAAAAAZAAAAFZQOEwRAAAALwAAAAAHULDCFLj/gYjofwAA",
  },
};
