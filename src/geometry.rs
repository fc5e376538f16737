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

    /// The smallest box that holds the image turned clockwise by `degrees`.
    pub fn rotated(self, degrees: f64) -> Self {
        let (sin, cos) = libm::sincos(degrees * (std::f64::consts::PI / 180.0));
        let (width, height) = (f64::from(self.width), f64::from(self.height));
        // A hair less than a whole pixel is rounding, not content. `as` saturates.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let side = |value: f64| (value - 1e-6).ceil() as u32;
        Self::at_least_one(side((width * cos).abs() + (height * sin).abs()), side((width * sin).abs() + (height * cos).abs()))
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
