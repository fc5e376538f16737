// What is measured. Each job names its source and what is cut; what a contestant cannot do it leaves out.

const region = (x, y, size, to = size) => ({ x, y, size, to });

/** In pyramids and photographs alike: a region of `size` px at (x, y), `to` px wide in the answer. `page` is the level that a reader of pages has to know. */
const TIFF = [
  ["aligned tile, 512²", region(1024, 1024, 512)],
  ["aligned, cut to 511²", region(1024, 1024, 511)],
  ["aligned, 512² → 384²", region(1024, 1024, 512, 384)],
  ["unaligned, 512²", region(1300, 900, 512)],
  ["2048² → 512²", { ...region(1000, 500, 2048, 512), page: 2 }],
  ["thumbnail, 400 px", { whole: 400, page: 3 }],
];
const JPEG = [
  ["near, aligned to blocks, 512²", region(1024, 1024, 512)],
  ["near, 512²", region(1031, 1029, 512)],
  ["far, aligned to blocks, 512²", region(3392, 2400, 512)],
  ["far, 512²", region(3400, 2407, 512)],
  ["2048² → 512²", region(1000, 500, 2048, 512)],
  ["thumbnail, 400 px", { whole: 400 }],
];
const VAST = [
  ["near, 512²", region(1031, 1029, 512)],
  ["far, 512²", region(9001, 9007, 512)],
  ["2048² → 512²", region(5000, 5000, 2048, 512)],
  ["thumbnail, 400 px", { whole: 400 }],
];

const of = (group, file, side, jobs, more = {}) => jobs.map(([name, job]) => ({ group, file, side, name, id: `${file}: ${name}`, kind: "image", ...job, ...more }));
const MEGAPIXELS = { width: 4000, height: 3000 };

export const JOBS = [
  ...of("TIFF pyramid of JPEG tiles, 12 MP", "pyramid-jpeg.tif", MEGAPIXELS, TIFF),
  ...of("TIFF pyramid of Deflate tiles, 12 MP", "pyramid-deflate.tif", MEGAPIXELS, TIFF),
  ...of("JPEG, noisy photograph, 12 MP", "photograph.jpg", MEGAPIXELS, [...JPEG, ["all of it", { whole: 4000 }]]),
  ...of("JPEG, page of text, 12 MP", "text.jpg", MEGAPIXELS, JPEG),
  ...of("JPEG, smooth map, 12 MP", "map.jpg", MEGAPIXELS, JPEG),
  ...of("JPEG, progressive, 12 MP", "progressive.jpg", MEGAPIXELS, [JPEG[1], JPEG[4], JPEG[5]]),
  ...of("JPEG, photograph, 100 MP", "vast.jpg", { width: 10_000, height: 10_000 }, VAST, { few: true }),
  ...of("Encoding", "tile.tif", { width: 512, height: 512 }, [["512² of plain pixels", { whole: 512 }]]),
  { group: "Documents and addresses", file: "photograph.jpg", side: MEGAPIXELS, name: "info.json", id: "info.json", kind: "info" },
  { group: "Documents and addresses", side: MEGAPIXELS, name: "request parsing", id: "request parsing", kind: "parse" },
];

const CUT = [["512² tile", region(1300, 900, 512)], ["thumbnail, 400 px", { whole: 400 }]];
const LEVELS = [TIFF[0], TIFF[3]];
const ONE_BY_ONE = [
  ["PNG", "photograph.png"],
  ["WebP, lossy", "lossy.webp"],
  ["WebP, lossless", "lossless.webp"],
  ["GIF", "photograph.gif"],
  ["TIFF, strips, uncompressed", "strips-none.tif"],
  ["TIFF, strips, LZW", "strips-lzw.tif"],
  ["TIFF, strips, Deflate", "strips-deflate.tif"],
  ["TIFF, strips, JPEG", "strips-jpeg.tif"],
  ["JPEG, CMYK", "cmyk.jpg"],
  ["JPEG, progressive", "progressive.jpg"],
];
const TILED = [
  ["TIFF pyramid, Deflate, 16 bits", "pyramid-deflate16.tif"],
  ["TIFF pyramid, WebP", "pyramid-webp.tif"],
  ["TIFF pyramid, LZW", "pyramid-lzw.tif"],
];
const named = (jobs, prefix) => jobs.map(([name, job]) => [`${prefix}: ${name}`, job]);

/** Of every kind of source what viewers ask for most; the part `sources`. */
export const SOURCE_JOBS = [
  ...ONE_BY_ONE.flatMap(([kind, file]) => of("Sources of one size", file, MEGAPIXELS, named(CUT, kind))),
  ...TILED.flatMap(([kind, file]) => of("Sources with tiles", file, MEGAPIXELS, named(LEVELS, kind))),
];

/** The job of an id. */
export const jobOf = (id) => [...JOBS, ...SOURCE_JOBS].find((job) => job.id === id);

/** As the path of a IIIF request. */
export function requestOf({ x, y, size, to, whole, side }) {
  if (whole !== undefined) return `full/${whole === side.width ? "max" : `${whole},`}/0/default.jpg`;
  return `${x},${y},${size},${size}/${to === size ? "max" : `${to},${to}`}/0/default.jpg`;
}

/** What is parsed: the parameters of a tile, and the address that they stand in. */
export const PARAMETERS = "1024,1024,2048,2048/512,512/0/default.jpg";
export const ADDRESS = `/iiif/3/map%20of%20all/${PARAMETERS}`;
