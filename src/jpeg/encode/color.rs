//! RGB to YCbCr (JFIF, clause 7), with libjpeg's 16 fractional bits and its rounding.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a hot kernel: sums of products stay below 2^24"
)]

/// Converts a row; `rgb` has three samples for each of a plane's.
pub(super) fn convert(rgb: &[u8], luma: &mut [u8], blue: &mut [u8], red: &mut [u8]) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let done = super::color_simd::convert(rgb, luma, blue, red);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let done = 0;
    convert_scalar(&rgb[done * 3..], &mut luma[done..], &mut blue[done..], &mut red[done..]);
}

/// The same without vector instructions.
pub(super) fn convert_scalar(rgb: &[u8], luma: &mut [u8], blue: &mut [u8], red: &mut [u8]) {
    const HALF: i32 = 1 << 15;
    // 128, and a half that is just too small to round 127.5 up.
    const CENTER: i32 = (128 << 16) + HALF - 1;
    for (((&[r, g, b], y), cb), cr) in rgb.as_chunks::<3>().0.iter().zip(luma).zip(blue).zip(red) {
        let (r, g, b) = (i32::from(r), i32::from(g), i32::from(b));
        *y = ((19595 * r + 38470 * g + 7471 * b + HALF) >> 16) as u8;
        *cb = ((-11059 * r - 21709 * g + 32768 * b + CENTER) >> 16) as u8;
        *cr = ((32768 * r - 27439 * g - 5329 * b + CENTER) >> 16) as u8;
    }
}

/// Halves a row's width: means of two, rounded down and up by turns as libjpeg does.
pub(super) fn halve_width(row: &[u8], out: &mut [u8]) {
    for (out, [[a, b], [c, d]]) in out.as_chunks_mut::<2>().0.iter_mut().zip(row.as_chunks::<2>().0.as_chunks::<2>().0) {
        *out = [((u16::from(*a) + u16::from(*b)) >> 1) as u8, ((u16::from(*c) + u16::from(*d) + 1) >> 1) as u8];
    }
}

/// Halves two rows' width and height: means of four, a quarter rounded up by turns with a half.
pub(super) fn halve_both(above: &[u8], below: &[u8], out: &mut [u8]) {
    let pairs = above.as_chunks::<4>().0.iter().zip(below.as_chunks::<4>().0);
    for (out, (above, below)) in out.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
        let sum = |i: usize| u16::from(above[i]) + u16::from(above[i + 1]) + u16::from(below[i]) + u16::from(below[i + 1]);
        *out = [((sum(0) + 1) >> 2) as u8, ((sum(2) + 2) >> 2) as u8];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gray_has_no_color_and_primaries_are_those_of_jfif() {
        let rgb = [0, 0, 0, 255, 255, 255, 77, 77, 77, 255, 0, 0, 0, 255, 0, 0, 0, 255];
        let (mut y, mut cb, mut cr) = ([0; 6], [0; 6], [0; 6]);
        convert(&rgb, &mut y, &mut cb, &mut cr);
        assert_eq!(y, [0, 255, 77, 76, 150, 29]);
        assert_eq!(cb, [128, 128, 128, 85, 44, 255]);
        assert_eq!(cr, [128, 128, 128, 255, 21, 107]);
    }

    #[test]
    fn every_platform_converts_alike() {
        let mut rgb: Vec<u8> = (0..3 * 4099_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 21) as u8).collect();
        rgb[..24].fill(255);
        rgb[24..48].fill(0);
        let mut planes = [(); 3].map(|()| vec![0; 4099]);
        let mut twin = planes.clone();
        let [y, cb, cr] = &mut planes;
        convert(&rgb, y, cb, cr);
        let [y, cb, cr] = &mut twin;
        convert_scalar(&rgb, y, cb, cr);
        assert_eq!(planes, twin);
    }

    #[test]
    fn means_are_rounded_by_turns() {
        let mut out = [0; 4];
        halve_width(&[0, 1, 0, 1, 0, 1, 0, 1], &mut out);
        assert_eq!(out, [0, 1, 0, 1]);
        halve_both(&[0, 1, 0, 1, 0, 1, 0, 3], &[1, 0, 0, 1, 0, 0, 0, 0], &mut out);
        assert_eq!(out, [0, 1, 0, 1]);
    }
}
