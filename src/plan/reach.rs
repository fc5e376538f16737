//! Where the kernel of the resampler lies, along one axis; and which rows a rotated one crosses.

use crate::geometry::Dimensions;

/// Lanczos with three lobes.
pub(crate) const LOBES: f64 = 3.0;

/// For each output position, which inputs its kernel spans.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    left: f64,
    scale: f64,
    /// Inputs an output needs.
    pub taps: u32,
    from: u32,
    /// Every output is the input at its own place.
    identity: bool,
}

impl Reach {
    /// Outputs are inputs; behind the last of `from` inputs it is repeated.
    pub fn identity(from: u32) -> Self {
        Self { left: 0.0, scale: 1.0, taps: 1, from, identity: true }
    }

    /// `len` px from `left`, out of `from` px, to `to` px.
    pub fn new(left: f64, len: f64, from: u32, to: u32) -> Self {
        let scale = len / f64::from(to);
        // `as` saturates, and NaN becomes 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let taps = ((LOBES * scale.max(1.0) * 2.0).ceil() as u32).saturating_add(1).min(from);
        Self { left, scale, taps, from, identity: false }
    }

    /// Inputs to a unit of the kernel.
    pub fn stretch(&self) -> f64 {
        self.scale.max(1.0)
    }

    /// The middle of an output position, px of the input. That of a pixel of which only a part lies within the image is kept within it.
    pub fn center(&self, index: u32) -> f64 {
        (self.left + (f64::from(index) + 0.5) * self.scale).clamp(0.0, self.from.into())
    }

    /// Whether every output is the input at its own place.
    pub fn is_identity(&self) -> bool {
        self.identity
    }

    /// The first input that an output needs.
    pub fn start(&self, index: u32) -> u32 {
        if self.identity {
            return index.min(self.from.saturating_sub(1));
        }
        let first = (self.center(index) - LOBES * self.stretch()).floor().max(0.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let first = first as u32;
        first.min(self.from.saturating_sub(self.taps))
    }

    /// The inputs that the outputs `from..to` need; empty if there are none.
    pub fn span(&self, from: u32, to: u32) -> (u32, u32) {
        let Some(last) = to.checked_sub(1).filter(|last| *last >= from) else { return (0, 0) };
        (self.start(from), self.start(last).saturating_add(self.taps))
    }
}

/// Rows of an image that are held at a time while it is rotated by an angle from -45 to 45 degrees: an output row crosses so many.
pub(crate) fn rows_to_rotate(size: Dimensions, degrees: f64) -> u32 {
    let tangent = libm::fabs(libm::tan(degrees * (std::f64::consts::PI / 180.0)));
    // A row within the image is at most its width long, and two pixels around it are looked at. `as` saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rows = (f64::from(size.width().saturating_add(2)) * tangent).ceil() as u32;
    rows.saturating_add(4).min(size.height())
}
