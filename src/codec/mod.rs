//! The only place that names third-party codecs: bytes to rows, rasters to bytes. Their errors and types end here.

mod adam7;
pub(crate) mod chunks;
mod encode;
pub(crate) mod extra;
mod filler;
mod jpeg;
mod png;
mod png_chunks;
mod sof3;
pub(crate) mod stored;
mod tif;
mod tile;
mod whole;

pub(crate) use encode::Encoder;
pub(crate) use extra::Progress;
pub(crate) use jpeg::Intake;
pub use tile::TileCompression;
pub(crate) use tile::{TileCoder, TileCopy, TileRows, tables_of};
pub(crate) use whole::{JpegFile, Part, WholeRows, decode_whole};

use crate::error::{Error, SourceFormat};
#[cfg(feature = "extra")]
use crate::render::Raster;

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

/// Four samples a pixel.
#[cfg(feature = "extra")]
fn rgba(raster: Raster) -> Vec<u8> {
    let pixels = raster.data.chunks_exact(raster.channels);
    match raster.channels {
        1 => pixels.flat_map(|gray| [gray[0], gray[0], gray[0], 255]).collect(),
        2 => pixels.flat_map(|gray| [gray[0], gray[0], gray[0], gray[1]]).collect(),
        3 => pixels.flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect(),
        _ => raster.data,
    }
}
