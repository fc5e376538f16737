// The pixels of a PNG of 8 bits, or of one, without interlacing, which is what azulejo makes. An own reader, so that the product's does not judge itself.

import { inflateSync } from "node:zlib";

const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** `{ width, height, rgba }`. */
export function pixels(file) {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const [width, height, depth, type] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24], bytes[25]];
  const channels = CHANNELS[type];
  if ((depth !== 8 && (depth !== 1 || type)) || !channels) throw new Error(`a PNG of colour type ${type} and ${depth} bits`);
  const parts = [];
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at) + 12) {
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const data = inflateSync(Buffer.concat(parts));
  const stride = Math.ceil((width * channels * depth) / 8);
  const rgba = Buffer.alloc(width * height * 4);
  let above = Buffer.alloc(stride);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1));
    unfilter(data[y * (stride + 1)], row, above, channels);
    for (let x = 0; x < width; x++) {
      const [from, to] = [x * channels, (y * width + x) * 4];
      for (let n = 0; n < 3; n++) rgba[to + n] = depth === 1 ? 255 * ((row[x >> 3] >> (7 - (x & 7))) & 1) : row[from + (channels >= 3 ? n : 0)];
      rgba[to + 3] = channels % 2 ? 255 : row[from + channels - 1];
    }
    above = row;
  }
  return { width, height, rgba };
}

/** How far two pictures of one size are apart: the most and on average, over all samples. */
export function difference(a, b) {
  if (a.width !== b.width || a.height !== b.height) throw new Error(`${a.width} × ${a.height} and ${b.width} × ${b.height}`);
  if (a.rgba.equals(b.rgba)) return { most: 0, mean: 0 };
  let [most, sum] = [0, 0];
  for (let at = 0; at < a.rgba.length; at++) {
    const apart = Math.abs(a.rgba[at] - b.rgba[at]);
    if (apart > most) most = apart;
    sum += apart;
  }
  return { most, mean: sum / a.rgba.length };
}

/** PNG 9.2: what a byte was predicted from is added to it. */
function unfilter(filter, row, above, step) {
  for (let x = 0; x < row.length; x++) {
    const left = x < step ? 0 : row[x - step];
    const corner = x < step ? 0 : above[x - step];
    if (filter === 1) row[x] += left;
    else if (filter === 2) row[x] += above[x];
    else if (filter === 3) row[x] += (left + above[x]) >> 1;
    else if (filter === 4) row[x] += paeth(left, above[x], corner);
  }
}

function paeth(left, up, corner) {
  const a = Math.abs(up - corner);
  const b = Math.abs(left - corner);
  const c = Math.abs(left + up - 2 * corner);
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
