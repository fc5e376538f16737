//! ICC profiles to sRGB, by moxcms. Its vector paths are left out: they round differently from the plain ones, and every platform must give the same bytes.

use std::sync::Arc;

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformExecutor, TransformOptions};

use crate::render::Model;

/// A conversion of interleaved colour samples to RGB, or gray to gray.
pub(crate) struct Profile {
    narrow: Arc<dyn TransformExecutor<u8> + Send + Sync>,
    wide: Arc<dyn TransformExecutor<u16> + Send + Sync>,
    colors: usize,
}

/// The conversion that `icc` asks for; `None` if it is not for this model, cannot be read, or would change nothing.
pub(crate) fn to_srgb(icc: &[u8], model: Model) -> Option<Profile> {
    let source = ColorProfile::new_from_slice(icc).ok()?;
    let (layout, colors) = match (model, source.color_space) {
        (Model::Gray, DataColorSpace::Gray) => (Layout::Gray, 1),
        (Model::Rgb, DataColorSpace::Rgb) => (Layout::Rgb, 3),
        // Four samples of any meaning are called so.
        (Model::Cmyk, DataColorSpace::Cmyk) => (Layout::Rgba, 4),
        _ => return None,
    };
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    let profile = Profile {
        narrow: source.create_transform_8bit(layout, &srgb, Layout::Rgb, options).ok()?,
        wide: source.create_transform_16bit(layout, &srgb, Layout::Rgb, options).ok()?,
        colors,
    };
    (!profile.changes_nothing()).then_some(profile)
}

impl Profile {
    /// Whether a lattice of colours comes out as it went in, but for rounding: the profile is sRGB's own under whatever name.
    fn changes_nothing(&self) -> bool {
        const STEPS: [u8; 6] = [0, 51, 102, 153, 204, 255];
        let lattice: Vec<u8> = match self.colors {
            1 => STEPS.to_vec(),
            3 => STEPS.iter().flat_map(|r| STEPS.iter().flat_map(move |g| STEPS.iter().flat_map(move |b| [*r, *g, *b]))).collect(),
            _ => return false,
        };
        let mut out = Vec::new();
        let colors = u8::transform(self, &lattice, &mut out);
        colors == self.colors && lattice.iter().zip(&out).all(|(before, after)| before.abs_diff(*after) <= 1)
    }
}

/// Samples of a depth that a profile can convert.
pub(crate) trait Depth: Copy + Default {
    /// Appends the converted samples, of 8 bits; returns how many a pixel has. What cannot be converted (it always can) stays black.
    fn transform(profile: &Profile, samples: &[Self], out: &mut Vec<u8>) -> usize;
}

impl Depth for u8 {
    fn transform(profile: &Profile, samples: &[u8], out: &mut Vec<u8>) -> usize {
        let begin = out.len();
        out.resize(begin + samples.len() / profile.colors * 3, 0);
        // Lengths agree, the only thing it refuses.
        let _ = profile.narrow.transform(samples, &mut out[begin..]);
        keep_gray(profile, out, begin)
    }
}

impl Depth for u16 {
    fn transform(profile: &Profile, samples: &[u16], out: &mut Vec<u8>) -> usize {
        let begin = out.len();
        let mut rgb = vec![0; samples.len() / profile.colors * 3];
        let _ = profile.wide.transform(samples, &mut rgb);
        out.extend(rgb.iter().map(|sample| ((u32::from(*sample) * 255 + 32_767) / 65_535) as u8));
        keep_gray(profile, out, begin)
    }
}

/// Gray stays gray: one of the three equal samples is kept.
fn keep_gray(profile: &Profile, out: &mut Vec<u8>, begin: usize) -> usize {
    if profile.colors != 1 {
        return 3;
    }
    let pixels = (out.len() - begin) / 3;
    for index in 0..pixels {
        out[begin + index] = out[begin + index * 3 + 1];
    }
    out.truncate(begin + pixels);
    1
}
