import { VERSION } from "../version.js";

const PRIME = (1n << 88n) + 0x13bn;
const START = 0x6c62272e07bb014262b821756295c58dn;

/** A hash of texts and of the package's version, 32 digits: FNV-1a of 128 bits, as in the Rust Worker. */
export function hash(texts: readonly string[]): string {
  let hash = START;
  for (const text of [...texts, VERSION]) {
    for (const byte of [...new TextEncoder().encode(text), 0xff]) hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * PRIME);
  }
  return hash.toString(16).padStart(32, "0");
}
