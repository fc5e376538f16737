//! Which MCUs a decoder is to decode, and how large their samples come out (T.81, A.1.1, A.2).

use std::ops::Range;

use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Rect};
use crate::jpeg::header::Header;

/// What is wanted of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// In px of the full image; the MCUs that it touches are decoded.
    pub region: Rect,
    /// Samples come out at 1/`reduction` of their size: 1, 2, 4 or 8.
    pub reduction: u8,
    /// Only the first component, which is luminance where there are several.
    pub gray: bool,
    /// Bytes of working memory that a decoder may take.
    pub memory: u64,
    /// Whether samples that cannot be decoded because the data are damaged or cut off come out as a medium gray; if not, that is an error.
    pub fill: bool,
}

impl Wanted {
    /// All of an image at its full size.
    pub fn whole(header: &Header) -> Self {
        Self { region: header.dimensions.rect(), reduction: 1, gray: false, memory: u64::MAX, fill: false }
    }
}

/// The MCUs of an image and those of a region. Sides of MCUs and blocks are in samples as they come out.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    /// MCUs across and down the image.
    pub mcus: (usize, usize),
    /// Those of the region.
    pub columns: Range<usize>,
    pub rows: Range<usize>,
    /// Side of a block: 8, 4, 2 or 1.
    pub block: usize,
    /// The greatest sampling factors: an MCU is this many blocks wide and high.
    pub most: (usize, usize),
    /// The image as it comes out.
    pub dimensions: Dimensions,
}

impl Grid {
    /// The first row of pixels of an MCU row, at full size.
    pub fn pixel_row(&self, mcu_row: usize) -> u32 {
        u32::try_from(mcu_row.saturating_mul(self.most.1).saturating_mul(8)).unwrap_or(u32::MAX)
    }

    /// [`Error::Internal`] if the region does not lie within the image, or for a reduction that there is not.
    pub fn new(header: &Header, wanted: &Wanted) -> Result<Self> {
        let internal = |what: String| Error::Internal { what: format!("JPEG decoder: {what}") };
        let block = match wanted.reduction {
            1 => 8,
            2 => 4,
            4 => 2,
            8 => 1,
            other => return Err(internal(format!("a reduction of {other}"))),
        };
        let (dimensions, region) = (header.dimensions, wanted.region);
        if !dimensions.rect().contains(region) {
            return Err(internal(format!("the region {region} of {dimensions}")));
        }
        let (across, down) = header.most();
        let most = (usize::from(across), usize::from(down));
        let (wide, high) = (u32::from(across).saturating_mul(8).max(1), u32::from(down).saturating_mul(8).max(1));
        let span = |start: u32, end: u32, side: u32| start.checked_div(side).unwrap_or(0) as usize..end.div_ceil(side) as usize;
        Ok(Self {
            mcus: (dimensions.width().div_ceil(wide) as usize, dimensions.height().div_ceil(high) as usize),
            columns: span(region.x(), region.right(), wide),
            rows: span(region.y(), region.bottom(), high),
            block,
            most,
            dimensions: dimensions.reduced(wanted.reduction.into()),
        })
    }

    /// Width and height of an MCU.
    pub fn mcu(&self) -> (usize, usize) {
        (self.most.0.saturating_mul(self.block), self.most.1.saturating_mul(self.block))
    }

    /// The first sample's place of a component with these factors, and the number of its samples in the image, across and down (A.1.1).
    pub fn component(&self, across: usize, down: usize) -> ComponentGrid {
        let (width, height) = (self.dimensions.width() as usize, self.dimensions.height() as usize);
        let share = |side: usize, factor: usize, most: usize| side.saturating_mul(factor).div_ceil(most.max(1));
        ComponentGrid {
            left: self.columns.start.saturating_mul(across).saturating_mul(self.block),
            top: self.rows.start.saturating_mul(down).saturating_mul(self.block),
            width: share(width, across, self.most.0),
            height: share(height, down, self.most.1),
        }
    }
}

/// Where a component's samples lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ComponentGrid {
    /// Place of the first decoded sample in the component's whole plane.
    pub left: usize,
    pub top: usize,
    /// Size of the whole plane, without padding.
    pub width: usize,
    pub height: usize,
}
