//! Converts samples of 1 to 64 bits, unsigned, signed or floating point, to 8 or 16 bits. Then applies inversion, palettes, YCbCr, and the zero of CIE L*a*b*.

use super::chunk::Samples;
use super::{nodata, packed, ycbcr};
use crate::bytes::Endian;
use crate::pyramid::level::{Association, Level, Model, Range, SampleKind};

/// Whether a level's samples are converted to 16 bits rather than 8.
pub(super) fn is_wide(level: &Level) -> bool {
    level.samples.bits > 8
}

/// Stored samples of some rows. Each row begins at a byte.
pub(super) struct Raws<'a> {
    data: &'a [u8],
    bits: usize,
    per_row: usize,
    endian: Endian,
}

impl<'a> Raws<'a> {
    /// The samples of rows of `width` pixels, of one plane if the level's planes are stored apart.
    fn new(data: &'a [u8], level: &Level, endian: Endian, width: usize) -> Self {
        let per_row = width * if level.samples.planar { 1 } else { usize::from(level.samples.count) };
        Self { data, bits: level.samples.bits.into(), per_row, endian }
    }

    /// Applies `make` to the bits of each sample.
    pub fn map<S>(&self, mut make: impl FnMut(u64) -> S) -> Vec<S> {
        let Self { data, bits, per_row, endian } = *self;
        match (bits, endian) {
            (8, _) => data.iter().map(|byte| make(u64::from(*byte))).collect(),
            (16, Endian::Little) => data.as_chunks().0.iter().map(|bytes| make(u16::from_le_bytes(*bytes).into())).collect(),
            (16, Endian::Big) => data.as_chunks().0.iter().map(|bytes| make(u16::from_be_bytes(*bytes).into())).collect(),
            (32, Endian::Little) => data.as_chunks().0.iter().map(|bytes| make(u32::from_le_bytes(*bytes).into())).collect(),
            (32, Endian::Big) => data.as_chunks().0.iter().map(|bytes| make(u32::from_be_bytes(*bytes).into())).collect(),
            _ if bits.is_multiple_of(8) => data.chunks_exact(bits / 8).map(|bytes| make(endian.number(bytes))).collect(),
            _ => {
                let rows = data.chunks_exact((per_row * bits).div_ceil(8).max(1));
                let mut made = Vec::with_capacity(rows.len() * per_row);
                rows.for_each(|row| packed::each(row, per_row, bits, |raw| made.push(make(raw))));
                made
            }
        }
    }
}

/// How a stored sample becomes one of 8 or 16 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    /// It stays as it is: the index of a palette.
    Index,
    /// The whole range of its type becomes the whole range of the result.
    Whole,
    /// The number `black` becomes 0, and each step of 1 adds `by`.
    Linear { black: f64, by: f64 },
}

impl Scale {
    /// The scale of the sample at `position` in a level's stored pixels.
    fn of(level: &Level, position: usize) -> Self {
        let most = if is_wide(level) { 65_535.0 } else { 255.0 };
        let linear = |range: Range| Self::Linear { black: range.black, by: most / (range.white - range.black) };
        let is_float = level.samples.is_float();
        if position >= usize::from(level.model.colors()) {
            return if is_float { linear(Range::of_type(SampleKind::Float, level.samples.bits)) } else { Self::Whole };
        }
        match (&level.model, level.values.window) {
            (Model::Palette(_), _) => Self::Index,
            (Model::CieLab, _) if is_float && position == 0 => Self::Linear { black: 0.0, by: most / 100.0 },
            // The result is as 16-bit samples are stored (TIFF Technical Note 4), but with zero in the middle.
            (Model::CieLab, _) if is_float => Self::Linear { black: -128.0, by: 256.0 },
            (_, Some(window)) => linear(window),
            (_, None) if is_float => linear(Range::of_type(SampleKind::Float, level.samples.bits)),
            (_, None) => Self::Whole,
        }
    }

    fn narrow(self, raw: u64, number: Number) -> u8 {
        match self {
            Self::Index => raw as u8,
            Self::Whole => {
                let highest = (1_u64 << number.bits) - 1;
                (((raw ^ number.sign()) * 255 + highest / 2) / highest) as u8
            }
            // `as` takes NaN to 0 and saturates.
            Self::Linear { black, by } => ((number.of(raw) - black) * by + 0.5) as u8,
        }
    }

    fn wide(self, raw: u64, number: Number) -> u16 {
        match self {
            Self::Index => raw as u16,
            Self::Whole => to_16(raw ^ number.sign(), number.bits),
            Self::Linear { black, by } => ((number.of(raw) - black) * by + 0.5) as u16,
        }
    }
}

/// How the bits of a sample represent a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    bits: usize,
    kind: SampleKind,
}

impl Number {
    pub fn of_level(level: &Level) -> Self {
        Self { bits: level.samples.bits.into(), kind: level.samples.kind }
    }

    /// The bit that makes a signed sample negative; 0 for other types.
    fn sign(self) -> u64 {
        if self.kind == SampleKind::Signed { 1 << (self.bits - 1) } else { 0 }
    }

    /// The number that the bits represent.
    pub fn of(self, raw: u64) -> f64 {
        match self.kind {
            SampleKind::Unsigned => raw as f64,
            SampleKind::Signed => {
                let unused = 64 - self.bits;
                ((raw << unused) as i64 >> unused) as f64
            }
            SampleKind::Float => float(raw, self.bits),
        }
    }
}

/// Unpacks the samples of rows of `width` pixels, of this plane if planes are stored apart. If the level has a nodata value, alpha follows each pixel.
pub(super) fn unpack(data: Vec<u8>, level: &Level, endian: Endian, width: usize, plane: usize) -> Samples {
    let positions = if level.samples.planar { plane..plane + 1 } else { 0..usize::from(level.samples.count) };
    let scales: Vec<Scale> = positions.map(|position| Scale::of(level, position)).collect();
    let number = Number::of_level(level);
    let stays = |scale: &Scale| *scale == Scale::Index || (*scale == Scale::Whole && number.kind == SampleKind::Unsigned);
    if number.bits == 8 && scales.iter().all(stays) && level.values.nodata.is_none() {
        return Samples::U8(data);
    }
    let raws = Raws::new(&data, level, endian, width);
    if is_wide(level) {
        let samples = wide(&raws, &scales, number);
        Samples::U16(nodata::with_alpha(samples, &raws, level, plane, u16::MAX))
    } else {
        Samples::U8(nodata::with_alpha(narrow(&raws, &scales, number), &raws, level, plane, u8::MAX))
    }
}

fn narrow(raws: &Raws<'_>, scales: &[Scale], number: Number) -> Vec<u8> {
    let table = |scale: &Scale| -> [u8; 256] { std::array::from_fn(|raw| scale.narrow(raw as u64, number)) };
    let tables: Vec<_> = scales.iter().map(table).collect();
    let mut turns = tables.iter().cycle();
    match tables.as_slice() {
        [] => Vec::new(),
        [first, rest @ ..] if rest.iter().all(|other| other == first) && number.bits < 8 => packed::narrow(raws.data, raws.per_row, raws.bits, first),
        [first, rest @ ..] if rest.iter().all(|other| other == first) => raws.map(|raw| first[raw as u8 as usize]),
        _ => raws.map(|raw| turns.next().map_or(0, |table| table[raw as u8 as usize])),
    }
}

fn wide(raws: &Raws<'_>, scales: &[Scale], number: Number) -> Vec<u16> {
    let mut turns = scales.iter().cycle();
    match scales {
        [] => Vec::new(),
        // The two cases that most files have get a loop of their own.
        [first, rest @ ..] if rest.iter().all(|other| other == first) => match (*first, number) {
            (Scale::Index, _) | (Scale::Whole, Number { bits: 16, kind: SampleKind::Unsigned }) => raws.map(|raw| raw as u16),
            (Scale::Linear { black, by }, Number { bits: 32, kind: SampleKind::Float }) => {
                raws.map(|raw| ((f64::from(f32::from_bits(raw as u32)) - black) * by + 0.5) as u16)
            }
            (scale, number) => raws.map(|raw| scale.wide(raw, number)),
        },
        _ => raws.map(|raw| turns.next().map_or(0, |scale| scale.wide(raw, number))),
    }
}

fn to_16(value: u64, bits: usize) -> u16 {
    if bits >= 16 {
        return (value >> (bits - 16)) as u16;
    }
    let highest = (1_u64 << bits) - 1;
    ((value * 65_535 + highest / 2) / highest) as u16
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
        0 => fraction * libm::exp2(f64::from(1 - bias)),
        _ if exponent == (1 << exponent_bits) - 1 => {
            if fraction == 0.0 {
                f64::INFINITY
            } else {
                f64::NAN
            }
        }
        _ => (1.0 + fraction) * libm::exp2(f64::from(exponent - bias)),
    };
    if bits >> (width - 1) & 1 == 1 { -size } else { size }
}

/// The samples of `count` pixels of a chunk that was left out of the file, or of one plane of it if planes are stored apart: black, or the value 0 where that
/// is another colour; transparent if there is alpha.
pub(super) fn blank(level: &Level, plane: usize, count: usize) -> Samples {
    let number = Number::of_level(level);
    let zero = |position: usize| {
        let most = if is_wide(level) { 65_535.0 } else { 255.0 };
        match &level.model {
            _ if position >= level.model.colors().into() => 0,
            Model::YCbCr(..) if position > 0 && ycbcr::is_stored(level) => libm::round(level.values.ycbcr.reference[position].0.max(0.0) * most) as u16,
            Model::IccLab if position > 0 => (most / 2.0 + 1.0) as u16,
            _ if is_wide(level) => Scale::of(level, position).wide(0, number),
            _ => Scale::of(level, position).narrow(0, number).into(),
        }
    };
    let alpha = level.values.nodata.map(|_| 0);
    let stored = if level.samples.planar { plane..plane + 1 } else { 0..usize::from(level.samples.count) };
    let pixel: Vec<u16> = stored.map(zero).chain(alpha).collect();
    if is_wide(level) {
        Samples::U16(pixel.repeat(count))
    } else {
        Samples::U8(pixel.into_iter().map(|sample| sample as u8).collect::<Vec<u8>>().repeat(count))
    }
}

/// Converts stored values to what the colour models of the pipeline mean.
pub(super) fn mean(samples: Samples, level: &Level) -> Samples {
    let channels = usize::from(level.samples.alpha.is_some());
    let associated = level.samples.alpha == Some(Association::Associated);
    match (&level.model, samples) {
        (Model::WhiteIsZero, Samples::U8(mut data)) => {
            invert(&mut data, channels, u8::MAX, associated);
            Samples::U8(data)
        }
        (Model::WhiteIsZero, Samples::U16(mut data)) => {
            invert(&mut data, channels, u16::MAX, associated);
            Samples::U16(data)
        }
        (Model::Palette(colors), Samples::U8(data)) => Samples::U8(look_up(&data, channels, colors, |alpha| alpha)),
        (Model::Palette(colors), Samples::U16(data)) => Samples::U8(look_up(&data, channels, colors, |alpha| (alpha >> 8) as u8)),
        (Model::YCbCr(..), samples) if ycbcr::is_stored(level) => ycbcr::to_rgb(samples, level),
        // a* and b* are signed numbers. Floating-point ones have been shifted already.
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

/// Inverts gray, in pixels of one colour sample and `others` more. A premultiplied sample is at most alpha, so it is inverted between 0 and alpha.
fn invert<S: Copy + Ord + std::ops::Sub<Output = S>>(data: &mut [S], others: usize, most: S, associated: bool) {
    if others == 0 {
        data.iter_mut().for_each(|sample| *sample = most - *sample);
        return;
    }
    for pixel in data.chunks_exact_mut(1 + others) {
        let most = if associated { pixel[1] } else { most };
        pixel[0] = most - pixel[0].min(most);
    }
}

/// Replaces palette indexes by their colours, each followed by its alpha if there are `others`.
fn look_up<S: Copy + Into<usize>>(data: &[S], others: usize, colors: &[u16], narrow_alpha: impl Fn(S) -> u8) -> Vec<u8> {
    let pixels = data.chunks_exact(1 + others);
    let entries = colors.len() / 3;
    // Some writers fill the tables with 8 bits where 16 belong.
    let narrow = colors.iter().all(|color| *color < 256);
    let to_8 = |color: u16| if narrow { color as u8 } else { (color >> 8) as u8 };
    let color = |index: usize| [0, 1, 2].map(|plane| colors.get(plane * entries + index).map_or(0, |color| to_8(*color)));
    // A small table is converted to whole colours once. Of a large one, the pixels of a chunk may need only a few entries.
    let table: Vec<[u8; 3]> = if entries <= 256 { (0..entries).map(color).collect() } else { Vec::new() };
    let mut out = Vec::with_capacity(pixels.len() * (3 + others));
    for pixel in pixels {
        let index: usize = pixel[0].into();
        out.extend_from_slice(&table.get(index).copied().unwrap_or_else(|| color(index)));
        out.extend(pixel.get(1).map(|alpha| narrow_alpha(*alpha)));
    }
    out
}
