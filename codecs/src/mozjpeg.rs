//! Encodes JPEGs as small as a baseline encoder can make them, by trellis quantization: with mozjpeg-rs, which is mozjpeg in safe Rust.

use mozjpeg_rs::{Encoder, Subsampling};

use crate::collected::Raster;
use crate::{Encoding, Fault, internal};

/// Encodes a raster of 1 or 3 samples per pixel at a quality of 1 to 100.
pub(crate) fn encode(raster: &Raster, encoding: Encoding) -> Result<Vec<u8>, Fault> {
    // In baseline JPEG, a quantization step must fit into a byte, whatever the quality.
    let encoder = Encoder::baseline_optimized().quality(encoding.quality).force_baseline(true);
    let (width, height) = (raster.size.width, raster.size.height);
    match (raster.channels, encoding.subsampled) {
        (1, _) => encoder.encode_gray(&raster.data, width, height),
        (3, true) => encoder.subsampling(Subsampling::S420).encode_rgb(&raster.data, width, height),
        (3, false) => encoder.subsampling(Subsampling::S444).encode_rgb(&raster.data, width, height),
        (channels, _) => return Err(Fault::Internal(format!("a JPEG of {channels} samples a pixel"))),
    }
    .map_err(internal)
}
