//! What is shown where pixels could not be decoded.

use crate::render::{Alpha, Layout, Model, Row};

/// Also a sample of chroma of no colour.
pub(crate) use azulejo_codecs::MEDIUM;

/// A pixel that could not be decoded, of samples that mean this: transparent where there is alpha, otherwise `white` or a medium gray.
pub(super) fn pixel(layout: Layout, white: bool) -> Vec<u8> {
    let gray = if white { u8::MAX } else { MEDIUM };
    match layout.model {
        // Premultiplied colours of what is transparent are 0.
        _ if layout.alpha != Alpha::None => vec![0; layout.channels()],
        // No ink but black.
        Model::Cmyk => vec![0, 0, 0, u8::MAX - gray],
        // L*, and a* and b* of no colour.
        Model::Lab => vec![gray, MEDIUM, MEDIUM],
        Model::Gray | Model::Rgb => vec![gray; layout.colors()],
    }
}

/// The same value in a sample of 16 bits.
pub(super) fn widened(sample: u8) -> u16 {
    u16::from(sample) * 257
}

/// A row of pixels that could not be decoded.
#[derive(Debug)]
pub(super) enum Filler {
    Narrow(Vec<u8>),
    Wide(Vec<u16>),
}

impl Filler {
    /// Of `width` pixels, which are no black and white, with samples of 16 bits if they are `wide`.
    pub fn new(layout: Layout, width: usize, wide: bool) -> Self {
        let samples = pixel(layout, false).repeat(width);
        if wide { Self::Wide(samples.into_iter().map(widened).collect()) } else { Self::Narrow(samples) }
    }

    pub fn row(&self) -> Row<'_> {
        match self {
            Self::Narrow(samples) => Row::U8(samples),
            Self::Wide(samples) => Row::U16(samples),
        }
    }
}
