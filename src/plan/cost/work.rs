//! CPU time of a rendering, in nanoseconds. It is calibrated for a core of about 2.5 GHz, native code and a release build.
//!
//! Each step has a weight: the time for a sample, a pixel or a byte. The weights are upper estimates. `npm run prices` compares them with the times that
//! renderings take, and prints the ratios. WebAssembly takes about 1.3 times as long.

use super::{mul, sum};
use crate::api::{Format, Quality};
use crate::plan::{Rendering, SourcePlan};
use crate::profile::Model as Colors;
use crate::pyramid::level::{Compression, Level, Model};
use crate::pyramid::{Body, Pyramid, Whole, WholeMode};

/// Weights are in tenths of a nanosecond, so that they are whole numbers.
const TENTHS: u64 = 10;

/// A byte of entropy-coded JPEG data.
const JPEG_BYTE: u64 = 140;
/// A sample of JPEG: dequantization, inverse DCT, colours.
const JPEG_SAMPLE: u64 = 30;
/// A JPEG block that is skipped, or that a progressive scan visits. Its bytes are added.
const JPEG_BLOCK: u64 = 300;

/// Tenths of a nanosecond per stored byte.
pub(super) fn of_byte(pyramid: &Pyramid, plan: &Rendering) -> u64 {
    match (&pyramid.body, &plan.source) {
        (Body::Levels(levels), SourcePlan::Chunks { level, .. } | SourcePlan::Strips { level, .. }) => {
            levels.get(*level).map_or(10, |level| of_stored_byte(level.compression))
        }
        (Body::Levels(_), _) => of_stored_byte(Compression::Lzw),
        (Body::Scan(_), _) => JPEG_BYTE,
        // The bytes of every scan are read.
        (Body::Whole(Whole { mode: WholeMode::Jpeg { .. }, .. }), _) => JPEG_BYTE,
        (Body::Whole(Whole { mode: WholeMode::Rows, .. }), _) => 60,
        (Body::Whole(_), _) => 200,
    }
}

fn of_stored_byte(compression: Compression) -> u64 {
    match compression {
        Compression::None => 3,
        Compression::PackBits => 20,
        Compression::Jpeg => JPEG_BYTE,
        Compression::Lzw | Compression::Deflate | Compression::Zstandard => 60,
        // A byte holds several codes.
        Compression::Fax(_) => 400,
        Compression::WebP => 400,
    }
}

/// Tenths of a nanosecond per decoded sample of a chunk, for decompression, predictor, conversion and interleaving.
fn of_sample(level: &Level) -> u64 {
    let unpacked = match level.compression {
        Compression::None => 5,
        Compression::PackBits => 8,
        Compression::Lzw => 30,
        Compression::Deflate | Compression::Zstandard => 20,
        Compression::Jpeg => JPEG_SAMPLE,
        Compression::Fax(_) => 6,
        Compression::WebP => 60,
    };
    let depth = match level.samples.bits {
        8 => 5,
        1 | 2 | 4 => 15,
        16 => 25,
        _ => 60,
    };
    let kind = if level.samples.is_float() || level.values.window.is_some() { 100 } else { 0 };
    let predictor = if level.samples.predictor > 1 { 10 } else { 0 };
    let planes = if level.samples.planar { 15 } else { 0 };
    let model = match &level.model {
        Model::Palette(_) => 20,
        Model::YCbCr(..) if level.compression != Compression::Jpeg => 40,
        Model::WhiteIsZero => 4,
        _ => 0,
    };
    sum(&[unpacked, depth, kind, predictor, planes, model])
}

/// Nanoseconds to decode `count` chunks of a level, without the time for their stored bytes.
pub(super) fn of_chunks(level: &Level, count: u64) -> u64 {
    // Finding and fetching a chunk, and setting up its decoder.
    const CHUNK: u64 = 200_000;
    let samples = mul(&[level.chunk.area(), level.decoded_samples()]);
    let mask = level.mask.as_ref().map_or(0, |mask| mul(&[level.chunk.area(), of_sample(mask)]));
    mul(&[count, sum(&[mul(&[samples, of_sample(level)]), mask, CHUNK])]) / TENTHS
}

/// Nanoseconds to decode `pixels` of strips, without the time for their stored bytes.
pub(super) fn of_strips(level: &Level, pixels: u64) -> u64 {
    mul(&[pixels, level.decoded_samples(), of_sample(level)]) / TENTHS
}

/// Nanoseconds to decode a file from its beginning, without the time for its stored bytes.
pub(super) fn of_whole(whole: &Whole, pyramid: &Pyramid) -> u64 {
    let area = pyramid.stored.area();
    let samples = mul(&[area, u64::from(whole.channels).max(3), whole.depth.into()]);
    let weight = match whole.mode {
        WholeMode::Rows => 30,
        WholeMode::Module { work, .. } => work.into(),
        WholeMode::Image { .. } => 60,
        // The coefficients of all blocks are kept, and each of several scans visits them.
        WholeMode::Jpeg { .. } => 60,
    };
    mul(&[samples, weight]) / TENTHS
}

/// Nanoseconds to decode `mcus` MCUs of `samples` samples each at 1/`reduction` of their size, and to skip `passed` other MCUs.
pub(super) fn of_mcus(samples: u64, mcus: u64, passed: u64, reduction: u64) -> u64 {
    let made = mul(&[mcus, samples, JPEG_SAMPLE]).checked_div(reduction.clamp(1, 3)).unwrap_or(0);
    sum(&[made, mul(&[passed, samples, JPEG_BLOCK]) / 64]) / TENTHS
}

/// Nanoseconds from decoded rows to the file, for the `decoded` pixels of the level that are passed on, and for the pixels of the answer.
pub(super) fn of_answer(plan: &Rendering, pyramid: &Pyramid, decoded: u64, samples: u64, channels: u64) -> u64 {
    let size = plan.size;
    let boxes = mul(&[plan.across.shrink.into(), plan.down.shrink.into()]).max(1);
    let averaged = decoded.checked_div(boxes).unwrap_or(decoded);
    let passed = mul(&[decoded, samples, if boxes > 1 { 8 } else { 4 }]);
    let colors = mul(&[averaged, of_colors(pyramid)]);
    let kernel = if plan.is_resampled() {
        let (across, down) = (plan.across.reach(), plan.down.reach());
        let rows = mul(&[plan.across.averaged().into(), channels, down.taps.into(), size.height().into(), 2]);
        let columns = mul(&[u64::from(across.taps).saturating_add(8), channels, size.area(), 3]);
        // A table of the horizontal kernels, and a vertical kernel for each row.
        let kernels =
            mul(&[u64::from(size.width()).saturating_mul(2), across.taps.into(), 60]).saturating_add(mul(&[size.height().into(), down.taps.into(), 60]));
        sum(&[rows, columns, kernels])
    } else {
        0
    };
    let turned = if plan.is_upright() { 0 } else { mul(&[size.area(), channels, 12]) };
    let area = plan.dimensions().area();
    let rotated = if plan.angle.is_some() { mul(&[area, 150]) } else { 0 };
    let channels = if plan.angle.is_some() { if channels <= 2 { 2 } else { 4 } } else { channels };
    let encoded = match plan.format {
        Format::Jpg => mul(&[area, if channels <= 2 { 60 } else { 120 }]),
        Format::Png => mul(&[area, channels, plan.png_weight]),
        Format::Tif => mul(&[area, channels, 80]),
        Format::Gif => mul(&[area, 1500]),
        // Eight bitonal pixels are packed into one.
        Format::WebP if plan.lossless && plan.quality == Quality::Bitonal => mul(&[area, 100]),
        Format::WebP if plan.lossless => mul(&[area, 450]),
        Format::WebP => mul(&[area, if channels.is_multiple_of(2) { 4600 } else { 4200 }]),
    };
    // Opening, planning, tables.
    const REQUEST: u64 = 5_000_000;
    // A row of the answer, however short it is: its kernel, its filter, and passing it on.
    const ROW: u64 = 6_000;
    let rows = mul(&[u64::from(size.height()).max(plan.dimensions().height().into()), ROW]);
    // Building the tables of the colour conversion.
    let tables = mul(&[pyramid.colors_memory(), 300]);
    sum(&[passed, colors, kernel, turned, rotated, encoded, rows, tables, REQUEST]) / TENTHS
}

/// Tenths of a nanosecond to convert the colours of an averaged pixel.
fn of_colors(pyramid: &Pyramid) -> u64 {
    match pyramid.profile() {
        Some((profile, model)) if profile.converts(model) => {
            if model == Colors::Cmyk {
                1500
            } else {
                300
            }
        }
        Some((_, Colors::Lab)) => 150,
        _ => match &pyramid.body {
            Body::Levels(levels) if levels.first().is_some_and(|level| level.colors() == Colors::Lab) => 150,
            _ => 20,
        },
    }
}

/// Tenths of a nanosecond per byte of pixels to encode a PNG with this compression.
pub(crate) fn of_png(compression: crate::options::PngCompression) -> u64 {
    use crate::options::PngCompression::{Balanced, Fast, Fastest, High};
    match compression {
        Fastest => 40,
        Fast => 50,
        Balanced => 800,
        High => 4000,
    }
}
