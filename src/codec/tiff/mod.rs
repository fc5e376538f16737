//! TIFF chunks: compressed bytes to samples of 8 or 16 bits; and TIFF as an output.

mod chunk;
mod decompress;
mod encode;
mod fax;
mod predictor;
mod samples;
mod ycbcr;

pub(crate) use chunk::{Block, decode_chunk, layout};
pub(super) use encode::encode;

use crate::error::{Error, SourceFormat};

fn corrupt(at: u64, what: impl std::fmt::Display) -> Error {
    super::corrupt(SourceFormat::Tiff, at, what)
}
