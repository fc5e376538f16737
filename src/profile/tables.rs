//! Conversion by tables of several dimensions: by a codec of `azulejo-codecs`.

use azulejo_codecs::{Codec, Converter};

use super::Model;
use crate::installed;

/// A conversion to sRGB by the tables of a profile.
pub(crate) struct Tables {
    converter: Box<dyn Converter>,
    colors: usize,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tables").field("colors", &self.colors).finish_non_exhaustive()
    }
}

/// Steps of each colour between which the codec interpolates.
const fn steps(colors: usize) -> usize {
    if colors == 4 { 17 } else { 33 }
}

/// Bytes that the tables of a model take.
fn weight(colors: usize) -> usize {
    steps(colors).saturating_pow(colors as u32) * 12
}

/// Memory that it takes to make them, bytes: the colours at each step, what they are converted to, and curves.
pub(super) fn memory(model: Model) -> u64 {
    let colors = if model == Model::Cmyk { 4 } else { 3 };
    (weight(colors) * 3) as u64
}

impl Tables {
    /// For samples of a model; `None` if the profile has no tables that can be used.
    pub fn new(icc: &[u8], model: Model) -> Option<Self> {
        let colors = match model {
            Model::Gray => 1,
            Model::Rgb => 3,
            Model::Cmyk => 4,
            Model::Lab => return None,
        };
        let converter = installed::converter(Codec::Icc, icc, colors).ok()?;
        Some(Self { converter, colors })
    }

    /// Colour samples of a pixel before it is converted.
    pub fn colors(&self) -> usize {
        self.colors
    }

    /// Bytes they take.
    pub fn weight(&self) -> usize {
        weight(self.colors.max(3))
    }

    /// Appends the converted samples; returns how many a pixel has.
    pub fn narrow(&self, samples: &[u8], out: &mut Vec<u8>) -> usize {
        self.append(samples.len(), out, |out| self.converter.narrow(samples, out))
    }

    /// The same from samples of 16 bits.
    pub fn wide(&self, samples: &[u16], out: &mut Vec<u8>) -> usize {
        self.append(samples.len(), out, |out| self.converter.wide(samples, out))
    }

    /// Converts so many samples. If the codec fails, which it does only if it is broken, the result is as long as it must be, and black.
    fn append(&self, samples: usize, out: &mut Vec<u8>, convert: impl FnOnce(&mut Vec<u8>) -> Result<(), azulejo_codecs::Fault>) -> usize {
        let results = if self.colors == 1 { 1 } else { 3 };
        let end = out.len() + samples / self.colors * results;
        let _ = convert(out);
        out.resize(end, 0);
        results
    }
}
