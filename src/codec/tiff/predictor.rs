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
        for index in samples..row.len() {
            row[index] = row[index].wrapping_add(row[index - samples]);
        }
        return;
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
