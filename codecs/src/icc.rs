//! Conversion of colours by the tables of an ICC profile, by moxcms. Its vector paths are left out: they round differently from the plain ones, and every platform
//! must give the same bytes.

use std::sync::Arc;

use moxcms::{ColorProfile, Layout, RenderingIntent, TransformExecutor, TransformOptions};

use crate::{Converter, Fault};

/// A conversion to sRGB by the tables of a profile.
///
/// The arithmetic of moxcms for 8 bits cuts results off, half a value on average. So all samples take the way of 16 bits, whose results are rounded here.
pub(crate) struct Tables {
    executor: Arc<dyn TransformExecutor<u16> + Send + Sync>,
    colors: usize,
}

/// Pixels of four samples that are converted at a time; a multiple of three, so that no pixel is cut.
const PIECE: usize = 3 << 10;

impl Tables {
    /// For pixels of `colors` samples: 1 gray, 3 RGB, 4 CMYK.
    pub fn new(icc: &[u8], colors: usize) -> Result<Self, Fault> {
        let layout = match colors {
            1 => Layout::Gray,
            3 => Layout::Rgb,
            // Four samples of any meaning are called so.
            4 => Layout::Rgba,
            other => return Err(Fault::Internal(format!("tables for {other} samples a pixel"))),
        };
        let source = ColorProfile::new_from_slice(icc).map_err(|_| Fault::Corrupt("cannot be read".to_owned()))?;
        let srgb = ColorProfile::new_srgb();
        // A profile may have tables for one intent only.
        let intents = [RenderingIntent::Perceptual, RenderingIntent::RelativeColorimetric, RenderingIntent::Saturation];
        let executor = intents.into_iter().find_map(|rendering_intent| {
            // Fixed point has 15 bits.
            let options = TransformOptions { rendering_intent, prefer_fixed_point: false, ..TransformOptions::default() };
            source.create_transform_16bit(layout, &srgb, Layout::Rgb, options).ok()
        });
        let executor = executor.ok_or_else(|| Fault::Unsupported("has no tables that can be used".to_owned()))?;
        Ok(Self { executor, colors })
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

impl Converter for Tables {
    fn narrow(&self, samples: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut wide = Vec::with_capacity(PIECE * 4);
        for piece in samples.chunks(PIECE * 4) {
            wide.clear();
            wide.extend(piece.iter().map(|sample| u16::from(*sample) * 257));
            self.piece(&wide, out);
        }
        Ok(())
    }

    fn wide(&self, samples: &[u16], out: &mut Vec<u8>) -> Result<(), Fault> {
        samples.chunks(PIECE * 4).for_each(|piece| self.piece(piece, out));
        Ok(())
    }
}
