//! Tiles of a TIFF that is being written: square rasters to the bytes of a chunk.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use azulejo_codecs::{Codec, Encoding};

use super::{internal, modules};
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::jpeg::{Component, Copied, Copier, Encoder, Sampling, Settings};
use crate::render::{Raster, flatten};

/// How the tiles of a pyramid are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TileCompression {
    /// JPEG: gray, or YCbCr of 4:2:0 below quality 90 and 4:4:4 from there on. Transparent pixels are laid on white.
    Jpeg,
    /// Deflate of horizontal differences, without loss.
    Deflate,
    /// WebP, in colour also of gray pixels; lossless at quality 100.
    WebP,
}

/// What all tiles of a pyramid have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TileCoder {
    pub compression: TileCompression,
    /// 1 to 100.
    pub quality: u8,
    /// Width and height, px.
    pub side: u32,
    /// Samples of the pixels that come: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    pub channels: usize,
}

impl TileCoder {
    /// Samples of the pixels that are stored.
    pub fn stored(&self) -> u16 {
        match (self.compression, self.channels) {
            (TileCompression::Jpeg, 1 | 2) => 1,
            (TileCompression::Jpeg, _) | (TileCompression::WebP, 1 | 3) => 3,
            (TileCompression::WebP, _) => 4,
            (TileCompression::Deflate, channels) => channels as u16,
        }
    }

    /// Chroma samples: pixels for one of them, across and down; of JPEG in colour.
    pub fn subsampling(&self) -> Option<[u16; 2]> {
        (self.compression == TileCompression::Jpeg && self.stored() == 3).then_some([self.sampling().factors().0 as u16; 2])
    }

    fn sampling(&self) -> Sampling {
        match (self.channels, self.quality) {
            (1 | 2, _) => Sampling::Gray,
            (_, ..90) => Sampling::S420,
            _ => Sampling::S444,
        }
    }

    /// The tables that JPEG tiles leave out, as a stream of their own (TIFF Technical Note 2).
    pub fn jpeg_tables(&self) -> Result<Option<Vec<u8>>> {
        if self.compression != TileCompression::Jpeg {
            return Ok(None);
        }
        let mut encoder = Encoder::new(&Settings::new(Dimensions::at_least_one(1, 1), self.sampling(), self.quality))?;
        encoder.push_row(&vec![0; self.stored().into()])?;
        Ok(Some(split(&encoder.finish()?, true)))
    }

    /// Whether tiles are coded row by row, so that their pixels need not be held.
    pub fn by_rows(&self) -> bool {
        // Alpha is laid on white before.
        self.compression == TileCompression::Jpeg && self.channels % 2 == 1
    }

    /// Begins a tile of rows.
    pub fn begin(&self) -> Result<TileRows> {
        let settings = Settings::new(Dimensions::at_least_one(self.side, self.side), self.sampling(), self.quality);
        Ok(TileRows(Encoder::new(&settings)?))
    }

    /// A whole tile.
    pub fn encode(&self, mut raster: Raster) -> Result<Vec<u8>> {
        match self.compression {
            TileCompression::Jpeg => {
                flatten(&mut raster);
                let mut rows = self.begin()?;
                raster.data.chunks_exact(raster.stride()).try_for_each(|row| rows.push(row))?;
                rows.finish()
            }
            TileCompression::Deflate => {
                let (stride, channels) = (raster.stride(), raster.channels);
                raster.data.chunks_exact_mut(stride).for_each(|row| difference(row, channels));
                let mut encoder = ZlibEncoder::new(Vec::with_capacity(raster.data.len() / 2), Compression::new(6));
                encoder.write_all(&raster.data).map_err(internal)?;
                encoder.finish().map_err(internal)
            }
            TileCompression::WebP => {
                if raster.is_gray() {
                    colored(&mut raster);
                }
                let encoding = Encoding { quality: self.quality, lossless: self.quality == 100, ..Encoding::default() };
                modules::Encoder::new(Codec::WebP, raster.dimensions, raster.channels, encoding)?.all(raster)
            }
        }
    }
}

/// A JPEG tile under way.
pub(crate) struct TileRows(Encoder);

impl TileRows {
    /// Adds the next row of the tile.
    pub fn push(&mut self, row: &[u8]) -> Result<()> {
        self.0.push_row(row)
    }

    /// Bytes it holds that are coded.
    pub fn held(&self) -> usize {
        self.0.held()
    }

    /// Its abbreviated stream, once all rows have come.
    pub fn finish(self) -> Result<Vec<u8>> {
        Ok(split(&self.0.finish()?, false))
    }
}

/// A JPEG tile of coefficients that are there already.
pub(crate) struct TileCopy(Copier);

impl TileCopy {
    /// Begins a tile of components like these.
    pub fn begin(side: u32, components: &[Component]) -> Result<Self> {
        Ok(Self(Copier::new(Dimensions::at_least_one(side, side), components, &Copied::default())?))
    }

    /// Adds the next rows of MCUs.
    pub fn push(&mut self, components: &[Component]) -> Result<()> {
        self.0.push(components)
    }

    /// Bytes it holds that are coded.
    pub fn held(&self) -> usize {
        self.0.held()
    }

    /// Its abbreviated stream, once all rows have come.
    pub fn finish(self) -> Result<Vec<u8>> {
        Ok(split(&self.0.finish()?, false))
    }
}

/// The tables that tiles of components like these leave out.
pub(crate) fn tables_of(components: &[Component]) -> Result<Vec<u8>> {
    // Where nothing is seen, a tile needs no more of them than their kind.
    let mut copier = Copier::new(Dimensions::at_least_one(1, 1), components, &Copied::default())?;
    let one: Vec<Component> = components.iter().map(|component| component.room((1, 1))).collect();
    copier.push(&one)?;
    Ok(split(&copier.finish()?, true))
}

/// Of a stream that our encoder made its tables, or all but those and JFIF's segment, which TIFF has no use for.
fn split(stream: &[u8], tables: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(if tables { 1024 } else { stream.len() });
    out.extend([0xFF, 0xD8]);
    let mut rest = stream.get(2..).unwrap_or_default();
    while let [0xFF, marker, high, low, ..] = rest {
        let (segment, after) = rest.split_at((2 + usize::from(u16::from_be_bytes([*high, *low]))).min(rest.len()));
        match marker {
            0xDA => break,
            0xDB | 0xC4 if tables => out.extend_from_slice(segment),
            0xDB | 0xC4 | 0xE0..=0xEF => {}
            _ if tables => {}
            _ => out.extend_from_slice(segment),
        }
        rest = after;
    }
    out.extend_from_slice(if tables { &[0xFF, 0xD9] } else { rest });
    out
}

/// Each sample less the one before it (TIFF 6.0, section 14).
fn difference(row: &mut [u8], channels: usize) {
    for index in (channels..row.len()).rev() {
        row[index] = row[index].wrapping_sub(row[index - channels]);
    }
}

/// Gray as RGB, alpha kept.
fn colored(raster: &mut Raster) {
    let channels = raster.channels;
    raster.data = raster.data.chunks_exact(channels).flat_map(|pixel| [pixel[0]; 3].into_iter().chain(pixel.get(1).copied())).collect();
    raster.channels += 2;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_tile_make_the_stream_they_come_from() {
        for (channels, quality) in [(1, 88), (3, 88), (3, 90)] {
            let coder = TileCoder { compression: TileCompression::Jpeg, quality, side: 16, channels };
            let tables = coder.jpeg_tables().unwrap().unwrap();
            let raster = Raster { dimensions: Dimensions::at_least_one(16, 16), channels, data: (0..256 * channels).map(|index| (index * 7) as u8).collect() };
            let tile = coder.encode(raster.clone()).unwrap();
            assert!(!tile.windows(2).any(|pair| pair == [0xFF, 0xDB] || pair == [0xFF, 0xC4] || pair == [0xFF, 0xE0]));
            let mut encoder = Encoder::new(&Settings::new(raster.dimensions, coder.sampling(), quality)).unwrap();
            raster.data.chunks_exact(raster.stride()).for_each(|row| encoder.push_row(row).unwrap());
            let whole = encoder.finish().unwrap();
            // SOI and EOI of the tables, SOI of the tile less JFIF's 18 bytes.
            assert_eq!(tables.len() + tile.len() + 18 - 4, whole.len());
            let scan = |bytes: &[u8]| bytes.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
            assert_eq!(tile[scan(&tile)..], whole[scan(&whole)..]);
        }
    }

    #[test]
    fn gray_becomes_colour_where_there_is_no_gray() {
        let mut raster = Raster { dimensions: Dimensions::at_least_one(2, 1), channels: 2, data: vec![1, 2, 3, 4] };
        colored(&mut raster);
        assert_eq!((raster.channels, raster.data), (4, vec![1, 1, 1, 2, 3, 3, 3, 4]));
    }
}
