//! Rasters to the bytes of an answer.

use super::{extra, jpeg, png};
use crate::api::{Format, Quality};
use crate::error::Result;
use crate::render::{Raster, bitonal, flatten};

/// How answers are encoded; the same options give the same bytes.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EncodeOptions {
    /// 1 to 100 on libjpeg's scale.
    pub jpeg_quality: u8,
    /// 0 to 100 on libwebp's scale; of lossy WebP.
    pub webp_quality: u8,
    /// Lossless WebP for everything.
    pub webp_lossless: bool,
    /// How hard to try.
    pub png_compression: PngCompression,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self { jpeg_quality: 80, webp_quality: 75, webp_lossless: false, png_compression: PngCompression::Fast }
    }
}

/// Effort for PNG: the later, the slower. Line art and charts become much smaller, scans by a twentieth, photographs hardly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PngCompression {
    /// Runs only.
    Fastest,
    /// The best deal for tiles.
    Fast,
    /// Three times the time of `Fast`.
    Balanced,
    /// Up to ten times the time of `Fast`.
    High,
}

/// Encodes a raster; `quality` has been applied to it but for the threshold of `bitonal`.
pub(crate) fn encode(mut raster: Raster, format: Format, quality: Quality, options: &EncodeOptions) -> Result<Vec<u8>> {
    let is_bitonal = quality == Quality::Bitonal;
    if is_bitonal {
        bitonal(&mut raster);
    }
    if format == Format::Jpg {
        flatten(&mut raster);
    }
    match format {
        Format::Jpg => jpeg::encode(&raster, options.jpeg_quality),
        Format::Png => png::encode(raster, is_bitonal, options.png_compression),
        Format::WebP | Format::Gif | Format::Tif => {
            // Line art has no tones for a lossy coder to save on, and edges for it to spoil.
            let settings = extra::Settings { quality: options.webp_quality, lossless: options.webp_lossless || is_bitonal };
            extra::encode(format, raster, settings)
        }
    }
}
