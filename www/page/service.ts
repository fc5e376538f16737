// What the pages ask of the service: the bucket's listing, info documents, and why a request was refused.

/** What the service says of itself in every listing. */
export interface Service {
  readonly prefix: string;
  readonly versions: readonly string[];
  readonly formats: readonly string[];
}

/** One image of the bucket. */
export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
}

export interface Listing {
  readonly images: readonly Listed[];
  readonly cursor: string | null;
  readonly service: Service;
}

/** The part of an info.json that the pages use, read from version 2 or 3 (1.x gives dimensions and address). */
export interface ImageInfo {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly qualities: readonly string[];
  /** The most pixels an answer may have. */
  readonly maxArea: number;
  readonly tile: { readonly width: number; readonly height: number } | null;
  readonly document: Readonly<Record<string, unknown>>;
}

/** An answer that was not the one asked for; `message` is the service's own sentence. */
export class RefusedError extends Error {
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.name = "RefusedError";
    this.status = status;
  }
}

/** One page of the bucket's listing. */
export async function list(query: { prefix?: string; cursor?: string; limit: number }, signal: AbortSignal): Promise<Listing> {
  const parameters = new URLSearchParams({ limit: String(query.limit) });
  if (query.prefix) parameters.set("prefix", query.prefix);
  if (query.cursor) parameters.set("cursor", query.cursor);
  const answer = record(await json(`/images.json?${parameters}`, signal));
  const service = record(answer["service"]);
  return {
    images: array(answer["images"])
      .map(record)
      .map((image) => ({ id: text(image["id"]), name: text(image["name"]), bytes: number(image["bytes"]) })),
    cursor: typeof answer["cursor"] === "string" ? answer["cursor"] : null,
    service: { prefix: text(service["prefix"]), versions: array(service["versions"]).map(text), formats: array(service["formats"]).map(text) },
  };
}

/** The path of an image in one version of the API: `/iiif/3/a%20map.tif`. */
export function pathOf(service: Service, version: string, encodedId: string): string {
  return service.prefix.replaceAll("{version}", version) + encodedId;
}

/** The newest version the service answers. */
export function newest(service: Service): string {
  return ["3", "2", "1.1", "1.0"].find((version) => service.versions.includes(version)) ?? "3";
}

/** What this version calls the quality an image has by itself. */
export function plainQuality(version: string): string {
  return version.startsWith("1.") ? "native" : "default";
}

/** Reads the info.json under an image's path. */
export async function readInfo(path: string, signal: AbortSignal): Promise<ImageInfo> {
  return parseInfo(await json(`${path}/info.json`, signal));
}

/** What a parsed info.json says. */
export function parseInfo(parsed: unknown): ImageInfo {
  const document = record(parsed);
  const profile = Array.isArray(document["profile"]) ? document["profile"].filter(isRecord) : [];
  const qualities = [document["extraQualities"], document["qualities"], ...profile.map((entry) => entry["qualities"])].flatMap((names) =>
    Array.isArray(names) ? names.map(text) : [],
  );
  const tile = Array.isArray(document["tiles"]) ? document["tiles"].filter(isRecord)[0] : undefined;
  return {
    id: text(document["id"] ?? document["@id"] ?? ""),
    width: number(document["width"]),
    height: number(document["height"]),
    qualities: ["default", ...qualities.filter((name) => name !== "default" && name !== "native")],
    maxArea: Math.min(...[document, ...profile].map(({ maxArea }) => (typeof maxArea === "number" ? maxArea : Infinity))),
    tile: tile ? { width: number(tile["width"]), height: number(tile["height"] ?? tile["width"]) } : null,
    document,
  };
}

/** What a viewer opens: the info document, with the address this page reaches the image at, as a public address may lie on another host. */
export function viewable(path: string, info: ImageInfo): object | string {
  const here = `${location.origin}${path}`;
  if ("id" in info.document) return { ...info.document, id: here };
  if ("@id" in info.document) return { ...info.document, "@id": here };
  return `${here}/info.json`;
}

/** The sentence of a refusal, be it plain text, JSON or the XML of version 1.0. */
export async function refusal(response: Response): Promise<RefusedError> {
  const body = (await response.text().catch(() => "")).trim();
  return new RefusedError(
    sentence(body, response.headers.get("content-type") ?? "") || `The service answered ${response.status} without a word.`,
    response.status,
  );
}

function sentence(body: string, type: string): string {
  if (type.includes("json")) {
    try {
      const parsed: unknown = JSON.parse(body);
      if (isRecord(parsed)) {
        for (const key of ["message", "error", "detail", "title"]) {
          const value = parsed[key];
          if (typeof value === "string") return value;
          if (isRecord(value) && typeof value["message"] === "string") return value["message"];
        }
      }
    } catch {
      // not JSON after all: shown as it is
    }
  }
  if (type.includes("xml")) return new DOMParser().parseFromString(body, "text/xml").querySelector("text")?.textContent?.trim() ?? body;
  if (type.includes("html")) return "";
  return body.length > 400 ? `${body.slice(0, 400)} …` : body;
}

async function json(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, headers: { accept: "application/json" } });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function record(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new Error("the service answered with something else than an object");
  return value;
}

function array(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error("the service answered with something else than a list");
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Error("the service answered with something else than text");
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error("the service answered with something else than a number");
  return value;
}
