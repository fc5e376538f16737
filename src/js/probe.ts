import type { IiifImage, SourceFormat } from "./image.js";

/** What a file is. */
export interface Probe {
  readonly format: SourceFormat;
  /** px, orientation applied. */
  readonly width: number;
  readonly height: number;
  /** How many sizes viewers are offered, each half of the one before, the full one included; the file itself may store fewer. */
  readonly levels: number;
  /** The tiles that viewers are offered, px. */
  readonly tile: { readonly width: number; readonly height: number };
  /** Whether the file is stored in such tiles, so that reading one leaves the others alone; `undefined` if that is not known (a TIFF whose tiles would be of the default size). */
  readonly tiled: boolean | undefined;
}

/** The tiles of whatever has none of its own. */
const DEFAULT_TILE = 512;

/** Tells it from the information document, which the core derives from the file's own tiles if it has suitable ones. @internal */
export function probed({ format, width, height, info }: IiifImage): Probe {
  const [{ scaleFactors, ...tile }] = info({ id: "" })["tiles"] as [{ width: number; height?: number; scaleFactors: number[] }];
  const [tileWidth, tileHeight] = [tile.width, tile.height ?? tile.width];
  const tiled = format !== "tiff" ? false : tileWidth !== DEFAULT_TILE || tileHeight !== DEFAULT_TILE ? true : undefined;
  return { format, width, height, levels: scaleFactors.length, tile: { width: tileWidth, height: tileHeight }, tiled };
}
