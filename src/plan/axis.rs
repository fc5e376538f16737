//! How one side of an answer is made from one side of a level.
//!
//! Everything here depends on the level and the scale only, never on the memory that a request may take: so a tile has the same pixels as that part of the
//! whole level.
//!
//! - A reduction by a whole number is the average of boxes, which begin where the region begins. No kernel follows.
//! - At any other scale a Lanczos kernel makes the answer. It reads beyond the edges of the region, so that the pixels at an edge do not depend on where the
//!   region ends. Large reductions average boxes first; these begin at multiples of their side, counted from the level's origin.

use super::{LOBES, Reach};

/// The smallest side that a box average may leave, in multiples of the wanted side, before a kernel makes the rest: below that the box could be seen.
const LEFT_TO_KERNEL: f64 = 2.0;

/// Pixels of a side from which on the one that is missing or too much at its end is not seen.
const LARGE: u32 = 64;

/// One side of a rendering.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    /// The first pixel of the level that is decoded.
    pub from: u32,
    /// One past the last pixel of the level that is decoded.
    pub to: u32,
    /// Where the region begins, px of the level after `from`.
    pub start: f64,
    /// Length of the region, px of the level.
    pub length: f64,
    /// Pixels of the answer.
    pub size: u32,
    /// Boxes of this many pixels are averaged first.
    pub shrink: u32,
    /// Pixels of the first box, which is narrower where a side that is flipped begins at the image's border. The last box may be narrower, too.
    pub first: u32,
    /// The averages are the answer's pixels. Where the level ends before the answer does, its last pixel is repeated.
    pub boxed: bool,
}

/// One side of a region and of the level that it is read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    /// Edges of the region, px of the full image.
    pub from: u32,
    pub to: u32,
    /// Length of the full image, px.
    pub whole: u32,
    /// Length of the level, px.
    pub level: u32,
    /// How many times the level is smaller than the full image.
    pub factor: u32,
    /// Where the border of the full image lies in the level, px.
    pub border: f64,
    /// Pixels of the answer.
    pub size: u32,
    /// Whether the orientation of the image flips this side: the region's first pixel as it is seen lies at `to`.
    pub flipped: bool,
    /// 2 where planes may be resampled of which one has a sample for two pixels, so that kernels reach twice as far; else 1.
    pub reach: u32,
}

impl Side {
    /// How many pixels of the full image make one of the answer, if that is a whole number: at the image's border the last one may be made of fewer.
    ///
    /// Sizes of levels and edge tiles are rounded up by viewers, and up or down by those who write pyramids. A small `size` that is not exactly that many times
    /// smaller counts only if the level itself, or the level halved some times, has that size: else the last pixel would stand for too few.
    fn whole_number(&self) -> Option<u32> {
        let length = self.to.saturating_sub(self.from);
        let at_border = if self.flipped { self.from == 0 } else { self.to == self.whole };
        let counts = |times: u32| {
            let difference = u64::from(self.size).saturating_mul(u64::from(times)).abs_diff(length.into());
            let halved = times.checked_div(self.factor).is_some_and(|by| by.is_power_of_two() && times.is_multiple_of(self.factor));
            let rounded = at_border && difference < u64::from(times);
            times > 0 && (difference == 0 || (rounded && (halved || self.size >= LARGE)))
        };
        let rounded = (length.div_ceil(self.size.max(1)), length.checked_div(self.size).unwrap_or(0));
        // One or two pixels may be many numbers of times smaller.
        let halved = rounded.0.div_ceil(self.factor.max(1)).checked_next_power_of_two().and_then(|by| by.checked_mul(self.factor));
        let candidates = [rounded.0, rounded.1, halved.unwrap_or(0)];
        let of_level = candidates.into_iter().find(|times| times.is_multiple_of(self.factor) && counts(*times));
        of_level.or_else(|| candidates.into_iter().find(|times| counts(*times)))
    }

    /// Pixels of the full image for one of the answer.
    pub fn scale(&self) -> f64 {
        self.whole_number().map_or_else(|| f64::from(self.to.saturating_sub(self.from)) / f64::from(self.size), f64::from)
    }

    /// How this side is made.
    pub fn axis(&self) -> Axis {
        self.whole_number().and_then(|times| self.boxed(times)).unwrap_or_else(|| self.resampled())
    }

    fn boxed(&self, times: u32) -> Option<Axis> {
        if self.flipped {
            return self.boxed_from_end(times);
        }
        let aligned = self.from.is_multiple_of(self.factor) && times.is_multiple_of(self.factor);
        let shrink = times.checked_div(self.factor).filter(|_| aligned)?;
        // The last pixels of the image may lie beyond a level whose side was rounded down.
        let from = self.from.checked_div(self.factor)?.min(self.level.saturating_sub(1));
        let to = from.saturating_add(self.size.saturating_mul(shrink)).min(self.level);
        Some(Axis { from, to, start: 0.0, length: f64::from(to.saturating_sub(from)), size: self.size, shrink, first: shrink, boxed: true })
    }

    /// The same where boxes are counted from the end. A level whose side was rounded does not end on a whole pixel of its own: there a kernel must do.
    fn boxed_from_end(&self, times: u32) -> Option<Axis> {
        let aligned = self.to.is_multiple_of(self.factor) && times.is_multiple_of(self.factor);
        let shrink = times.checked_div(self.factor).filter(|_| aligned)?;
        let to = self.to.checked_div(self.factor)?.min(self.level);
        let all = self.size.saturating_mul(shrink);
        let from = to.saturating_sub(all);
        // How much of the first box lies beyond the image. Where that is all of it, there is no pixel for it.
        let first = shrink.checked_sub(all.saturating_sub(to)).filter(|first| *first > 0)?;
        Some(Axis { from, to, start: 0.0, length: f64::from(to.saturating_sub(from)), size: self.size, shrink, first, boxed: true })
    }

    /// The region in the level's own pixels. An edge on the image's border is on the level's border, wherever rounding put that.
    fn resampled(&self) -> Axis {
        let edge = |at: u32| if at == self.whole { self.border } else { (f64::from(at) / f64::from(self.factor)).min(self.border) };
        let (mut start, end) = (edge(self.from), edge(self.to));
        // A region of the last few pixels may fall beyond a level that was rounded down.
        if start >= end {
            start = (end - 1.0).max(0.0);
        }
        let (size, reach) = (self.size, self.reach.max(1));
        let scale = match self.whole_number() {
            // The last pixel of the answer, as it is seen, may reach beyond the border.
            Some(times) => f64::from(times) / f64::from(self.factor),
            None => (end - start) / f64::from(size),
        };
        let length = scale * f64::from(size);
        if self.flipped {
            start = end - length;
        }
        let shrink = whole_part(scale / LEFT_TO_KERNEL);
        let boxes = shrink.saturating_mul(reach);
        let margin = LOBES * (scale / f64::from(shrink)).max(1.0) * f64::from(boxes) + 1.0;
        // `as` saturates.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let outward = ((start - margin).floor().max(0.0) as u32, (end + margin).ceil() as u32);
        let from = outward.0.saturating_sub(outward.0.checked_rem(boxes).unwrap_or(0)).min(self.level.saturating_sub(1));
        let to = outward.1.checked_next_multiple_of(boxes).unwrap_or(u32::MAX).min(self.level);
        Axis { from, to, start: start - f64::from(from), length, size, shrink, first: shrink, boxed: false }
    }
}

impl Axis {
    /// All of a level, as it is.
    pub fn full(level: u32) -> Self {
        Self { from: 0, to: level, start: 0.0, length: level.into(), size: level, shrink: 1, first: 1, boxed: true }
    }

    /// Pixels of the level that are decoded.
    pub fn decoded(&self) -> u32 {
        self.to.saturating_sub(self.from)
    }

    /// The decoded pixels after the box average.
    pub fn averaged(&self) -> u32 {
        self.decoded().saturating_add(self.missing()).div_ceil(self.shrink.max(1))
    }

    /// Pixels of the first box that lie before the image.
    fn missing(&self) -> u32 {
        self.shrink.saturating_sub(self.first)
    }

    /// Pixels of the level for one of the answer.
    pub fn scale(&self) -> f64 {
        if self.boxed { self.shrink.into() } else { self.length / f64::from(self.size) }
    }

    /// Whether the decoded pixels are those of the answer.
    pub fn is_exact(&self) -> bool {
        self.boxed && self.shrink == 1 && self.decoded() == self.size
    }

    /// Whether a kernel is needed behind the box average.
    pub fn is_resampled(&self) -> bool {
        !self.boxed || self.averaged() != self.size
    }

    /// How the kernel lies over the averages.
    pub fn reach(&self) -> Reach {
        if self.boxed {
            return Reach::identity(self.averaged());
        }
        let shrink = f64::from(self.shrink);
        Reach::new(self.start / shrink, self.length / shrink, self.averaged(), self.size)
    }

    /// The decoded pixels that the pixels `from..to` of the answer are made of, counted from the first decoded one. They begin and end with whole boxes.
    pub fn source_of(&self, from: u32, to: u32) -> (u32, u32) {
        let (start, stop) = self.reach().span(from, to);
        let place = |average: u32| average.saturating_mul(self.shrink).saturating_sub(self.missing()).min(self.decoded());
        (place(start), place(stop))
    }

    /// The averages that decoded pixels `from..to` become, which are [those of some pixels of the answer](Self::source_of).
    pub fn averages(&self, from: u32, to: u32) -> (u32, u32) {
        let place = |pixel: u32| if pixel == 0 { 0 } else { pixel.saturating_add(self.missing()) };
        (place(from).checked_div(self.shrink).unwrap_or(0), place(to).div_ceil(self.shrink.max(1)))
    }

    /// The same side of a component that has a sample for `stored` pixels of the level and for `made` pixels of the answer. Samples lie in the middle of
    /// their pixels (JFIF, clause 4), so that places are divided as edges are. The last ones may reach beyond the image.
    pub fn of_component(&self, stored: usize, made: usize) -> Self {
        let side = |factor: usize| u32::try_from(factor).unwrap_or(1).max(1);
        let (stored, made) = (side(stored), side(made));
        let (from, to, size) = (self.from.checked_div(stored).unwrap_or(self.from), self.to.div_ceil(stored), self.size.div_ceil(made));
        let pixels = self.shrink.saturating_mul(made);
        if self.boxed && self.missing() == 0 && pixels.is_multiple_of(stored) && self.from.is_multiple_of(stored) {
            let shrink = pixels.checked_div(stored).unwrap_or(1);
            let to = from.saturating_add(size.saturating_mul(shrink)).min(to);
            return Self { from, to, start: 0.0, length: f64::from(to.saturating_sub(from)), size, shrink, first: shrink, boxed: true };
        }
        let start = (f64::from(self.from) + self.start) / f64::from(stored) - f64::from(from);
        // In this order whole numbers stay whole.
        let length = self.scale() * (f64::from(size) * f64::from(made)) / f64::from(stored);
        let shrink = match () {
            () if made >= stored => self.shrink,
            // Boxes of a coarser plane are smaller, and begin where those of the others do.
            () => (2..=self.shrink).find(|part| self.shrink.is_multiple_of(*part)).and_then(|part| self.shrink.checked_div(part)).unwrap_or(1),
        };
        Self { from, to, start, length, size, shrink, first: shrink, boxed: false }
    }
}

/// The whole part, at least 1.
fn whole_part(value: f64) -> u32 {
    // `as` saturates, and NaN becomes 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = value as u32;
    whole.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A region of a full image of `whole` px, read from a level of `level` px.
    fn side(from: u32, to: u32, whole: u32, (level, factor): (u32, u32), size: u32) -> Axis {
        Side { from, to, whole, level, factor, border: level.into(), size, flipped: false, reach: 1 }.axis()
    }

    #[test]
    fn tiles_of_a_level_are_its_pixels() {
        let axis = side(1024, 2048, 3100, (1550, 2), 512);
        assert!(axis.is_exact() && (axis.from, axis.to) == (512, 1024), "{axis:?}");
        // The last tile ends with the level, though 2077 is odd. The level's side may be rounded up or down.
        let axis = side(2048, 2077, 2077, (1039, 2), 15);
        assert!(axis.is_exact() && (axis.from, axis.to) == (1024, 1039), "{axis:?}");
        let axis = side(2048, 2077, 2077, (1038, 2), 15);
        assert!(axis.boxed && axis.is_resampled() && (axis.from, axis.to) == (1024, 1038), "{axis:?}");
        assert_eq!(axis.source_of(13, 15), (13, 14), "the last pixel is repeated");
        let axis = side(2048, 2077, 2077, (1038, 2), 14);
        assert!(axis.is_exact() && (axis.from, axis.to) == (1024, 1038), "{axis:?}");
    }

    #[test]
    fn a_region_beyond_a_level_that_was_rounded_down_still_has_a_pixel() {
        let axis = side(2076, 2077, 2077, (1038, 2), 1);
        assert!(axis.from <= 1037 && axis.to == 1038 && axis.start + axis.length <= 1038.0, "{axis:?}");
    }

    #[test]
    fn reductions_by_whole_numbers_are_box_averages() {
        for (from, to, whole, size, shrink) in
            [(0, 4000, 4000, 500, 8), (0, 3999, 3999, 500, 8), (512, 1024, 3999, 256, 2), (3, 1003, 4000, 100, 10), (0, 3999, 3999, 400, 10)]
        {
            let axis = side(from, to, whole, (whole, 1), size);
            assert!(axis.boxed && axis.shrink == shrink && axis.averaged() == size, "{axis:?}");
        }
        // 2.5 pixels are not 3, where the last box would have one pixel only.
        assert!(!side(0, 10, 10, (10, 1), 4).boxed);
        assert!(!side(0, 1001, 4000, (4000, 1), 501).boxed, "a region that ends within the image");
    }

    #[test]
    fn boxes_of_a_flipped_side_begin_at_its_end() {
        let flipped = |from, to, size| Side { from, to, whole: 61, level: 61, factor: 1, border: 61.0, size, flipped: true, reach: 1 }.axis();
        let axis = flipped(0, 61, 31);
        assert_eq!((axis.from, axis.to, axis.first, axis.averaged()), (0, 61, 1, 31));
        assert_eq!((axis.source_of(0, 1), axis.source_of(1, 3)), ((0, 1), (1, 5)));
        let axis = flipped(29, 61, 16);
        assert_eq!((axis.from, axis.to, axis.first, axis.averaged()), (29, 61, 2, 16));
    }

    #[test]
    fn kernels_read_beyond_the_region_and_boxes_begin_at_multiples() {
        let axis = side(1500, 2250, 6000, (6000, 1), 500);
        assert_eq!((axis.from, axis.to, axis.start, axis.shrink), (1494, 2256, 6.0, 1));
        let axis = side(1500, 2250, 6000, (6000, 1), 100);
        assert_eq!((axis.shrink, axis.from % 3, axis.to % 3), (3, 0, 0), "{axis:?}");
        assert!(axis.from <= 1500 - 22 && axis.to >= 2250 + 22, "{axis:?}");
        // At the image's border there is nothing to read beyond.
        let axis = side(5250, 6000, 6000, (6000, 1), 500);
        assert_eq!((axis.from, axis.to), (5244, 6000));
    }

    #[test]
    fn samples_lie_in_the_middle_of_their_pixels() {
        let exact = |from, to| Axis { from, to, start: 0.0, length: f64::from(to - from), size: to - from, shrink: 1, first: 1, boxed: true };
        // Pixels 5 to 15 are samples 2 to 8 of chroma, from the middle of the first on.
        let chroma = exact(5, 15).of_component(2, 2);
        assert_eq!((chroma.from, chroma.to, chroma.start, chroma.length, chroma.size), (2, 8, 0.5, 5.0, 5));
        assert!(exact(4, 14).of_component(2, 2).is_exact());
        // Of an odd size the last sample stands for a pixel that is not there.
        let general = Axis { from: 4, to: 14, start: 0.5, length: 9.0, size: 3, shrink: 1, first: 1, boxed: false };
        let chroma = general.of_component(2, 2);
        assert_eq!((chroma.from, chroma.to, chroma.start, chroma.length, chroma.size), (2, 7, 0.25, 6.0, 2));
        // From 4:2:0 to 4:4:4.
        let chroma = Axis { size: 20, length: 10.0, boxed: false, ..exact(4, 14) }.of_component(2, 1);
        assert_eq!((chroma.from, chroma.to, chroma.start, chroma.length, chroma.size), (2, 7, 0.0, 5.0, 20));
        // Boxes of 4 px are boxes of 2 samples of chroma.
        let chroma = Axis { shrink: 4, first: 4, size: 4, ..exact(16, 32) }.of_component(2, 1);
        assert_eq!((chroma.boxed, chroma.shrink, chroma.from, chroma.to, chroma.size), (true, 2, 8, 16, 4));
    }
}
