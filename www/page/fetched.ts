// Pictures that a service makes: asked for by their address, with what its headers tell.

import type { Make } from "./answer.js";
import { refusal } from "./service.js";

/** The picture at an address. */
export function fetched(url: string): Make {
  return async (signal) => {
    const response = await fetch(url, { signal, headers: { accept: "image/*, text/plain, application/json;q=0.9" } }).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new Error(`No answer came: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
    });
    if (!response.ok) throw await refusal(response);
    const blob = await response.blob();
    const canonical = /<([^>]*)>\s*;\s*rel="?canonical"?/.exec(response.headers.get("link") ?? "")?.[1];
    return { blob, canonical: canonical && lastSlots(canonical), more: timings(response.headers.get("server-timing")) };
  };
}

/** `fetch;dur=4.2, reads;desc="2"` becomes: fetch 4.2 ms, reads 2. */
function timings(header: string | null): [string, string][] {
  const said = (header?.match(/(?:[^,"]|"(?:\\.|[^"\\])*")+/g) ?? []).map((entry) => {
    const name = entry.split(";", 1)[0]?.trim() ?? "";
    const time = /;\s*dur="?([\d.]+)/i.exec(entry)?.[1];
    const words = /;\s*desc=(?:"((?:\\.|[^"\\])*)"|([^;]+))/i.exec(entry);
    return [name, time === undefined ? "" : `${Number(Number(time).toFixed(1))} ms`, words?.[1] ?? words?.[2] ?? ""].filter((part) => part !== "").join(" ");
  });
  return said.length === 0 ? [] : [["Inside", said.join(", ")]];
}

/** The slots at the end of an image URI. */
function lastSlots(uri: string): string {
  return uri.split("/").slice(-4).join("/");
}
