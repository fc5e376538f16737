// Where images come from: a file, an address. What was closed can be opened from there again.

import { type IiifImage, type Probe, type Source, blobSource, httpSource, open, probe } from "azulejo";
import { tileSource } from "azulejo/openseadragon";
import { canonical, parse, readInfo } from "azulejo/request";
import type { Subject } from "../page/bench.js";
import type { InfoDocument } from "../page/documents.js";
import { parseInfo } from "../page/service.js";
import { type Choice, path } from "../page/uri.js";
import { bytes, dimensions, megapixels } from "../page/words.js";

export interface Origin {
  readonly name: string;
  open(signal: AbortSignal): Promise<Opened>;
}

/** An opened image, as the page works with it. */
export interface Opened extends Subject {
  /** What is known of it, to be read. */
  readonly facts: string;
  /** The image itself, if it is rendered on this page. */
  readonly image: IiifImage | null;
  /** A small picture of it. */
  thumbnail(signal: AbortSignal): Promise<Blob>;
  /** The canonical form of a request; throws what is wrong with it. */
  canonical(choice: Choice): string;
  /** Its information documents, as they will be under this address. */
  documents(id: string): readonly InfoDocument[];
  close(): void;
}

export const VERSIONS = ["3", "2", "1.1", "1.0"] as const;

/** px, the longer side. */
const THUMBNAIL = 240;

/** A file of this device, or a picture that was pasted. */
export function fileOrigin(file: File): Origin {
  return { name: file.name, open: (signal) => openSource(file.name, blobSource(file), signal, file.size) };
}

/** A file on a server that lets other sites read it. */
export function urlOrigin(url: URL): Origin {
  const name = nameOf(url);
  return { name, open: (signal) => openSource(name, httpSource(url), signal) };
}

async function openSource(name: string, source: Source, signal: AbortSignal, size?: number): Promise<Opened> {
  const image = await open(source, { signal });
  try {
    return opened(name, image, factsOf(await probe(source, { signal }), size));
  } catch (error) {
    image.close();
    throw error;
  }
}

function factsOf({ format, width, height, levels, tile, tiled }: Probe, size?: number): string {
  const stored = tiled === undefined ? [] : [tiled ? `stored in tiles of ${dimensions(tile.width, tile.height)}` : "not stored in tiles"];
  const known = [format.toUpperCase(), `${dimensions(width, height)} pixels`, megapixels(width, height), ...(size === undefined ? [] : [bytes(size)])];
  return [...known, `${levels} ${levels === 1 ? "level" : "levels"}`, ...stored].join(" · ");
}

/** The last part of an address that says something. */
export function nameOf(url: URL): string {
  const last = url.pathname.split("/").filter(Boolean).at(-1) ?? url.hostname;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** An image that is rendered here. */
export function opened(name: string, image: IiifImage, facts: string): Opened {
  const { width, height } = image;
  const document = image.info({ id: "azulejo:" });
  const service = readInfo(document);
  const { qualities, maxArea } = parseInfo(document);
  return {
    ...{ name, image, width, height, qualities, maxArea, formats: service.formats, versions: ["3", "2"], facts },
    shown: tileSource(image),
    base: () => "",
    make: (choice) => async (signal) => {
      const made = await image.render(path(choice), { signal, version: choice.version as "2" | "3" });
      return {
        blob: made.blob(),
        size: { width: made.width, height: made.height },
        more: [["Way", made.passthrough ? "stored bytes, not decoded" : "decoded and encoded anew"]],
      };
    },
    async thumbnail(signal) {
      return (await image.render(`full/!${THUMBNAIL},${THUMBNAIL}/0/default.jpg`, { signal })).blob();
    },
    canonical: (choice) => canonical(parse(path(choice), choice.version as "2" | "3"), service),
    documents: (id) =>
      VERSIONS.map((version) => ({
        label: version,
        form: "json",
        address: `${id}/info.json`,
        read: async () => JSON.stringify(image.info({ id, version })),
      })),
    close: () => image.close(),
  };
}
