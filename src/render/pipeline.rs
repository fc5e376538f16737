//! The way of a decoded row: straighten, average, convert, resample, collect.

use std::sync::Arc;

use super::color::ColorTransform;
use super::raster::Raster;
use super::row::{Alpha, Layout, Row, Sample};
use super::scale::Resampler;
use super::shrink::{Boxes, Shrink};
use crate::api::Quality;
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Rect};
use crate::plan::{Axis, Rendering};
use crate::profile::Profile;

/// Rows go on by about this many bytes.
const ROWS: usize = 64 << 10;

/// Takes the rows of a plan's crop, top to bottom, and makes the raster of the plan's size.
pub(crate) struct Pipeline {
    width: usize,
    layout: Layout,
    shrink: Option<Shrink>,
    /// Rows after the average that are yet to come.
    rows_left: u32,
    color: ColorTransform,
    resampler: Option<Resampler>,
    converted: Vec<u8>,
    straight: (Vec<u8>, Vec<u16>),
    averages: (Vec<u8>, Vec<u16>),
    size: Dimensions,
    /// Rows that have been taken.
    made: u32,
    /// Bytes of rows that are enough to go on with.
    take: usize,
    /// Bytes of room that is made before the first row.
    room: usize,
    data: Vec<u8>,
}

impl Pipeline {
    /// For the whole of a plan, out of rows of `layout` of a profile.
    pub fn new(plan: &Rendering, layout: Layout, profile: Option<&Arc<Profile>>) -> Self {
        Self::of_window(plan, plan.whole(), layout, profile)
    }

    /// For a window of the answer, out of the rows of [`Rendering::source_of`] it.
    pub fn of_window(plan: &Rendering, window: Rect, layout: Layout, profile: Option<&Arc<Profile>>) -> Self {
        let gray = matches!(plan.quality, Quality::Gray | Quality::Bitonal);
        let straight = Layout { alpha: if layout.alpha == Alpha::None { Alpha::None } else { Alpha::Straight }, ..layout };
        let color = ColorTransform::new(straight, profile, gray);
        let source = plan.source_of(window);
        let resampler = plan.is_resampled().then(|| {
            let ((left, right), (top, bottom)) = (plan.across.averages(source.x(), source.right()), plan.down.averages(source.y(), source.bottom()));
            let averaged = Rect::from_edges(left, top, right, bottom).unwrap_or(source);
            Resampler::new(color.channels(), plan.reach(), averaged, window)
        });
        let width = source.width() as usize;
        let boxes = |axis: &Axis, begins: bool| Boxes { side: axis.shrink as usize, first: if begins { axis.first } else { axis.shrink } as usize };
        let (across, down) = (boxes(&plan.across, source.x() == 0), boxes(&plan.down, source.y() == 0));
        let (by_rows, area) = (plan.is_upright(), window.dimensions().area() as usize);
        let stride = window.width() as usize * color.channels();
        Self {
            width,
            layout,
            shrink: (across.side > 1 || down.side > 1).then(|| Shrink::new(across, down, straight, width)),
            rows_left: source.height(),
            made: 0,
            take: if by_rows { ROWS } else { usize::MAX },
            // For all that is kept: growing would need it twice.
            room: (area * color.channels()).min(if by_rows { room(ROWS, stride) } else { usize::MAX }),
            data: Vec::new(),
            color,
            resampler,
            converted: Vec::new(),
            straight: Default::default(),
            averages: Default::default(),
            size: window.dimensions(),
        }
    }

    /// Adds the next row, and gives finished ones to `sink`: some at a time, or all at once if the plan turns them as a whole.
    pub fn pass_on(&mut self, row: Row<'_>, sink: &mut dyn FnMut(Raster) -> Result<()>) -> Result<()> {
        self.push(row)?;
        while let Some(rows) = self.next_rows() {
            sink(rows)?;
        }
        Ok(())
    }

    /// The next finished rows, once they are enough to go on with; none if more rows must come before.
    ///
    /// Where the answer is larger a row completes many. Who takes them one call at a time can hand over what is encoded of them in between.
    pub fn next_rows(&mut self) -> Option<Raster> {
        loop {
            let taken = self.take();
            if taken.is_some() || !self.make_row() {
                return taken;
            }
        }
    }

    /// Makes the next row of the answer, if the rows so far are enough for it and a kernel makes it.
    fn make_row(&mut self) -> bool {
        self.resampler.as_mut().is_some_and(|resampler| resampler.next(&mut self.data))
    }

    /// The rows that are finished and have not been taken, once they are enough to go on with.
    fn take(&mut self) -> Option<Raster> {
        let bytes = self.take;
        let stride = self.size.width() as usize * self.color.channels();
        let rows = (self.data.len() / stride) as u32;
        let all = self.rows_left == 0 && self.made + rows == self.size.height();
        if self.data.len() < bytes.max(stride) && !all {
            return None;
        }
        let dimensions = Dimensions::new(self.size.width(), rows)?;
        self.made += rows;
        let rest = if all { Vec::new() } else { Vec::with_capacity(room(self.take, stride)) };
        Some(Raster { dimensions, channels: self.color.channels(), data: std::mem::replace(&mut self.data, rest) })
    }

    /// [`Error::Internal`] unless every row has been made and taken.
    pub fn check(&self) -> Result<()> {
        if self.rows_left == 0 && self.made == self.size.height() && self.data.is_empty() {
            return Ok(());
        }
        Err(Error::Internal { what: format!("{} rows to come, {} made of {}", self.rows_left, self.made, self.size) })
    }

    /// Adds the next row: `crop.width × channels` samples.
    pub fn push(&mut self, row: Row<'_>) -> Result<()> {
        let samples = match row {
            Row::U8(samples) => samples.len(),
            Row::U16(samples) => samples.len(),
        };
        if samples != self.width * self.layout.channels() || self.rows_left == 0 {
            return Err(Error::Internal { what: format!("a row of {samples} samples, {} rows to go", self.rows_left) });
        }
        self.rows_left -= 1;
        if self.data.capacity() == 0 {
            self.data.reserve_exact(self.room);
        }
        match row {
            Row::U8(samples) => {
                let (mut straight, mut averages) = (std::mem::take(&mut self.straight.0), std::mem::take(&mut self.averages.0));
                self.pass(samples, &mut straight, &mut averages, |samples| Row::U8(samples));
                (self.straight.0, self.averages.0) = (straight, averages);
            }
            Row::U16(samples) => {
                let (mut straight, mut averages) = (std::mem::take(&mut self.straight.1), std::mem::take(&mut self.averages.1));
                self.pass(samples, &mut straight, &mut averages, |samples| Row::U16(samples));
                (self.straight.1, self.averages.1) = (straight, averages);
            }
        }
        Ok(())
    }

    fn pass<S: Sample>(&mut self, samples: &[S], straight: &mut Vec<S>, averages: &mut Vec<S>, wrap: impl for<'r> Fn(&'r [S]) -> Row<'r>) {
        let samples = if self.layout.alpha == Alpha::Premultiplied {
            straighten(samples, self.layout.channels(), straight);
            straight.as_slice()
        } else {
            samples
        };
        let Some(shrink) = &mut self.shrink else { return self.deliver(wrap(samples)) };
        let full = shrink.push(samples);
        if full || (self.rows_left == 0 && shrink.is_begun()) {
            shrink.take(averages);
            self.deliver(wrap(averages));
        }
    }

    fn deliver(&mut self, row: Row<'_>) {
        match &mut self.resampler {
            None => self.color.convert(row, &mut self.data),
            Some(resampler) => {
                self.converted.clear();
                self.color.convert(row, &mut self.converted);
                resampler.push(&self.converted);
            }
        }
    }
}

/// Bytes of rows, of `stride` bytes each, that are kept until they are at least `enough`.
fn room(enough: usize, stride: usize) -> usize {
    enough.saturating_add(stride)
}

/// Divides colours by alpha.
fn straighten<S: Sample>(samples: &[S], channels: usize, out: &mut Vec<S>) {
    out.clear();
    for pixel in samples.chunks_exact(channels) {
        let alpha = u64::from(pixel[channels - 1].to_u32());
        for color in &pixel[..channels - 1] {
            let value = (u64::from(color.to_u32()) * u64::from(S::MAX) + alpha / 2).checked_div(alpha).unwrap_or(0);
            out.push(S::from_u32(value.min(S::MAX.into()) as u32));
        }
        out.push(pixel[channels - 1]);
    }
}
