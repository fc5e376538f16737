//! The codecs themselves.

use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};
use std::io::Cursor;

pub(crate) use super::vp8l::Rows as LosslessWebP;
use super::{Decoded, Fault, gif, packed, small, tif, webp};
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
    let mut out = vec![0; expected];
    let made = match compression {
        Compression::Lzw => packed::unlzw(bytes, &mut out),
        Compression::Zstandard => packed::unzstd(bytes, &mut out)?,
        other => return Err(Fault::Internal(format!("{other:?} is not unpacked here"))),
    };
    out.truncate(made);
    Ok(out)
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
    let icc = decoder.icc_profile().ok().flatten();
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
