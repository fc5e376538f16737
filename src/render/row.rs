//! Decoded samples as they come from a codec.

pub(crate) use crate::profile::Model;

/// What the sample after the colours is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpha {
    None,
    Straight,
    Premultiplied,
}

/// The samples of a pixel, interleaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub model: Model,
    pub alpha: Alpha,
}

impl Layout {
    pub fn colors(self) -> usize {
        match self.model {
            Model::Gray => 1,
            Model::Rgb | Model::Lab => 3,
            Model::Cmyk => 4,
        }
    }

    pub fn channels(self) -> usize {
        self.colors() + usize::from(self.alpha != Alpha::None)
    }
}

/// One row of interleaved samples, of 8 or 16 bits over their whole range.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row<'a> {
    U8(&'a [u8]),
    U16(&'a [u16]),
}

/// A sample of 8 or 16 bits.
pub(super) trait Sample: Copy + Default {
    const MAX: u32;
    fn to_u32(self) -> u32;
    /// `value` is at most `MAX`.
    fn from_u32(value: u32) -> Self;
    /// A sum of up to [`Self::SUMMED`] samples.
    type Sum: Copy + Default + std::ops::AddAssign + From<Self> + Into<u32>;
    /// Samples of any value whose sum fits [`Self::Sum`].
    const SUMMED: usize;
    /// Those sums of the two kinds that are of these samples.
    fn sums(both: &mut (Vec<u16>, Vec<u32>)) -> &mut Vec<Self::Sum>;
}

impl Sample for u8 {
    const MAX: u32 = 255;
    fn to_u32(self) -> u32 {
        self.into()
    }
    fn from_u32(value: u32) -> Self {
        value as u8
    }
    type Sum = u16;
    const SUMMED: usize = 257;
    fn sums(both: &mut (Vec<u16>, Vec<u32>)) -> &mut Vec<u16> {
        &mut both.0
    }
}

impl Sample for u16 {
    const MAX: u32 = 65_535;
    fn to_u32(self) -> u32 {
        self.into()
    }
    fn from_u32(value: u32) -> Self {
        value as u16
    }
    type Sum = u32;
    const SUMMED: usize = 65_537;
    fn sums(both: &mut (Vec<u16>, Vec<u32>)) -> &mut Vec<u32> {
        &mut both.1
    }
}
