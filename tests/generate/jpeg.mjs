// A small encoder of baseline JPEG (ITU T.81): YCbCr 4:2:0 with the tables of its annex K. The tests' own, so that the product's does not judge itself and
// files do not change with it.

const LUMA = "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62 18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99".split(" ").map(Number);
const CHROMA = Array.from({ length: 64 }, (_, index) => [17, 18, 24, 47, 18, 21, 26, 66, 24, 26, 56, 99, 47, 66, 99, 99][(index >> 3) * 4 + (index & 7)]).map((value, index) => ((index & 7) > 3 || index > 31 ? 99 : value));

/** Where the coefficients of the zigzag sequence lie (figure A.6). */
const ZIGZAG = Array.from({ length: 64 }, (_, index) => index).sort((a, b) => {
  const [p, q] = [(a >> 3) + (a & 7), (b >> 3) + (b & 7)];
  return p - q || (p % 2 ? (a >> 3) - (b >> 3) : (a & 7) - (b & 7));
});

/** Tables K.3 to K.6: how many codes of each length there are, and their symbols. */
const HUFFMAN = [
  ["00010501010101010100000000000000", "000102030405060708090a0b"],
  ["0002010303020403050504040000017d", "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"],
  ["00030101010101010101010000000000", "000102030405060708090a0b"],
  ["00020102040403040705040400010277", "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"],
].map(([counts, symbols]) => ({ counts: Buffer.from(counts, "hex"), symbols: Buffer.from(symbols, "hex") }));

/** The code and its length for each symbol (annex C). */
const CODES = HUFFMAN.map(({ counts, symbols }) => {
  const codes = [];
  let [code, at] = [0, 0];
  for (let length = 1; length <= 16; length++, code <<= 1) for (let left = counts[length - 1]; left > 0; left--) codes[symbols[at++]] = [code++, length];
  return codes;
});

/** Row u: the cosines of frequency u (A.3.3). */
const COSINES = Float64Array.from({ length: 64 }, (_, at) => (at < 8 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * (at & 7) + 1) * (at >> 3) * Math.PI) / 16));

const SOI = Buffer.from([0xff, 0xd8]);
const EOI = Buffer.from([0xff, 0xd9]);

/** A marker segment. */
export const segment = (marker, body) => Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255, ...body]);

/** Quality on libjpeg's scale. */
function quantisers(quality) {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return [LUMA, CHROMA].map((table) => table.map((value) => Math.max(1, Math.min(255, Math.floor((value * scale + 50) / 100)))));
}

const tableSegments = (quality) =>
  Buffer.concat([
    ...quantisers(quality).map((table, id) => segment(0xdb, [id, ...ZIGZAG.map((place) => table[place])])),
    ...HUFFMAN.map(({ counts, symbols }, index) => segment(0xc4, [((index & 1) << 4) | (index >> 1), ...counts, ...symbols])),
  ]);

const frame = (width, height) => segment(0xc0, [8, height >> 8, height & 255, width >> 8, width & 255, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
const scan = segment(0xda, [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);

/** What TIFF keeps once for all tiles, in JPEGTables. */
export const tables = (quality) => Buffer.concat([SOI, tableSegments(quality), EOI]);

/** A tile without them. */
export const abbreviated = (width, height, rgb, quality) => Buffer.concat([SOI, frame(width, height), scan, coded(width, height, rgb, quality), EOI]);

/** A whole file; its data, and segments before its scan, may be one's own. */
export const jpeg = (width, height, rgb, quality, data = coded(width, height, rgb, quality), extra = Buffer.alloc(0)) =>
  Buffer.concat([SOI, tableSegments(quality), frame(width, height), extra, scan, data, EOI]);

/** The entropy-coded data of RGB pixels. Sides that end within a block are continued by their last pixels. */
export function coded(width, height, rgb, quality) {
  const divisors = quantisers(quality);
  const out = bitWriter(width * height);
  const predictors = [0, 0, 0];
  const [luma, cb, cr, block] = [new Float64Array(256), new Float64Array(64), new Float64Array(64), new Float64Array(64)];
  for (let top = 0; top < height; top += 16) {
    for (let left = 0; left < width; left += 16) {
      cb.fill(0);
      cr.fill(0);
      for (let y = 0; y < 16; y++) {
        for (let x = 0; x < 16; x++) {
          const at = 3 * (Math.min(top + y, height - 1) * width + Math.min(left + x, width - 1));
          const [r, g, b] = [rgb[at], rgb[at + 1], rgb[at + 2]];
          const half = (y >> 1) * 8 + (x >> 1);
          luma[y * 16 + x] = 0.299 * r + 0.587 * g + 0.114 * b - 128;
          cb[half] += (-0.168736 * r - 0.331264 * g + 0.5 * b) / 4;
          cr[half] += (0.5 * r - 0.418688 * g - 0.081312 * b) / 4;
        }
      }
      for (let part = 0; part < 4; part++) {
        const from = (part >> 1) * 128 + (part & 1) * 8;
        for (let at = 0; at < 64; at++) block[at] = luma[from + (at >> 3) * 16 + (at & 7)];
        predictors[0] = encodeBlock(out, block, divisors[0], 0, predictors[0]);
      }
      predictors[1] = encodeBlock(out, cb, divisors[1], 2, predictors[1]);
      predictors[2] = encodeBlock(out, cr, divisors[1], 2, predictors[2]);
    }
  }
  return out.end();
}

const half = new Float64Array(64);
const values = new Int32Array(64);

/** Transforms, quantises and codes a block; gives its DC value, which the next is predicted from. */
function encodeBlock(out, block, divisors, codes, predictor) {
  for (let u = 0; u < 8; u++) {
    for (let y = 0; y < 8; y++) {
      let sum = 0;
      for (let x = 0; x < 8; x++) sum += COSINES[u * 8 + x] * block[y * 8 + x];
      half[y * 8 + u] = sum;
    }
  }
  for (let v = 0; v < 8; v++) {
    for (let u = 0; u < 8; u++) {
      let sum = 0;
      for (let y = 0; y < 8; y++) sum += COSINES[v * 8 + y] * half[y * 8 + u];
      values[v * 8 + u] = Math.round(sum / divisors[v * 8 + u]);
    }
  }
  const length = (value) => 32 - Math.clz32(Math.abs(value));
  const number = (value, bits) => out.put(value < 0 ? value + (1 << bits) - 1 : value, bits);
  const difference = values[0] - predictor;
  out.put(...CODES[codes][length(difference)]);
  number(difference, length(difference));
  let zeros = 0;
  for (let index = 1; index < 64; index++) {
    const value = values[ZIGZAG[index]];
    if (value === 0) {
      zeros++;
      continue;
    }
    for (; zeros > 15; zeros -= 16) out.put(...CODES[codes + 1][0xf0]);
    const bits = length(value);
    out.put(...CODES[codes + 1][(zeros << 4) | bits]);
    number(value, bits);
    zeros = 0;
  }
  if (zeros > 0) out.put(...CODES[codes + 1][0]);
  return values[0];
}

/** Bits, the high ones first; a byte 0xff is followed by 0, and the last is filled up with ones (F.1.2.3). */
function bitWriter(pixels) {
  let bytes = Buffer.alloc(Math.max(4096, pixels));
  let [end, held, count] = [0, 0, 0];
  const put = (value, bits) => {
    held = (held << bits) | value;
    count += bits;
    for (; count >= 8; count -= 8) {
      if (end + 2 > bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(bytes.length)]);
      const byte = (held >>> (count - 8)) & 255;
      bytes[end++] = byte;
      if (byte === 255) bytes[end++] = 0;
    }
    held &= (1 << count) - 1;
  };
  return {
    put,
    end() {
      if (count > 0) put((1 << (8 - count)) - 1, 8 - count);
      return Buffer.from(bytes.subarray(0, end));
    },
  };
}
