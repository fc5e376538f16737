//! Encodes JPEGs as small as a baseline encoder can make them, by trellis quantization: with mozjpeg-rs, which is mozjpeg in safe Rust.

use mozjpeg_rs::{Encoder, Subsampling};

use super::{Fault, internal};
use crate::jpeg::Sampling;
use crate::options::EncodeOptions;
use crate::render::Raster;

/// Encodes a raster of 1 or 3 samples per pixel at `quality` 1 to 100, with the chroma subsampling that the engine's own encoder uses at that quality.
pub(super) fn encode(raster: &Raster, quality: u8) -> Result<Vec<u8>, Fault> {
    let sampling = EncodeOptions { jpeg_quality: quality, ..EncodeOptions::default() }.sampling(raster.channels == 1);
    // In baseline JPEG, a quantization step must fit into a byte, whatever the quality.
    let encoder = Encoder::baseline_optimized().quality(quality).force_baseline(true);
    let (width, height) = (raster.dimensions.width(), raster.dimensions.height());
    match (raster.channels, sampling) {
        (1, _) => encoder.encode_gray(&raster.data, width, height),
        (3, Sampling::S420) => encoder.subsampling(Subsampling::S420).encode_rgb(&raster.data, width, height),
        (3, _) => encoder.subsampling(Subsampling::S444).encode_rgb(&raster.data, width, height),
        (channels, _) => return Err(Fault::Internal(format!("a JPEG of {channels} samples a pixel"))),
    }
    .map_err(internal)
}
