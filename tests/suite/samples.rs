//! What the samples of a TIFF mean: every combination of colour model, depth, type, planes, predictor, extra samples, compression and byte order gives the
//! colours that TIFF 6.0 defines, or an error that names what is not read.

use super::support::{pixels, render};
use super::tiffs::{Packing, Page, differences, file, float_differences, pack_row};

const WIDTH: usize = 5;
const HEIGHT: usize = 3;
/// Of two strips the second is shorter.
const ROWS_PER_STRIP: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Model {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
    /// With chroma for 2 × 2 pixels.
    Subsampled,
    CieLab,
    IccLab,
}

impl Model {
    const ALL: [Self; 9] =
        [Self::WhiteIsZero, Self::BlackIsZero, Self::Rgb, Self::Palette, Self::Cmyk, Self::YCbCr, Self::Subsampled, Self::CieLab, Self::IccLab];

    fn photometric(self) -> u16 {
        match self {
            Self::WhiteIsZero => 0,
            Self::BlackIsZero => 1,
            Self::Rgb => 2,
            Self::Palette => 3,
            Self::Cmyk => 5,
            Self::YCbCr | Self::Subsampled => 6,
            Self::CieLab => 8,
            Self::IccLab => 9,
        }
    }

    fn colors(self) -> usize {
        match self {
            Self::WhiteIsZero | Self::BlackIsZero | Self::Palette => 1,
            Self::Cmyk => 4,
            _ => 3,
        }
    }

    /// Whether its colours are centred, so that multiplying them by alpha is not defined.
    fn is_centred(self) -> bool {
        matches!(self, Self::YCbCr | Self::Subsampled | Self::CieLab | Self::IccLab)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Unsigned = 1,
    Signed = 2,
    Float = 3,
}

/// A sample beyond the colours, and what the tag ExtraSamples says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Extra {
    None,
    Untold,
    Unspecified,
    Associated,
    Unassociated,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    model: Model,
    bits: usize,
    kind: Kind,
    planar: bool,
    predictor: u16,
    extra: Extra,
    packing: Packing,
    big_endian: bool,
}

/// Numbers that look like chance.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33 ^ self.0 << 31
    }
}

/// The nearest floating-point number of `bits` bits.
fn to_float(value: f64, bits: usize) -> u64 {
    match bits {
        32 => (value as f32).to_bits().into(),
        64 => value.to_bits(),
        _ => {
            let (exponent_bits, fraction_bits) = if bits == 16 { (5, 10) } else { (7, 16) };
            let bias = (1_i32 << (exponent_bits - 1)) - 1;
            let sign = u64::from(value < 0.0) << (bits - 1);
            // Multiples of the least number that is not normal; those of greater exponents are cut to their fraction.
            let mut exponent = 0;
            let mut scaled = value.abs() * 2_f64.powi(bias - 1 + fraction_bits);
            while scaled >= 2_f64.powi(fraction_bits + 1) {
                scaled /= 2.0;
                exponent += 1;
            }
            sign | (((exponent as u64) << fraction_bits) + scaled as u64)
        }
    }
}

fn of_float(raw: u64, bits: usize) -> f64 {
    match bits {
        32 => f32::from_bits(raw as u32).into(),
        64 => f64::from_bits(raw),
        _ => {
            let (exponent_bits, fraction_bits) = if bits == 16 { (5, 10) } else { (7, 16) };
            let bias = (1_i32 << (exponent_bits - 1)) - 1;
            let fraction = (raw & ((1 << fraction_bits) - 1)) as f64;
            let exponent = (raw >> fraction_bits & ((1 << exponent_bits) - 1)) as i32;
            let implied = if exponent > 0 { 2_f64.powi(fraction_bits) } else { 0.0 };
            let size = (implied + fraction) * 2_f64.powi(exponent.max(1) - bias - fraction_bits);
            if raw >> (bits - 1) == 1 { -size } else { size }
        }
    }
}

impl Case {
    fn samples(&self) -> usize {
        self.model.colors() + usize::from(self.extra != Extra::None)
    }

    fn is_float(&self) -> bool {
        self.kind == Kind::Float
    }

    /// What of it is not read; none if it is.
    fn refusals(&self) -> Vec<&'static str> {
        let Self { model, bits, kind, planar, predictor, extra, packing, .. } = *self;
        let predicted = matches!(packing, Packing::Lzw | Packing::Deflate) && predictor != 1;
        let lab = matches!(model, Model::CieLab | Model::IccLab);
        let signed = kind == Kind::Signed && model != Model::Palette && !lab;
        [
            (self.is_float() && !matches!(bits, 16 | 24 | 32 | 64), "floating point of"),
            (model == Model::Palette && self.is_float(), "a palette of floating-point"),
            (matches!(model, Model::YCbCr | Model::Subsampled) && (kind != Kind::Unsigned || bits > 16), "YCbCr of"),
            (model == Model::Subsampled && (bits != 8 || planar || extra != Extra::None), "subsampled YCbCr of"),
            (model == Model::CieLab && !self.is_float() && !matches!(bits, 8 | 16), "CIE L*a*b* of"),
            (model == Model::IccLab && (self.is_float() || !matches!(bits, 8 | 16)), "ICC L*a*b* of"),
            (extra == Extra::Associated && (model.is_centred() || signed), "associated alpha"),
            (predicted && model == Model::Subsampled, "on subsampled YCbCr"),
            (predicted && predictor == 2 && !matches!(bits, 8 | 16 | 32 | 64), "predictor 2"),
            (predicted && predictor == 3 && !self.is_float(), "predictor 3"),
        ]
        .into_iter()
        .filter_map(|(refused, name)| refused.then_some(name))
        .collect()
    }

    /// Samples as stored, pixel by pixel. Alpha is seldom near 0, where a colour that is multiplied by it is lost.
    fn raws(&self, numbers: &mut Numbers) -> Vec<Vec<u64>> {
        let mask = u64::MAX >> (64 - self.bits);
        let colors = self.model.colors();
        let sample = |index: usize, numbers: &mut Numbers| {
            let part = (numbers.next() % 4001) as f64 / 4000.0;
            match (self.kind, self.model) {
                (Kind::Float, Model::CieLab) if index == 0 => to_float(part * 100.0, self.bits),
                (Kind::Float, Model::CieLab) if index < colors => to_float(part * 200.0 - 100.0, self.bits),
                // Some beyond the range.
                (Kind::Float, _) => to_float(part * 1.2 - 0.1, self.bits),
                _ => numbers.next() & mask,
            }
        };
        let mut pixel = |_| (0..self.samples()).map(|index| sample(index, numbers)).collect();
        (0..WIDTH * HEIGHT).map(&mut pixel).collect()
    }

    /// Colours of the palette, red first: multiples of 257, so that 8 bits are all of them.
    fn palette(&self) -> Vec<u16> {
        (0..3_u32 << self.bits).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u16 * 257).collect()
    }

    fn file(&self, pixels: &[Vec<u64>]) -> Vec<u8> {
        let count = self.samples();
        let page = Page::new(self.big_endian)
            .longs(256, &[WIDTH as u32])
            .longs(257, &[HEIGHT as u32])
            .shorts(258, &vec![self.bits as u16; count])
            .shorts(259, &[self.packing as u16])
            .shorts(262, &[self.model.photometric()])
            .shorts(277, &[count as u16])
            .shorts(278, &[ROWS_PER_STRIP as u16])
            .shorts(284, &[if self.planar { 2 } else { 1 }])
            .shorts(339, &vec![self.kind as u16; count]);
        let page = if self.predictor == 1 { page } else { page.shorts(317, &[self.predictor]) };
        let page = match self.extra {
            Extra::None | Extra::Untold => page,
            Extra::Unspecified => page.shorts(338, &[0]),
            Extra::Associated => page.shorts(338, &[1]),
            Extra::Unassociated => page.shorts(338, &[2]),
        };
        let page = match self.model {
            Model::Palette => page.shorts(320, &self.palette()),
            Model::YCbCr => page.shorts(530, &[1, 1]),
            Model::Subsampled => page.shorts(530, &[2, 2]),
            _ => page,
        };
        let planes: Vec<Vec<usize>> = if self.planar { (0..count).map(|index| vec![index]).collect() } else { vec![(0..count).collect()] };
        let strips = planes.iter().flat_map(|plane| pixels.chunks(WIDTH * ROWS_PER_STRIP).map(|strip| self.packing.pack(&self.strip(strip, plane))));
        let strips = strips.collect();
        file(vec![page.strips(strips)])
    }

    /// The bytes of a strip before they are packed.
    fn strip(&self, pixels: &[Vec<u64>], plane: &[usize]) -> Vec<u8> {
        let rows: Vec<&[Vec<u64>]> = pixels.chunks(WIDTH).collect();
        if self.model == Model::Subsampled && self.bits == 8 && !self.planar && self.extra == Extra::None {
            let luma = |x: usize, y: usize| rows[y.min(rows.len() - 1)][x.min(WIDTH - 1)][0] as u8;
            let unit = |x: usize| [luma(x, 0), luma(x + 1, 0), luma(x, 1), luma(x + 1, 1), rows[0][x][1] as u8, rows[0][x][2] as u8];
            return (0..WIDTH).step_by(2).flat_map(unit).collect();
        }
        // Others do not have it, whatever the tag says.
        let predictor = if matches!(self.packing, Packing::Lzw | Packing::Deflate) { self.predictor } else { 1 };
        let row = |row: &&[Vec<u64>]| {
            let samples: Vec<u64> = row.iter().flat_map(|pixel| plane.iter().map(|index| pixel[*index])).collect();
            match predictor {
                2 => pack_row(&differences(&samples, self.bits, plane.len()), self.bits, self.big_endian),
                3 if self.bits.is_multiple_of(8) => float_differences(&samples, self.bits, plane.len()),
                _ => pack_row(&samples, self.bits, self.big_endian),
            }
        };
        rows.iter().flat_map(row).collect()
    }

    /// A sample as a part of its range.
    fn part(&self, raw: u64) -> f64 {
        let most = 2_f64.powi(self.bits as i32) - 1.0;
        match self.kind {
            Kind::Unsigned => raw as f64 / most,
            Kind::Signed => (raw ^ 1 << (self.bits - 1)) as f64 / most,
            Kind::Float => of_float(raw, self.bits).clamp(0.0, 1.0),
        }
    }

    /// Red, green, blue and alpha of a pixel, 0 to 255, by the definition of its colour model.
    fn expected(&self, pixel: &[u64]) -> [f64; 4] {
        let colors = self.model.colors();
        let mut parts: Vec<f64> = pixel.iter().map(|raw| self.part(*raw)).collect();
        let is_alpha = match self.extra {
            Extra::None | Extra::Unspecified => false,
            Extra::Untold => self.kind == Kind::Unsigned && matches!(self.model, Model::WhiteIsZero | Model::BlackIsZero | Model::Rgb),
            Extra::Associated | Extra::Unassociated => true,
        };
        // Of indexes and L*a*b* the model says whether they have a sign, and the tag counts for nothing else.
        let alpha_kind = if matches!(self.model, Model::Palette | Model::CieLab | Model::IccLab) && !self.is_float() { Kind::Unsigned } else { self.kind };
        let alpha = if is_alpha { Self { kind: alpha_kind, ..*self }.part(pixel[colors]) } else { 1.0 };
        if self.extra == Extra::Associated && self.model != Model::Palette {
            parts[..colors].iter_mut().for_each(|part| *part = if alpha > 0.0 { (*part / alpha).min(1.0) } else { 0.0 });
        }
        let rgb = match self.model {
            Model::WhiteIsZero => [1.0 - parts[0]; 3],
            Model::BlackIsZero => [parts[0]; 3],
            Model::Rgb => [parts[0], parts[1], parts[2]],
            Model::Palette => {
                let palette = self.palette();
                [0, 1, 2].map(|plane| f64::from(palette[(plane << self.bits) + pixel[0] as usize]) / 65_535.0)
            }
            Model::Cmyk => [0, 1, 2].map(|ink| (1.0 - parts[ink]) * (1.0 - parts[3])),
            Model::YCbCr | Model::Subsampled => {
                let [luma, blue, red] = [parts[0], parts[1] - 128.0 / 255.0, parts[2] - 128.0 / 255.0];
                [luma + 1.402 * red, luma - (0.114 * 1.772 * blue + 0.299 * 1.402 * red) / 0.587, luma + 1.772 * blue]
            }
            Model::CieLab | Model::IccLab => self.lab(pixel),
        };
        let [red, green, blue] = rgb.map(|part| part.clamp(0.0, 1.0) * 255.0);
        [red, green, blue, alpha * 255.0]
    }

    /// sRGB of CIE L*a*b* under D50.
    fn lab(&self, pixel: &[u64]) -> [f64; 3] {
        let [l, a, b] = match (self.model, self.kind, self.bits) {
            (_, Kind::Float, bits) => [0, 1, 2].map(|index| of_float(pixel[index], bits)),
            (Model::CieLab, _, 8) => [pixel[0] as f64 / 2.55, f64::from(pixel[1] as u8 as i8), f64::from(pixel[2] as u8 as i8)],
            (Model::CieLab, ..) => [pixel[0] as f64 / 655.35, f64::from(pixel[1] as u16 as i16) / 256.0, f64::from(pixel[2] as u16 as i16) / 256.0],
            (_, _, 8) => [pixel[0] as f64 / 2.55, pixel[1] as f64 - 128.0, pixel[2] as f64 - 128.0],
            _ => [pixel[0] as f64 / 655.35, pixel[1] as f64 / 256.0 - 128.0, pixel[2] as f64 / 256.0 - 128.0],
        };
        let fy = (l + 16.0) / 116.0;
        let inverse = |f: f64| if f > 6.0 / 29.0 { f.powi(3) } else { 108.0 / 841.0 * (f - 4.0 / 29.0) };
        let (x, y, z) = (0.96422 * inverse(fy + a / 500.0), inverse(fy), 0.82521 * inverse(fy - b / 200.0));
        // Bradford-adapted.
        let linear = [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.033454], [0.0719453, -0.2289914, 1.4052427]];
        linear.map(|[by_x, by_y, by_z]| {
            let light: f64 = by_x * x + by_y * y + by_z * z;
            if light <= 0.0031308 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
        })
    }

    /// Whether 8 bits hold its samples exactly.
    fn is_exact(&self) -> bool {
        self.bits <= 8 && 255 % ((1 << self.bits) - 1) == 0
    }

    /// How far a colour may be from what it is exactly: half a level by rounding, and what rounding to 8 or 16 bits before that adds.
    fn tolerance(&self, alpha: f64) -> f64 {
        // Of a sample, before colours are made of it.
        let early = match self.is_exact() {
            true => 0.0,
            false if self.bits > 8 => 0.5 / 257.0,
            false => 0.5,
        };
        let early = match self.model {
            // Inks are rounded to 8 bits and then multiplied.
            Model::Cmyk if self.bits > 8 || self.extra == Extra::Associated => early + 1.0,
            Model::Cmyk => early * 2.0,
            Model::YCbCr => early * 2.8,
            // Deep samples of Lab are steep near black.
            Model::CieLab | Model::IccLab => early * 40.0,
            _ => early,
        };
        let spread = if self.extra == Extra::Associated { 255.0 / alpha.max(1.0) } else { 1.0 };
        0.501 + early * spread
    }

    /// What is wrong with the answers to this case.
    fn check(&self, numbers: &mut Numbers) -> Result<(), String> {
        let raws = self.raws(numbers);
        let bytes = self.file(&raws);
        let refusals = self.refusals();
        let found = match (render(&bytes, "full/max/0/default.png"), refusals.as_slice()) {
            (Ok(answer), []) => pixels(&answer),
            (Ok(_), refusals) => return Err(format!("is shown, and should be refused for {refusals:?}")),
            (Err(error), refusals) => {
                let named = refusals.iter().any(|name| error.to_string().contains(name));
                let refused = (error.code(), error.status()) == ("source-unsupported", 501) && named;
                return if refused { Ok(()) } else { Err(format!("is refused by {error:?}, and should be for {refusals:?}")) };
            }
        };
        if found.dimensions() != (WIDTH as u32, HEIGHT as u32) {
            return Err(format!("has {:?}", found.dimensions()));
        }
        for (index, (raw, found)) in raws.iter().zip(found.pixels()).enumerate() {
            let mut raw = raw.clone();
            if self.model == Model::Subsampled {
                let (x, y) = (index % WIDTH / 2 * 2, index / WIDTH / 2 * 2);
                raw[1..3].copy_from_slice(&raws[y * WIDTH + x][1..3]);
            }
            let expected = self.expected(&raw);
            let far = |channel: usize, most: f64| (f64::from(found.0[channel]) - expected[channel]).abs() > most;
            // A colour that is not seen may be any.
            let colors = expected[3] >= 0.5 && [0, 1, 2].iter().any(|channel| far(*channel, self.tolerance(expected[3])));
            let most = if self.is_exact() { 0.501 } else { 1.001 };
            if colors || far(3, most) {
                return Err(format!("pixel {index}, stored {raw:x?}, is {found:?} and should be {expected:?}"));
            }
        }
        // A part of it is decoded by other ways.
        let part = pixels(&render(&bytes, "2,1,3,2/max/0/default.png").map_err(|error| error.to_string())?);
        if part == image::imageops::crop_imm(&found, 2, 1, 3, 2).to_image() { Ok(()) } else { Err("a region differs from its part of the whole".to_owned()) }
    }
}

/// What is wrong with a colour model in all its forms.
fn check_all(model: Model) -> Vec<String> {
    let mut numbers = Numbers(model.photometric().into());
    let (mut count, mut wrong) = (0_u32, Vec::new());
    for bits in [1, 2, 3, 4, 8, 12, 16, 24, 32, 64] {
        // No palette has so many colours.
        if model == Model::Palette && bits > 16 {
            continue;
        }
        for kind in [Kind::Unsigned, Kind::Signed, Kind::Float] {
            for (planar, predictor) in [(false, 1), (false, 2), (false, 3), (true, 1), (true, 2), (true, 3)] {
                for extra in [Extra::None, Extra::Untold, Extra::Unspecified, Extra::Associated, Extra::Unassociated] {
                    for packing in [Packing::None, Packing::Lzw, Packing::Deflate, Packing::PackBits] {
                        count += 1;
                        let big_endian = count.is_multiple_of(2) ^ (packing == Packing::Deflate);
                        let case = Case { model, bits, kind, planar, predictor, extra, packing, big_endian };
                        wrong.extend(case.check(&mut numbers).err().map(|what| format!("{case:?}: {what}")));
                    }
                }
            }
        }
    }
    assert!(count >= 2000, "{count}");
    wrong
}

#[test]
fn every_kind_of_samples_means_what_is_defined_or_is_refused_by_name() {
    let wrong: Vec<String> = Model::ALL.into_iter().flat_map(check_all).collect();
    assert!(wrong.is_empty(), "{} are wrong: {:#?}", wrong.len(), wrong.iter().step_by(wrong.len() / 20 + 1).collect::<Vec<_>>());
}
