//! What the values of a level's samples mean to the eye: which are black and white, which mean that there is nothing, and how YCbCr becomes RGB.

use super::SampleKind;

/// What values mean. All levels of an image have those of the full image.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Values {
    /// The values that become black and white; `None` for the whole range of the type, and 0 to 1 for floating point.
    pub window: Option<Range>,
    /// Pixels whose colour samples all have this value are transparent; so are those that are not a number, if there is such a value.
    pub nodata: Option<f64>,
    /// What the tags say of YCbCr.
    pub ycbcr: YCbCr,
}

/// A range of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub black: f64,
    pub white: f64,
}

impl Range {
    /// `None` unless `black` is below `white`.
    pub fn new(black: f64, white: f64) -> Option<Self> {
        (black < white && black.is_finite() && white.is_finite()).then_some(Self { black, white })
    }

    /// What a type holds; 0 to 1 for floating point.
    pub fn of_type(kind: SampleKind, bits: u8) -> Self {
        let power = |bits: u8| libm::exp2(bits.into());
        match kind {
            SampleKind::Unsigned => Self { black: 0.0, white: power(bits) - 1.0 },
            SampleKind::Signed => Self { black: -power(bits.saturating_sub(1)), white: power(bits.saturating_sub(1)) - 1.0 },
            SampleKind::Float => Self { black: 0.0, white: 1.0 },
        }
    }
}

/// ReferenceBlackWhite and YCbCrCoefficients (TIFF 6.0, section 21).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct YCbCr {
    /// Of Y, Cb and Cr the value of black, or of no colour, and that of white, or of full colour, as parts of the type's greatest value.
    pub reference: [(f64, f64); 3],
    /// What red, green and blue contribute to luminance.
    pub luma: [f64; 3],
}

impl Default for YCbCr {
    /// What libtiff takes for granted, which is what JFIF prescribes.
    fn default() -> Self {
        let chroma = (128.0 / 255.0, 1.0);
        Self { reference: [(0.0, 1.0), chroma, chroma], luma: [0.299, 0.587, 0.114] }
    }
}
