//! YCbCr that the decoder of a chunk leaves as it is (TIFF 6.0, section 21): data units to rows, and conversion to RGB.

use super::chunk::Samples;
use crate::pyramid::level::{Compression, Level, Model, YCbCr};

/// Whether decoded samples are YCbCr. For JPEG streams of three components they are not: the JPEG engine converts these to RGB as JFIF prescribes, and libtiff
/// does the same, whatever the tags say.
pub(super) fn is_stored(level: &Level) -> bool {
    let converted = level.compression == Compression::Jpeg && level.samples.count == 3 && !level.samples.planar;
    matches!(level.model, Model::YCbCr(..)) && !converted
}

/// Expands data units to rows of `width` pixels of three samples. A data unit is `across` × `down` samples of luma and one pair of chroma samples.
pub(super) fn expand(data: &[u8], width: usize, rows: usize, across: usize, down: usize) -> Vec<u8> {
    let unit = across * down + 2;
    let units = width.div_ceil(across);
    let mut out = Vec::with_capacity(width * rows * 3);
    for y in 0..rows {
        for x in 0..width {
            let block = &data[(y / down * units + x / across) * unit..][..unit];
            out.extend([block[y % down * across + x % across], block[unit - 2], block[unit - 1]]);
        }
    }
    out
}

/// Converts pixels of three samples, or of three and alpha, in place.
pub(super) fn to_rgb(mut samples: Samples, level: &Level) -> Samples {
    let channels = 3 + usize::from(level.samples.alpha.is_some());
    match &mut samples {
        Samples::U8(data) => {
            let conversion = Conversion::new(&level.values.ycbcr, 255);
            data.chunks_exact_mut(channels).for_each(|pixel| {
                let rgb = conversion.apply([0, 1, 2].map(|index| i64::from(pixel[index])));
                pixel[..3].copy_from_slice(&rgb.map(|value| value as u8));
            });
        }
        Samples::U16(data) => {
            let conversion = Conversion::new(&level.values.ycbcr, 65_535);
            data.chunks_exact_mut(channels).for_each(|pixel| {
                let rgb = conversion.apply([0, 1, 2].map(|index| i64::from(pixel[index])));
                pixel[..3].copy_from_slice(&rgb.map(|value| value as u16));
            });
        }
    }
    samples
}

/// Fractional bits of the factors.
const SHIFT: u32 = 24;

/// RGB as weighted sums of Y, Cb and Cr, in fixed point, so that results are the same on every platform.
struct Conversion {
    /// The factor of luma, for red, green and blue alike.
    luma: i64,
    red_by_red: i64,
    green_by_blue: i64,
    green_by_red: i64,
    blue_by_blue: i64,
    /// Added to red, green and blue; includes one half for rounding.
    offsets: [i64; 3],
    most: i64,
}

impl Conversion {
    /// For samples from 0 to `most`.
    fn new(tags: &YCbCr, most: u32) -> Self {
        let [(black, white), (no_blue, full_blue), (no_red, full_red)] = tags.reference;
        let [red, green, blue] = tags.luma;
        // Full chroma is 127 of 255 (section 20).
        let (luma, by_blue, by_red) = (1.0 / (white - black), 127.0 / 255.0 / (full_blue - no_blue), 127.0 / 255.0 / (full_red - no_red));
        let (red_by_red, blue_by_blue) = ((2.0 - 2.0 * red) * by_red, (2.0 - 2.0 * blue) * by_blue);
        let (green_by_red, green_by_blue) = (-red * red_by_red / green, -blue * blue_by_blue / green);
        let fixed = |factor: f64| libm::round(factor * f64::from(1_u32 << SHIFT)) as i64;
        let offset = |by_blue: f64, by_red: f64| fixed(0.5 - f64::from(most) * (black * luma + no_blue * by_blue + no_red * by_red));
        Self {
            luma: fixed(luma),
            red_by_red: fixed(red_by_red),
            green_by_blue: fixed(green_by_blue),
            green_by_red: fixed(green_by_red),
            blue_by_blue: fixed(blue_by_blue),
            offsets: [offset(0.0, red_by_red), offset(green_by_blue, green_by_red), offset(blue_by_blue, 0.0)],
            most: most.into(),
        }
    }

    fn apply(&self, [luma, blue, red]: [i64; 3]) -> [i64; 3] {
        let luma = luma * self.luma;
        let sums = [red * self.red_by_red, blue * self.green_by_blue + red * self.green_by_red, blue * self.blue_by_blue];
        let color = |index: usize| ((luma + sums[index] + self.offsets[index]) >> SHIFT).clamp(0, self.most);
        [color(0), color(1), color(2)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_the_primaries_of_both_ranges() {
        let full = Conversion::new(&YCbCr::default(), 255);
        let video = YCbCr { reference: [(16.0, 235.0), (128.0, 240.0), (128.0, 240.0)].map(|(zero, full)| (zero / 255.0, full / 255.0)), ..YCbCr::default() };
        let video = Conversion::new(&video, 255);
        // Y, Cb and Cr of BT.601, rounded, in full and in video range.
        for (rgb, jfif, studio) in [
            ([0, 0, 0], [0, 128, 128], [16, 128, 128]),
            ([255, 255, 255], [255, 128, 128], [235, 128, 128]),
            ([255, 0, 0], [76, 85, 255], [81, 90, 240]),
            ([0, 255, 0], [150, 44, 21], [145, 54, 34]),
            ([0, 0, 255], [29, 255, 107], [41, 240, 110]),
        ] {
            for found in [full.apply(jfif), video.apply(studio)] {
                assert!(rgb.iter().zip(found).all(|(wanted, found): (&i64, i64)| wanted.abs_diff(found) <= 2), "{rgb:?}: {found:?}");
            }
        }
        assert_eq!((full.apply([255, 128, 128]), video.apply([235, 128, 128])), ([255; 3], [255; 3]));
        assert_eq!((full.apply([0, 128, 128]), video.apply([16, 128, 128])), ([0; 3], [0; 3]));
    }

    #[test]
    fn gray_stays_gray_in_16_bits() {
        let conversion = Conversion::new(&YCbCr::default(), 65_535);
        for gray in [0, 257, 32_768, 65_535] {
            assert_eq!(conversion.apply([gray, 128 * 257, 128 * 257]), [gray; 3]);
        }
    }
}
