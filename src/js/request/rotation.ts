// The rotation: 1.x §4.3, 2.1 §4.3, 3.0 §4.3.

import { syntax } from "./error.js";
import { type Decimal, MOST, decimal, decimalText, plain, truncated } from "./number.js";
import type { Dimensions } from "./size.js";
import { type Version, isFirst } from "./version.js";

/** A turn clockwise, after a mirroring if there is one. */
export interface Rotation {
  /** `!` (from 2.0): left and right are exchanged first. */
  readonly mirror?: boolean;
  /** 0 to 360. */
  readonly degrees: Decimal;
}

const TURN = decimal("360") ?? 0n;

/** Reads the (decoded) parameter; 360 becomes 0, and an angle is exact to 24 decimal places. */
export function parseRotation(version: Version, text: string): Rotation & { degrees: string } {
  const mirror = text[0] === "!" && !isFirst(version);
  const units = decimal(mirror ? text.slice(1) : text);
  if (units === undefined || units > TURN) {
    throw syntax("rotation", text, `a number from 0 to 360${isFirst(version) ? "" : ", with ! before it to mirror"}`);
  }
  return { ...(mirror && { mirror }), degrees: decimalText(units === TURN ? 0n : truncated(units)) };
}

/** The text of the parameter. */
export const rotationText = ({ mirror, degrees }: Rotation): string => `${mirror ? "!" : ""}${plain(degrees)}`;

/** Whether it is a number of quarter turns. */
export const isRightAngle = ({ degrees }: Rotation): boolean => Number(plain(degrees)) % 90 === 0;

/** The smallest box of whole pixels that holds a size after a rotation that is no right angle. */
export function rotatedBox({ width, height }: Dimensions, rotation: Rotation): Dimensions {
  const radians = Number(plain(rotation.degrees)) * (Math.PI / 180);
  const [sin, cos] = [Math.abs(Math.sin(radians)), Math.abs(Math.cos(radians))];
  // Less than a millionth of a pixel is rounding, not content. That is also more than platforms differ by.
  const side = (length: number): number => Math.min(MOST, Math.max(1, Math.ceil(length - 1e-6)));
  return { width: side(width * cos + height * sin), height: side(width * sin + height * cos) };
}
