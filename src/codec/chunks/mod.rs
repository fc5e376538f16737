//! TIFF chunks: compressed bytes to samples of 8 or 16 bits.

mod chunk;
mod decompress;
pub(crate) mod fax;
mod nodata;
mod packed;
mod planes;
mod predictor;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod predictor_simd;
mod samples;
mod ycbcr;

pub(crate) use chunk::{Block, UnpackedRows, decode_chunk, decode_rows, layout};
pub(crate) use decompress::{Unpacker, too_short};
pub(crate) use planes::{cut_chunk, decode_planes, lay_chunk};

use crate::error::{Error, SourceFormat};

fn corrupt(at: u64, what: impl std::fmt::Display) -> Error {
    super::corrupt(SourceFormat::Tiff, at, what)
}
