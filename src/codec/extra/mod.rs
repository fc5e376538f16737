//! Codecs that are heavy for how rarely a page asks for them: WebP, GIF, lossless JPEG, LZW, Zstandard and CCITT within TIFF, small JPEGs, and TIFF as an
//! answer. With the feature `extra` they are compiled in ([`coder`]); without it [`installed`] calls those of a module that the host brought. Both are the same code in the end, and give the same bytes.

#[cfg(feature = "extra")]
pub(crate) mod coder;
#[cfg(feature = "extra")]
mod fax;
#[cfg(feature = "extra")]
mod gif;
#[cfg(not(feature = "extra"))]
pub(crate) mod installed;
#[cfg(feature = "extra")]
mod lossless;
#[cfg(feature = "extra")]
mod packed;
#[cfg(feature = "extra")]
mod small;
#[cfg(feature = "extra")]
mod tif;
#[cfg(feature = "extra")]
mod webp;

#[cfg(feature = "extra")]
use coder as coding;
#[cfg(not(feature = "extra"))]
use installed as coding;

use super::{corrupt, internal, unsupported};
use crate::api::Format;
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::pyramid::tiff::Compression;
use crate::render::Raster;

/// A decoded file: 3 or 4 samples of 8 bits a pixel, rows without gaps; of a lossless JPEG 1 to 4 samples as stored, or of 16 bits in this machine's order.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// 3 (RGB) or 4 (RGBA, straight), or those of a JPEG.
    pub channels: usize,
    /// All of them, row by row.
    pub samples: Vec<u8>,
    /// The embedded profile.
    pub icc: Option<Vec<u8>>,
}

/// How an answer is encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// 0 to 100, of lossy WebP; 1 to 100, of JPEG.
    pub quality: u8,
    /// Of WebP.
    pub lossless: bool,
}

/// What a coder may say.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The file is broken.
    Corrupt(String),
    /// The file is of a kind that is not read.
    Unsupported(String),
    /// Something that cannot be.
    Internal(String),
}

/// The pixels of a file that its header says to have the dimensions `planned`; a coder takes at most `memory` bytes for itself.
pub(super) fn decode(format: SourceFormat, bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Decoded> {
    coding::decode(format, bytes, planned, memory).map_err(|fault| match fault {
        Fault::Corrupt(what) => corrupt(format, 0, what),
        Fault::Unsupported(what) => unsupported(format, what),
        Fault::Internal(what) => internal(what),
    })
}

/// At most `expected` bytes out of packed ones (LZW, Zstandard or CCITT) that lie at a byte of a TIFF, in rows of `width` px; fewer if they end before.
pub(super) fn unpack(compression: Compression, bytes: &[u8], width: u32, expected: usize, at: u64) -> Result<Vec<u8>> {
    coding::unpack(compression, bytes, width, expected).map_err(|fault| match fault {
        Fault::Corrupt(what) | Fault::Unsupported(what) => corrupt(SourceFormat::Tiff, at, what),
        Fault::Internal(what) => internal(what),
    })
}

/// A raster as WebP, GIF, TIFF or small JPEG.
pub(super) fn encode(format: Format, raster: Raster, settings: Settings) -> Result<Vec<u8>> {
    coding::encode(format, raster, settings).map_err(|fault| match fault {
        Fault::Corrupt(what) | Fault::Unsupported(what) | Fault::Internal(what) => Error::Internal { what },
    })
}
