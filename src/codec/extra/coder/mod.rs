//! The codecs themselves. A format that is decoded as a whole has its decoder in this folder, and a line in [`decode`].

mod bmp;
mod gif;
mod packed;
mod small;
pub(crate) mod vp8l;
mod webp;
mod zstandard;

pub(crate) use packed::Unpacker;
pub(crate) use vp8l::Rows as LosslessWebP;

use super::{Decoded, Fault, Progress, run};
use crate::api::Format;
use crate::error::SourceFormat;
use crate::geometry::Dimensions;
use crate::pyramid::level::Compression;
use crate::render::Raster;

pub(crate) fn decode(format: SourceFormat, bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Decoded, Fault> {
    match format {
        SourceFormat::Bmp => bmp::decode(&bytes, planned),
        SourceFormat::Gif => gif::decode(&bytes, planned, memory),
        SourceFormat::WebP => webp::decode(bytes, planned, memory),
        other => Err(Fault::Internal(format!("{} is not decoded here", other.name()))),
    }
}

pub(crate) fn unpack(compression: Compression, bytes: &[u8], expected: usize) -> Result<Vec<u8>, Fault> {
    let mut unpacker = Unpacker::new(compression, expected as u64)?;
    let mut out = vec![0; expected];
    let (made, fault) = run(bytes, &mut out, |input, out| unpacker.decode(input, true, out));
    if let Some(fault) = fault
        && !matches!(fault, Fault::Corrupt(_))
    {
        return Err(fault);
    }
    out.truncate(made);
    Ok(out)
}

/// A decoder of data in pieces, for the first `content` decompressed bytes.
pub(crate) fn unpacker(compression: Compression, content: u64) -> Result<Unpacker, Fault> {
    Unpacker::new(compression, content)
}

pub(crate) fn encode(format: Format, raster: Raster, quality: u8) -> Result<Vec<u8>, Fault> {
    match format {
        Format::Gif => gif::encode(raster),
        Format::WebP => webp::encode(raster, quality),
        Format::Jpg => small::encode(&raster, quality),
        Format::Png | Format::Tif => Err(internal("encoded elsewhere")),
    }
}

/// An encoder of a lossless WebP.
pub(crate) fn lossless_webp(dimensions: Dimensions, channels: usize, bitonal: bool) -> Result<LosslessWebP, Fault> {
    Ok(LosslessWebP::new(dimensions, channels, bitonal))
}

pub(super) fn internal(what: impl std::fmt::Display) -> Fault {
    Fault::Internal(what.to_string())
}
