//! The plan for one component of an image that is resampled in planes.

use super::{Frame, Rendering};
use crate::geometry::{Dimensions, Rect};

impl Rendering {
    /// The same for a component that has a sample for `stored` pixels of the level and for `made` pixels of the answer, across and down. Samples lie in the
    /// middle of their pixels (JFIF, clause 4), so that places are divided as edges are. The last ones may reach beyond the image.
    pub fn of_component(&self, stored: (usize, usize), made: (usize, usize)) -> Self {
        let (crop, frame) = (self.crop, self.frame);
        let across = axis((crop.x(), crop.right()), (frame.left, frame.width), self.size.width(), stored.0, made.0);
        let down = axis((crop.y(), crop.bottom()), (frame.top, frame.height), self.size.height(), stored.1, made.1);
        Self {
            crop: Rect::from_edges(across.from, down.from, across.to, down.to).unwrap_or(crop),
            frame: Frame { left: across.start, width: across.length, top: down.start, height: down.length },
            size: Dimensions::at_least_one(across.size, down.size),
            ..self.clone()
        }
    }
}

/// One side of a component.
struct Axis {
    /// Samples that are read.
    from: u32,
    to: u32,
    /// What of them is shown.
    start: f64,
    length: f64,
    /// Samples that are made.
    size: u32,
}

fn axis((from, to): (u32, u32), (start, length): (f64, f64), size: u32, stored: usize, made: usize) -> Axis {
    let side = |factor: usize| u32::try_from(factor).unwrap_or(1).max(1);
    let (stored, made) = (side(stored), side(made));
    let first = from.checked_div(stored).unwrap_or(from);
    let samples = size.div_ceil(made);
    Axis {
        from: first,
        to: to.div_ceil(stored),
        start: (f64::from(from) + start) / f64::from(stored) - f64::from(first),
        // In this order whole numbers stay whole.
        length: length * (f64::from(samples) * f64::from(made)) / f64::from(size) / f64::from(stored),
        size: samples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_in_the_middle_of_their_pixels() {
        // Pixels 5 to 15 are samples 2 to 8 of chroma, from the middle of the first on.
        let chroma = axis((5, 15), (0.0, 10.0), 10, 2, 2);
        assert_eq!((chroma.from, chroma.to, chroma.start, chroma.length, chroma.size), (2, 8, 0.5, 5.0, 5));
        // Of an odd size the last sample stands for a pixel that is not there.
        let chroma = axis((4, 14), (0.5, 9.0), 3, 2, 2);
        assert_eq!((chroma.from, chroma.to, chroma.start, chroma.length, chroma.size), (2, 7, 0.25, 6.0, 2));
        // From 4:2:0 to 4:4:4.
        let chroma = axis((4, 14), (0.0, 10.0), 20, 2, 1);
        assert_eq!((chroma.from, chroma.to, chroma.start, chroma.length, chroma.size), (2, 7, 0.0, 5.0, 20));
    }
}
