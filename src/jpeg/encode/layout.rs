//! How components lie in MCUs (T.81, A.1.1, A.2).

use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::jpeg::plane::{Plane, Planes};

/// Which components an image has, and how finely chroma is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sampling {
    /// Luminance alone.
    Gray,
    /// 4:4:4: chroma for every pixel.
    S444,
    /// 4:2:2: chroma at half the width.
    S422,
    /// 4:2:0: chroma at half the width and height.
    S420,
}

impl Sampling {
    /// Luma samples for one of chroma, across and down.
    pub fn factors(self) -> (usize, usize) {
        match self {
            Self::Gray | Self::S444 => (1, 1),
            Self::S422 => (2, 1),
            Self::S420 => (2, 2),
        }
    }

    /// Number of planes.
    pub fn components(self) -> usize {
        if self == Self::Gray { 1 } else { 3 }
    }
}

/// The grid of an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub dimensions: Dimensions,
    pub sampling: Sampling,
}

impl Layout {
    /// Sides must fit the 16 bits of a frame header.
    pub fn new(dimensions: Dimensions, sampling: Sampling) -> Result<Self> {
        let longest = dimensions.width().max(dimensions.height());
        if longest > 65_535 {
            return Err(Error::TooLarge { what: "longest side of the format", limit: 65_535 });
        }
        Ok(Self { dimensions, sampling })
    }

    /// Sampling factors of a component.
    pub fn factors(&self, component: usize) -> (usize, usize) {
        if component == 0 { self.sampling.factors() } else { (1, 1) }
    }

    /// MCUs in a row, and rows of them.
    pub fn mcus(&self) -> (usize, usize) {
        let (across, down) = self.sampling.factors();
        (self.width().div_ceil(across.saturating_mul(8)), self.height().div_ceil(down.saturating_mul(8)))
    }

    /// Samples of a component, across and down, without padding.
    pub fn samples(&self, component: usize) -> (usize, usize) {
        if component == 0 {
            return (self.width(), self.height());
        }
        let (across, down) = self.sampling.factors();
        (self.width().div_ceil(across), self.height().div_ceil(down))
    }

    /// Blocks of a component that hold samples of the image, across and down.
    pub fn blocks(&self, component: usize) -> (usize, usize) {
        let (across, down) = self.samples(component);
        (across.div_ceil(8), down.div_ceil(8))
    }

    /// Planes for one MCU row, as wide as the blocks that hold samples.
    pub fn padded_planes(&self) -> Planes {
        let plane = |component| Plane::new(self.blocks(component).0.saturating_mul(8), self.factors(component).1.saturating_mul(8));
        (0..self.sampling.components()).map(plane).collect()
    }

    fn width(&self) -> usize {
        self.dimensions.width() as usize
    }

    fn height(&self) -> usize {
        self.dimensions.height() as usize
    }
}
