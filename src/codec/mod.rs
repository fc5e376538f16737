//! The only place that names third-party codecs: bytes to rows, rasters to bytes. Their errors and types end here.

mod adam7;
pub(crate) mod chunks;
mod encode;
mod filler;
mod jpeg;
pub(crate) mod modules;
mod png;
mod png_chunks;
mod sof3;
pub(crate) mod stored;
mod tif;
mod tile;
mod whole;

pub(crate) use encode::Encoder;
pub(crate) use jpeg::Intake;
pub(crate) use modules::Progress;
pub use tile::TileCompression;
pub(crate) use tile::{TileCoder, TileCopy, TileRows, tables_of};
pub(crate) use whole::{JpegFile, Part, WholeRows};

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
