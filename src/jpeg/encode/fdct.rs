//! Forward DCT (T.81, A.3.3) and quantization (A.3.4) of a block, equal to libjpeg's accurate integer method (`jfdctint`, after Loeffler, Ligtenberg and
//! Moschytz) and to its division rounded half away from zero.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel on arrays of fixed size")]

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use super::fdct_simd::{present, transform};

use crate::jpeg::quantization::QuantizationTable;

/// Eight rows of eight samples.
pub(super) type Samples = [[u8; 8]; 8];

/// Quantized coefficients in row-major order.
pub(super) type Block = [i16; 64];

/// Division by 8 × step without dividing: `((|x| + correction) × reciprocal >> 16) × scale >> 16`, exact for every 16-bit numerator.
/// The 8 undoes the scale that the transform leaves its results at.
#[derive(Debug, Clone)]
pub(super) struct Divisors {
    pub correction: [u16; 64],
    pub reciprocal: [u16; 64],
    pub scale: [u16; 64],
}

impl Divisors {
    /// For steps of 1 to 255.
    pub fn new(table: &QuantizationTable) -> Self {
        let mut divisors = Self { correction: [0; 64], reciprocal: [0; 64], scale: [0; 64] };
        for (index, step) in table.iter().enumerate() {
            let divisor = u32::from(*step).clamp(1, 255) * 8;
            let shift = 16 + divisor.ilog2();
            let (quotient, rest) = ((1_u32 << shift) / divisor, (1_u32 << shift) % divisor);
            // A quotient of exactly 2^16 does not fit 16 bits; one rounded down is made up for before the multiplication.
            let (reciprocal, shift, correction) = if rest == 0 {
                (quotient / 2, shift - 1, divisor / 2)
            } else if rest <= divisor / 2 {
                (quotient, shift, divisor / 2 + 1)
            } else {
                (quotient + 1, shift, divisor / 2)
            };
            divisors.correction[index] = correction as u16;
            divisors.reciprocal[index] = reciprocal as u16;
            divisors.scale[index] = (1_u32 << (32 - shift)) as u16;
        }
        divisors
    }

    /// The DC coefficient of a block that is all of one sample; it has no others.
    pub fn of_even(&self, sample: u8) -> i16 {
        let value = (i32::from(sample) - 128) * 64;
        let quotient = self.divide(0, value.unsigned_abs()) as i16;
        if value < 0 { -quotient } else { quotient }
    }

    #[inline(always)]
    fn divide(&self, index: usize, magnitude: u32) -> u32 {
        let quotient = ((magnitude + u32::from(self.correction[index])) * u32::from(self.reciprocal[index])) >> 16;
        (quotient * u32::from(self.scale[index])) >> 16
    }
}

/// The sample that all of a block are.
#[inline(always)]
pub(super) fn even(samples: &Samples) -> Option<u8> {
    let first = u64::from_le_bytes(samples[0]);
    let differing = samples.iter().fold(first ^ first.rotate_left(8), |differing, row| differing | (u64::from_le_bytes(*row) ^ first));
    (differing == 0).then_some(samples[0][0])
}

/// Transforms and quantizes; in the bits of the second result, lowest first, which of the coefficients are not zero.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) use {present_scalar as present, transform_scalar as transform};

/// The same without vector instructions.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
pub(super) fn transform_scalar(samples: &Samples, divisors: &Divisors, block: &mut Block) -> u64 {
    let mut work = [[0_i32; 8]; 8];
    for (row, out) in samples.iter().zip(&mut work) {
        *out = pass::<11>(row.map(|sample| i32::from(sample) - 128));
        // The two even sums carry no multiplication: they are only brought to the scale of the rest.
        out[0] <<= 2;
        out[4] <<= 2;
    }
    let mut present = 0;
    for x in 0..8 {
        let mut column = pass::<15>(work.map(|row| row[x]));
        column[0] = (column[0] + 2) >> 2;
        column[4] = (column[4] + 2) >> 2;
        for (y, value) in column.into_iter().enumerate() {
            let index = y * 8 + x;
            let magnitude = divisors.divide(index, value.unsigned_abs());
            block[index] = if value < 0 { -(magnitude as i16) } else { magnitude as i16 };
            present |= u64::from(magnitude != 0) << index;
        }
    }
    present
}

/// Which coefficients of a block are not zero, in the bits of the result, lowest first.
#[inline(never)]
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
pub(super) fn present_scalar(block: &Block) -> u64 {
    block.iter().rev().fold(0, |present, value| present << 1 | u64::from(*value != 0))
}

/// One dimension: constants have 13 fractional bits, all results but 0 and 4 are rounded off by `SHIFT`.
#[inline]
fn pass<const SHIFT: u32>(s: [i32; 8]) -> [i32; 8] {
    let round = |value: i32| (value + (1 << (SHIFT - 1))) >> SHIFT;
    let (sum0, sum1, sum2, sum3) = (s[0] + s[7], s[1] + s[6], s[2] + s[5], s[3] + s[4]);
    let (odd4, odd5, odd6, odd7) = (s[3] - s[4], s[2] - s[5], s[1] - s[6], s[0] - s[7]);
    let (even0, even3, even1, even2) = (sum0 + sum3, sum0 - sum3, sum1 + sum2, sum1 - sum2);
    let turned = (even2 + even3) * 4433;
    let (z1, z2, z3, z4) = ((odd4 + odd7) * -7373, (odd5 + odd6) * -20995, odd4 + odd6, odd5 + odd7);
    let z5 = (z3 + z4) * 9633;
    let (z3, z4) = (z3 * -16069 + z5, z4 * -3196 + z5);
    [
        even0 + even1,
        round(odd7 * 12299 + z1 + z4),
        round(turned + even3 * 6270),
        round(odd6 * 25172 + z2 + z3),
        even0 - even1,
        round(odd5 * 16819 + z2 + z4),
        round(turned - even2 * 15137),
        round(odd4 * 2446 + z1 + z3),
    ]
}

/// Blocks that reach every corner of a transform, for tests: noise, extremes, edges.
#[cfg(test)]
pub(super) fn trial_blocks() -> impl Iterator<Item = Samples> {
    let mut state = 1_u32;
    (0..2000_u32).map(move |round| {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        let mut samples = [[0; 8]; 8];
        for sample in samples.as_flattened_mut() {
            *sample = match round % 4 {
                0 => next() as u8,
                1 => (next() & 1) as u8 * 255,
                2 => 100 + (next() & 15) as u8,
                _ => round as u8,
            };
        }
        samples
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocals_divide_exactly() {
        let table: QuantizationTable = std::array::from_fn(|index| index as u16);
        for base in [1, 64, 128, 191] {
            let table: QuantizationTable = std::array::from_fn(|index| table[index] + base);
            let divisors = Divisors::new(&table);
            for (index, step) in table.into_iter().enumerate() {
                let divisor = u32::from(step) * 8;
                for value in (0..16_400_u32).step_by(if index % 8 == 0 { 1 } else { 13 }) {
                    assert_eq!(divisors.divide(index, value), (value + divisor / 2) / divisor, "{value} / {divisor}");
                }
            }
        }
    }

    #[test]
    fn it_comes_close_to_the_definition() {
        let divisors = Divisors::new(&[1; 64]);
        for samples in trial_blocks().take(40) {
            let mut block = [0; 64];
            let present = transform_scalar(&samples, &divisors, &mut block);
            for v in 0..8 {
                for u in 0..8 {
                    let scale = |k: usize| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
                    let angle = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos();
                    let sum: f64 = (0..64).map(|i| (f64::from(samples[i / 8][i % 8]) - 128.0) * angle(i % 8, u) * angle(i / 8, v)).sum();
                    let exact = sum * scale(u) * scale(v) / 4.0;
                    assert!((f64::from(block[v * 8 + u]) - exact).abs() < 0.7, "{v},{u}: {} is not {exact}", block[v * 8 + u]);
                    assert_eq!(present >> (v * 8 + u) & 1 == 1, block[v * 8 + u] != 0);
                }
            }
        }
    }

    #[test]
    fn even_blocks_are_known_by_their_sample() {
        for step in [1, 3, 16, 255] {
            let divisors = Divisors::new(&[step; 64]);
            for sample in 0..=255 {
                let mut samples = [[sample; 8]; 8];
                let mut block = [7; 64];
                let present = transform_scalar(&samples, &divisors, &mut block);
                assert_eq!(even(&samples), Some(sample));
                assert_eq!((divisors.of_even(sample), u64::from(divisors.of_even(sample) != 0)), (block[0], present));
                for place in 0..64 {
                    samples[place / 8][place % 8] ^= 1;
                    assert_eq!(even(&samples), None, "{place}");
                    samples[place / 8][place % 8] ^= 1;
                }
            }
        }
    }

    #[test]
    fn every_platform_makes_the_same_coefficients() {
        for step in [1, 3, 16, 255] {
            let divisors = Divisors::new(&[step; 64]);
            for samples in trial_blocks() {
                let (mut scalar, mut fast) = ([0; 64], [0; 64]);
                let present = transform_scalar(&samples, &divisors, &mut scalar);
                assert_eq!(transform(&samples, &divisors, &mut fast), present);
                assert_eq!(scalar, fast);
                assert_eq!((super::present(&fast), present_scalar(&fast)), (present, present));
            }
        }
    }
}
