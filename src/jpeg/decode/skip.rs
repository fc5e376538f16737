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

fn entry_of(bits: u32, coefficients: u32, flags: u32) -> u16 {
    (bits | (coefficients << 6) | flags) as u16
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
        let levels = levels(ac);
        let mut first = Box::new([NOTHING; 1 << FIRST_WIDTH]);
        for (symbol, code) in dc.codes() {
            let (length, size) = (u32::from(code.length), u32::from(symbol & 15));
            let used = length + size;
            if used > FIRST_WIDTH {
                continue;
            }
            let rest = level(&levels, FIRST_WIDTH - used);
            let range = &mut first[usize::from(code.code) << (FIRST_WIDTH - length)..][..1 << (FIRST_WIDTH - length)];
            for (value, range) in range.chunks_exact_mut(rest.len()).enumerate() {
                let difference = (extend(value as u32, size) as u32) << 16;
                for (entry, rest) in range.iter_mut().zip(rest) {
                    let symbols = if *rest == NOTHING as u16 { 0 } else { u32::from(*rest) };
                    *entry = (used + symbols) | difference;
                }
            }
        }
        let mut entries = Box::new([0; 1 << WIDTH]);
        entries.copy_from_slice(level(&levels, WIDTH));
        for (symbol, code) in ac.codes() {
            let (length, size) = (u32::from(code.length), u32::from(symbol & 15));
            if length <= WIDTH && length + size > WIDTH {
                let range = &mut entries[usize::from(code.code) << (WIDTH - length)..][..1 << (WIDTH - length)];
                range.fill(entry_of(length + size, u32::from(symbol >> 4) + 1, LONGER));
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

/// Entries of all widths up to the widest, one after the other: those of a symbol are those of the bits that it leaves, and the symbol before them.
fn levels(ac: &HuffmanSpec) -> Vec<u16> {
    let mut levels = vec![NOTHING as u16; 2 << WIDTH];
    let codes: Vec<_> =
        ac.codes().map(|(symbol, code)| (u32::from(symbol >> 4), u32::from(symbol & 15), usize::from(code.code), u32::from(code.length))).collect();
    for width in 1..=WIDTH {
        let (narrower, level) = levels.split_at_mut(1 << width);
        for &(run, size, code, length) in codes.iter().take_while(|(.., length)| *length <= width) {
            let used = length + size;
            let range = &mut level[code << (width - length)..][..1 << (width - length)];
            if size == 0 && run != 15 {
                range.fill(entry_of(used, 0, ENDS));
            } else if used <= width {
                let symbol = entry_of(used, run + 1, 0);
                // With more than 63 coefficients it would be no entry.
                let most = entry_of(63, 62 - run, 0);
                let rest = self::level(narrower, width - used);
                for range in range.chunks_exact_mut(rest.len()) {
                    for (entry, rest) in range.iter_mut().zip(rest) {
                        *entry = if rest & (NOTHING | 63) as u16 <= most { symbol + rest } else { symbol };
                    }
                }
            }
        }
    }
    levels
}

/// Entries of so many bits.
fn level(levels: &[u16], width: u32) -> &[u16] {
    &levels[1 << width..2 << width]
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
