//! Which level to read, and what part of it.

use super::axis::Side;
use crate::geometry::{Dimensions, Rect};
use crate::pyramid::{Body, Orientation, Pyramid, Whole, WholeMode};

/// A level: its index in a TIFF, its size, and how many times smaller it is.
pub(super) struct Choice {
    pub level: Option<usize>,
    pub size: Dimensions,
    pub factor: u32,
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

/// What of a level the region is.
pub(super) struct Place {
    pub across: Side,
    pub down: Side,
}

/// The smallest level in which the region has at least the wanted size; of a JPEG, as much more as [`REDUCTIONS`] say. `reach` is that of [`Side`].
pub(super) fn choose(pyramid: &Pyramid, region: Rect, size: Dimensions, reach: u32) -> (Choice, Place) {
    match &pyramid.body {
        Body::Levels(levels) => {
            let enough = |factor: u32| size.fits_in(region.dimensions().reduced(factor));
            let fitting = levels.iter().enumerate().rev().find(|(_, level)| enough(level.scale_factor));
            let choice = match fitting.or(levels.first().map(|level| (0, level))) {
                Some((index, level)) => Choice { level: Some(index), size: level.dimensions, factor: level.scale_factor },
                None => Choice { level: None, size: pyramid.stored, factor: 1 },
            };
            // Who made the level rounded its sides up or down: its border is the image's.
            let border = |side: u32| f64::from(side);
            let place = Place::new(&choice, region, pyramid, size, (border(choice.size.width()), border(choice.size.height())), reach);
            (choice, place)
        }
        body @ (Body::Whole(_) | Body::Scan(_)) => {
            let is_jpeg = matches!(body, Body::Scan(_) | Body::Whole(Whole { mode: WholeMode::Jpeg { .. }, .. }));
            let full = Choice { level: None, size: pyramid.stored, factor: 1 };
            let sides = Place::new(&full, region, pyramid, size, (pyramid.stored.width().into(), pyramid.stored.height().into()), reach);
            let scales = (sides.across.scale(), sides.down.scale());
            let enough = |factor: u32, times: f64| {
                let least = f64::from(factor) * times;
                scales.0 >= least && scales.1 >= least
            };
            // The means of blocks are box averages.
            let is_mean = |factor: u32| factor == 8 && [scales.0, scales.1].iter().all(|scale| scale % 8.0 == 0.0);
            let factor =
                REDUCTIONS.iter().filter(|_| is_jpeg).find(|(factor, times)| enough(*factor, *times) || is_mean(*factor)).map_or(1, |(factor, _)| *factor);
            // The last pixel of a reduced image stands for fewer, and what fills it lies beyond the border.
            let reduced = |side: u32| f64::from(side) / f64::from(factor);
            let border = (reduced(pyramid.stored.width()), reduced(pyramid.stored.height()));
            let choice = Choice { level: None, size: pyramid.stored.reduced(factor), factor };
            let place = Place::new(&choice, region, pyramid, size, border, reach);
            (choice, place)
        }
    }
}

impl Place {
    fn new(choice: &Choice, region: Rect, pyramid: &Pyramid, size: Dimensions, border: (f64, f64), reach: u32) -> Self {
        let Orientation { flip_x, flip_y, .. } = pyramid.orientation;
        let (stored, level, factor) = (pyramid.stored, choice.size, choice.factor);
        Self {
            across: Side {
                from: region.x(),
                to: region.right(),
                whole: stored.width(),
                level: level.width(),
                factor,
                border: border.0,
                size: size.width(),
                flipped: flip_x,
                reach,
            },
            down: Side {
                from: region.y(),
                to: region.bottom(),
                whole: stored.height(),
                level: level.height(),
                factor,
                border: border.1,
                size: size.height(),
                flipped: flip_y,
                reach,
            },
        }
    }
}
