import type { Answer } from "../core.js";
import type { IiifImage } from "../image.js";
import { type ImageRequest, parse } from "../request/image-request.js";
import { readInfo } from "../request/info.js";
import { type ResolvedRequest, resolve } from "../request/resolve.js";
import { readVersion } from "../request/version.js";
import type { Source } from "../sources.js";

/** A source that has some answers ready. */
export interface StitchedSource extends Source {
  /** The static tile that is the answer to a request, if one is. */
  stored(request: ResolvedRequest, signal?: AbortSignal): Promise<Answer | undefined>;
}

/** Gives tiles of a stitched service as they are stored where a request asks for just such a tile: as good as they were, and nothing is decoded. */
export function withStored(image: IiifImage, source: Source): IiifImage {
  if (!("stored" in source)) return image;
  const { stored } = source as StitchedSource;
  const resolved = (request: string | ImageRequest, version: string): ResolvedRequest | undefined => {
    try {
      const parsed = typeof request === "string" ? parse(request, readVersion(version) ?? "3") : request;
      return resolve(parsed, readInfo(image.info({ id: "" })));
    } catch {
      // The image says what is wrong.
      return undefined;
    }
  };
  return {
    ...image,
    async render(request, options = {}) {
      const asked = resolved(request, String(options.version ?? "3"));
      const answer = asked && (await stored(asked, options.signal));
      if (!answer) return image.render(request, options);
      const bytes = answer.bytes.slice();
      return { ...answer, bytes, blob: () => new Blob([bytes], { type: answer.type }) };
    },
  };
}
