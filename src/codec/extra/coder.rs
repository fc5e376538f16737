//! The codecs themselves.

use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};
use std::io::Cursor;

pub(crate) use super::packed::Unpacker;
pub(crate) use super::vp8l::Rows as LosslessWebP;
use super::{Decoded, Fault, gif, run, small, tif, webp};
use crate::api::Format;
use crate::error::SourceFormat;
use crate::geometry::Dimensions;
use crate::pyramid::tiff::Compression;
use crate::render::Raster;

pub(crate) fn decode(format: SourceFormat, bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Decoded, Fault> {
    match format {
        SourceFormat::Gif => gif::decode(&bytes, planned, memory),
        SourceFormat::WebP => {
            webp::check_sizes(&bytes, planned)?;
            read(WebPDecoder::new(Cursor::new(&bytes)).map_err(failure)?, planned, memory)
        }
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

/// Begins data that are unpacked as far as to so many bytes.
pub(crate) fn unpacker(compression: Compression, content: u64) -> Result<Unpacker, Fault> {
    Unpacker::new(compression, content)
}

pub(crate) fn encode(format: Format, raster: Raster, quality: u8) -> Result<Vec<u8>, Fault> {
    match format {
        Format::Gif => gif::encode(raster),
        Format::Tif => tif::encode(raster),
        Format::WebP => webp::encode(raster, quality),
        Format::Jpg => small::encode(&raster, quality),
        Format::Png => Err(internal("encoded elsewhere")),
    }
}

/// Begins a lossless WebP.
pub(crate) fn lossless_webp(dimensions: Dimensions, channels: usize, bitonal: bool) -> Result<LosslessWebP, Fault> {
    Ok(LosslessWebP::new(dimensions, channels, bitonal))
}

fn read(mut decoder: impl ImageDecoder, planned: Dimensions, memory: u64) -> Result<Decoded, Fault> {
    let (width, height) = decoder.dimensions();
    let found = Dimensions::at_least_one(width, height);
    if found != planned {
        return Err(Fault::Corrupt(format!("its pixels are {found}, its header says {planned}")));
    }
    let mut own = image::Limits::no_limits();
    own.max_alloc = Some(memory);
    decoder.set_limits(own).map_err(failure)?;
    // One that cannot be had is as good as one that cannot be read, which is told.
    let icc = decoder.icc_profile().unwrap_or_else(|_| Some(Vec::new()));
    let channels = match decoder.color_type() {
        ColorType::Rgb8 => 3,
        ColorType::Rgba8 => 4,
        other => return Err(Fault::Unsupported(format!("{other:?}"))),
    };
    let mut samples = vec![0; usize::try_from(decoder.total_bytes()).map_err(internal)?];
    decoder.read_image(&mut samples).map_err(failure)?;
    Ok(Decoded { channels, samples, icc, damage: None })
}

pub(super) fn internal(what: impl std::fmt::Display) -> Fault {
    Fault::Internal(what.to_string())
}

fn failure(error: ImageError) -> Fault {
    match error {
        ImageError::Unsupported(error) => Fault::Unsupported(error.to_string()),
        other => Fault::Corrupt(other.to_string()),
    }
}
