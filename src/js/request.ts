// `azulejo/request`: the IIIF Image API's requests as text and numbers. Pure TypeScript, no wasm; the twin of `src/api`, held to the same vectors.

export { RequestError, type Part } from "./request/error.js";
export { type Decimal } from "./request/number.js";
export { type Format, FORMATS } from "./request/format.js";
export { type ImageRequest, format, parse } from "./request/image-request.js";
export { type Quality, QUALITIES } from "./request/quality.js";
export { type PercentRegion, type Rect, type Region } from "./request/region.js";
export { type ResolvedRequest, canonical, resolve } from "./request/resolve.js";
export { type Rotation } from "./request/rotation.js";
export { type Service } from "./request/bounds.js";
export { type Dimensions, type Size } from "./request/size.js";
export { type Info, type TileSet, readInfo } from "./request/info.js";
export { type Tile, type TileOptions, tilesOf } from "./request/tiles.js";
export { type Version, type VersionLike } from "./request/version.js";
