//! Huffman decoding by tables wide enough for nearly all codes at once (T.81, F.2.2.3): a look-up gives the symbol, mostly with the value whose bits follow.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel on tables of fixed size")]

use super::bits::BitReader;
use crate::jpeg::huffman::HuffmanSpec;

/// Bits that a look-up looks at.
const WIDTH: u32 = 10;

/// Entry: length in bits 0–4, run in 8–11, size of the value that is still to be taken in 12–15, value in 16–31; no length for a code that is longer than the table
/// is wide. This flag says that the value is there, and counted in the length.
const WHOLE: u32 = 1 << 7;
/// An AC symbol without value, which either stands for sixteen zeros or ends the block: then its run (8–14) leads beyond all blocks.
const STILL: u32 = 1 << 6;
const BEYOND: u32 = 64;
/// The difference of size 16, which only the lossless process has.
const LARGEST: u32 = 0x8000;

/// The codes of one table.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    entries: Box<[u32; 1 << WIDTH]>,
    /// For each length, the first of 16 bits that are beyond its codes, and what takes a code to its symbol.
    limits: [u32; 17],
    offsets: [i32; 17],
    symbols: Box<[u8; 256]>,
}

/// A coefficient's symbol and value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coefficient {
    pub run: u32,
    /// 0 for the end of a block, or for a run of 16 zeros (`run` tells).
    pub size: u32,
    pub value: i32,
}

impl Lookup {
    /// For AC symbols (run and size), or DC ones (size alone).
    pub fn new(spec: &HuffmanSpec, ac: bool) -> Self {
        let mut lookup = Self { entries: Box::new([0; 1 << WIDTH]), limits: [0; 17], offsets: [0; 17], symbols: Box::new([0; 256]) };
        lookup.symbols[..spec.symbols.len()].copy_from_slice(&spec.symbols);
        let (mut code, mut index) = (0_u32, 0_u32);
        for length in 1..=16 {
            let count = u32::from(spec.counts[length - 1]);
            lookup.offsets[length] = index as i32 - code as i32;
            (code, index) = (code + count, index + count);
            lookup.limits[length] = code << (16 - length);
            code *= 2;
        }
        for (symbol, code) in spec.codes() {
            let length = u32::from(code.length);
            if length > WIDTH {
                break;
            }
            let first = usize::from(code.code) << (WIDTH - length);
            for (rest, entry) in lookup.entries[first..].iter_mut().take(1 << (WIDTH - length)).enumerate() {
                *entry = fast_entry(symbol, ac, length, rest as u32);
            }
        }
        lookup
    }

    /// For the symbols of the lossless process: sizes up to 16 (T.81, table H.2).
    pub fn lossless(spec: &HuffmanSpec) -> Self {
        let mut lookup = Self::new(spec, false);
        for (_, code) in spec.codes().filter(|(symbol, code)| *symbol == 16 && u32::from(code.length) <= WIDTH) {
            let rest = WIDTH - u32::from(code.length);
            lookup.entries[usize::from(code.code) << rest..][..1 << rest].fill(u32::from(code.length) | WHOLE | LARGEST << 16);
        }
        lookup
    }

    /// Takes a symbol of the lossless process and the difference that follows, modulo 65,536; bits must be ensured.
    #[inline(always)]
    pub fn lossless_difference(&self, bits: &mut BitReader<'_>) -> i32 {
        let entry = self.entries[bits.peek(WIDTH) as usize];
        if entry & WHOLE != 0 {
            bits.skip(entry & 31);
            return (entry as i32) >> 16;
        }
        let size = if entry & 31 != 0 {
            bits.skip(entry & 31);
            (entry >> 12) & 15
        } else {
            u32::from(self.long_symbol(bits))
        };
        // No bits follow the largest size.
        if size == 16 { LARGEST as i32 } else { extend(bits.take(size), size) }
    }

    /// Takes a DC symbol and the difference that follows; bits must be ensured.
    #[inline(always)]
    pub fn difference(&self, bits: &mut BitReader<'_>) -> i32 {
        let entry = self.entries[bits.peek(WIDTH) as usize];
        if entry & WHOLE != 0 {
            bits.skip(entry & 31);
            return (entry as i32) >> 16;
        }
        self.coefficient_slowly(bits, entry, false).value
    }

    /// The entry for the next AC symbol, if it holds the value too: length, run and value.
    #[inline(always)]
    pub fn fast(&self, bits: &BitReader<'_>) -> (bool, u32) {
        let entry = self.entries[bits.peek(WIDTH) as usize];
        (entry & WHOLE != 0, entry)
    }

    /// The same where an end of the block need not be told from a run that is too long: length, run and value, which is 0 for a symbol without one.
    #[inline(always)]
    pub fn faster(&self, bits: &BitReader<'_>) -> (bool, u32) {
        let entry = self.entries[bits.peek(WIDTH) as usize];
        (entry & (WHOLE | STILL) != 0, entry)
    }

    /// Takes the AC symbol of an entry that does not hold all of it.
    #[inline(always)]
    pub fn coefficient_slowly(&self, bits: &mut BitReader<'_>, entry: u32, ac: bool) -> Coefficient {
        let (run, size) = if entry & 31 != 0 {
            bits.skip(entry & 31);
            ((entry >> 8) & 15, if entry & STILL != 0 { 0 } else { (entry >> 12) & 15 })
        } else {
            let symbol = u32::from(self.long_symbol(bits));
            if ac { (symbol >> 4, symbol & 15) } else { (0, symbol & 15) }
        };
        Coefficient { run, size, value: extend(bits.take(size), size) }
    }

    /// Passes over the AC coefficients of a block.
    #[inline(never)]
    pub fn skip(&self, bits: &mut BitReader<'_>) {
        let mut k = 1;
        while k < 64 {
            bits.fill();
            let Some(coefficients) = self.skip_one(bits) else { return };
            k += coefficients;
            // There are enough bits for a symbol that is taken slowly and two others.
            for _ in 0..2 {
                let (whole, entry) = self.faster(bits);
                if k >= 64 || !whole {
                    break;
                }
                bits.skip(entry & 31);
                k += ((entry >> 8) & 127) + 1;
            }
        }
    }

    /// Passes over an AC symbol and its value; how many coefficients it stands for, or `None` if it ends the block. Bits must be ensured.
    #[inline(always)]
    pub fn skip_one(&self, bits: &mut BitReader<'_>) -> Option<u32> {
        let (whole, entry) = self.fast(bits);
        if whole {
            bits.skip(entry & 31);
            return Some(((entry >> 8) & 15) + 1);
        }
        let Coefficient { run, size, .. } = self.coefficient_slowly(bits, entry, true);
        (size > 0 || run == 15).then_some(run + 1)
    }

    /// Takes an AC symbol without its value's bits.
    #[cfg(test)]
    #[inline(always)]
    pub fn symbol(&self, bits: &mut BitReader<'_>) -> u8 {
        // Entries that count the value in their length are of no use here; this is for progressive scans, which have none in their way.
        bits.ensure();
        self.long_symbol(bits)
    }

    /// Any symbol, by its length.
    #[cold]
    #[inline(never)]
    fn long_symbol(&self, bits: &mut BitReader<'_>) -> u8 {
        let next = bits.peek(16);
        for length in 1..=16_u32 {
            if next < self.limits[length as usize] {
                bits.skip(length);
                let index = (next >> (16 - length)) as i32 + self.offsets[length as usize];
                return self.symbols[index as usize & 255];
            }
        }
        bits.invalid = true;
        bits.skip(16);
        0
    }
}

/// What stands for `rest` behind a code of `length`.
fn fast_entry(symbol: u8, ac: bool, length: u32, rest: u32) -> u32 {
    let (run, size) = if ac { (u32::from(symbol >> 4), u32::from(symbol & 15)) } else { (0, u32::from(symbol & 15)) };
    let left = WIDTH - length;
    // A symbol without value means something of its own among AC coefficients.
    if ac && size == 0 {
        return length | STILL | if run == 15 { run << 8 } else { (BEYOND | run) << 8 };
    }
    if size > left {
        return length | run << 8 | size << 12;
    }
    let value = extend((rest >> (left - size)) & ((1 << size) - 1), size);
    (length + size) | WHOLE | run << 8 | (value as u32) << 16
}

/// The value of `size` bits (T.81, F.2.2.1: EXTEND).
#[inline(always)]
pub(super) fn extend(bits: u32, size: u32) -> i32 {
    let bits = bits as i32;
    // The lower half of the range stands for negative values.
    if size > 0 && bits < 1 << (size - 1) { bits - (1 << size) + 1 } else { bits }
}

#[cfg(test)]
mod tests {
    use super::super::bits::BitPosition;
    use super::super::skip::tests::noise;
    use super::*;

    #[test]
    fn values_are_the_same_by_either_way() {
        let lookup = Lookup::new(&HuffmanSpec::luminance_ac(), true);
        let data = noise(77);
        let mut bits = BitReader::new(&data, BitPosition { byte: 0, bit: 0 });
        while bits.position().byte < data.len() - 200 {
            bits.ensure();
            let mut slow = bits.clone();
            let symbol = lookup.symbol(&mut slow);
            let value = extend(slow.take(u32::from(symbol & 15)), u32::from(symbol & 15));
            let (whole, entry) = lookup.fast(&bits);
            if whole {
                bits.skip(entry & 31);
                assert_eq!(((entry >> 8) & 15, (entry as i32) >> 16), (u32::from(symbol >> 4), value));
            } else {
                let found = lookup.coefficient_slowly(&mut bits, entry, true);
                assert_eq!((found.run, found.value), (u32::from(symbol >> 4), value));
            }
            assert_eq!(bits.position(), slow.position());
        }
    }
}
