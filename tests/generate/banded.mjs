// A baseline JPEG of any size: bands of 128 lines, each row of whose blocks ends in a restart marker, so that a few rows can be repeated.

import { coded, jpeg, segment } from "./jpeg.mjs";
import { grain } from "./pyramid.mjs";

const BANDS = 5;
const QUALITY = 85;

/** The colour of a line, where it is calm: around each column that is a multiple of 64. */
export const colourOfLine = (y) => colourOf((y >> 7) % BANDS);

const colourOf = (band) => [40 + 40 * band, 200 - 30 * band, (60 + 90 * band) % 256];

export function bandedJpeg(width, height) {
  const rows = Array.from({ length: BANDS }, (_, band) => coded(width, 16, row(width, band), QUALITY));
  const data = [];
  for (let index = 0; index * 16 < height; index++) {
    if (index > 0) data.push(Buffer.from([0xff, 0xd0 + ((index - 1) % 8)]));
    data.push(rows[(index >> 3) % BANDS]);
  }
  const blocks = Math.ceil(width / 16);
  return jpeg(width, height, undefined, QUALITY, Buffer.concat(data), segment(0xdd, [blocks >> 8, blocks & 255]));
}

function row(width, band) {
  const rgb = Buffer.alloc(width * 16 * 3);
  for (let y = 0, at = 0; y < 16; y++) {
    for (let x = 0; x < width; x++) {
      // Calm lines would make calm blocks only in some rows: what counts is the column.
      const off = grain(x, 0, 0) === 0 ? 0 : grain(x, 20 + y, band);
      for (const value of colourOf(band)) rgb[at++] = Math.max(0, Math.min(255, value + off));
    }
  }
  return rgb;
}
