//! The eight orientations of a raster, as EXIF and TIFF tag 274 (Orientation) number them. They also serve for the rotations by right angles and the mirroring
//! of the IIIF Image API.

use crate::geometry::{Dimensions, Rect};
use crate::jpeg::Turn;

impl From<Orientation> for Turn {
    /// The JPEG engine flips the raster after it has transposed it. So if it transposes, the two flips change places.
    fn from(Orientation { transpose, flip_x, flip_y }: Orientation) -> Self {
        let (flipped_across, flipped_down) = if transpose { (flip_y, flip_x) } else { (flip_x, flip_y) };
        Self { transposed: transpose, flipped_across, flipped_down }
    }
}

/// One of the eight orientations.
///
/// A pixel of the result at `(x, y)` is the stored pixel found by exchanging `x` and `y` if `transpose`, then counting from the stored right edge if
/// `flip_x` and from the stored bottom edge if `flip_y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Orientation {
    pub(crate) transpose: bool,
    pub(crate) flip_x: bool,
    pub(crate) flip_y: bool,
}

impl Orientation {
    /// The raster as it is stored.
    pub const NORMAL: Self = Self::new(false, false, false);
    /// Left and right are exchanged.
    pub const MIRRORED: Self = Self::new(false, true, false);

    const fn new(transpose: bool, flip_x: bool, flip_y: bool) -> Self {
        Self { transpose, flip_x, flip_y }
    }

    /// From the value of the EXIF or TIFF tag; any value but 2 to 8 means as stored.
    pub fn from_tag(value: u64) -> Self {
        match value {
            2 => Self::MIRRORED,
            3 => Self::new(false, true, true),
            4 => Self::new(false, false, true),
            5 => Self::new(true, false, false),
            6 => Self::new(true, false, true),
            7 => Self::new(true, true, true),
            8 => Self::new(true, true, false),
            _ => Self::NORMAL,
        }
    }

    /// Rotates clockwise by `turns` quarter turns.
    pub fn quarter_turns(turns: u8) -> Self {
        match turns % 4 {
            1 => Self::from_tag(6),
            2 => Self::from_tag(3),
            3 => Self::from_tag(8),
            _ => Self::NORMAL,
        }
    }

    /// Whether the rows of the result are the stored rows in their order, though each may be mirrored.
    pub fn is_upright(self) -> bool {
        !self.transpose && !self.flip_y
    }

    /// This orientation first, then `next`.
    pub fn then(self, next: Self) -> Self {
        let (flip_x, flip_y) = if self.transpose { (next.flip_y, next.flip_x) } else { (next.flip_x, next.flip_y) };
        Self { transpose: self.transpose != next.transpose, flip_x: self.flip_x != flip_x, flip_y: self.flip_y != flip_y }
    }

    /// The size of the result for a stored size, or the reverse: both directions only exchange the sides.
    pub fn apply(self, stored: Dimensions) -> Dimensions {
        if self.transpose { stored.transposed() } else { stored }
    }

    /// Where a rectangle of the result lies in the stored raster of size `stored`; `None` if it reaches beyond it.
    pub fn to_stored(self, seen: Rect, stored: Dimensions) -> Option<Rect> {
        let (x, y) = if self.transpose { (seen.y(), seen.x()) } else { (seen.x(), seen.y()) };
        let size = self.apply(seen.dimensions());
        let flip = |flip: bool, at: u32, len: u32, whole: u32| if flip { whole.checked_sub(at)?.checked_sub(len) } else { Some(at) };
        let left = flip(self.flip_x, x, size.width(), stored.width())?;
        let top = flip(self.flip_y, y, size.height(), stored.height())?;
        Rect::new(left, top, size.width(), size.height())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_quarter_turns_and_two_mirrors_change_nothing() {
        let turn = Orientation::quarter_turns(1);
        assert_eq!(turn.then(turn), Orientation::quarter_turns(2));
        assert_eq!(turn.then(turn).then(turn), Orientation::quarter_turns(3));
        assert_eq!(turn.then(turn).then(turn).then(turn), Orientation::NORMAL);
        assert_eq!(Orientation::MIRRORED.then(Orientation::MIRRORED), Orientation::NORMAL);
        assert_eq!(Orientation::from_tag(6).then(Orientation::MIRRORED), Orientation::from_tag(5));
    }

    #[test]
    fn the_top_left_corner_as_seen_is_found_in_the_file() {
        let stored = Dimensions::new(30, 20).unwrap();
        let corner = Rect::new(0, 0, 2, 1).unwrap();
        let found = |tag| Orientation::from_tag(tag).to_stored(corner, stored).unwrap().to_string();
        assert_eq!([1, 2, 3, 4].map(found), ["0,0,2,1", "28,0,2,1", "28,19,2,1", "0,19,2,1"]);
        assert_eq!([5, 6, 7, 8].map(found), ["0,0,1,2", "0,18,1,2", "29,18,1,2", "29,0,1,2"]);
    }
}
