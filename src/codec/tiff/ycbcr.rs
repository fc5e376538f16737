//! YCbCr that is not JPEG: data units of luma blocks and one chroma pair (TIFF 6.0, section 21).

/// RGB rows of `width` pixels from data units of `across` × `down` luma samples. Full range, BT.601, the tags' defaults.
pub(super) fn to_rgb(data: &[u8], width: usize, rows: usize, across: usize, down: usize) -> Vec<u8> {
    let unit = across * down + 2;
    let units = width.div_ceil(across);
    let mut out = Vec::with_capacity(width * rows * 3);
    for y in 0..rows {
        for x in 0..width {
            let block = &data[(y / down * units + x / across) * unit..][..unit];
            let luma = i32::from(block[y % down * across + x % across]);
            let (blue, red) = (i32::from(block[unit - 2]) - 128, i32::from(block[unit - 1]) - 128);
            let color = |scaled: i32| (luma + ((scaled + 32_768) >> 16)).clamp(0, 255) as u8;
            out.extend([color(91_881 * red), color(-22_554 * blue - 46_802 * red), color(116_130 * blue)]);
        }
    }
    out
}
