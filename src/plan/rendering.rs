//! Which pixels are decoded for a request, and what becomes of them.

use std::ops::Range;

use super::{Axis, LEAST_RUN, Price, RUN, Reach, level, of_png};
use crate::api::{Format, Quality, ResolvedRequest};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Rect};
use crate::limits::Limits;
use crate::options::EncodeOptions;
use crate::pyramid::level::Level;
use crate::pyramid::{Body, Orientation, Pyramid};

/// A request worked out against an image that is decoded. Sides and places are those of the stored raster, before orientation.
#[derive(Debug, Clone)]
pub(crate) struct Rendering {
    pub source: SourcePlan,
    /// Size of the level, or of the reduced image, that is read.
    pub level: Dimensions,
    /// The whole pixels of the level that are decoded.
    pub crop: Rect,
    /// How the columns and rows of the answer are made of those of `crop`.
    pub across: Axis,
    pub down: Axis,
    /// Size after resampling, before `turn`.
    pub size: Dimensions,
    /// The image's own orientation, then the request's mirror and right-angle rotation.
    pub turn: Orientation,
    /// Clockwise degrees from -45 to 45 by which the image is rotated after `turn`, if it is.
    pub angle: Option<f64>,
    pub quality: Quality,
    pub format: Format,
    /// Of WebP: without loss.
    pub lossless: bool,
    /// Of JPEG, 1 to 100.
    pub jpeg_quality: u8,
    /// Of lossy WebP, 0 to 100.
    pub webp_quality: u8,
    /// What a byte of pixels of a PNG takes, tenths of a nanosecond.
    pub png_weight: u64,
    pub price: Price,
}

/// Where the pixels come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourcePlan {
    /// Chunks of a level, a row of chunks after the other.
    Chunks { level: usize, columns: Range<u32>, rows: Range<u32> },
    /// Large strips of a level, row by row from the beginning of the first one; `run` bytes of them are fetched at a time.
    Strips { level: usize, rows: Range<u32>, run: u64 },
    /// The whole file, decoded at 1/`reduction` of its size.
    Whole { reduction: u32 },
    /// What is wanted of the scan of a JPEG file, decoded at 1/`reduction` of its size; `run` bytes of it are fetched at a time.
    Scan { reduction: u32, run: u64 },
}

impl Rendering {
    /// The plan for a request. [`Error::SourceTooCostly`] if no way of doing it is within the limits.
    pub fn new(request: &ResolvedRequest, pyramid: &Pyramid, options: &EncodeOptions, limits: &Limits) -> Result<Self> {
        let internal = |what: &str| Error::Internal { what: what.to_owned() };
        let region = pyramid.orientation.to_stored(request.region(), pyramid.stored).ok_or_else(|| internal("a resolved region lies outside the image"))?;
        let size = pyramid.orientation.apply(request.size());
        let rotation = request.rotation();
        let mirror = if rotation.mirror { Orientation::MIRRORED } else { Orientation::NORMAL };
        let (turns, angle) = match rotation.is_right_angle() {
            Some(turns) => (turns, None),
            // By right angles as far as they go, and by the rest, which is at most 45 degrees to either side.
            None => nearest_right_angle(rotation.degrees()),
        };
        let turn = pyramid.orientation.then(mirror).then(Orientation::quarter_turns(turns));
        // Planes of JPEG, of which one may have a sample for two pixels, are resampled for a JPEG.
        let reach = if request.format() == Format::Jpg && pyramid.has_planes() { 2 } else { 1 };
        let (choice, place) = level::choose(pyramid, region, size, reach);
        let (across, down) = (place.across.axis(), place.down.axis());
        let crop = Rect::from_edges(across.from, down.from, across.to, down.to).ok_or_else(|| internal("a region misses its level"))?;
        let source = match (&pyramid.body, choice.level) {
            (Body::Levels(levels), Some(index)) => {
                let level = levels.get(index).ok_or_else(|| internal("a level that is not there"))?;
                let columns = crop.x().checked_div(level.chunk.width()).unwrap_or(0)..crop.right().div_ceil(level.chunk.width());
                let rows = level.chunk_row_at(crop.y())..level.chunk_row_at(crop.bottom().saturating_sub(1)).saturating_add(1);
                SourcePlan::Chunks { level: index, columns, rows }
            }
            (Body::Scan(_), _) => SourcePlan::Scan { reduction: choice.factor, run: 0 },
            _ => SourcePlan::Whole { reduction: choice.factor },
        };
        let plan = Self {
            source,
            level: choice.size,
            crop,
            across,
            down,
            size,
            turn,
            angle,
            quality: request.quality(),
            format: request.format(),
            lossless: options.is_lossless_webp(request.format(), request.quality()),
            jpeg_quality: options.jpeg_quality,
            webp_quality: options.webp_quality,
            png_weight: of_png(options.png_compression),
            price: Price::default(),
        };
        let strips = if let SourcePlan::Chunks { level, rows, .. } = &plan.source { strips(pyramid, *level, rows) } else { None };
        let flowing = strips.map(|source| Self { source, ..plan.clone() });
        let settled = |mut plan: Self| plan.settle_price(pyramid, limits).map(|()| plan);
        match flowing.map(settled) {
            None => settled(plan),
            Some(Err(error)) => settled(plan).map_err(|_| error),
            // An answer that is turned may take less if it is made in windows, where chunks are not too large for that.
            Some(Ok(flowing)) => Ok(match settled(plan) {
                Ok(chunked) if !flowing.is_upright() && flowing.price.memory > chunked.price.memory => chunked,
                _ => flowing,
            }),
        }
    }

    /// The whole image at full size, as stored: what a pyramid is made from. It has no price yet.
    pub fn full(pyramid: &Pyramid) -> Self {
        let size = pyramid.stored;
        let source = match &pyramid.body {
            Body::Levels(levels) => {
                let rows = levels.first().map_or(0, |level| level.chunk_row_at(size.height().saturating_sub(1)).saturating_add(1));
                let chunks = SourcePlan::Chunks { level: 0, columns: 0..levels.first().map_or(0, Level::columns), rows: 0..rows };
                strips(pyramid, 0, &(0..rows)).unwrap_or(chunks)
            }
            Body::Whole(_) => SourcePlan::Whole { reduction: 1 },
            Body::Scan(_) => SourcePlan::Scan { reduction: 1, run: RUN },
        };
        Self {
            source,
            level: size,
            crop: size.rect(),
            across: Axis::full(size.width()),
            down: Axis::full(size.height()),
            size,
            turn: Orientation::NORMAL,
            angle: None,
            quality: Quality::Default,
            format: Format::Jpg,
            lossless: false,
            jpeg_quality: 100,
            webp_quality: 100,
            png_weight: 0,
            price: Price::default(),
        }
    }

    fn settle_price(&mut self, pyramid: &Pyramid, limits: &Limits) -> Result<()> {
        self.price = Price::of(self, pyramid);
        let mut outcome = self.price.check(limits);
        if outcome.is_err() && self.format == Format::WebP && !self.lossless {
            // The lossless coder works row by row, where the lossy one holds a hundred bytes for a pixel with alpha.
            self.lossless = true;
            self.price = Price::of(self, pyramid);
            outcome = self.price.check(limits);
        }
        outcome?;
        self.settle_run(limits);
        Ok(())
    }

    /// The same with other sides: those of a component.
    pub(super) fn of_axes(&self, across: Axis, down: Axis) -> Self {
        let crop = Rect::from_edges(across.from, down.from, across.to, down.to).unwrap_or(self.crop);
        Self { crop, across, down, size: Dimensions::at_least_one(across.size, down.size), ..self.clone() }
    }

    /// Fetches as much of a scan, or of strips, at a time as there is memory for.
    fn settle_run(&mut self, limits: &Limits) {
        if let SourcePlan::Scan { run, .. } | SourcePlan::Strips { run, .. } = &mut self.source {
            let once = if self.price.twice { self.price.bytes / 2 } else { self.price.bytes };
            let most = once.saturating_add(once / 8).clamp(LEAST_RUN, RUN);
            let more = most.saturating_sub(LEAST_RUN).min(limits.memory.saturating_sub(self.price.memory));
            *run = LEAST_RUN.saturating_add(more);
            self.price.memory = self.price.memory.saturating_add(more);
        }
    }

    /// The whole answer, before `turn`.
    pub fn whole(&self) -> Rect {
        self.size.rect()
    }

    /// Whether the rows of the answer are those of the level in their order, so that they can go on as they come.
    pub fn is_upright(&self) -> bool {
        self.turn.is_upright()
    }

    /// Whether a row of the level completes more than two of the answer: then these are made one after the other, and what is encoded of them may leave in
    /// between.
    pub fn is_enlarged(&self) -> bool {
        self.down.scale() < 0.5
    }

    /// Width and height of the answer, as it is seen.
    pub fn dimensions(&self) -> Dimensions {
        let turned = self.turn.apply(self.size);
        self.angle.map_or(turned, |degrees| turned.rotated(degrees))
    }

    /// How the resampler's kernels lie, across and down, px of the averaged crop.
    pub fn reach(&self) -> (Reach, Reach) {
        (self.across.reach(), self.down.reach())
    }

    /// The pixels of the level that a window of the answer is made from, px of `crop`. They begin at whole boxes of the average.
    pub fn source_of(&self, window: Rect) -> Rect {
        let whole = self.crop.dimensions().rect();
        if window == self.whole() {
            return whole;
        }
        let (left, right) = self.across.source_of(window.x(), window.right());
        let (top, bottom) = self.down.source_of(window.y(), window.bottom());
        Rect::from_edges(left, top, right, bottom).unwrap_or(whole)
    }

    /// Columns and rows of a level's chunks that hold a part of `crop`.
    pub fn chunks_of(&self, level: &Level, source: Rect) -> (Range<u32>, Range<u32>) {
        let (left, top) = (self.crop.x().saturating_add(source.x()), self.crop.y().saturating_add(source.y()));
        let (right, bottom) = (left.saturating_add(source.width()), top.saturating_add(source.height()));
        let columns = left.checked_div(level.chunk.width()).unwrap_or(0)..right.div_ceil(level.chunk.width().max(1));
        (columns, level.chunk_row_at(top)..level.chunk_row_at(bottom.saturating_sub(1)).saturating_add(1))
    }

    /// Whether the pixels of `crop` are the answer's own, without resampling.
    pub fn is_exact(&self) -> bool {
        self.across.is_exact() && self.down.is_exact()
    }

    /// Whether a kernel makes the answer, or a part of it, out of the box averages.
    pub fn is_resampled(&self) -> bool {
        self.across.is_resampled() || self.down.is_resampled()
    }
}

/// What is read of some rows of chunks of a level, if these are large strips.
fn strips(pyramid: &Pyramid, level: usize, rows: &Range<u32>) -> Option<SourcePlan> {
    let Body::Levels(levels) = &pyramid.body else { return None };
    let is_sequential = levels.get(level).is_some_and(Level::is_sequential);
    is_sequential.then(|| SourcePlan::Strips { level, rows: rows.clone(), run: RUN })
}

/// Quarter turns to the nearest right angle, and the degrees that are left.
fn nearest_right_angle(degrees: f64) -> (u8, Option<f64>) {
    let turns = libm::ceil((degrees - 45.0) / 90.0);
    // `as` saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let quarters = (turns as u32 % 4) as u8;
    (quarters, Some(degrees - turns * 90.0))
}
