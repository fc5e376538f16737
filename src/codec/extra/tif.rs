//! TIFF as an answer, by the `tiff` crate: strips, Deflate.

use std::io::Cursor;

use tiff::encoder::{Compression, DeflateLevel, TiffEncoder, colortype};

use super::Fault;
use super::coder::internal;
use crate::codec::rgba;
use crate::render::Raster;

/// A raster as TIFF; bitonal is told by its values.
pub(super) fn encode(raster: Raster) -> Result<Vec<u8>, Fault> {
    // Room for pixels that do not compress: growing would need it twice.
    let mut bytes = Cursor::new(Vec::with_capacity(raster.data.len() + raster.data.len() / 64 + 4096));
    let (width, height) = (raster.dimensions.width(), raster.dimensions.height());
    let mut encoder = TiffEncoder::new(&mut bytes).map_err(internal)?.with_compression(Compression::Deflate(DeflateLevel::Fast));
    match raster.channels {
        1 => encoder.write_image::<colortype::Gray8>(width, height, &raster.data),
        3 => encoder.write_image::<colortype::RGB8>(width, height, &raster.data),
        _ => encoder.write_image::<colortype::RGBA8>(width, height, &rgba(raster)),
    }
    .map_err(internal)?;
    Ok(bytes.into_inner())
}
