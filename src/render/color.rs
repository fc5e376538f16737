//! From what samples mean in a file to gray or sRGB of 8 bits, a row at a time.

use std::sync::Arc;

use super::lab;
use super::row::{Alpha, Layout, Model, Row, Sample};
use crate::profile::{Conversion, Profile};

/// Turns rows of one layout into gray or RGB, with alpha behind if the layout has it (straight, never premultiplied).
pub(crate) struct ColorTransform {
    layout: Layout,
    gray: bool,
    profile: Option<Conversion>,
    scratch: Vec<u8>,
}

impl ColorTransform {
    /// `profile` is used if it suits the layout and changes anything; `gray` asks for one colour channel.
    pub fn new(layout: Layout, profile: Option<&Arc<Profile>>, gray: bool) -> Self {
        let profile = profile.and_then(|profile| profile.conversion(layout.model));
        Self { layout, gray: gray || layout.model == Model::Gray, profile, scratch: Vec::new() }
    }

    /// Samples per pixel of the result: 1 to 4.
    pub fn channels(&self) -> usize {
        (if self.gray { 1 } else { 3 }) + usize::from(self.layout.alpha != Alpha::None)
    }

    /// Whether rows of 8 bits stay as they are.
    pub fn is_identity(&self) -> bool {
        let kept = matches!((self.layout.model, self.gray), (Model::Gray, true) | (Model::Rgb, false));
        kept && self.profile.is_none() && self.layout.alpha != Alpha::Premultiplied
    }

    /// Appends the converted row to `out`.
    pub fn convert(&mut self, row: Row<'_>, out: &mut Vec<u8>) {
        match row {
            Row::U8(samples) if self.is_identity() => out.extend_from_slice(samples),
            Row::U8(samples) => self.convert_samples(samples, out),
            Row::U16(samples) => self.convert_samples(samples, out),
        }
    }

    fn convert_samples<S: Sample + Depth>(&mut self, samples: &[S], out: &mut Vec<u8>) {
        let channels = self.layout.channels();
        let colors = self.layout.colors();
        // Colours and alpha part here and meet again at the end.
        let mut plain: Vec<S> = Vec::new();
        let color_samples = if channels == colors {
            samples
        } else {
            plain.reserve(samples.len() / channels * colors);
            for pixel in samples.chunks_exact(channels) {
                plain.extend_from_slice(&pixel[..colors]);
            }
            &plain
        };
        let mut rgb = std::mem::take(&mut self.scratch);
        rgb.clear();
        let result_colors = self.to_colors(color_samples, &mut rgb);
        let alpha = samples.chunks_exact(channels).map(|pixel| to_8(pixel[channels - 1]));
        let has_alpha = channels != colors;
        let gray = self.gray;
        let push = |out: &mut Vec<u8>, pixel: &[u8]| match (gray, pixel) {
            (true, &[r, g, b]) => out.push(luma(r, g, b)),
            _ => out.extend_from_slice(pixel),
        };
        let pixels = rgb.chunks_exact(result_colors);
        if has_alpha {
            for (pixel, alpha) in pixels.zip(alpha) {
                push(out, pixel);
                out.push(alpha);
            }
        } else {
            pixels.for_each(|pixel| push(out, pixel));
        }
        self.scratch = rgb;
    }

    /// Appends gray or RGB of 8 bits; returns how many samples a pixel has.
    fn to_colors<S: Sample + Depth>(&self, samples: &[S], out: &mut Vec<u8>) -> usize {
        if let Some(profile) = &self.profile {
            return S::transform(profile, samples, out);
        }
        match self.layout.model {
            Model::Gray => out.extend(samples.iter().map(|sample| to_8(*sample))),
            Model::Rgb => out.extend(samples.iter().map(|sample| to_8(*sample))),
            Model::Cmyk => {
                for pixel in samples.as_chunks::<4>().0 {
                    let [c, m, y, k] = pixel.map(|ink| 255 - u32::from(to_8(ink)));
                    out.extend([c, m, y].map(|ink| ((ink * k + 127) / 255) as u8));
                }
            }
            Model::Lab => lab::to_srgb(samples, out),
        }
        if self.layout.model == Model::Gray { 1 } else { 3 }
    }
}

/// Samples of a depth that a profile can convert.
trait Depth: Sized {
    /// Appends the converted samples, of 8 bits; returns how many a pixel has.
    fn transform(profile: &Conversion, samples: &[Self], out: &mut Vec<u8>) -> usize;
}

impl Depth for u8 {
    fn transform(profile: &Conversion, samples: &[u8], out: &mut Vec<u8>) -> usize {
        profile.narrow(samples, out)
    }
}

impl Depth for u16 {
    fn transform(profile: &Conversion, samples: &[u16], out: &mut Vec<u8>) -> usize {
        profile.wide(samples, out)
    }
}

fn to_8<S: Sample>(sample: S) -> u8 {
    if S::MAX == 255 { sample.to_u32() as u8 } else { ((sample.to_u32() * 255 + 32_767) / 65_535) as u8 }
}

/// Brightness as JPEG's Y (ITU-R BT.601).
pub(super) fn luma(r: u8, g: u8, b: u8) -> u8 {
    ((u32::from(r) * 19_595 + u32::from(g) * 38_470 + u32::from(b) * 7_471 + 32_768) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(model: Model, alpha: Alpha, gray: bool, row: Row<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        ColorTransform::new(Layout { model, alpha }, None, gray).convert(row, &mut out);
        out
    }

    #[test]
    fn the_ends_of_every_model_are_black_and_white() {
        assert_eq!(convert(Model::Cmyk, Alpha::None, false, Row::U8(&[0, 0, 0, 0, 0, 0, 0, 255])), [255, 255, 255, 0, 0, 0]);
        assert_eq!(convert(Model::Lab, Alpha::None, false, Row::U8(&[255, 128, 128, 0, 128, 128])), [255, 255, 255, 0, 0, 0]);
        assert_eq!(convert(Model::Gray, Alpha::None, false, Row::U16(&[0, 65535, 32768])), [0, 255, 128]);
        assert_eq!(convert(Model::Rgb, Alpha::Straight, true, Row::U8(&[255, 255, 255, 9, 0, 0, 0, 8])), [255, 9, 0, 8]);
    }
}
