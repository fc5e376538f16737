//! Which level to read, and what part of it.

use super::Frame;
use crate::geometry::{Dimensions, Rect};
use crate::pyramid::{Body, Pyramid, Whole, WholeMode};

/// A level: its index in a TIFF, its size, and how many times smaller it is.
pub(super) struct Choice {
    pub level: Option<usize>,
    pub size: Dimensions,
    pub factor: u32,
    /// Where the image's right and bottom borders lie in it, px.
    pub border: (f64, f64),
}

/// Reductions of a JPEG's blocks, and how many times the wanted size the region must still have after it. Cutting a block's higher frequencies off is a coarser
/// filter than the resampler's, which therefore makes the last step; against Lanczos alone that gives, dB:
///
/// | | photograph | page of text | map |
/// |---|---|---|---|
/// | 2048 px to 512 by 1/4 | 47.5 | 28.8 | 36.9 |
/// | 2048 px to 512 by 1/2 and the resampler | 52.0 | 40.7 | 46.3 |
/// | 2048 px to 400 by 1/4 | 49.5 | 29.8 | 38.7 |
/// | 2048 px to 400 by 1/2 | 54.2 | 42.8 | 48.4 |
/// | 2048 px to 256 by 1/8 | 46.2 | 26.4 | 37.0 |
/// | 2048 px to 256 by 1/4 | 53.7 | 36.9 | 44.3 |
/// | 2048 px to 200 by 1/8 | 47.5 | 28.5 | 39.4 |
/// | 2048 px to 200 by 1/4 | 55.1 | 43.1 | 47.0 |
///
/// The means of blocks alone cost half of what anything else does, and make thumbnails: for them the resampler has less to do.
const REDUCTIONS: [(u32, f64); 3] = [(8, 1.25), (4, 2.0), (2, 2.0)];

/// The smallest level in which the region has at least the wanted size; of a JPEG, as much more as [`REDUCTIONS`] say.
pub(super) fn choose(pyramid: &Pyramid, region: Rect, size: Dimensions) -> Choice {
    let enough = |factor: u32| size.fits_in(region.dimensions().reduced(factor));
    match &pyramid.body {
        Body::Tiff(tiff) => {
            let fitting = tiff.levels.iter().enumerate().rev().find(|(_, level)| enough(level.scale_factor));
            let (index, size, factor) = match fitting.or(tiff.levels.first().map(|level| (0, level))) {
                Some((index, level)) => (Some(index), level.dimensions, level.scale_factor),
                None => (None, pyramid.stored, 1),
            };
            // Who made the level rounded its sides up or down: its border is the image's.
            Choice { level: index, size, factor, border: (size.width().into(), size.height().into()) }
        }
        body @ (Body::Whole(_) | Body::Scan(_)) => {
            let is_jpeg = matches!(body, Body::Scan(_) | Body::Whole(Whole { mode: WholeMode::Jpeg { .. }, .. }));
            let enough = |factor: u32, times: f64| {
                let reduced = region.dimensions().reduced(factor);
                f64::from(reduced.width()) >= times * f64::from(size.width()) && f64::from(reduced.height()) >= times * f64::from(size.height())
            };
            let factor = REDUCTIONS.iter().filter(|_| is_jpeg).find(|(factor, times)| enough(*factor, *times)).map_or(1, |(factor, _)| *factor);
            // The last pixel of a reduced image stands for fewer, and what fills it lies beyond the border.
            let reduced = |side: u32| f64::from(side) / f64::from(factor);
            let border = (reduced(pyramid.stored.width()), reduced(pyramid.stored.height()));
            Choice { level: None, size: pyramid.stored.reduced(factor), factor, border }
        }
    }
}

/// The region in a level's own pixels: the whole pixels it touches, and its exact place within them.
///
/// An edge on the image's border is on the level's border, wherever rounding put that.
pub(super) fn crop(region: Rect, stored: Dimensions, choice: &Choice) -> Option<(Rect, Frame)> {
    let axis = |from: u32, to: u32, whole: u32, level: u32, border: f64| {
        let edge = |at: u32| if at == whole { border } else { (f64::from(at) / f64::from(choice.factor)).min(border) };
        let (mut start, end) = (edge(from), edge(to));
        // A region of the last few pixels may fall beyond a level that was rounded down.
        if start >= end {
            start = (end - 1.0).max(0.0);
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let outward = (start.floor() as u32, (end.ceil() as u32).min(level));
        (start, end, outward.0, outward.1)
    };
    let (left, right, x0, x1) = axis(region.x(), region.right(), stored.width(), choice.size.width(), choice.border.0);
    let (top, bottom, y0, y1) = axis(region.y(), region.bottom(), stored.height(), choice.size.height(), choice.border.1);
    let crop = Rect::from_edges(x0, y0, x1, y1)?;
    Some((crop, Frame { left: left - f64::from(x0), top: top - f64::from(y0), width: right - left, height: bottom - top }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crop_of(region: [u32; 4], stored: [u32; 2], level: [u32; 2], factor: u32) -> (Rect, Frame) {
        let rect = Rect::new(region[0], region[1], region[2], region[3]).unwrap();
        let size = |[width, height]: [u32; 2]| Dimensions::new(width, height).unwrap();
        let border = (level[0].into(), level[1].into());
        crop(rect, size(stored), &Choice { level: None, size: size(level), factor, border }).unwrap()
    }

    #[test]
    fn tiles_of_a_level_lie_on_its_pixels() {
        let (rect, frame) = crop_of([1024, 1024, 1024, 1024], [3100, 2077], [1550, 1039], 2);
        assert_eq!((rect.to_string().as_str(), frame.width, frame.left), ("512,512,512,512", 512.0, 0.0));
        // The last row of tiles ends with the level, though 2077 is odd; rounded up or down.
        let (rect, frame) = crop_of([0, 2048, 1024, 29], [3100, 2077], [1550, 1039], 2);
        assert_eq!((rect.to_string().as_str(), frame.height), ("0,1024,512,15", 15.0));
        let (rect, _) = crop_of([0, 2048, 1024, 29], [3100, 2077], [1550, 1038], 2);
        assert_eq!(rect.to_string(), "0,1024,512,14");
    }

    #[test]
    fn a_region_beyond_a_level_that_was_rounded_down_still_has_a_pixel() {
        let (rect, _) = crop_of([2076, 2076, 1, 1], [2077, 2077], [1038, 1038], 2);
        assert_eq!(rect.to_string(), "1037,1037,1,1");
    }
}
