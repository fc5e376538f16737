//! Undoes predictors: horizontal differencing (TIFF 6.0, section 14) and floating point (TIFF Technical Note 3).

use crate::bytes::Endian;
use crate::pyramid::level::Level;

/// Turns differences back into samples, in place, row by row.
pub(super) fn undo(data: &mut [u8], level: &Level) {
    let stride = level.row_bytes() as usize;
    let samples = if level.samples.planar { 1 } else { usize::from(level.samples.count) };
    let width = usize::from(level.samples.bits / 8);
    if stride == 0 || width == 0 {
        return;
    }
    match level.samples.predictor {
        2 => data.chunks_exact_mut(stride).for_each(|row| sum(row, samples, width, level.samples.endian)),
        3 => {
            let mut planes = vec![0; stride];
            for row in data.chunks_exact_mut(stride) {
                // The row consists of byte planes, the most significant bytes first. Each byte is the difference from the byte `samples` before it.
                for index in samples..row.len() {
                    row[index] = row[index].wrapping_add(row[index - samples]);
                }
                planes.copy_from_slice(row);
                let count = stride / width;
                for (index, value) in row.chunks_exact_mut(width).enumerate() {
                    for (byte, out) in value.iter_mut().enumerate() {
                        *out = planes[byte * count + index];
                    }
                }
            }
        }
        _ => {}
    }
}

fn sum(row: &mut [u8], samples: usize, width: usize, endian: Endian) {
    match (width, endian) {
        (1, _) => sum_bytes(row, samples),
        (2, _) => sum_words(row, samples, endian),
        (4, Endian::Little) => sum_each(row, samples, 0, |a, b| u32::from_le_bytes(a).wrapping_add(u32::from_le_bytes(b)).to_le_bytes()),
        (4, Endian::Big) => sum_each(row, samples, 0, |a, b| u32::from_be_bytes(a).wrapping_add(u32::from_be_bytes(b)).to_be_bytes()),
        (8, Endian::Little) => sum_each(row, samples, 0, |a, b| u64::from_le_bytes(a).wrapping_add(u64::from_le_bytes(b)).to_le_bytes()),
        (8, Endian::Big) => sum_each(row, samples, 0, |a, b| u64::from_be_bytes(a).wrapping_add(u64::from_be_bytes(b)).to_be_bytes()),
        _ => {}
    }
}

/// Running sums of numbers of `WIDTH` bytes, separately for each of `samples` interleaved samples, from number `first` on.
#[inline(always)]
fn sum_each<const WIDTH: usize>(row: &mut [u8], samples: usize, first: usize, add: impl Fn([u8; WIDTH], [u8; WIDTH]) -> [u8; WIDTH]) {
    let numbers = row.as_chunks_mut::<WIDTH>().0;
    match samples {
        1 => sum_turns::<WIDTH, 1>(numbers, first, add),
        3 => sum_turns::<WIDTH, 3>(numbers, first, add),
        _ => {
            for index in first.max(samples)..numbers.len() {
                numbers[index] = add(numbers[index], numbers[index - samples]);
            }
        }
    }
}

/// The same for `TURNS` interleaved samples: their sums are kept, and need not be read from the row again.
#[inline(always)]
fn sum_turns<const WIDTH: usize, const TURNS: usize>(numbers: &mut [[u8; WIDTH]], first: usize, add: impl Fn([u8; WIDTH], [u8; WIDTH]) -> [u8; WIDTH]) {
    let begin = first.saturating_sub(TURNS).min(numbers.len());
    let (pixels, rest) = numbers[begin..].as_chunks_mut::<TURNS>();
    let Some((sums, pixels)) = pixels.split_first_mut() else { return };
    let mut sums = *sums;
    for pixel in pixels {
        for (number, sum) in pixel.iter_mut().zip(&mut sums) {
            *sum = add(*number, *sum);
            *number = *sum;
        }
    }
    rest.iter_mut().zip(sums).for_each(|(number, sum)| *number = add(*number, sum));
}

/// The same for samples of 16 bits.
fn sum_words(row: &mut [u8], samples: usize, endian: Endian) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let done = super::predictor_simd::sum_words(row, samples, endian);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let done = 0;
    sum_words_scalar(row, samples, endian, done);
}

/// The same without vector instructions, from sample `first` on.
fn sum_words_scalar(row: &mut [u8], samples: usize, endian: Endian, first: usize) {
    match endian {
        Endian::Little => sum_each(row, samples, first, |a, b| u16::from_le_bytes(a).wrapping_add(u16::from_le_bytes(b)).to_le_bytes()),
        Endian::Big => sum_each(row, samples, first, |a, b| u16::from_be_bytes(a).wrapping_add(u16::from_be_bytes(b)).to_be_bytes()),
    }
}

/// Running sums of bytes, separately for each of `samples` interleaved samples.
fn sum_bytes(row: &mut [u8], samples: usize) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let done = super::predictor_simd::sum_bytes(row, samples);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let done = 0;
    sum_bytes_scalar(row, samples, done);
}

/// The same without vector instructions, from sample `first` on.
fn sum_bytes_scalar(row: &mut [u8], samples: usize, first: usize) {
    for index in first.max(samples)..row.len() {
        row[index] = row[index].wrapping_add(row[index - samples]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        (0..length as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    #[test]
    fn every_platform_sums_alike() {
        for samples in 1..=5 {
            for length in [samples, 15, 16, 17, 48, 300] {
                let mut row = noise(length);
                let mut twin = row.clone();
                sum_bytes(&mut row, samples);
                sum_bytes_scalar(&mut twin, samples, 0);
                assert_eq!(row, twin, "{samples} samples in {length}");
            }
        }
    }

    #[test]
    fn every_platform_sums_words_alike() {
        for endian in [Endian::Little, Endian::Big] {
            for samples in 1..=5 {
                for length in [samples, 7, 8, 9, 15, 16, 17, 48, 300] {
                    let mut row = noise(length * 2);
                    let mut twin = row.clone();
                    sum_words(&mut row, samples, endian);
                    sum_words_scalar(&mut twin, samples, endian, 0);
                    assert_eq!(row, twin, "{samples} samples in {length}, {endian:?}");
                }
            }
        }
    }

    #[test]
    fn sums_of_every_width_are_those_of_the_definition() {
        for endian in [Endian::Little, Endian::Big] {
            for width in [1, 2, 4, 8] {
                for samples in 1..=5 {
                    for count in [0, samples, 8, 13, 40] {
                        let row = noise(count * width);
                        let mut sums: Vec<u64> = row.chunks_exact(width).map(|bytes| endian.number(bytes)).collect();
                        for index in samples..sums.len() {
                            sums[index] = sums[index].wrapping_add(sums[index - samples]) & (u64::MAX >> (64 - 8 * width));
                        }
                        let mut found = row;
                        sum(&mut found, samples, width, endian);
                        let found: Vec<u64> = found.chunks_exact(width).map(|bytes| endian.number(bytes)).collect();
                        assert_eq!(found, sums, "{samples} of {width} bytes in {count}, {endian:?}");
                    }
                }
            }
        }
    }
}
