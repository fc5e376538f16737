// Pictures as at most 16 × 16 cells of mean colour, and how far two of them are apart. PNG is read by a reader of its own, so that the product's does not judge itself.

import { inflateSync } from "node:zlib";

const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 };
const MOST = 16;

/** The cells of a PNG of 8 bits without interlacing, which is what the service makes. */
export function cellsOfPng(bytes) {
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  const channels = CHANNELS[bytes[25]];
  if (bytes[24] !== 8 || bytes[28] !== 0 || !channels) throw new Error("not a PNG of 8 bits without interlacing");
  const stride = width * channels;
  const data = inflateSync(Buffer.concat(idat(bytes)));
  const pixels = Buffer.alloc(stride * height);
  let above = Buffer.alloc(stride);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1));
    unfilter(data[y * (stride + 1)], row, above, channels);
    row.copy(pixels, y * stride);
    above = row;
  }
  return cellsOf({ width, height, channels, pixels });
}

/** The cells of pixels of 8 bits: gray, gray and alpha, RGB or RGBA. Colours are multiplied by alpha, since nobody sees those of transparent pixels. */
export function cellsOf({ width, height, channels, pixels }) {
  const columns = spans(width, Math.min(MOST, width));
  const rows = spans(height, Math.min(MOST, height));
  const gray = channels < 3;
  const alpha = channels % 2 === 0;
  const cells = [];
  for (const down of rows) {
    for (const across of columns) {
      const sums = [0, 0, 0, 0];
      for (const [y, share] of down) {
        for (const [x, part] of across) {
          const at = (y * width + x) * channels;
          const weight = share * part;
          const opacity = alpha ? pixels[at + channels - 1] / 255 : 1;
          for (let band = 0; band < 3; band++) sums[band] += weight * opacity * pixels[gray ? at : at + band];
          sums[3] += weight * opacity * 255;
        }
      }
      const area = total(down) * total(across);
      cells.push(sums.map((sum) => sum / area));
    }
  }
  return { columns: columns.length, rows: rows.length, cells };
}

/** How far two pictures are apart: the mean over all cells and bands, and the cell that is furthest off, in levels of 255. */
export function apart(one, other) {
  if (one.columns !== other.columns || one.rows !== other.rows) return { mean: 255, most: 255 };
  const off = one.cells.flatMap((cell, index) => cell.map((value, band) => Math.abs(value - other.cells[index][band])));
  return { mean: off.reduce((sum, value) => sum + value, 0) / off.length, most: Math.max(...off) };
}

/** Means of RGBA over a whole picture; cells are of one size. */
export const meansOf = ({ cells }) => [0, 1, 2, 3].map((band) => cells.reduce((sum, cell) => sum + cell[band], 0) / cells.length);

const total = (span) => span.reduce((sum, [, part]) => sum + part, 0);

/** Cuts a side into so many spans of equal length: of each, its pixels and how much of them lies in it. */
function spans(side, count) {
  return Array.from({ length: count }, (_, index) => {
    const [from, to] = [(index * side) / count, ((index + 1) * side) / count];
    const pixels = [];
    for (let at = Math.floor(from); at < to; at++) pixels.push([at, Math.min(at + 1, to) - Math.max(at, from)]);
    return pixels;
  });
}

function idat(bytes) {
  const found = [];
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at) + 12) {
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT") found.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  return found;
}

/** PNG 9.2: what a byte was predicted from is added to it. */
function unfilter(filter, row, above, step) {
  for (let x = 0; x < row.length; x++) {
    const left = x < step ? 0 : row[x - step];
    const up = above[x];
    const corner = x < step ? 0 : above[x - step];
    const predicted = [0, left, up, (left + up) >> 1, filter === 4 ? paeth(left, up, corner) : 0][filter];
    row[x] = (row[x] + predicted) & 255;
  }
}

function paeth(left, up, corner) {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
