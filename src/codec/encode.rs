//! Rasters to the bytes of an answer.

use std::borrow::Cow;

use azulejo_codecs::Encoding;

use super::{modules, png, tif};
use crate::api::{Format, Quality};
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::jpeg::{Component, Copied, Copier, Planes, Sampling, Settings, Tables, most_listed};
use crate::options::EncodeOptions;
use crate::plan::{COUNTED_JPG, LARGE_TIF, LARGE_WEBP};
use crate::render::{Raster, bitonal};

impl EncodeOptions {
    /// How finely JPEG samples colours: where quality counts, they keep their edges.
    pub(crate) fn sampling(&self, gray: bool) -> Sampling {
        match gray {
            true => Sampling::Gray,
            false if self.jpeg_quality < 90 => Sampling::S420,
            false => Sampling::S444,
        }
    }

    /// Whether an answer of `area` px is to be as small as it can be made.
    pub(crate) fn is_small(&self, format: Format, area: u64) -> bool {
        self.jpeg_small && format == Format::Jpg && area <= COUNTED_JPG
    }

    /// How a codec of a module encodes an answer.
    fn encoding(&self, format: Format, gray: bool) -> Encoding {
        let quality = if format == Format::Jpg { self.jpeg_quality } else { self.webp_quality };
        Encoding { quality, subsampled: self.sampling(gray) == Sampling::S420, ..Encoding::default() }
    }

    /// Bytes of memory that it takes to make an answer of `area` px small: planes and coefficients at 4:4:4, as noise of quality 100 needs them.
    pub(crate) fn small_memory(&self, format: Format, area: u64) -> u64 {
        if self.is_small(format, area) { area.saturating_mul(34) } else { 0 }
    }
}

/// Makes a file of rows that come from the top; what is finished of it can be taken at any time, so that neither pixels nor file need ever be whole.
pub(crate) struct Encoder {
    kind: Kind,
    bitonal: bool,
}

enum Kind {
    Png(Box<png::Rows>),
    Jpeg(Box<crate::jpeg::Encoder>, usize),
    Copy(Box<Copier>),
    Tif(tif::Rows),
    DeflatedTif(Box<tif::DeflatedRows>),
    Module(modules::Encoder),
    /// The pixels of a small lossless WebP, which is encoded when all have come.
    LosslessWebP(Raster),
}

impl Encoder {
    /// For an image of these dimensions whose pixels have `channels` samples: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    pub fn new(dimensions: Dimensions, channels: usize, format: Format, quality: Quality, options: &EncodeOptions) -> Result<Self> {
        let bitonal = quality == Quality::Bitonal;
        let by_rows = Self::by_rows(format, quality, dimensions, channels, options);
        let kind = match format {
            Format::Png => Kind::Png(Box::new(png::Rows::new(dimensions, channels, bitonal, options.png_compression)?)),
            Format::Jpg if by_rows => {
                let settings = Settings {
                    tables: tables(dimensions, options.jpeg_quality),
                    ..Settings::new(dimensions, options.sampling(channels == 1), options.jpeg_quality)
                };
                Kind::Jpeg(Box::new(crate::jpeg::Encoder::new(&settings)?), dimensions.width() as usize * channels)
            }
            Format::Tif if dimensions.area() * channels as u64 > LARGE_TIF => Kind::Tif(tif::Rows::new(dimensions, channels)),
            Format::Tif => Kind::DeflatedTif(Box::new(tif::DeflatedRows::new(dimensions, channels))),
            Format::WebP if by_rows => Kind::Module(modules::Encoder::lossless_webp(dimensions, channels, bitonal)?),
            Format::WebP if options.is_lossless_webp(format, quality) => {
                let room = dimensions.area() as usize * channels;
                Kind::LosslessWebP(Raster { dimensions, channels, data: Vec::with_capacity(room) })
            }
            _ => {
                let codec = modules::of_answer(format, dimensions.area(), options).ok_or_else(|| super::internal("a format that nobody encodes"))?;
                Kind::Module(modules::Encoder::new(codec, dimensions, channels, options.encoding(format, channels == 1))?)
            }
        };
        Ok(Self { kind, bitonal })
    }

    /// For a JPEG of coefficients of the same kind as these, with a profile.
    pub fn copying(dimensions: Dimensions, components: &[Component], icc: Option<&[u8]>) -> Result<Self> {
        let copier = Copier::new(dimensions, components, &Copied { tables: tables(dimensions, 100), icc, ..Copied::default() })?;
        Ok(Self { kind: Kind::Copy(Box::new(copier)), bitonal: false })
    }

    /// Whether the file is made row by row.
    pub fn by_rows(format: Format, quality: Quality, dimensions: Dimensions, channels: usize, options: &EncodeOptions) -> bool {
        let bytes = dimensions.area() * channels as u64;
        match format {
            Format::Png | Format::Tif => true,
            Format::Jpg => !options.is_small(format, dimensions.area()),
            Format::WebP => bytes > LARGE_WEBP && options.is_lossless_webp(format, quality),
            Format::Gif => false,
        }
    }

    /// Whether all rows have come, and are to come again.
    pub fn is_counted(&self) -> bool {
        matches!(&self.kind, Kind::Module(encoder) if encoder.is_counted())
    }

    /// Adds rows, which have the right width and number of samples.
    pub fn push(&mut self, mut rows: Raster) -> Result<()> {
        if self.bitonal {
            bitonal(&mut rows);
        }
        match &mut self.kind {
            Kind::Png(encoder) => encoder.push(&rows),
            Kind::Tif(encoder) => encoder.push(&rows),
            Kind::DeflatedTif(encoder) => encoder.push(&rows),
            Kind::Module(encoder) => encoder.push(Cow::Owned(rows.data)),
            Kind::Copy(_) => Err(super::internal("rows among coefficients")),
            Kind::Jpeg(encoder, stride) => rows.data.chunks_exact(*stride).try_for_each(|row| encoder.push_row(row)),
            // All at once: no need to copy.
            Kind::LosslessWebP(raster) if raster.dimensions == rows.dimensions => {
                raster.data = rows.data;
                Ok(())
            }
            Kind::LosslessWebP(raster) => {
                raster.data.extend_from_slice(&rows.data);
                Ok(())
            }
        }
    }

    /// Adds rows of planes: as many as make whole rows of MCUs, or all that are left. Only of JPEG.
    pub fn push_planes(&mut self, planes: &Planes) -> Result<()> {
        match &mut self.kind {
            Kind::Jpeg(encoder, _) => encoder.push_planes(planes),
            _ => Err(super::internal("planes for what is no JPEG")),
        }
    }

    /// Adds rows of MCUs. Only of what [copies](Self::copying).
    pub fn push_coefficients(&mut self, components: &[Component]) -> Result<()> {
        match &mut self.kind {
            Kind::Copy(copier) => copier.push(components),
            _ => Err(super::internal("coefficients for what is encoded")),
        }
    }

    /// Bytes of the file that are finished and have not been taken.
    pub fn held(&self) -> usize {
        match &self.kind {
            Kind::Png(encoder) => encoder.held(),
            Kind::Jpeg(encoder, _) => encoder.held(),
            Kind::Copy(copier) => copier.held(),
            Kind::Tif(encoder) => encoder.held(),
            Kind::Module(encoder) => encoder.held(),
            // The first bytes of a compressed TIFF say where its directory is, which is written last.
            Kind::DeflatedTif(_) | Kind::LosslessWebP(_) => 0,
        }
    }

    /// Takes what is finished of the file.
    pub fn take(&mut self) -> Vec<u8> {
        match &mut self.kind {
            Kind::Png(encoder) => encoder.take(),
            Kind::Jpeg(encoder, _) => encoder.take(),
            Kind::Copy(copier) => copier.take(),
            Kind::Tif(encoder) => encoder.take(),
            Kind::Module(encoder) => encoder.take(),
            Kind::DeflatedTif(_) | Kind::LosslessWebP(_) => Vec::new(),
        }
    }

    /// The rest of the file, once all rows have come.
    pub fn finish(self) -> Result<Vec<u8>> {
        match self.kind {
            Kind::Png(encoder) => encoder.finish(),
            Kind::Jpeg(encoder, _) => encoder.finish(),
            Kind::Copy(copier) => copier.finish(),
            Kind::Tif(mut encoder) => Ok(encoder.take()),
            Kind::DeflatedTif(encoder) => encoder.finish(),
            Kind::Module(mut encoder) => encoder.finish(),
            Kind::LosslessWebP(raster) => modules::Encoder::lossless_webp(raster.dimensions, raster.channels, self.bitonal)?.all(raster),
        }
    }
}

/// Of a JPEG of some quality.
fn tables(dimensions: Dimensions, quality: u8) -> Tables {
    let area = dimensions.area();
    if area <= COUNTED_JPG { Tables::Optimal { most: most_listed(area, quality) } } else { Tables::Standard }
}
