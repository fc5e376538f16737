//! Inverse DCT (T.81, A.3.3) of dequantized coefficients: at full size equal to libjpeg's accurate integer method (`jidctint`), at half, a quarter and an eighth
//! to `jidctred`, whose samples are the means of those at full size but for rounding.
//!
//! Sound streams keep within 16 bits between the passes. What broken ones do beyond is stated too: values saturate where vectors are narrowed, so that every
//! platform makes the same samples of them.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel on arrays of fixed size")]

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use super::idct_simd::{full, half, quarter};

/// Dequantized coefficients in row-major order.
pub(super) type Coefficients = [i16; 64];

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) use scalar::{full, half, quarter};

/// One sample for the block: its mean.
#[inline(always)]
pub(super) fn mean(dc: i16) -> u8 {
    (((i32::from(dc) + 4) >> 3) + 128).clamp(0, 255) as u8
}

/// Without vector instructions.
pub(super) mod scalar {
    #![cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]

    use super::Coefficients;

    /// Sum of products that wraps as vectors do.
    macro_rules! sum {
        ($($value:expr => $factor:expr),+) => { 0_i32 $(.wrapping_add(($value).wrapping_mul($factor)))+ };
    }

    fn narrow<const SHIFT: u32>(value: i32) -> i32 {
        (value.wrapping_add(1 << (SHIFT - 1)) >> SHIFT).clamp(i16::MIN.into(), i16::MAX.into())
    }

    fn sample(value: i32) -> u8 {
        (value.clamp(-128, 127) + 128) as u8
    }

    /// Eight by eight samples.
    pub fn full(block: &Coefficients) -> [[u8; 8]; 8] {
        let mut work = [[0; 8]; 8];
        for x in 0..8 {
            let column = full_pass::<11>(std::array::from_fn(|y| i32::from(block[y * 8 + x])));
            for (row, value) in work.iter_mut().zip(column) {
                row[x] = value;
            }
        }
        work.map(|row| full_pass::<18>(row).map(sample))
    }

    fn full_pass<const SHIFT: u32>(s: [i32; 8]) -> [i32; 8] {
        let wrap = |value: i32| i32::from(value as i16);
        let (sum, difference) = (wrap(s[0] + s[4]) << 13, wrap(s[0] - s[4]) << 13);
        let (turned2, turned3) = (sum!(s[2] => 4433, s[6] => 4433 - 15137), sum!(s[2] => 4433 + 6270, s[6] => 4433));
        let even = [sum.wrapping_add(turned3), difference.wrapping_add(turned2), difference.wrapping_sub(turned2), sum.wrapping_sub(turned3)];
        let (z3, z4) = (wrap(s[7] + s[3]), wrap(s[5] + s[1]));
        let (z3, z4) = (sum!(z3 => 9633 - 16069, z4 => 9633), sum!(z3 => 9633, z4 => 9633 - 3196));
        let odd = [
            sum!(s[7] => -7373, s[1] => 12299 - 7373, z4 => 1),
            sum!(s[5] => -20995, s[3] => 25172 - 20995, z3 => 1),
            sum!(s[5] => 16819 - 20995, s[3] => -20995, z4 => 1),
            sum!(s[7] => 2446 - 7373, s[1] => -7373, z3 => 1),
        ];
        std::array::from_fn(|i| if i < 4 { narrow::<SHIFT>(even[i].wrapping_add(odd[i])) } else { narrow::<SHIFT>(even[7 - i].wrapping_sub(odd[7 - i])) })
    }

    /// Four by four samples.
    pub fn half(block: &Coefficients) -> [[u8; 4]; 4] {
        let mut work = [[0; 8]; 4];
        for x in 0..8 {
            let column = half_pass::<12>(std::array::from_fn(|y| i32::from(block[y * 8 + x])));
            for (row, value) in work.iter_mut().zip(column) {
                row[x] = value;
            }
        }
        work.map(|row| half_pass::<19>(row).map(sample))
    }

    fn half_pass<const SHIFT: u32>(s: [i32; 8]) -> [i32; 4] {
        let (start, turned) = (s[0] << 14, sum!(s[2] => 15137, s[6] => -6270));
        let (outer, inner) = (start.wrapping_add(turned), start.wrapping_sub(turned));
        let odd0 = sum!(s[7] => -4176, s[5] => -4926, s[3] => 7373, s[1] => 20995);
        let odd1 = sum!(s[7] => -1730, s[5] => 11893, s[3] => -17799, s[1] => 8697);
        [outer.wrapping_add(odd0), inner.wrapping_add(odd1), inner.wrapping_sub(odd1), outer.wrapping_sub(odd0)].map(narrow::<SHIFT>)
    }

    /// Two by two samples.
    pub fn quarter(block: &Coefficients) -> [[u8; 2]; 2] {
        let mut work = [[0; 8]; 2];
        for x in 0..8 {
            let column = quarter_pass::<13>(std::array::from_fn(|y| i32::from(block[y * 8 + x])));
            for (row, value) in work.iter_mut().zip(column) {
                row[x] = value;
            }
        }
        work.map(|row| quarter_pass::<20>(row).map(sample))
    }

    fn quarter_pass<const SHIFT: u32>(s: [i32; 8]) -> [i32; 2] {
        let odd = sum!(s[7] => -5906, s[5] => 6967, s[3] => -10426, s[1] => 29692);
        [(s[0] << 15).wrapping_add(odd), (s[0] << 15).wrapping_sub(odd)].map(narrow::<SHIFT>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(most: i32) -> impl Iterator<Item = Coefficients> {
        let mut state = 9_u32;
        (0..3000_u32).map(move |round| {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i32
            };
            let mut block = [0; 64];
            for (index, value) in block.iter_mut().enumerate() {
                if index as u32 <= round % 64 {
                    *value = (i64::from(next()) * i64::from(2 * most) / 65_536 - i64::from(most)) as i16;
                }
            }
            block
        })
    }

    #[test]
    fn every_platform_makes_the_same_samples() {
        for most in [40, 1000, 32_768] {
            for block in blocks(most) {
                assert_eq!(full(&block), scalar::full(&block));
                assert_eq!(half(&block), scalar::half(&block));
                assert_eq!(quarter(&block), scalar::quarter(&block));
            }
        }
    }

    #[test]
    fn a_block_of_one_coefficient_is_even() {
        for dc in i16::MIN / 4..i16::MAX / 4 {
            let mut block = [0; 64];
            block[0] = dc;
            assert_eq!(full(&block), [[mean(dc); 8]; 8], "{dc}");
            assert_eq!(half(&block), [[mean(dc); 4]; 4]);
            assert_eq!(quarter(&block), [[mean(dc); 2]; 2]);
        }
    }

    #[test]
    fn smaller_ones_are_means_of_the_full_one() {
        for block in blocks(30) {
            let samples = full(&block);
            for (y, row) in half(&block).iter().enumerate() {
                for (x, sample) in row.iter().enumerate() {
                    let sum: i32 = [(0, 0), (0, 1), (1, 0), (1, 1)].iter().map(|(v, u)| i32::from(samples[2 * y + v][2 * x + u])).sum();
                    let clipped = samples.iter().flatten().any(|sample| matches!(sample, 0 | 255));
                    assert!(clipped || (i32::from(*sample) * 4 - sum).abs() <= 6);
                }
            }
        }
    }

    #[test]
    fn it_comes_close_to_the_definition() {
        for block in blocks(60).take(60) {
            let samples = full(&block);
            for (place, sample) in samples.iter().flatten().enumerate() {
                let scale = |k: usize| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
                let angle = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos();
                let sum: f64 = (0..64).map(|i| f64::from(block[i]) * scale(i % 8) * scale(i / 8) * angle(place % 8, i % 8) * angle(place / 8, i / 8)).sum();
                let exact = (sum / 4.0 + 128.0).clamp(0.0, 255.0);
                assert!((f64::from(*sample) - exact).abs() < 0.8, "{sample} is not {exact}");
            }
        }
    }
}
