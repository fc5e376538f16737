//! Exact integer geometry: sizes, rectangles, and scaling with stated rounding. Everything is checked.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::arithmetic_side_effects)
)]

use std::fmt;

/// Width and height in px, both at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dimensions {
    width: u32,
    height: u32,
}

impl Dimensions {
    /// `None` if a side is 0.
    pub fn new(width: u32, height: u32) -> Option<Self> {
        (width > 0 && height > 0).then_some(Self { width, height })
    }

    /// Both sides, each raised to at least 1.
    pub fn at_least_one(width: u32, height: u32) -> Self {
        Self { width: width.max(1), height: height.max(1) }
    }

    /// Width, px.
    pub fn width(self) -> u32 {
        self.width
    }

    /// Height, px.
    pub fn height(self) -> u32 {
        self.height
    }

    /// Width × height, px².
    pub fn area(self) -> u64 {
        // 32 bits by 32 bits fit 64.
        u64::from(self.width).saturating_mul(self.height.into())
    }

    /// Width and height exchanged.
    pub fn transposed(self) -> Self {
        Self { width: self.height, height: self.width }
    }

    /// The whole as a rectangle at the origin.
    pub fn rect(self) -> Rect {
        Rect { x: 0, y: 0, size: self }
    }

    /// Each side divided by `factor`, rounded up: the size of the image at a IIIF scale factor.
    pub fn reduced(self, factor: u32) -> Self {
        let factor = factor.max(1);
        Self { width: self.width.div_ceil(factor), height: self.height.div_ceil(factor) }
    }

    /// The smallest box of whole pixels that holds this after a turn by `degrees`, which [`libm`] makes the same on every platform. Its area is at most half the
    /// square of width + height. A side beyond `u32` is `u32::MAX`.
    pub fn rotated(self, degrees: f64) -> Self {
        let radians = degrees * (std::f64::consts::PI / 180.0);
        let (sin, cos) = (libm::sin(radians).abs(), libm::cos(radians).abs());
        let (width, height) = (f64::from(self.width), f64::from(self.height));
        // Less than a millionth of a pixel is rounding, not content. `as` saturates.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let side = |length: f64| (length - 1e-6).ceil() as u32;
        Self::at_least_one(side(width * cos + height * sin), side(width * sin + height * cos))
    }

    /// The largest size of this shape, no larger than this, that `fits`, which must hold for all smaller sizes as well. `None` if not even one pixel fits.
    pub fn largest_that(self, fits: impl Fn(Self) -> bool) -> Option<Self> {
        let longer = self.width.max(self.height);
        let scaled = |longest: u32| {
            let side = |side: u32| scale_round(side, longest.into(), longer.into()).unwrap_or(longest);
            Self::at_least_one(side(self.width), side(self.height))
        };
        // The longer side: the first fits, the second does not.
        let (mut low, mut high) = (0_u32, longer.saturating_add(1));
        while high.saturating_sub(low) > 1 {
            let middle = low.midpoint(high);
            if fits(scaled(middle)) { low = middle } else { high = middle }
        }
        (low > 0).then(|| scaled(low))
    }

    /// Whether both sides are at most the other's.
    pub fn fits_in(self, other: Self) -> bool {
        self.width <= other.width && self.height <= other.height
    }
}

impl fmt::Display for Dimensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.width, self.height)
    }
}

/// A rectangle of at least one pixel whose right and bottom edges are representable in `u32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    x: u32,
    y: u32,
    size: Dimensions,
}

impl Rect {
    /// `None` if a side is 0 or an edge lies beyond `u32`.
    pub fn new(x: u32, y: u32, width: u32, height: u32) -> Option<Self> {
        x.checked_add(width)?;
        y.checked_add(height)?;
        Some(Self { x, y, size: Dimensions::new(width, height)? })
    }

    /// From edges; `None` unless `left < right` and `top < bottom`.
    pub fn from_edges(left: u32, top: u32, right: u32, bottom: u32) -> Option<Self> {
        Self::new(left, top, right.checked_sub(left)?, bottom.checked_sub(top)?)
    }

    /// Left edge, px.
    pub fn x(self) -> u32 {
        self.x
    }

    /// Top edge, px.
    pub fn y(self) -> u32 {
        self.y
    }

    /// Width, px.
    pub fn width(self) -> u32 {
        self.size.width
    }

    /// Height, px.
    pub fn height(self) -> u32 {
        self.size.height
    }

    /// One past the last column.
    pub fn right(self) -> u32 {
        // The constructor checked that it is representable.
        self.x.saturating_add(self.size.width)
    }

    /// One past the last row.
    pub fn bottom(self) -> u32 {
        self.y.saturating_add(self.size.height)
    }

    /// Width and height.
    pub fn dimensions(self) -> Dimensions {
        self.size
    }

    /// The part that both cover.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::from_edges(self.x.max(other.x), self.y.max(other.y), self.right().min(other.right()), self.bottom().min(other.bottom()))
    }

    /// Whether `other` lies wholly inside.
    pub fn contains(self, other: Self) -> bool {
        self.intersection(other) == Some(other)
    }

    /// The same place seen from `origin`'s top left corner; `None` unless this lies right of and below it.
    pub fn relative_to(self, origin: Self) -> Option<Self> {
        Self::new(self.x.checked_sub(origin.x)?, self.y.checked_sub(origin.y)?, self.width(), self.height())
    }
}

impl fmt::Display for Rect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.x, self.y, self.size.width, self.size.height)
    }
}

/// `value × numerator ÷ denominator`, rounded half up. `None` beyond `u32` or for a denominator of 0.
pub fn scale_round(value: u32, numerator: u64, denominator: u64) -> Option<u32> {
    let doubled = u128::from(value).checked_mul(numerator.into())?.checked_mul(2)?;
    let denominator = u128::from(denominator);
    u32::try_from(doubled.checked_add(denominator)?.checked_div(denominator.checked_mul(2)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    #[test]
    fn the_box_of_a_rotated_image() {
        for (degrees, expected) in
            [(45.0, "354×354"), (30.0, "360×324"), (0.0001, "301×201"), (1e-24, "300×200"), (90.0, "200×300"), (135.0, "354×354"), (359.99, "301×201")]
        {
            assert_eq!(size(300, 200).rotated(degrees).to_string(), expected, "{degrees}");
        }
        assert_eq!(size(60_000, 20).rotated(45.0).to_string(), "42441×42441");
        assert_eq!(size(u32::MAX, u32::MAX).rotated(45.0), size(u32::MAX, u32::MAX));
    }

    #[test]
    fn the_box_is_at_most_half_the_square_of_both_sides() {
        for (width, height) in [(300, 200), (60_000, 20), (1000, 1000), (1, 5000)] {
            let most = (f64::from(width + height) + 4.0).powi(2) / 2.0;
            for degrees in 1..360 {
                assert!((size(width, height).rotated(degrees.into()).area() as f64) < most, "{width}×{height} by {degrees}");
            }
        }
    }

    #[test]
    fn the_largest_size_that_fits_keeps_the_shape() {
        let within = |size: Dimensions, width| size.largest_that(|size| size.width() <= width);
        assert_eq!(within(size(300, 200), 150), Some(size(150, 100)));
        assert_eq!(within(size(300, 200), 1000), Some(size(300, 200)));
        assert_eq!(within(size(1, 5000), 1), Some(size(1, 5000)));
        assert_eq!(within(size(300, 200), 0), None);
        assert_eq!(size(u32::MAX, u32::MAX).largest_that(|size| size.area() <= 100), Some(size(10, 10)));
    }
}
