//! Finished pixels of 8 bits.

use crate::geometry::Dimensions;

/// Gray or sRGB pixels, alpha straight; rows without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raster {
    pub dimensions: Dimensions,
    /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    pub channels: usize,
    /// `width × height × channels` samples.
    pub data: Vec<u8>,
}

impl Raster {
    pub fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }

    pub fn is_gray(&self) -> bool {
        self.channels <= 2
    }

    /// A copy of `count` rows from row `first`.
    pub fn rows(&self, first: u32, count: u32) -> Self {
        let data = self.data[first as usize * self.stride()..(first + count) as usize * self.stride()].to_vec();
        Self { dimensions: Dimensions::at_least_one(self.dimensions.width(), count), channels: self.channels, data }
    }

    /// Bytes in a row.
    pub fn stride(&self) -> usize {
        self.dimensions.width() as usize * self.channels
    }
}
