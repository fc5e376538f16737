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
    // A gray is all three.
    const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
    for (let x = 0, from = 0, to = y * width * 4; x < width; x++, from += channels, to += 4) {
      if (depth === 1) rgba.fill(255 * ((row[x >> 3] >> (7 - (x & 7))) & 1), to, to + 3);
      else {
        rgba[to] = row[from];
        rgba[to + 1] = row[from + green];
        rgba[to + 2] = row[from + blue];
      }
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
  const [one, other] = [a.rgba, b.rgba];
  let most = 0;
  let sum = 0;
  for (let at = 0; at < one.length; at++) {
    const apart = Math.abs(one[at] - other[at]);
    if (apart > most) most = apart;
    sum += apart;
  }
  return { most, mean: sum / one.length };
}

/** PNG 9.2: what a byte was predicted from is added to it. */
function unfilter(filter, row, above, step) {
  if (filter === 1) for (let x = step; x < row.length; x++) row[x] += row[x - step];
  else if (filter === 2) for (let x = 0; x < row.length; x++) row[x] += above[x];
  else if (filter === 3) for (let x = 0; x < row.length; x++) row[x] += ((x < step ? 0 : row[x - step]) + above[x]) >> 1;
  else if (filter === 4) for (let x = 0; x < row.length; x++) row[x] += x < step ? above[x] : paeth(row[x - step], above[x], above[x - step]);
}

function paeth(left, up, corner) {
  const a = Math.abs(up - corner);
  const b = Math.abs(left - corner);
  const c = Math.abs(left + up - 2 * corner);
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
