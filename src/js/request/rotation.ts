// The rotation: 1.x §4.3, 2.1 §4.3, 3.0 §4.3.

import { syntax } from "./error.js";
import { type Decimal, decimal, decimalText, plain } from "./number.js";
import { type Version, isFirst } from "./version.js";

/** A turn clockwise, after a mirroring if there is one. */
export interface Rotation {
  /** `!` (from 2.0): left and right are exchanged first. */
  readonly mirror?: boolean;
  /** 0 to 360. */
  readonly degrees: Decimal;
}

const TURN = decimal("360") ?? 0n;

/** Reads the (decoded) parameter; 360 becomes 0. */
export function parseRotation(version: Version, text: string): Rotation & { degrees: string } {
  const mirror = text[0] === "!" && !isFirst(version);
  const units = decimal(mirror ? text.slice(1) : text);
  if (units === undefined || units > TURN) {
    throw syntax("rotation", text, `a number from 0 to 360${isFirst(version) ? "" : ", with ! before it to mirror"}`);
  }
  return { ...(mirror && { mirror }), degrees: decimalText(units === TURN ? 0n : units) };
}

/** The text of the parameter. */
export const rotationText = ({ mirror, degrees }: Rotation): string => `${mirror ? "!" : ""}${plain(degrees)}`;
