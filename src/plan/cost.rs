//! What a plan will cost, from headers alone: upper estimates that hold for every file, checked before anything is allocated.

use super::{Plan, SourcePlan};
use crate::api::{Format, Quality};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pyramid::tiff::{Compression, Model, ZSTANDARD_WINDOW};
use crate::pyramid::{Body, JpegProcess, Pyramid, Whole, WholeMode};

/// Compressed chunks are fetched in batches of about this many bytes.
pub(crate) const BATCH: u64 = 4 << 20;
/// Tables, kernels and code that every request needs, bytes.
const BASE: u64 = 1 << 20;

/// Estimated cost of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Price {
    /// Bytes of memory at the peak.
    pub memory: u64,
    /// Pixels that are decoded.
    pub pixels: u64,
}

impl Price {
    pub fn of(plan: &Plan, pyramid: &Pyramid) -> Self {
        let (source, pixels) = match (&plan.source, &pyramid.body) {
            (SourcePlan::Chunks { level, columns, rows }, Body::Tiff(tiff)) => tiff.levels.get(*level).map_or((0, 0), |level| {
                let across = u64::from(columns.end.saturating_sub(columns.start));
                let chunks = across.saturating_mul(rows.end.saturating_sub(rows.start).into());
                let depth = if level.samples.bits > 8 { 2 } else { 1 };
                // A palette's index becomes three samples.
                let samples = if matches!(level.model, Model::Palette(_)) { 3 } else { u64::from(level.samples.count) };
                let decoded = mul(&[level.chunk.area(), samples, depth]);
                // A row of chunks is held decoded, and one more is being made.
                let band = decoded.saturating_mul(across);
                let fetched = BATCH.saturating_add(level.chunk_bytes()).min(pyramid.file_size);
                // A JPEG chunk has planes beside its pixels.
                let planes = if level.compression == Compression::Jpeg { level.chunk_bytes() } else { 0 };
                let window = if level.compression == Compression::Zstandard { ZSTANDARD_WINDOW } else { 0 };
                (sum(&[fetched, window, level.chunk_bytes(), planes, decoded, band]), chunks.saturating_mul(level.chunk.area()))
            }),
            (SourcePlan::Whole { reduction }, Body::Whole(whole)) => {
                (pyramid.file_size.saturating_add(decoding(whole, pyramid, plan, *reduction)), pyramid.stored.area())
            }
            _ => (0, 0),
        };
        let raster = plan.size.area().saturating_mul(channels(plan, pyramid));
        // Decoding and encoding do not meet: what was fetched and decoded is gone when the raster is finished.
        let decoding = match &pyramid.body {
            Body::Whole(whole) if raster <= reusable(whole, plan) => source,
            _ => source.saturating_add(raster),
        };
        let memory = sum(&[BASE, pipeline(plan), decoding.max(finishing(plan, raster))]);
        Self { memory, pixels }
    }

    /// [`Error::SourceTooCostly`] for what is over the limits.
    pub fn check(&self, limits: &Limits) -> Result<()> {
        let over = |what, needs, limit| if needs > limit { Err(Error::SourceTooCostly { what, needs, limit }) } else { Ok(()) };
        over("pixels", self.pixels, limits.source_pixels)?;
        over("memory", self.memory, limits.memory)
    }
}

/// What the decoder of a whole-image format holds, its result included.
fn decoding(whole: &Whole, pyramid: &Pyramid, plan: &Plan, reduction: u32) -> u64 {
    let area = pyramid.stored.area();
    let samples = mul(&[plan.level.area(), whole.channels.into(), whole.depth.into()]);
    match whole.mode {
        WholeMode::Rows => mul(&[pyramid.stored.width().into(), whole.channels.into(), whole.depth.into(), 4]),
        // Canvas and what it is made from.
        WholeMode::Image => samples.saturating_mul(2),
        WholeMode::Jpeg { process, density } => {
            let planes = |area: u64| mul(&[area, density.into()]) / 100;
            let coefficients = if process == JpegProcess::Progressive { planes(area).saturating_mul(2) } else { 0 };
            // The reducing decoder keeps its planes until all are made.
            let reduced = if reduction > 1 || whole.channels == 4 || process == JpegProcess::Lossless { planes(plan.level.area()) } else { 0 };
            sum(&[samples, coefficients, reduced])
        }
    }
}

/// Rows on their way: sums of the box average, and the rows that the resampler's kernel spans.
fn pipeline(plan: &Plan) -> u64 {
    let width = u64::from(plan.crop.width()).div_ceil(plan.shrink.into());
    let scale = plan.frame.height / f64::from(plan.size.height()) / f64::from(plan.shrink);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let taps = (scale.max(1.0) * 6.0) as u64;
    mul(&[width, 4, taps.saturating_add(16)]).saturating_add(mul(&[plan.crop.width().into(), 16]))
}

/// Bytes of the decoded rows in whose room the raster is made, if it is no larger.
fn reusable(whole: &Whole, plan: &Plan) -> u64 {
    let is_reused = whole.depth == 1 && whole.mode != WholeMode::Rows;
    if is_reused { mul(&[plan.level.width().into(), plan.crop.height().into(), whole.channels.into()]) } else { 0 }
}

/// Samples per pixel of the finished pixels, at most.
fn channels(plan: &Plan, pyramid: &Pyramid) -> u64 {
    let (alpha, gray) = match &pyramid.body {
        Body::Whole(whole) => (!matches!(whole.mode, WholeMode::Jpeg { .. }), whole.channels <= 2),
        Body::Tiff(tiff) => tiff.levels.first().map_or((true, false), |level| (level.samples.alpha.is_some(), level.is_gray())),
    };
    let colors = if gray || matches!(plan.quality, Quality::Gray | Quality::Bitonal) { 1 } else { 3 };
    sum(&[colors, alpha.into()])
}

/// From the raster on: turning it, then the encoder with its file.
fn finishing(plan: &Plan, raster: u64) -> u64 {
    let (area, turned, turning) = match plan.angle {
        // A free rotation at most doubles the area, and brings alpha.
        Some(_) => (plan.size.area().saturating_mul(2), plan.size.area().saturating_mul(8), raster),
        None => (plan.size.area(), raster, if plan.turn.transpose { raster } else { 0 }),
    };
    let encoder = match plan.format {
        // At the highest quality a pixel of noise takes three bytes; real ones at usual qualities take a fifth.
        Format::Jpg => area / 2,
        // The file is written where the raster was.
        Format::Png => turned / 32,
        Format::Tif => turned.saturating_add(turned / 64),
        Format::Gif => area.saturating_mul(8),
        Format::WebP => area.saturating_mul(12),
    };
    turned.saturating_add(turning.max(encoder))
}

fn mul(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |product: u64, factor| product.saturating_mul(*factor))
}

fn sum(terms: &[u64]) -> u64 {
    terms.iter().fold(0, |sum: u64, term| sum.saturating_add(*term))
}
