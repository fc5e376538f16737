// The files of a service of level 0: its info.json and its static tiles, which may be named and encoded in several ways.

import { IiifError } from "../error.js";
import { quoted } from "../request/error.js";
import { type Info, readInfo } from "../request/info.js";
import { qualityText } from "../request/quality.js";
import type { StaticTile } from "./pyramid.js";
import { isUrl } from "../url.js";

export interface FilesOptions {
  /** The format of the tiles. Default: what the service prefers, jpg, then what else it says that it has. */
  format?: string;
  headers?: Record<string, string>;
  fetch?: typeof globalThis.fetch;
}

/** The files of one service. */
export interface Files {
  /** Names it in errors. */
  readonly base: string;
  readonly info: Info;
  /** The formats that its tiles may be in. */
  readonly formats: readonly string[];
  tile(tile: StaticTile, signal?: AbortSignal): Promise<TileFile>;
  exists(tile: StaticTile, signal?: AbortSignal): Promise<boolean>;
}

export interface TileFile {
  readonly url: string;
  readonly bytes: Uint8Array;
  readonly format: string;
}

/** An info.json is a few kilobytes; more is something else. */
const LARGEST_INFO = 1 << 20;
const LARGEST_TILE = 64 << 20;
/** What the core decodes, and then what perhaps the browser does. */
const DECODED = ["jpg", "png", "webp", "gif", "tif"];
const PERHAPS = ["avif", "jxl"];

/** Reads the info.json, or takes one that was read. */
export async function openFiles(document: URL | string | object, options: FilesOptions): Promise<Files> {
  const { headers = {}, fetch = globalThis.fetch.bind(globalThis) } = options;
  const get = async (url: string, signal?: AbortSignal, method = "GET"): Promise<Response> => {
    try {
      return await fetch(url, { method, headers, ...(signal && { signal }) });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new IiifError("source-unreachable", 503, `${url} could not be fetched. The server may be out of reach, or does not allow other sites to read it (CORS).`, { cause });
    }
  };

  const given = typeof document === "object" && !(document instanceof URL);
  const { json, url } = given ? { json: document as unknown, url: undefined } : await infoAt(String(document), get);
  const info = read(json, url);
  const base = baseOf(info.id, info.version === "1.0" && url !== undefined ? "" : info.id, url);
  const formats = formatsOf(info, json, options.format);
  const quality = qualityText(info.version, "default");
  let format: string | undefined;
  let form: string | undefined;

  /** All that a tile may be called, what was right before first. */
  const names = ({ spellings }: StaticTile): { url: string; format: string; form: string }[] => {
    const forms = spellings.map((path) => ({ path, form: formOf(path) })).sort((a, b) => Number(b.form === form) - Number(a.form === form));
    return (format === undefined ? formats : [format]).flatMap((format) => forms.map(({ path, form }) => ({ url: `${base}/${path}/0/${quality}.${format}`, format, form })));
  };

  return {
    base,
    info,
    formats,
    async tile(tile, signal) {
      const tried = names(tile);
      for (const name of tried) {
        const response = await get(name.url, signal);
        if (isMissing(response)) {
          leave(response);
          continue;
        }
        if (!response.ok) throw refused(response, "source-read", 503, `${name.url} answered with status ${response.status}.`);
        const bytes = await take(response, LARGEST_TILE, signal);
        // Only names that could have been others prove anything.
        format = name.format;
        form = name.form;
        return { url: name.url, bytes, format };
      }
      throw new IiifError("source-corrupt", 500, `The IIIF service lacks a tile that its info.json promises: there is nothing at ${tried[0]?.url}.`);
    },
    async exists(tile, signal) {
      for (const { url } of names(tile)) {
        const response = await get(url, signal, "HEAD").catch(() => undefined);
        if (response && response.ok && !isMissing(response)) return true;
      }
      return false;
    },
  };
}

async function infoAt(given: string, get: (url: string) => Promise<Response>): Promise<{ json: unknown; url: string }> {
  const response = await get(given);
  if (response.status === 404 || response.status === 410) throw refused(response, "not-found", 404, `There is no info.json at ${given}.`);
  if (!response.ok) throw refused(response, "source-read", 503, `${given} answered with status ${response.status}.`);
  const text = new TextDecoder().decode(await take(response, LARGEST_INFO));
  try {
    // Redirected: what is relative is so to where it was found in the end.
    return { json: JSON.parse(text) as unknown, url: response.url || given };
  } catch (cause) {
    throw new IiifError("source-unsupported", 501, `${given} is no info.json: it is not JSON.`, { cause });
  }
}

function read(json: unknown, url: string | undefined): Info {
  try {
    return readInfo(json);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new IiifError("source-unsupported", 501, `${url ?? "The object"} is no info.json that can be used. ${message}`, { cause });
  }
}

/** The URL that tiles are under: the service's id, which may be relative to the document, or absent. */
function baseOf(named: string, id: string, url: string | undefined): string {
  const place = url?.replace(/[?#].*$/, "").replace(/\/info\.json$/, "");
  if (place === undefined && !isUrl(id)) throw new IiifError("invalid-argument", 400, `The info.json has the id ${quoted(named)}, which is no URL: give the URL of the info.json instead.`);
  const base = new URL(id || ".", place === undefined ? undefined : id ? url : `${place}/`);
  if (base.protocol !== "http:" && base.protocol !== "https:") throw new IiifError("source-unsupported", 501, `The id ${quoted(named)} in the info.json is no http or https URL.`);
  const found = url === undefined ? base : new URL(url);
  // A service that moved to https and kept its id: no page on https may read the other.
  if (found.protocol === "https:" && found.host === base.host) base.protocol = "https:";
  return (base.origin + base.pathname).replace(/\/+$/, "");
}

function formatsOf(info: Info, json: unknown, asked: string | undefined): string[] {
  if (asked !== undefined) return [asked];
  const { preferredFormats } = json as { preferredFormats?: unknown };
  const preferred = Array.isArray(preferredFormats) ? preferredFormats.map(String) : [];
  const decoded = [...preferred.filter((format) => DECODED.includes(format)), "jpg", ...info.formats.filter((format) => DECODED.includes(format))];
  const perhaps = [...preferred, ...info.formats].filter((format) => PERHAPS.includes(format));
  return [...new Set([...decoded, ...perhaps])];
}

/** How the size is written. */
function formOf(path: string): string {
  const size = path.slice(path.indexOf("/") + 1);
  return size.endsWith(",") ? "w," : size.includes(",") ? "w,h" : "word";
}

/** Some stores say 403 for what is not there, and some hosts answer with their home page. */
function isMissing({ status, headers }: Response): boolean {
  return status === 404 || status === 410 || status === 403 || (headers.get("content-type") ?? "").startsWith("text/html");
}

/** The body, as far as a limit. */
async function take(response: Response, most: number, signal?: AbortSignal): Promise<Uint8Array> {
  const tooLarge = (): IiifError => refused(response, "source-too-costly", 503, `${response.url} is larger than ${most} bytes.`);
  if (Number(response.headers.get("content-length") ?? 0) > most) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      chunks.push(next.value);
      length += next.value.length;
      if (length > most) {
        reader?.cancel().catch(() => undefined);
        throw new IiifError("source-too-costly", 503, `${response.url} is larger than ${most} bytes.`);
      }
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof IiifError) throw cause;
    throw new IiifError("source-read", 503, `The connection broke while ${response.url} was read.`, { cause });
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Nobody reads on, or waits until that is known at the other end. */
function leave(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}

function refused(response: Response, code: string, status: number, message: string): IiifError {
  leave(response);
  return new IiifError(code, status, message);
}
