//! Lossy WebP by webp-rust, the only usable encoder in pure Rust under a free licence.

use webp_rust::ImageBuffer;

use super::Fault;
use super::coder::internal;
use crate::codec::rgba;
use crate::render::Raster;

/// A raster as lossy WebP at `quality` 0 to 100, by the fastest method.
pub(super) fn encode(raster: Raster, quality: u8) -> Result<Vec<u8>, Fault> {
    let opaque = !raster.has_alpha();
    let image = ImageBuffer { width: raster.dimensions.width() as usize, height: raster.dimensions.height() as usize, rgba: rgba(raster) };
    let config = webp_rust::LossyEncodingConfig { quality: quality.into(), method: 0, no_alpha: opaque, ..Default::default() };
    webp_rust::encode_lossy_with_config(&image, &config, None).map_err(internal)
}
