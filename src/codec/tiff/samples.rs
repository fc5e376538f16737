//! Samples of 1 to 64 bits, unsigned, signed or floating point, to 8 or 16 bits over the whole range; then inversion, palettes and CIELab's zero.

use super::chunk::Samples;
use crate::bytes::Endian;
use crate::pyramid::tiff::{Level, Model, SampleKind};

/// Whether a level's samples come out as 16 bits.
pub(super) fn is_wide(level: &Level) -> bool {
    level.samples.bits > 8
}

/// Reads the samples of rows of `width` pixels, each row beginning at a byte.
pub(super) fn unpack(data: Vec<u8>, level: &Level, endian: Endian, width: usize) -> Samples {
    let per_row = width * if level.samples.planar { 1 } else { usize::from(level.samples.count) };
    let bits = usize::from(level.samples.bits);
    let stride = (per_row * bits).div_ceil(8).max(1);
    let indexed = matches!(level.model, Model::Palette(_));
    let lab = matches!(level.model, Model::CieLab | Model::IccLab);
    let signed = level.samples.kind == SampleKind::Signed && !lab;
    if bits == 8 && !signed {
        return Samples::U8(data);
    }
    let data = data.as_slice();
    let rows = data.chunks_exact(stride);
    match bits {
        8 => Samples::U8(data.iter().map(|sample| sample ^ 0x80).collect()),
        1..8 => {
            let highest = (1_u32 << bits) - 1;
            let scale = |value: u32| if indexed { value as u8 } else { ((value * 255 + highest / 2) / highest) as u8 };
            Samples::U8(rows.flat_map(|row| (0..per_row).map(move |index| scale(bits_at(row, index * bits, bits) as u32))).collect())
        }
        16 if !signed && !level.samples.is_float() => Samples::U16(data.as_chunks::<2>().0.iter().map(|pair| endian.number(pair) as u16).collect()),
        _ if level.samples.is_float() => {
            let size = bits / 8;
            let lab = |index: usize, value: f64| match index % usize::from(level.samples.count) {
                0 => value / 100.0,
                _ => (value + 128.0) / 255.0,
            };
            let is_lab = matches!(level.model, Model::CieLab);
            let fraction = |(index, value): (usize, f64)| if is_lab { lab(index, value) } else { value };
            // `as` takes NaN to 0 and saturates.
            Samples::U16(
                data.chunks_exact(size)
                    .map(|bytes| float(endian.number(bytes), bits))
                    .enumerate()
                    .map(fraction)
                    .map(|value| libm::round(value * 65_535.0) as u16)
                    .collect(),
            )
        }
        _ if bits % 8 == 0 => {
            let sign = if signed { 1 << (bits - 1) } else { 0 };
            Samples::U16(data.chunks_exact(bits / 8).map(|bytes| to_16(endian.number(bytes) ^ sign, bits)).collect())
        }
        // Odd depths are packed from the highest bit, whatever the byte order.
        _ => Samples::U16(rows.flat_map(|row| (0..per_row).map(move |index| to_16(bits_at(row, index * bits, bits), bits))).collect()),
    }
}

fn to_16(value: u64, bits: usize) -> u16 {
    if bits >= 16 {
        return (value >> (bits - 16)) as u16;
    }
    let highest = (1_u64 << bits) - 1;
    ((value * 65_535 + highest / 2) / highest) as u16
}

/// `count` bits from bit `at`, the highest first.
fn bits_at(row: &[u8], at: usize, count: usize) -> u64 {
    (at..at + count).fold(0, |value, bit| value << 1 | u64::from(row.get(bit / 8).copied().unwrap_or(0) >> (7 - bit % 8) & 1))
}

/// IEEE 754 numbers of 16, 24, 32 and 64 bits.
fn float(bits: u64, width: usize) -> f64 {
    let (exponent_bits, fraction_bits) = match width {
        16 => (5, 10),
        24 => (7, 16),
        32 => return f32::from_bits(bits as u32).into(),
        _ => return f64::from_bits(bits),
    };
    let fraction = (bits & ((1 << fraction_bits) - 1)) as f64 / (1_u64 << fraction_bits) as f64;
    let exponent = (bits >> fraction_bits & ((1 << exponent_bits) - 1)) as i32;
    let bias = (1 << (exponent_bits - 1)) - 1;
    let size = match exponent {
        0 => fraction * libm::pow(2.0, f64::from(1 - bias)),
        _ if exponent == (1 << exponent_bits) - 1 => f64::MAX,
        _ => (1.0 + fraction) * libm::pow(2.0, f64::from(exponent - bias)),
    };
    if bits >> (width - 1) & 1 == 1 { -size } else { size }
}

/// From what is stored to what the pipeline's models mean.
pub(super) fn mean(samples: Samples, level: &Level) -> Samples {
    let channels = usize::from(level.samples.alpha.is_some());
    match (&level.model, samples) {
        (Model::WhiteIsZero, Samples::U8(mut data)) => {
            data.chunks_exact_mut(1 + channels).for_each(|pixel| pixel[0] = 255 - pixel[0]);
            Samples::U8(data)
        }
        (Model::WhiteIsZero, Samples::U16(mut data)) => {
            data.chunks_exact_mut(1 + channels).for_each(|pixel| pixel[0] = 65_535 - pixel[0]);
            Samples::U16(data)
        }
        (Model::Palette(colors), Samples::U8(data)) => Samples::U8(look_up(data.into_iter().map(usize::from), colors)),
        (Model::Palette(colors), Samples::U16(data)) => Samples::U8(look_up(data.into_iter().map(usize::from), colors)),
        // a* and b* are signed numbers; floating-point ones have been moved already.
        (Model::CieLab, Samples::U8(mut data)) => {
            data.chunks_exact_mut(3 + channels).for_each(|pixel| pixel[1..3].iter_mut().for_each(|sample| *sample ^= 0x80));
            Samples::U8(data)
        }
        (Model::CieLab, Samples::U16(mut data)) if !level.samples.is_float() => {
            data.chunks_exact_mut(3 + channels).for_each(|pixel| pixel[1..3].iter_mut().for_each(|sample| *sample ^= 0x8000));
            Samples::U16(data)
        }
        (_, samples) => samples,
    }
}

fn look_up(indexes: impl Iterator<Item = usize>, colors: &[u16]) -> Vec<u8> {
    let entries = colors.len() / 3;
    // Some writers fill the tables with 8 bits where 16 belong.
    let narrow = colors.iter().all(|color| *color < 256);
    let to_8 = |color: u16| if narrow { color as u8 } else { (color >> 8) as u8 };
    indexes.flat_map(|index| [0, 1, 2].map(|plane| colors.get(plane * entries + index).map_or(0, |color| to_8(*color)))).collect()
}
