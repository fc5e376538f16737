//! Which pixels are decoded for a request, and what becomes of them.

use std::ops::Range;

use super::{LEAST_RUN, Price, RUN, Reach, level};
use crate::api::{Format, Quality, ResolvedRequest};
use crate::error::{Budget, Error, Result};
use crate::geometry::{Dimensions, Rect};
use crate::limits::Limits;
use crate::options::EncodeOptions;
use crate::pyramid::tiff::Level;
use crate::pyramid::{Body, Orientation, Pyramid};

/// A request worked out against an image that is decoded. Sides and places are those of the stored raster, before orientation.
#[derive(Debug, Clone)]
pub(crate) struct Rendering {
    pub source: SourcePlan,
    /// Size of the level, or of the reduced image, that is read.
    pub level: Dimensions,
    /// The whole pixels of the level that are decoded.
    pub crop: Rect,
    /// The exact region within `crop`, px of the level.
    pub frame: Frame,
    /// Boxes of this many pixels a side are averaged before resampling.
    pub shrink: u32,
    /// Size after resampling, before `turn`.
    pub size: Dimensions,
    /// The image's own orientation, then the request's mirror and right-angle rotation.
    pub turn: Orientation,
    /// Clockwise degrees for a rotation that is no right angle.
    pub angle: Option<f64>,
    pub quality: Quality,
    pub format: Format,
    /// Of WebP: without loss.
    pub lossless: bool,
    pub price: Price,
}

/// Where the pixels come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourcePlan {
    /// Chunks of a level, a row of chunks after the other.
    Chunks { level: usize, columns: Range<u32>, rows: Range<u32> },
    /// The whole file, decoded at 1/`reduction` of its size.
    Whole { reduction: u32 },
    /// What is wanted of the scan of a JPEG file, decoded at 1/`reduction` of its size; `run` bytes of it are fetched at a time.
    Scan { reduction: u32, run: u64 },
}

/// A rectangle that need not lie on whole pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
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
            None => (0, Some(rotation.degrees())),
        };
        let turn = pyramid.orientation.then(mirror).then(Orientation::quarter_turns(turns));
        let choice = level::choose(pyramid, region, size);
        let (crop, frame) = level::crop(region, pyramid.stored, &choice).ok_or_else(|| internal("a region misses its level"))?;
        let source = match (&pyramid.body, choice.level) {
            (Body::Tiff(tiff), Some(index)) => {
                let level = tiff.levels.get(index).ok_or_else(|| internal("a level that is not there"))?;
                let columns = crop.x().checked_div(level.chunk.width()).unwrap_or(0)..crop.right().div_ceil(level.chunk.width());
                let rows = level.chunk_row_at(crop.y())..level.chunk_row_at(crop.bottom().saturating_sub(1)).saturating_add(1);
                SourcePlan::Chunks { level: index, columns, rows }
            }
            (Body::Scan(_), _) => SourcePlan::Scan { reduction: choice.factor, run: 0 },
            _ => SourcePlan::Whole { reduction: choice.factor },
        };
        let mut plan = Self {
            source,
            level: choice.size,
            crop,
            frame,
            shrink: 1,
            size,
            turn,
            angle,
            quality: request.quality(),
            format: request.format(),
            lossless: options.is_lossless_webp(request.format(), request.quality()),
            price: Price::default(),
        };
        plan.settle_price(pyramid, limits)?;
        Ok(plan)
    }

    /// The whole image at full size, as stored: what a pyramid is made from. It has no price yet.
    pub fn full(pyramid: &Pyramid) -> Self {
        let size = pyramid.stored;
        let source = match &pyramid.body {
            Body::Tiff(tiff) => {
                let rows = tiff.levels.first().map_or(0, |level| level.chunk_row_at(size.height().saturating_sub(1)).saturating_add(1));
                SourcePlan::Chunks { level: 0, columns: 0..tiff.levels.first().map_or(0, Level::columns), rows: 0..rows }
            }
            Body::Whole(_) => SourcePlan::Whole { reduction: 1 },
            Body::Scan(_) => SourcePlan::Scan { reduction: 1, run: RUN },
        };
        Self {
            source,
            level: size,
            crop: size.rect(),
            frame: Frame { left: 0.0, top: 0.0, width: size.width().into(), height: size.height().into() },
            shrink: 1,
            size,
            turn: Orientation::NORMAL,
            angle: None,
            quality: Quality::Default,
            format: Format::Jpg,
            lossless: false,
            price: Price::default(),
        }
    }

    /// Takes the finest box average that fits the memory: finer is sharper and dearer.
    fn settle_price(&mut self, pyramid: &Pyramid, limits: &Limits) -> Result<()> {
        let ratio = |from: f64, to: u32| from / f64::from(to);
        let scale = ratio(self.frame.width, self.size.width()).min(ratio(self.frame.height, self.size.height()));
        // Resampling from twice the wanted size loses nothing that can be seen.
        self.shrink = whole_part(scale / 2.0);
        let coarsest = whole_part(scale);
        loop {
            self.price = Price::of(self, pyramid);
            match self.price.check(limits) {
                Ok(()) => {
                    self.settle_run(limits);
                    return Ok(());
                }
                Err(Error::SourceTooCostly { what: Budget::Memory, .. }) if self.shrink < coarsest => self.shrink = self.shrink.saturating_add(1),
                Err(error) => return Err(error),
            }
        }
    }

    /// Fetches as much of a scan at a time as there is memory for.
    fn settle_run(&mut self, limits: &Limits) {
        if let SourcePlan::Scan { run, .. } = &mut self.source {
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

    /// Whether the rows of the answer are those of the level in their order, so that they can leave as they come.
    pub fn is_upright(&self) -> bool {
        self.turn.is_upright() && self.angle.is_none()
    }

    /// Size of the crop after the box average.
    pub fn shrunk(&self) -> Dimensions {
        self.crop.dimensions().reduced(self.shrink)
    }

    /// How the resampler's kernels lie, across and down, px of the averaged crop.
    pub fn reach(&self) -> (Reach, Reach) {
        let (factor, shrunk) = (f64::from(self.shrink), self.shrunk());
        let Frame { left, top, width, height } = self.frame;
        (
            Reach::new(left / factor, width / factor, shrunk.width(), self.size.width()),
            Reach::new(top / factor, height / factor, shrunk.height(), self.size.height()),
        )
    }

    /// The pixels of the level that a window of the answer is made from, px of `crop`. They begin at whole boxes of the average.
    pub fn source_of(&self, window: Rect) -> Rect {
        let whole = self.crop.dimensions().rect();
        if window == self.whole() {
            return whole;
        }
        if self.is_exact() {
            return window.intersection(whole).unwrap_or(whole);
        }
        let (across, down) = self.reach();
        let side = |reach: Reach, from: u32, to: u32, end: u32| {
            let (start, stop) = reach.span(from, to);
            (start.saturating_mul(self.shrink), stop.saturating_mul(self.shrink).min(end))
        };
        let (left, right) = side(across, window.x(), window.right(), whole.width());
        let (top, bottom) = side(down, window.y(), window.bottom(), whole.height());
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
        let Frame { left, top, width, height } = self.frame;
        let whole = Frame { left: 0.0, top: 0.0, width: self.crop.width().into(), height: self.crop.height().into() };
        self.shrink == 1 && Frame { left, top, width, height } == whole && self.crop.dimensions() == self.size
    }
}

/// The whole part, at least 1.
fn whole_part(value: f64) -> u32 {
    // `as` saturates, and NaN becomes 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = value as u32;
    whole.max(1)
}
