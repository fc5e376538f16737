// Small PNGs to put into buckets, and the dimensions of what comes out.

import { deflateSync } from "node:zlib";

/** A gray PNG with a pattern; `seed` makes another picture of the same size. */
export function png(width, height, seed = 0) {
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = (x * 7 + y * 13 + seed * 31 + (x * y) / 5) & 255;
  }
  return assemble(width, height, deflateSync(rows, { level: 1 }));
}

/** A PNG of a single gray, however large. */
export function flatPng(width, height) {
  return assemble(width, height, deflateSync(Buffer.alloc(height * (width + 1)), { level: 1 }));
}

function assemble(width, height, data) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8; // bits per sample, colour type 0
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

/** `[format, width, height]` of an answer. */
export function dimensions(bytes) {
  if (bytes.readUInt32BE(0) === 0x89504e47) return ["png", bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (bytes.readUInt16BE(0) === 0xffd8) return jpegDimensions(bytes);
  const start = bytes.toString("latin1", 0, 16);
  if (start.startsWith("GIF8")) return ["gif", bytes.readUInt16LE(6), bytes.readUInt16LE(8)];
  if (start.startsWith("RIFF") && start.slice(8, 12) === "WEBP") return webpDimensions(bytes, start.slice(12));
  if (start.startsWith("II*\0")) return tiffDimensions(bytes);
  throw new Error(`not an image: ${JSON.stringify(start)}`);
}

function jpegDimensions(bytes) {
  for (let at = 2; at < bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return ["jpg", bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
  }
  throw new Error("a JPEG without a frame");
}

function webpDimensions(bytes, kind) {
  if (kind === "VP8X") return ["webp", bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1];
  if (kind === "VP8 ") return ["webp", bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff];
  const bits = bytes.readUInt32LE(21);
  return ["webp", (bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1];
}

function tiffDimensions(bytes) {
  const directory = bytes.readUInt32LE(4);
  const sides = {};
  for (let entry = 0; entry < bytes.readUInt16LE(directory); entry++) {
    const at = directory + 2 + entry * 12;
    sides[bytes.readUInt16LE(at)] = bytes.readUInt16LE(at + 2) === 3 ? bytes.readUInt16LE(at + 8) : bytes.readUInt32LE(at + 8);
  }
  return ["tif", sides[256], sides[257]];
}

// Node 20's zlib has no crc32 yet in all its releases.
const table = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
