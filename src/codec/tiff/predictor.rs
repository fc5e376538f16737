//! Predictors: horizontal differences (TIFF 6.0, section 14) and floating point (Technical Note 3).

use crate::bytes::Endian;
use crate::pyramid::tiff::Level;

/// Turns differences back into samples, in place, row by row.
pub(super) fn undo(data: &mut [u8], level: &Level, endian: Endian) {
    let stride = level.row_bytes() as usize;
    let samples = if level.samples.planar { 1 } else { usize::from(level.samples.count) };
    let width = usize::from(level.samples.bits / 8);
    if stride == 0 || width == 0 {
        return;
    }
    match level.samples.predictor {
        2 => data.chunks_exact_mut(stride).for_each(|row| sum(row, samples, width, endian)),
        3 => {
            let mut planes = vec![0; stride];
            for row in data.chunks_exact_mut(stride) {
                // Byte planes, the most significant first, each byte the difference to the one `samples` before.
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
    if width == 1 {
        return sum_bytes(row, samples);
    }
    let step = samples * width;
    for at in (step..row.len().saturating_sub(width - 1)).step_by(width) {
        let before = endian.number(&row[at - step..at - step + width]);
        let value = endian.number(&row[at..at + width]).wrapping_add(before);
        let bytes = value.to_le_bytes();
        for (index, out) in row[at..at + width].iter_mut().enumerate() {
            *out = if endian == Endian::Little { bytes[index] } else { bytes[width - 1 - index] };
        }
    }
}

/// The running sums of each of `samples` that take turns.
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

    #[test]
    fn every_platform_sums_alike() {
        for samples in 1..=5 {
            for length in [samples, 15, 16, 17, 48, 300] {
                let mut row: Vec<u8> = (0..length as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
                let mut twin = row.clone();
                sum_bytes(&mut row, samples);
                sum_bytes_scalar(&mut twin, samples, 0);
                assert_eq!(row, twin, "{samples} samples in {length}");
            }
        }
    }
}
