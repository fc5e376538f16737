// The mean of each band of a PNG of 8 bits without interlacing, which is what the service makes. An own reader, so that the product's does not judge itself.

import { inflateSync } from "node:zlib";

const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** `{ colors: [mean, …], alpha?: mean }`. */
export function means(bytes) {
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  const channels = CHANNELS[bytes[25]];
  const stride = width * channels;
  const sums = new Array(channels).fill(0);
  const data = inflateSync(Buffer.concat(idat(bytes)));
  let above = Buffer.alloc(stride);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (stride + 1)];
    const row = data.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1));
    unfilter(filter, row, above, channels);
    for (let x = 0; x < stride; x++) sums[x % channels] += row[x];
    above = row;
  }
  const [colors, alpha] = channels % 2 === 0 ? [sums.slice(0, -1), sums.at(-1)] : [sums];
  const mean = (sum) => sum / (width * height);
  return { colors: colors.map(mean), ...(alpha !== undefined && { alpha: mean(alpha) }) };
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
