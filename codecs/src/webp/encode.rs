//! Lossy WebP by webp-rust, the only usable encoder in pure Rust under a free licence.

use webp_rust::ImageBuffer;

use super::{FIRST_CHUNK, chunks};
use crate::collected::Raster;
use crate::vp8l::Rows as LosslessWebP;
use crate::{ALPHA_FLAG, Encoder, Fault, Size, padded_webp};

/// Longest side of an image that the encoder takes, px.
const LONGEST: usize = 16_383;

/// Qualities whose quantization steps turn an error of 1 into one of -1 and back, so that a gray area never has macroblocks without coefficients: steps of 12
/// to 14 for chroma, or of 47 to 56 for luminance.
const RESTLESS: [std::ops::RangeInclusive<u8>; 2] = [46..=51, 90..=92];

/// Encodes a raster as lossy WebP at `quality` 0 to 100, by the fastest method. Alpha is lossless. An image that the encoder cannot take is encoded without
/// loss.
///
/// webp-rust 0.3.2 has a fault: it writes nothing for macroblocks without coefficients, but marks them as left out (RFC 6386, 9.3 and 11.1) only if they are at
/// least 2.2 % of all. If there are some, but fewer, decoders lose their place: the rest of the picture is garbage, or the file is refused.
///
/// So the encoder gets an image that is [higher](padded_webp): the rows below the picture are gray, and most of their macroblocks have no coefficients. Then
/// all are marked. The file states the true height, and decoders do not look at what lies below it. At [some qualities](RESTLESS) this does not work, and the
/// next higher one is used. The header of the file shows whether macroblocks are marked.
pub(crate) fn encode(raster: Raster, quality: u8) -> Result<Vec<u8>, Fault> {
    let dimensions = raster.size;
    let (width, height) = (dimensions.width as usize, dimensions.height as usize);
    let padded = padded_webp(dimensions.height) as usize;
    if padded > LONGEST {
        return lossless(dimensions, raster.channels, raster.data.chunks_exact(raster.stride()));
    }
    let alpha = alpha(&raster);
    let coded = alpha.as_deref().map(|alpha| coded_alpha(dimensions, alpha)).transpose()?;
    let mut rgba = raster.into_rgba();
    rgba.iter_mut().skip(3).step_by(4).for_each(|alpha| *alpha = u8::MAX);
    rgba.reserve_exact((padded - height) * width * 4);
    rgba.resize(padded * width * 4, 128);
    let image = ImageBuffer { width, height: padded, rgba };
    let quality = RESTLESS.iter().find(|some| some.contains(&quality)).map_or(quality, |some| *some.end() + 1);
    for quality in [quality, quality + 1] {
        let config = webp_rust::LossyEncodingConfig { quality: quality.min(100).into(), method: 0, no_alpha: true, exact: true, ..Default::default() };
        // The encoder decodes small images after it has encoded them, and fails if that is not possible.
        let Ok(file) = webp_rust::encode_lossy_with_config(&image, &config, None) else { continue };
        let data = chunks(&file, FIRST_CHUNK).find(|chunk| chunk.kind == *b"VP8 ").map(|chunk| chunk.data(&file));
        if let Some(data) = data.filter(|data| webp_rust::decoder::parse_lossy_headers(data).is_ok_and(|header| header.probabilities.use_skip_probability)) {
            drop(image);
            return Ok(container(dimensions, coded.as_deref(), data));
        }
    }
    let mut rgba = image.rgba;
    rgba.truncate(height * width * 4);
    rgba.iter_mut().skip(3).step_by(4).zip(alpha.into_iter().flatten()).for_each(|(into, alpha)| *into = alpha);
    lossless(dimensions, 4, rgba.chunks_exact(width * 4))
}

/// The position of the height in the data of a key frame (RFC 6386, 9.1).
const HEIGHT: std::ops::Range<usize> = 8..10;

/// The alpha of all pixels, if some are not opaque.
fn alpha(raster: &Raster) -> Option<Vec<u8>> {
    let alpha = || raster.data.iter().skip(raster.channels - 1).step_by(raster.channels).copied();
    (raster.channels.is_multiple_of(2) && alpha().any(|alpha| alpha < u8::MAX)).then(|| alpha().collect())
}

/// Alpha as the data of an ALPH chunk: coded without loss (RFC 9649, 2.7.1.2), as the green of an image without its header.
fn coded_alpha(dimensions: Size, alpha: &[u8]) -> Result<Vec<u8>, Fault> {
    const LOSSLESS: u8 = 1;
    // RIFF and WEBP, the header of the chunk, and the header of the image.
    const BEFORE: usize = 20 + 5;
    let mut file = lossless(dimensions, 1, alpha.chunks_exact(dimensions.width as usize))?;
    file.drain(..BEFORE - 1);
    file[0] = LOSSLESS;
    Ok(file)
}

/// Encodes rows as a file without loss. All rows are pushed twice.
fn lossless<'a>(dimensions: Size, channels: usize, rows: impl Iterator<Item = &'a [u8]> + Clone) -> Result<Vec<u8>, Fault> {
    let mut file = LosslessWebP::new(dimensions, channels, false);
    rows.clone().try_for_each(|row| file.push(row.into()))?;
    rows.clone().try_for_each(|row| file.push(row.into()))?;
    file.finish()
}

/// Makes a file of these chunks (RFC 9649, 2.3 to 2.7), and writes the true height into the VP8 data.
fn container(dimensions: Size, alpha: Option<&[u8]>, vp8: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(12 + 18 + 8 + alpha.map_or(0, <[u8]>::len) + 8 + vp8.len() + 2);
    out.extend_from_slice(b"RIFF\0\0\0\0WEBP");
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        out.extend_from_slice(kind);
        out.extend_from_slice(&(data.len() as u32).to_le_bytes());
        let start = out.len();
        out.extend_from_slice(data);
        // Chunks have an even number of bytes.
        out.resize(out.len() + data.len() % 2, 0);
        start
    };
    if let Some(alpha) = alpha {
        let [width, height] = [dimensions.width, dimensions.height].map(|side| (side - 1).to_le_bytes());
        chunk(b"VP8X", &[&[ALPHA_FLAG, 0, 0, 0], &width[..3], &height[..3]].concat());
        chunk(b"ALPH", alpha);
    }
    let start = chunk(b"VP8 ", vp8);
    out[start + HEIGHT.start..start + HEIGHT.end].copy_from_slice(&dimensions.height.to_le_bytes()[..2]);
    let riff = out.len() as u32 - 8;
    out[4..8].copy_from_slice(&riff.to_le_bytes());
    out
}
