//! YCbCr to RGB (JFIF, clause 7) with libjpeg's 16 fractional bits and its rounding, and planes to interleaved samples.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel: products stay below 2^25")]

/// Converts a row; `rgb` has three samples for each of a plane's.
pub(super) fn convert(luma: &[u8], blue: &[u8], red: &[u8], rgb: &mut [u8]) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let done = super::rgb_simd::convert(luma, blue, red, rgb);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let done = 0;
    convert_scalar(&luma[done..], &blue[done..], &red[done..], &mut rgb[done * 3..]);
}

/// The same without vector instructions.
pub(super) fn convert_scalar(luma: &[u8], blue: &[u8], red: &[u8], rgb: &mut [u8]) {
    for (((pixel, y), cb), cr) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(luma).zip(blue).zip(red) {
        *pixel = pixel_of(*y, *cb, *cr);
    }
}

/// One pixel.
#[inline(always)]
pub(super) fn pixel_of(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let r = y + ((91_881 * cr + HALF) >> 16);
    let g = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let b = y + ((116_130 * cb + HALF) >> 16);
    [r, g, b].map(|value| value.clamp(0, 255) as u8)
}

/// Puts the samples of planes side by side.
pub(super) fn interleave(planes: &[&[u8]], out: &mut [u8]) {
    match planes {
        [only] => out.copy_from_slice(only),
        [a, b, c] => {
            for (((out, a), b), c) in out.as_chunks_mut::<3>().0.iter_mut().zip(*a).zip(*b).zip(*c) {
                *out = [*a, *b, *c];
            }
        }
        [a, b, c, d] => {
            for ((((out, a), b), c), d) in out.as_chunks_mut::<4>().0.iter_mut().zip(*a).zip(*b).zip(*c).zip(*d) {
                *out = [*a, *b, *c, *d];
            }
        }
        _ => {
            for (index, out) in out.chunks_mut(planes.len().max(1)).enumerate() {
                out.iter_mut().zip(planes).for_each(|(out, plane)| *out = plane[index]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gray_stays_gray_and_primaries_are_those_of_jfif() {
        for y in 0..=255 {
            assert_eq!(pixel_of(y, 128, 128), [y; 3]);
        }
        assert_eq!(pixel_of(76, 85, 255), [254, 0, 0]);
        assert_eq!(pixel_of(255, 255, 255), [255, 121, 255]);
    }

    #[test]
    fn every_platform_converts_alike() {
        let row = |seed: u32| (0..4099_u32).map(|i| ((i ^ seed).wrapping_mul(2_654_435_761).rotate_left(seed) >> 24) as u8).collect::<Vec<u8>>();
        let (luma, mut blue, mut red) = (row(1), row(2), row(3));
        blue[..16].fill(0);
        red[..16].fill(255);
        let (mut rgb, mut twin) = (vec![0; 3 * 4099], vec![0; 3 * 4099]);
        convert(&luma, &blue, &red, &mut rgb);
        convert_scalar(&luma, &blue, &red, &mut twin);
        assert_eq!(rgb, twin);
    }
}
