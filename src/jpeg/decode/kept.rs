//! Which coefficients of a block are kept until all scans are read: those that the inverse DCT of the wanted size uses. At a quarter of the size these are 25
//! of 64.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "slots are smaller than the arrays they are of")]

use super::idct::Coefficients;
use crate::jpeg::quantization::QuantizationTable;
use crate::jpeg::zigzag::NATURAL;

/// The rows of coefficients, and also the columns, that the inverse DCT to 4×4 samples uses, and that to 2×2 samples.
const HALF_SIDES: [u8; 7] = [0, 1, 2, 3, 5, 6, 7];
const QUARTER_SIDES: [u8; 5] = [0, 1, 3, 5, 7];

/// Coefficients that are kept of a block, and one slot more, which takes all those that are not used.
const HALF: usize = 50;
const QUARTER: usize = 26;

/// The index in a kept block of each coefficient, by its place in zigzag order. The DC coefficient has index 0.
pub(super) type Slots = [u8; 64];

/// For blocks of which all coefficients are kept.
pub(super) const ALL_SLOTS: Slots = slots([0, 1, 2, 3, 4, 5, 6, 7]);
const HALF_SLOTS: Slots = slots(HALF_SIDES);
const QUARTER_SLOTS: Slots = slots(QUARTER_SIDES);

/// The used coefficients are stored row after row. All others share the slot after them.
const fn slots<const SIDE: usize>(sides: [u8; SIDE]) -> Slots {
    let mut slots = [(SIDE * SIDE) as u8; 64];
    let mut k = 0;
    while k < 64 {
        let (mut y, place) = (0, NATURAL[k]);
        while y < SIDE {
            let mut x = 0;
            while x < SIDE {
                if sides[y] * 8 + sides[x] == place {
                    slots[k] = (y * SIDE + x) as u8;
                }
                x += 1;
            }
            y += 1;
        }
        k += 1;
    }
    slots
}

/// Bytes that are kept of a block from which `size` × `size` samples are made: 8, 4, 2 or 1.
pub(crate) const fn block_bytes(size: u32) -> u64 {
    match size {
        1 => 2,
        2 => 2 * QUARTER as u64,
        4 => 2 * HALF as u64,
        _ => 128,
    }
}

/// The kept coefficients of blocks.
#[derive(Debug)]
pub(super) enum Blocks {
    All(Vec<Coefficients>),
    Half(Vec<[i16; HALF]>),
    Quarter(Vec<[i16; QUARTER]>),
    /// Only DC coefficients.
    Means(Vec<i16>),
}

impl Blocks {
    /// `count` blocks of zeros, from which `size` × `size` samples will be made: 8, 4, 2 or 1.
    pub fn new(count: usize, size: usize) -> Self {
        match size {
            1 => Self::Means(vec![0; count]),
            2 => Self::Quarter(vec![[0; QUARTER]; count]),
            4 => Self::Half(vec![[0; HALF]; count]),
            _ => Self::All(vec![[0; 64]; count]),
        }
    }

    /// The kept coefficients of a block, and the slot of each coefficient in it; `None` if only DC coefficients are kept.
    #[inline(always)]
    pub fn ac_mut(&mut self, index: usize) -> Option<(&mut [i16], &'static Slots)> {
        match self {
            Self::All(blocks) => blocks.get_mut(index).map(|block| (block.as_mut_slice(), &ALL_SLOTS)),
            Self::Half(blocks) => blocks.get_mut(index).map(|block| (block.as_mut_slice(), &HALF_SLOTS)),
            Self::Quarter(blocks) => blocks.get_mut(index).map(|block| (block.as_mut_slice(), &QUARTER_SLOTS)),
            Self::Means(_) => None,
        }
    }

    /// The kept coefficients of a block.
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

    /// Dequantizes the coefficients of a block into `into`, which holds zeros, in row-major order. Returns whether any AC coefficient is nonzero.
    #[inline(always)]
    pub fn dequantize(&self, index: usize, table: &QuantizationTable, into: &mut Coefficients) -> bool {
        match self {
            Self::All(blocks) => {
                let block = &blocks[index];
                for ((value, coefficient), step) in into.iter_mut().zip(block).zip(table) {
                    *value = coefficient.wrapping_mul(*step as i16);
                }
                block[1..].iter().fold(0, |any, value| any | value) != 0
            }
            Self::Half(blocks) => spread(&blocks[index], &HALF_SIDES, table, into),
            Self::Quarter(blocks) => spread(&blocks[index], &QUARTER_SIDES, table, into),
            Self::Means(means) => {
                into[0] = means[index].wrapping_mul(table[0] as i16);
                false
            }
        }
    }

    /// All coefficients; empty if only some of each block are kept.
    pub fn into_all(self) -> Vec<Coefficients> {
        match self {
            Self::All(blocks) => blocks,
            Self::Half(_) | Self::Quarter(_) | Self::Means(_) => Vec::new(),
        }
    }
}

/// The same for a block of which only these rows and columns are kept.
#[inline(always)]
fn spread<const SIDE: usize>(block: &[i16], sides: &[u8; SIDE], table: &QuantizationTable, into: &mut Coefficients) -> bool {
    let (rows, steps, into) = (block.as_chunks::<SIDE>().0, table.as_chunks::<8>().0, into.as_chunks_mut::<8>().0);
    for (y, row) in sides.iter().zip(rows) {
        let (into, steps) = (&mut into[usize::from(*y & 7)], &steps[usize::from(*y & 7)]);
        for x in 0..SIDE {
            let place = usize::from(sides[x] & 7);
            into[place] = row[x].wrapping_mul(steps[place] as i16);
        }
    }
    block[1..SIDE * SIDE].iter().fold(0, |any, value| any | value) != 0
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
                let (kept, slots) = blocks.ac_mut(0).unwrap();
                NATURAL.iter().zip(slots).for_each(|(place, slot)| kept[usize::from(*slot)] = block[usize::from(*place)]);
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
