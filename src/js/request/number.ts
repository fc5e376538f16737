// Numbers as the specification writes them (3.0 §4.7): integers of digits, and decimals of digits and a point, kept exact.

/** A number that is not negative. Text is exact to 24 decimal places; `parse` gives text in canonical form: `12`, `0.5`. */
export type Decimal = string | number;

/** The greatest side, px. */
export const MOST = 0xffffffff;

/** Decimal places that are exact. */
const EXACT = 24;
/** Those and one more, which only tells whether there were more. */
const PLACES = EXACT + 1;
const ONE = 10n ** 25n;
/** 100 %, in units. */
export const HUNDRED = 100n * ONE;
/** 10¹³. In a request no greater number means anything else. */
const GREATEST = 10n ** 38n;

/** Reads a pixel count: digits only; leading zeros are tolerated. `undefined` beyond 32 bits. */
export function integer(text: string): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Infinity;
  return value <= MOST ? value : undefined;
}

/**
 * Reads `12`, `12.5` or `.5` of any length as units of 10⁻²⁵; `undefined` for anything else. A number beyond the greatest becomes the greatest.
 *
 * One with more than 24 decimal places has a 1 in the 25th, so that it compares with every shorter number as it should: it is not 0, not 100 and not 360.
 */
export function decimal(text: string): bigint | undefined {
  if (!/^(?:\d+|\d*\.\d+)$/.test(text)) return undefined;
  const [left = "", right = ""] = text.split(".");
  const whole = left.replace(/^0+/, "");
  // To read a long one would take time.
  if (whole.length > 14) return GREATEST;
  const more = /[1-9]/.test(right.slice(EXACT)) ? "1" : "0";
  const units = BigInt(whole + right.slice(0, EXACT).padEnd(EXACT, "0") + more);
  return units < GREATEST ? units : GREATEST;
}

/** The value to 24 decimal places, without the mark that there were more. */
export const truncated = (units: bigint): bigint => units - (units % 10n);

/** The canonical text: an integer if it is one; else a leading 0 and no trailing zeros. */
export function decimalText(units: bigint): string {
  const places = (units % ONE).toString().padStart(PLACES, "0").replace(/0+$/, "");
  return `${units / ONE}${places && `.${places}`}`;
}

/** A number or text as text without an exponent. */
export const plain = (value: Decimal): string => {
  const text = String(value);
  if (typeof value !== "number" || !text.includes("e-")) return text;
  const fixed = value.toFixed(EXACT);
  // Above 0 it stays above 0.
  return Number(fixed) || value < 0 ? fixed : `${fixed}1`;
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
