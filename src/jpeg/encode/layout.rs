//! How components lie in MCUs (T.81, A.1.1, A.2).

use crate::api::Format;
use crate::error::{Error, Result, SizeLimit};
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
    factors: [(usize, usize); 4],
    components: usize,
}

impl Layout {
    /// Sides must fit the 16 bits of a frame header.
    pub fn new(dimensions: Dimensions, sampling: Sampling) -> Result<Self> {
        match sampling {
            Sampling::Gray => Self::of(dimensions, &[(1, 1)]),
            _ => Self::of(dimensions, &[sampling.factors(), (1, 1), (1, 1)]),
        }
    }

    /// Of components with any sampling factors; one alone has none that matter.
    pub fn of(dimensions: Dimensions, components: &[(usize, usize)]) -> Result<Self> {
        let longest = dimensions.width().max(dimensions.height());
        if longest > Format::Jpg.longest_side() {
            let value = format!("{},{}", dimensions.width(), dimensions.height());
            return Err(Error::TooLarge { value, rotated: None, limit: SizeLimit::Side(Format::Jpg), largest: None });
        }
        let mut factors = [(1, 1); 4];
        if components.len() > 1 {
            factors.iter_mut().zip(components).for_each(|(factor, given)| *factor = *given);
        }
        Ok(Self { dimensions, factors, components: components.len().min(4) })
    }

    /// Sampling factors of a component.
    pub fn factors(&self, component: usize) -> (usize, usize) {
        self.factors.get(component).copied().unwrap_or((1, 1))
    }

    /// The greatest sampling factors.
    pub fn most(&self) -> (usize, usize) {
        self.factors.iter().fold((1, 1), |most, factor| (most.0.max(factor.0), most.1.max(factor.1)))
    }

    /// Number of components.
    pub fn components(&self) -> usize {
        self.components
    }

    /// MCUs in a row, and rows of them.
    pub fn mcus(&self) -> (usize, usize) {
        let (across, down) = self.most();
        (self.width().div_ceil(across.saturating_mul(8)), self.height().div_ceil(down.saturating_mul(8)))
    }

    /// Samples of a component, across and down, without padding.
    pub fn samples(&self, component: usize) -> (usize, usize) {
        let ((across, down), most) = (self.factors(component), self.most());
        (self.width().saturating_mul(across).div_ceil(most.0), self.height().saturating_mul(down).div_ceil(most.1))
    }

    /// Blocks of a component that hold samples of the image, across and down.
    pub fn blocks(&self, component: usize) -> (usize, usize) {
        let (across, down) = self.samples(component);
        (across.div_ceil(8), down.div_ceil(8))
    }

    /// Planes for one MCU row, as wide as the blocks that hold samples.
    pub fn padded_planes(&self) -> Planes {
        let plane = |component| Plane::new(self.blocks(component).0.saturating_mul(8), self.factors(component).1.saturating_mul(8));
        (0..self.components).map(plane).collect()
    }

    fn width(&self) -> usize {
        self.dimensions.width() as usize
    }

    fn height(&self) -> usize {
        self.dimensions.height() as usize
    }
}
