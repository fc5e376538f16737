// Numbers as the specification writes them (3.0 §4.7): integers of digits, and decimals of digits and a point, kept exact.

/** A number that is not negative. Text is exact; `parse` gives text in canonical form: `12`, `0.5`. */
export type Decimal = string | number;

/** The greatest side, px. */
export const MOST = 0xffffffff;

const PLACES = 24;
const ONE = 10n ** 24n;
/** 100 %, in units. */
export const HUNDRED = 100n * ONE;

/** Reads a pixel count: digits only; leading zeros are tolerated. `undefined` beyond 32 bits. */
export function integer(text: string): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Infinity;
  return value <= MOST ? value : undefined;
}

/** Reads `12`, `12.5` or `.5` as units of 10⁻²⁴; `undefined` for anything else, more than 24 decimal places or 128 bits. */
export function decimal(text: string): bigint | undefined {
  if (!/^(?:\d+|\d*\.\d+)$/.test(text)) return undefined;
  const [left = "", right = ""] = text.split(".");
  const whole = left.replace(/^0+/, "");
  let end = right.length;
  while (right[end - 1] === "0") end--;
  if (whole.length > 15 || end > PLACES) return undefined;
  const units = BigInt(whole + right.slice(0, end).padEnd(PLACES, "0"));
  return units >> 128n ? undefined : units;
}

/** The canonical text: an integer if it is one; else a leading 0 and no trailing zeros. */
export function decimalText(units: bigint): string {
  const places = (units % ONE).toString().padStart(PLACES, "0").replace(/0+$/, "");
  return `${units / ONE}${places && `.${places}`}`;
}

/** A number or text as text without an exponent. */
export const plain = (value: Decimal): string => {
  const text = String(value);
  return typeof value === "number" && text.includes("e-") ? value.toFixed(PLACES) : text;
};

/** This many percent of `length`, rounded half up; `undefined` beyond 32 bits. */
export const percentOf = (units: bigint, length: number): number | undefined => divide(units * BigInt(length), HUNDRED);

/** `value × numerator ÷ denominator`, rounded half up; `undefined` beyond 32 bits. */
export const scaleRound = (value: number, numerator: number, denominator: number): number | undefined =>
  divide(BigInt(value) * BigInt(numerator), BigInt(denominator));

function divide(dividend: bigint, divisor: bigint): number | undefined {
  const value = Number((dividend * 2n + divisor) / (divisor * 2n));
  return value <= MOST ? value : undefined;
}

/** The square root, rounded down. */
export function root(square: bigint): number {
  let guess = BigInt(Math.floor(Math.sqrt(Number(square))));
  while (guess * guess > square) guess -= 1n;
  while ((guess + 1n) * (guess + 1n) <= square) guess += 1n;
  return Number(guess);
}
