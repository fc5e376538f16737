// A Worker as somebody would write it who uses the package in one of their own; its variables are those of the Worker, so that both can be asked the same.

import { type Bucket, type HandlerOptions, type Settings, type Version, createHandler, r2Source } from "azulejo/worker";

interface Env {
  readonly BUCKET: Bucket;
  readonly [variable: string]: unknown;
}

function optionsOf(env: Env): HandlerOptions<Env> {
  const text = (name: string): string | undefined => (env[name] === undefined ? undefined : String(env[name]));
  const number = (name: string): number | undefined => (env[name] === undefined || env[name] === "none" ? undefined : Number(env[name]));
  const on = (name: string): boolean | undefined => (env[name] === undefined ? undefined : env[name] === "on");
  const settings = {
    maxWidth: number("MAX_WIDTH"),
    maxHeight: number("MAX_HEIGHT"),
    maxArea: env["MAX_AREA"] === "none" ? "none" : number("MAX_AREA"),
    memory: number("MEMORY"),
    incomplete: text("INCOMPLETE"),
    showIncomplete: on("SHOW_INCOMPLETE"),
    window: text("WINDOW"),
    jpegQuality: number("JPEG_QUALITY"),
    jpegSmall: on("JPEG_SMALL"),
    webpQuality: number("WEBP_QUALITY"),
    webpLossless: on("WEBP_LOSSLESS"),
    pngCompression: text("PNG_COMPRESSION"),
  };
  const options = {
    prefix: text("PREFIX"),
    versions: text("VERSIONS")?.split(/[ ,]+/) as Version[] | undefined,
    allowSlashes: on("ALLOW_SLASHES"),
    publicUrl: text("PUBLIC_URL"),
    cacheControl: text("CACHE_CONTROL"),
    allowedOrigins: text("ALLOWED_ORIGINS")?.split(/[ ,]+/),
    canonical: text("CANONICAL") as "link" | "redirect" | undefined,
    formats: text("FORMATS")?.split(/[ ,]+/) as HandlerOptions<Env>["formats"],
    pages: on("PAGES"),
    upscaling: on("UPSCALING"),
    confinedUpscale: text("CONFINED_UPSCALE") as "clamp" | "reject" | undefined,
    tileWidth: number("TILE_WIDTH"),
  };
  return {
    ...defined(options),
    settings: defined(settings) as Settings,
    resolve: (identifier, { BUCKET }) => r2Source(BUCKET, identifier, { writeIndex: env["WRITE_INDEX"] === "on" }),
  };
}

const defined = <T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };

let handler: ReturnType<typeof createHandler<Env>> | undefined;

export default {
  fetch(request: Request, env: Env, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    handler ??= createHandler(optionsOf(env));
    return handler.fetch(request, env, context);
  },
};
