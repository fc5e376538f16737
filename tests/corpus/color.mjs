// Colours brought to sRGB that libvips leaves as they are or takes for others: those of a PNG with gAMA and cHRM (PNG, third edition, 4.3), CMYK without a profile
// as libtiff shows it, CIELab of the white that TIFF 6.0 names (section 23: D50; libvips: D65).

const SRGB = [0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06];
const D50 = [0.3457, 0.3585];
/** What sRGB's curve is written as: everybody takes it for sRGB. */
const SRGB_GAMMA = 0.45455;

/** How a PNG's samples of 0 to 1 become sRGB, `(r, g, b) => [r, g, b]`; nothing if libvips has done all there is to do. */
export function pngColors(file) {
  const chunks = chunksOf(file);
  if (chunks.cICP || chunks.iCCP || chunks.sRGB || !chunks.gAMA) return;
  const gamma = chunks.gAMA.readUInt32BE() / 100_000;
  const corners = chunks.cHRM ? Array.from({ length: 8 }, (_, index) => chunks.cHRM.readUInt32BE(4 * index) / 100_000) : SRGB;
  const same = corners.every((value, index) => Math.abs(value - SRGB[index]) < 0.001);
  if (Math.abs(gamma - SRGB_GAMMA) < 0.0005 && same) return;
  const decode = (value) => value ** (1 / gamma);
  const matrix = same ? undefined : multiplied(inverse(toXyz(SRGB)), multiplied(adapted(corners, SRGB), toXyz(corners)));
  return (...rgb) => {
    const light = rgb.map(decode);
    return (matrix ? applied(matrix, light) : light).map(encode);
  };
}

/** The colours of inks of 0 to 1, as libtiff's RGBA interface shows them. */
export const naive = (c, m, y, k) => [c, m, y].map((ink) => (1 - ink) * (1 - k));

/** Lightness of 0 to 100. */
export function labToSrgb(lightness, a, b) {
  const y = (lightness + 16) / 116;
  const cubed = (value) => (value > 6 / 29 ? value ** 3 : 3 * (6 / 29) ** 2 * (value - 4 / 29));
  const xyz = [y + a / 500, y, y - b / 200].map((value, index) => cubed(value) * white(D50)[index]);
  return applied(inverse(toXyz(SRGB)), applied(adapted(D50, SRGB), xyz)).map(encode);
}

function encode(light) {
  const held = Math.max(0, Math.min(1, light));
  return held <= 0.0031308 ? 12.92 * held : 1.055 * held ** (1 / 2.4) - 0.055;
}

function chunksOf(file) {
  const found = {};
  for (let at = 8; at + 8 <= file.length; ) {
    const [length, kind] = [file.readUInt32BE(at), file.toString("latin1", at + 4, at + 8)];
    if (kind === "IDAT") break;
    found[kind] ??= file.subarray(at + 8, at + 8 + length);
    at += length + 12;
  }
  return found;
}

const applied = (matrix, vector) => matrix.map((row) => row.reduce((sum, value, index) => sum + value * vector[index], 0));
const multiplied = (left, right) => left.map((row) => right[0].map((_, column) => row.reduce((sum, value, index) => sum + value * right[index][column], 0)));
const white = ([x, y]) => [x / y, 1, (1 - x - y) / y];

function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [[e * i - f * h, c * h - b * i, b * f - c * e], [f * g - d * i, a * i - c * g, c * d - a * f], [d * h - e * g, b * g - a * h, a * e - b * d]].map((row) => row.map((value) => value / det));
}

function toXyz(corners) {
  const columns = [2, 4, 6].map((at) => white(corners.slice(at)));
  const primaries = [0, 1, 2].map((row) => columns.map((column) => column[row]));
  const light = applied(inverse(primaries), white(corners));
  return primaries.map((row) => row.map((value, index) => value * light[index]));
}

/** Bradford's adaptation of one white to another. */
function adapted(from, to) {
  const cone = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]];
  const [own, other] = [from, to].map((corners) => applied(cone, white(corners)));
  const scale = own.map((value, index) => own.map((_, column) => (column === index ? other[index] / value : 0)));
  return multiplied(inverse(cone), multiplied(scale, cone));
}
