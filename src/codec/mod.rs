//! The only place that names third-party codecs: bytes to rows, rasters to bytes. Their errors and types end here.

mod encode;
mod gif;
pub(crate) mod icc;
mod jpeg;
mod png;
pub(crate) mod tiff;
mod webp;
mod whole;

pub(crate) use encode::encode;
pub use encode::{EncodeOptions, PngCompression};
pub(crate) use whole::decode_whole;

use crate::error::{Error, SourceFormat};

/// "The file is broken", in a codec's words. Decoders that count no bytes say where their data begins.
fn corrupt(format: SourceFormat, at: u64, what: impl std::fmt::Display) -> Error {
    Error::SourceCorrupt { format, at, what: what.to_string() }
}

fn unsupported(format: SourceFormat, feature: impl std::fmt::Display) -> Error {
    Error::SourceUnsupported { format: Some(format), feature: feature.to_string() }
}

fn internal(what: impl std::fmt::Display) -> Error {
    Error::Internal { what: what.to_string() }
}
