//! How sample values are shown: which are black and white, which mean that a pixel has no data, and how YCbCr becomes RGB.

use super::SampleKind;

/// The meaning of sample values. All levels of an image share the one of the full image.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Values {
    /// The values that are shown as black and white; `None` for the whole range of the type, which is 0 to 1 for floating point.
    pub window: Option<Range>,
    /// The nodata value: a pixel whose colour samples all have this value is transparent. If there is such a value, NaN means the same.
    pub nodata: Option<f64>,
    /// The values of the TIFF tags for YCbCr.
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

    /// The whole range of a type; 0 to 1 for floating point.
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
    /// For Y, the values of black and white; for Cb and Cr, those of no colour and full colour. As fractions of the greatest value of the type.
    pub reference: [(f64, f64); 3],
    /// The weights of red, green and blue in luminance.
    pub luma: [f64; 3],
}

impl Default for YCbCr {
    /// The defaults of libtiff, which are the values of JFIF.
    fn default() -> Self {
        let chroma = (128.0 / 255.0, 1.0);
        Self { reference: [(0.0, 1.0), chroma, chroma], luma: [0.299, 0.587, 0.114] }
    }
}
