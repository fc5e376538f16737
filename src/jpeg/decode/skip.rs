//! Passing over blocks (T.81, F.2.2): all that is wanted of one is where it ends and its DC difference, so that a look-up gives as many symbols as fit into its bits,
//! the first of a block the difference with them.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel on tables of fixed size")]

use super::bits::BitReader;
use super::lookup::{Lookup, extend};
use crate::jpeg::huffman::HuffmanSpec;

/// Bits that a look-up looks at. Measured: wider tables gain little and crowd the cache.
const WIDTH: u32 = 13;
/// Bits that the first look-up of a block looks at.
const FIRST_WIDTH: u32 = 11;
/// Look-ups that bits are enough for once they were filled up: 56 ≥ 11 + 3 × 13 and 4 × 13.
const MORE: usize = 3;

/// Entry: bits in 0–5, coefficients in 6–12, then these flags; in the first of a block, the DC difference in 16–31. One that does not tell of any symbol has more
/// coefficients than a block, which ends in front of it anyway.
const NOTHING: u32 = 127 << 6;
/// The block ends.
const ENDS: u32 = 1 << 13;
/// A symbol whose value reaches beyond the bits that were looked at.
const LONGER: u32 = 1 << 14;

fn entry_of(bits: u32, coefficients: u32, flags: u32) -> u32 {
    bits | (coefficients << 6) | flags
}

/// The codes of a component's blocks, without the values of AC coefficients.
#[derive(Debug, Clone)]
pub(super) struct SkipLookup {
    first: Box<[u32; 1 << FIRST_WIDTH]>,
    entries: Box<[u16; 1 << WIDTH]>,
}

impl SkipLookup {
    /// For tables of DC and AC symbols.
    pub fn new(dc: &HuffmanSpec, ac: &HuffmanSpec) -> Self {
        let (dc, ac) = (Codes::new(dc), Codes::new(ac));
        let (mut first, mut entries) = (Box::new([NOTHING; 1 << FIRST_WIDTH]), Box::new([NOTHING as u16; 1 << WIDTH]));
        for (bits, entry) in entries.iter_mut().enumerate() {
            let (length, run, size) = ac.first(bits);
            match ac.symbols(bits, 0, WIDTH) {
                0 if length > 0 => *entry = entry_of(length + size, run + 1, LONGER) as u16,
                0 => {}
                symbols => *entry = symbols as u16,
            }
        }
        for (bits, entry) in first.iter_mut().enumerate() {
            let bits = bits << (WIDTH - FIRST_WIDTH);
            let (length, _, size) = dc.first(bits);
            let used = length + size;
            if length > 0 && used <= FIRST_WIDTH {
                let difference = extend((bits as u32 >> (WIDTH - used)) & ((1 << size) - 1), size);
                *entry = (used + ac.symbols(bits, used, FIRST_WIDTH)) | (difference as u32) << 16;
            }
        }
        Self { first, entries }
    }

    /// Passes over so many blocks; the sum of their DC differences.
    #[inline(never)]
    pub fn blocks(&self, bits: &mut BitReader<'_>, dc: &Lookup, ac: &Lookup, count: usize) -> i32 {
        (0..count).fold(0, |sum: i32, _| sum.wrapping_add(self.block(bits, dc, ac)))
    }

    /// Passes over a block; its DC difference.
    #[inline(always)]
    pub fn block(&self, bits: &mut BitReader<'_>, dc: &Lookup, ac: &Lookup) -> i32 {
        bits.fill();
        let entry = self.first[bits.peek(FIRST_WIDTH) as usize];
        if entry & NOTHING == NOTHING {
            let difference = dc.difference(bits);
            self.rest(bits, ac, 1);
            return difference;
        }
        bits.skip(entry & 63);
        let difference = (entry as i32) >> 16;
        if entry & ENDS == 0
            && let Some(k) = self.looks(bits, 1 + (entry >> 6 & 127))
        {
            self.rest(bits, ac, k);
        }
        difference
    }

    /// Passes over the AC coefficients of a block from the `k`th on.
    #[inline(always)]
    fn rest(&self, bits: &mut BitReader<'_>, ac: &Lookup, mut k: u32) {
        while k < 64 {
            bits.fill();
            match self.look(bits, k) {
                Look::End => return,
                Look::Nothing => {
                    let Some(coefficients) = ac.skip_one(bits) else { return };
                    k += coefficients;
                }
                Look::Longer(after) => k = after,
                Look::To(after) => match self.looks(bits, after) {
                    Some(after) => k = after,
                    None => return,
                },
            }
        }
    }

    /// Some look-ups without more bits; the coefficient that comes next, or `None` at the end of the block.
    #[inline(always)]
    fn looks(&self, bits: &mut BitReader<'_>, mut k: u32) -> Option<u32> {
        for _ in 0..MORE {
            if k >= 64 {
                return None;
            }
            match self.look(bits, k) {
                Look::End => return None,
                Look::Nothing => break,
                Look::Longer(after) => return Some(after),
                Look::To(after) => k = after,
            }
        }
        Some(k)
    }

    /// As far as an entry tells; nothing if it has no symbol, or may reach into the next block.
    #[inline(always)]
    fn look(&self, bits: &mut BitReader<'_>, k: u32) -> Look {
        let entry = u32::from(self.entries[bits.peek(WIDTH) as usize]);
        let after = k + (entry >> 6 & 127);
        if after + (entry >> 13 & 1) > 64 {
            return Look::Nothing;
        }
        if entry & (ENDS | LONGER) == 0 {
            bits.skip(entry & 63);
            return Look::To(after);
        }
        bits.ensure();
        bits.skip(entry & 63);
        if entry & ENDS != 0 { Look::End } else { Look::Longer(after) }
    }
}

/// What became of a look: the coefficient that comes next.
enum Look {
    To(u32),
    /// More bits are to be ensured first.
    Longer(u32),
    End,
    Nothing,
}

/// For all bits of this width, the code that they begin with: its length, 0 if it is longer than they are, and its symbol.
struct Codes(Vec<(u8, u8)>);

impl Codes {
    fn new(spec: &HuffmanSpec) -> Self {
        let mut codes = vec![(0, 0); 1 << WIDTH];
        for (symbol, code) in spec.codes() {
            let length = u32::from(code.length);
            if length > WIDTH {
                break;
            }
            let first = usize::from(code.code) << (WIDTH - length);
            codes[first..first + (1 << (WIDTH - length))].fill((code.length, symbol));
        }
        Self(codes)
    }

    /// The length of the first code, the run and the size that its symbol stands for.
    #[inline(always)]
    fn first(&self, bits: usize) -> (u32, u32, u32) {
        let (length, symbol) = self.0[bits & ((1 << WIDTH) - 1)];
        (length.into(), u32::from(symbol >> 4), u32::from(symbol & 15))
    }

    /// As many AC symbols as lie within the first `width` bits, behind those that are `used` up: an entry of the bits and coefficients that they take.
    fn symbols(&self, bits: usize, mut used: u32, width: u32) -> u32 {
        let (before, mut coefficients) = (used, 0);
        loop {
            let (length, run, size) = self.first(bits << used);
            if length == 0 || used + length + size > width || coefficients + run + 1 > 63 {
                return entry_of(used - before, coefficients, 0);
            }
            used += length + size;
            if size == 0 && run != 15 {
                return entry_of(used - before, coefficients, ENDS);
            }
            coefficients += run + 1;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::bits::BitPosition;
    use super::*;

    /// Bits that some code and others begin with.
    pub fn noise(seed: u32) -> Vec<u8> {
        let mut state = seed;
        (0..4000)
            .flat_map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let byte = (state >> 24) as u8;
                if byte == 0xFF { vec![0xFF, 0] } else { vec![byte] }
            })
            .collect()
    }

    #[test]
    fn skipping_ends_where_decoding_does() {
        let tables = [
            (HuffmanSpec::luminance_dc(), HuffmanSpec::luminance_ac()),
            (HuffmanSpec::chrominance_dc(), HuffmanSpec::chrominance_ac()),
            // One code, long values: few of them fit a look-up.
            (HuffmanSpec::new(counts(&[(2, 2)]), &[11, 15]).unwrap(), HuffmanSpec::new(counts(&[(1, 1), (2, 1), (4, 2)]), &[0x0F, 0x1A, 0x00, 0xF0]).unwrap()),
            // Codes that are longer than what is looked at, and bits that are none.
            (
                HuffmanSpec::new(counts(&[(14, 3)]), &[3, 4, 5]).unwrap(),
                HuffmanSpec::new(counts(&[(2, 3), (15, 2), (16, 2)]), &[0x01, 0xF0, 0x72, 0x00, 0x08, 0x11, 0x02]).unwrap(),
            ),
        ];
        for (dc, ac) in tables {
            let (differences, lookup, skip) = (Lookup::new(&dc, false), Lookup::new(&ac, true), SkipLookup::new(&dc, &ac));
            for seed in 0..8 {
                let data = noise(seed);
                let start = BitPosition { byte: 0, bit: 0 };
                let (mut one, mut other) = (BitReader::new(&data, start), BitReader::new(&data, start));
                while one.position().byte < data.len() - 200 {
                    let found = skip.block(&mut one, &differences, &lookup);
                    other.ensure();
                    let size = u32::from(differences.symbol(&mut other) & 15);
                    assert_eq!(found, extend(other.take(size), size));
                    let mut k = 1;
                    while k < 64 {
                        other.ensure();
                        let symbol = lookup.symbol(&mut other);
                        if symbol & 15 == 0 && symbol != 0xF0 {
                            break;
                        }
                        other.take(u32::from(symbol & 15));
                        k += u32::from(symbol >> 4) + 1;
                    }
                    assert_eq!(one.position(), other.position());
                    assert_eq!(one.invalid, other.invalid);
                }
            }
        }
    }

    /// So many codes of these lengths.
    fn counts(lengths: &[(usize, u8)]) -> [u8; 16] {
        let mut counts = [0; 16];
        lengths.iter().for_each(|(length, count)| counts[length - 1] = *count);
        counts
    }
}
