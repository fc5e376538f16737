//! Bitonal, and laying transparent pixels on white.

use super::raster::Raster;

/// Every gray sample to black or white: below the middle, or not.
pub(crate) fn bitonal(raster: &mut Raster) {
    const MIDDLE: u8 = 128;
    let channels = raster.channels;
    for pixel in raster.data.chunks_exact_mut(channels) {
        for sample in &mut pixel[..channels.min(1)] {
            *sample = if *sample < MIDDLE { 0 } else { 255 };
        }
    }
}

/// Takes the alpha away, over white.
pub(crate) fn flatten(raster: &mut Raster) {
    if !raster.has_alpha() {
        return;
    }
    let (channels, colors) = (raster.channels, raster.channels - 1);
    let mut written = 0;
    for read in (0..raster.data.len()).step_by(channels) {
        let alpha = u32::from(raster.data[read + colors]);
        for color in 0..colors {
            let value = u32::from(raster.data[read + color]);
            raster.data[written] = ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
            written += 1;
        }
    }
    raster.data.truncate(written);
    raster.channels = colors;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Dimensions;

    #[test]
    fn what_is_transparent_becomes_white() {
        let mut raster = Raster { dimensions: Dimensions::new(3, 1).unwrap(), channels: 2, data: vec![10, 255, 10, 0, 0, 128] };
        flatten(&mut raster);
        assert_eq!((raster.channels, raster.data.as_slice()), (1, [10, 255, 127].as_slice()));
        bitonal(&mut raster);
        assert_eq!(raster.data, [0, 255, 0]);
    }
}
