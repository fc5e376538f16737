//! What the engine's tests share: pictures, and the ways through encoder and decoder.

use super::{Encoder, Header, Settings, fuzzing};
use crate::error::Result;
use crate::geometry::Rect;

/// Numbers without end, the same ones each time.
pub(crate) struct Numbers(pub u64);

impl Numbers {
    /// Less than `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (((self.0 >> 33) * u64::from(end)) >> 31) as u32
    }
}

/// Samples with a slope, edges and noise, so that every kind of block comes up.
pub(crate) fn picture(numbers: &mut Numbers, width: u32, height: u32, channels: u32) -> Vec<u8> {
    let (noise, slope, edge) = (numbers.below(120) * numbers.below(2) + 1, numbers.below(8), numbers.below(width + 8));
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..channels {
                let base = (x * slope + y * (channel + 1) + if x > edge { 150 } else { 0 }) % 256;
                samples.push((base + numbers.below(noise)).min(255) as u8);
            }
        }
    }
    samples
}

/// All rows of a crop.
pub(super) fn rows(stream: &[u8], reduction: u8, crop: Option<Rect>) -> Result<Vec<u8>> {
    let header = Header::read(None, stream)?;
    let crop = crop.unwrap_or(header.dimensions.reduced(reduction.into()).rect());
    fuzzing::rows(&header, stream, crop, reduction, u64::MAX)
}

/// Rows through the encoder.
pub(crate) fn encode(settings: &Settings<'_>, samples: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(settings).unwrap();
    let mut bytes = Vec::new();
    for row in samples.chunks_exact(settings.dimensions.width() as usize * settings.sampling.components()) {
        encoder.push_row(row).unwrap();
        bytes.extend(encoder.take());
    }
    bytes.extend(encoder.finish().unwrap());
    bytes
}
