//! How answers are encoded.

use crate::api::{Format, Quality};

/// How answers are encoded; the same options give the same bytes.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EncodeOptions {
    /// 1 to 100 on libjpeg's scale.
    pub jpeg_quality: u8,
    /// JPEGs of up to 1 MP smaller by a fifth, at half a decibel less on average, for about ten times the time of coding them (trellis quantization); where there is
    /// memory for it, 34 bytes a pixel. What is stored or copied without loss stays as it is.
    pub jpeg_small: bool,
    /// 0 to 100 on libwebp's scale; of lossy WebP.
    pub webp_quality: u8,
    /// Lossless WebP for everything.
    pub webp_lossless: bool,
    /// How hard to try.
    pub png_compression: PngCompression,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self { jpeg_quality: 80, jpeg_small: false, webp_quality: 75, webp_lossless: false, png_compression: PngCompression::Fast }
    }
}

impl EncodeOptions {
    /// Whether an answer is WebP without loss. Line art has no tones for a lossy coder to save on, and edges for it to spoil.
    pub(crate) fn is_lossless_webp(&self, format: Format, quality: Quality) -> bool {
        format == Format::WebP && (self.webp_lossless || quality == Quality::Bitonal)
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
