//! Conversion by tables of several dimensions, by moxcms. Its vector paths are left out: they round differently from the plain ones, and every platform must give
//! the same bytes.

use std::sync::Arc;

use moxcms::{ColorProfile, Layout, RenderingIntent, TransformExecutor, TransformOptions};

use super::Model;

/// A conversion to sRGB by the tables of a profile.
///
/// Its arithmetic for 8 bits cuts results off, half a value on average. So all samples take the way of 16 bits, whose results are rounded here.
pub(crate) struct Tables {
    executor: Arc<dyn TransformExecutor<u16> + Send + Sync>,
    colors: usize,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tables").field("colors", &self.colors).finish_non_exhaustive()
    }
}

/// Steps of each colour between which moxcms interpolates.
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

/// Pixels of four samples that are converted at a time; a multiple of three, so that no pixel is cut.
const PIECE: usize = 3 << 10;

impl Tables {
    /// For samples of a model; `None` if the tables cannot be used.
    pub fn new(source: &ColorProfile, model: Model) -> Option<Self> {
        let (layout, colors) = match model {
            Model::Gray => (Layout::Gray, 1),
            Model::Rgb => (Layout::Rgb, 3),
            // Four samples of any meaning are called so.
            Model::Cmyk => (Layout::Rgba, 4),
            Model::Lab => return None,
        };
        let srgb = ColorProfile::new_srgb();
        // A profile may have tables for one intent only.
        let intents = [RenderingIntent::Perceptual, RenderingIntent::RelativeColorimetric, RenderingIntent::Saturation];
        let executor = intents.into_iter().find_map(|rendering_intent| {
            // Fixed point has 15 bits.
            let options = TransformOptions { rendering_intent, prefer_fixed_point: false, ..TransformOptions::default() };
            source.create_transform_16bit(layout, &srgb, Layout::Rgb, options).ok()
        })?;
        Some(Self { executor, colors })
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
        let mut wide = Vec::with_capacity(PIECE * 4);
        for piece in samples.chunks(PIECE * 4) {
            wide.clear();
            wide.extend(piece.iter().map(|sample| u16::from(*sample) * 257));
            self.piece(&wide, out);
        }
        self.results()
    }

    /// The same from samples of 16 bits.
    pub fn wide(&self, samples: &[u16], out: &mut Vec<u8>) -> usize {
        samples.chunks(PIECE * 4).for_each(|piece| self.piece(piece, out));
        self.results()
    }

    fn results(&self) -> usize {
        if self.colors == 1 { 1 } else { 3 }
    }

    fn piece(&self, samples: &[u16], out: &mut Vec<u8>) {
        let mut rgb = vec![0; samples.len() / self.colors * 3];
        // Lengths agree, the only thing it refuses.
        let _ = self.executor.transform(samples, &mut rgb);
        let round = |sample: &u16| ((u32::from(*sample) * 255 + 32_767) / 65_535) as u8;
        if self.colors == 1 {
            // Gray stays gray: one of three equal samples is kept.
            out.extend(rgb.iter().skip(1).step_by(3).map(round));
        } else {
            out.extend(rgb.iter().map(round));
        }
    }
}
