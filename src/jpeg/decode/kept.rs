//! Which coefficients of a block are kept until all scans are read: those that the inverse DCT of the wanted size looks at. At a quarter of the size these are
//! 25 of 64.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "slots are smaller than the arrays they are of")]

use super::idct::Coefficients;
use crate::jpeg::quantization::QuantizationTable;
use crate::jpeg::zigzag::NATURAL;

/// Coefficients of a block of which the inverse DCT to 4×4 samples looks at 7×7, and to 2×2 samples at 5×5. One more takes what it does not look at.
const HALF: usize = 50;
const QUARTER: usize = 26;

/// The rows, and the columns, that the inverse DCT looks at.
const HALF_SIDES: [bool; 8] = [true, true, true, true, false, true, true, true];
const QUARTER_SIDES: [bool; 8] = [true, true, false, true, false, true, false, true];

/// Where in a kept block a coefficient is, by its place in zigzag order. The DC coefficient is the first.
pub(super) type Slots = [u8; 64];

const ALL_SLOTS: Slots = slots([true; 8], None);
const HALF_SLOTS: Slots = slots(HALF_SIDES, Some(HALF - 1));
const QUARTER_SLOTS: Slots = slots(QUARTER_SIDES, Some(QUARTER - 1));

/// In the order in which they come; if all are kept, in row-major order. What is not looked at goes to the slot `rest`.
const fn slots(sides: [bool; 8], rest: Option<usize>) -> Slots {
    let mut slots = [0; 64];
    let (mut k, mut next) = (0, 0);
    while k < 64 {
        let place = NATURAL[k];
        slots[k] = match rest {
            None => place,
            Some(_) if sides[place as usize % 8] && sides[place as usize / 8] => {
                next += 1;
                next - 1
            }
            Some(rest) => rest as u8,
        };
        k += 1;
    }
    slots
}

/// Bytes that a block takes of which `size` × `size` samples are made: 8, 4, 2 or 1.
pub(crate) const fn block_bytes(size: u64) -> u64 {
    match size {
        1 => 2,
        2 => 2 * QUARTER as u64,
        4 => 2 * HALF as u64,
        _ => 128,
    }
}

/// Coefficients of blocks.
#[derive(Debug)]
pub(super) enum Blocks {
    All(Vec<Coefficients>),
    Half(Vec<[i16; HALF]>),
    Quarter(Vec<[i16; QUARTER]>),
    /// DC coefficients alone.
    Means(Vec<i16>),
}

impl Blocks {
    /// `count` of them, all zeros, of which `size` × `size` samples are to be made: 8, 4, 2 or 1.
    pub fn new(count: usize, size: usize) -> Self {
        match size {
            1 => Self::Means(vec![0; count]),
            2 => Self::Quarter(vec![[0; QUARTER]; count]),
            4 => Self::Half(vec![[0; HALF]; count]),
            _ => Self::All(vec![[0; 64]; count]),
        }
    }

    /// Whether others than DC coefficients are kept.
    pub const fn have_ac(&self) -> bool {
        !matches!(self, Self::Means(_))
    }

    /// Where coefficients are in a block.
    pub const fn slots(&self) -> &'static Slots {
        match self {
            Self::All(_) | Self::Means(_) => &ALL_SLOTS,
            Self::Half(_) => &HALF_SLOTS,
            Self::Quarter(_) => &QUARTER_SLOTS,
        }
    }

    /// What is kept of a block.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<&[i16]> {
        match self {
            Self::All(blocks) => blocks.get(index).map(<[i16; 64]>::as_slice),
            Self::Half(blocks) => blocks.get(index).map(<[i16; HALF]>::as_slice),
            Self::Quarter(blocks) => blocks.get(index).map(<[i16; QUARTER]>::as_slice),
            Self::Means(means) => means.get(index).map(std::slice::from_ref),
        }
    }

    #[inline(always)]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut [i16]> {
        match self {
            Self::All(blocks) => blocks.get_mut(index).map(<[i16; 64]>::as_mut_slice),
            Self::Half(blocks) => blocks.get_mut(index).map(<[i16; HALF]>::as_mut_slice),
            Self::Quarter(blocks) => blocks.get_mut(index).map(<[i16; QUARTER]>::as_mut_slice),
            Self::Means(means) => means.get_mut(index).map(std::slice::from_mut),
        }
    }

    /// Keeps what is wanted of a block whose coefficients are all known, in row-major order.
    pub fn put(&mut self, index: usize, block: &Coefficients) {
        let slots = self.slots();
        let Some(kept) = self.get_mut(index) else { return };
        for (place, slot) in NATURAL.iter().zip(slots) {
            if let Some(kept) = kept.get_mut(usize::from(*slot)) {
                *kept = block[usize::from(*place)];
            }
        }
    }

    /// Puts the dequantized coefficients of a block in row-major order into one of zeros; whether any but the first is not zero.
    #[inline(always)]
    pub fn dequantize(&self, index: usize, table: &QuantizationTable, into: &mut Coefficients) -> bool {
        let places = match self {
            Self::All(blocks) => {
                let block = &blocks[index];
                for ((value, coefficient), step) in into.iter_mut().zip(block).zip(table) {
                    *value = coefficient.wrapping_mul(*step as i16);
                }
                return block[1..].iter().fold(0, |any, value| any | value) != 0;
            }
            Self::Half(_) => &HALF_PLACES[..],
            Self::Quarter(_) => &QUARTER_PLACES[..],
            Self::Means(_) => &[0],
        };
        let mut any = 0;
        for (coefficient, place) in self.get(index).unwrap_or_default().iter().zip(places) {
            let place = usize::from(*place & 63);
            into[place] = coefficient.wrapping_mul(table[place] as i16);
            any |= if place == 0 { 0 } else { *coefficient };
        }
        any != 0
    }

    /// All coefficients; none if fewer are kept.
    pub fn into_all(self) -> Vec<Coefficients> {
        match self {
            Self::All(blocks) => blocks,
            Self::Half(_) | Self::Quarter(_) | Self::Means(_) => Vec::new(),
        }
    }
}

/// Row-major places of the kept coefficients, by slot.
const HALF_PLACES: [u8; HALF - 1] = places(&HALF_SLOTS);
const QUARTER_PLACES: [u8; QUARTER - 1] = places(&QUARTER_SLOTS);

const fn places<const COUNT: usize>(slots: &Slots) -> [u8; COUNT] {
    let mut places = [0; COUNT];
    let mut k = 0;
    while k < 64 {
        if (slots[k] as usize) < COUNT {
            places[slots[k] as usize] = NATURAL[k];
        }
        k += 1;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::decode::idct;

    /// Blocks of pseudo-random coefficients.
    fn blocks() -> impl Iterator<Item = Coefficients> {
        let mut state = 3_u32;
        (0..200).map(move |_| {
            std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16 / 64
            })
        })
    }

    #[test]
    fn what_is_kept_is_all_that_the_inverse_dct_looks_at() {
        let table: QuantizationTable = std::array::from_fn(|index| 1 + index as u16 % 3);
        for block in blocks() {
            let all: Coefficients = std::array::from_fn(|index| block[index].wrapping_mul(table[index] as i16));
            let through = |size| {
                let mut blocks = Blocks::new(1, size);
                blocks.put(0, &block);
                let mut out = [0; 64];
                assert!(blocks.dequantize(0, &table, &mut out));
                out
            };
            assert_eq!(through(8), all);
            assert_eq!(idct::half(&through(4)), idct::half(&all));
            assert_eq!(idct::quarter(&through(2)), idct::quarter(&all));
        }
    }

    #[test]
    fn each_coefficient_that_is_looked_at_has_a_slot_of_its_own() {
        for (slots, kept) in [(HALF_SLOTS, HALF - 1), (QUARTER_SLOTS, QUARTER - 1), (ALL_SLOTS, 64)] {
            let mut found: Vec<u8> = slots.iter().copied().filter(|slot| usize::from(*slot) < kept).collect();
            found.sort_unstable();
            assert!(found.iter().enumerate().all(|(index, slot)| index == usize::from(*slot)));
            assert_eq!((found.len(), slots[0]), (kept, 0));
        }
    }

    #[test]
    fn a_block_is_priced_at_what_it_takes() {
        assert_eq!([8, 4, 2, 1].map(block_bytes), [128, 100, 52, 2]);
        assert_eq!((block_bytes(4), block_bytes(2)), (size_of::<[i16; HALF]>() as u64, size_of::<[i16; QUARTER]>() as u64));
    }
}
