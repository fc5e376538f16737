//! One level on its way: rows become tiles, and rows of half the size for the next.

use super::axis::Axis;
use super::copied::Copied;
use super::halve::halve;
use super::head::Page;
use super::internal;
use crate::codec::{TileCoder, TileRows};
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::jpeg::Component;
use crate::pyramid::Orientation;
use crate::pyramid::level::leader;
use crate::render::{Raster, turn};

/// Where a tile lies in its spool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub offset: u64,
    pub bytes: u32,
}

/// A level whose rows come in the order in which they are stored.
pub(super) struct Level {
    coder: TileCoder,
    /// From what is stored to what is seen; the rows that come are mirrored already.
    turn: Orientation,
    /// As stored.
    size: Dimensions,
    rows: Axis,
    /// Rows that have come.
    come: u32,
    band: Band,
    /// The first row of a pair.
    above: Vec<u8>,
    half: Vec<u8>,
    /// Of each tile as seen, row by row.
    entries: Vec<Entry>,
    spooled: u64,
}

/// The row of tiles that is being filled.
enum Band {
    /// Coded as rows come.
    Coded(Vec<TileRows>),
    /// Held until the tiles are whole.
    Pixels(Vec<u8>),
    /// Made of coefficients, whatever rows come.
    Copied(Box<Copied>),
}

impl Level {
    /// For `size` as stored. If it is `copied`, its rows make only the next level.
    pub fn new(coder: TileCoder, size: Dimensions, turn: Orientation, copied: Option<Copied>) -> Self {
        let tiles = u64::from(size.width().div_ceil(coder.side)) * u64::from(size.height().div_ceil(coder.side));
        let band = match copied {
            Some(copied) => Band::Copied(Box::new(copied)),
            None if streams(&coder, turn) => Band::Coded(Vec::new()),
            None => Band::Pixels(Vec::new()),
        };
        let rows = Axis { len: size.height(), flipped: turn.flip_y };
        let entries = vec![Entry::default(); usize::try_from(tiles).unwrap_or(0)];
        Self { coder, turn, size, rows, come: 0, band, above: Vec::new(), half: Vec::new(), entries, spooled: 0 }
    }

    /// Bytes that a level of a size takes at most, its tiles without what they are made of if they are `copied`.
    pub fn memory(coder: &TileCoder, size: Dimensions, turn: Orientation, copied: bool) -> u64 {
        let side = u64::from(coder.side);
        let columns = u64::from(size.width()).div_ceil(side);
        let row = u64::from(size.width()).saturating_mul(coder.channels as u64);
        let tile = side * side;
        // An encoder's planes and tables; and a byte a pixel that is coded, which is much.
        let band = if streams(coder, turn) { columns.saturating_mul(side * 16 * 3 + (32 << 10)) } else { row.saturating_mul(side.min(size.height().into())) };
        let coded = columns.saturating_mul(tile) / if turn.transpose { 1 } else { 2 };
        let tiles = if copied { 0 } else { band.saturating_add(coded) };
        let entries = columns.saturating_mul(u64::from(size.height()).div_ceil(side)).saturating_mul(size_of::<Entry>() as u64);
        [tiles, entries, row * 3].into_iter().fold(0, u64::saturating_add)
    }

    /// Bytes that are held now.
    pub fn held(&self) -> usize {
        let band = match &self.band {
            Band::Coded(tiles) => tiles.iter().map(TileRows::held).sum(),
            Band::Pixels(pixels) => pixels.capacity(),
            Band::Copied(copied) => copied.held(),
        };
        band + self.above.capacity() + self.half.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// What its directory tells, as seen.
    pub fn page(&self) -> Result<Page<'_>> {
        let (jpeg_tables, subsampling) = match &self.band {
            Band::Copied(copied) => (Some(copied.tables()?), copied.subsampling()),
            Band::Coded(_) | Band::Pixels(_) => (self.coder.jpeg_tables()?, self.coder.subsampling()),
        };
        Ok(Page { dimensions: self.turn.apply(self.size), jpeg_tables, subsampling, entries: &self.entries, spooled: self.spooled })
    }

    /// Takes the next row of MCUs; finished tiles go to `out`.
    pub fn copy(&mut self, strip: &[Component], out: &mut dyn FnMut(Vec<u8>)) -> Result<()> {
        let Self { band: Band::Copied(copied), entries, spooled, .. } = self else { return Err(internal("coefficients that nobody wants")) };
        copied.push(strip, &mut |index, bytes| keep(entries, spooled, index, &bytes, out))
    }

    /// Takes the next row; finished tiles go to `out`. A row of the next level is given back when there is one.
    pub fn push(&mut self, row: &[u8], out: &mut dyn FnMut(Vec<u8>)) -> Result<Option<&[u8]>> {
        let y = self.come;
        self.come += 1;
        self.fill(row, self.rows.begins(y, self.coder.side))?;
        if self.rows.ends(y, self.coder.side) {
            let group = self.rows.group(y, self.coder.side);
            self.finish(row, group, out)?;
        }
        if !self.rows.ends(y, 2) {
            self.above.clear();
            self.above.extend_from_slice(row);
            return Ok(None);
        }
        self.half.clear();
        let above = if self.rows.begins(y, 2) { row } else { self.above.as_slice() };
        halve(above, row, self.coder.channels, &mut self.half);
        Ok(Some(&self.half))
    }

    fn fill(&mut self, row: &[u8], begins: bool) -> Result<()> {
        match &mut self.band {
            Band::Pixels(pixels) => {
                if begins {
                    // Once, and all of it: growing would need it twice.
                    pixels.reserve_exact(row.len() * self.coder.side.min(self.size.height()) as usize);
                }
                pixels.extend_from_slice(row);
            }
            Band::Coded(tiles) => {
                if begins {
                    *tiles = (0..self.size.width().div_ceil(self.coder.side)).map(|_| self.coder.begin()).collect::<Result<_>>()?;
                }
                push_to(tiles, row, &self.coder)?;
            }
            Band::Copied(_) => {}
        }
        Ok(())
    }

    /// Codes the row of tiles, which is the `group`th as seen (or column, if rows become columns); `row` is its last.
    fn finish(&mut self, row: &[u8], group: u32, out: &mut dyn FnMut(Vec<u8>)) -> Result<()> {
        let side = self.coder.side;
        let across = self.size.width().div_ceil(side);
        match &mut self.band {
            Band::Coded(tiles) => {
                let mut tiles = std::mem::take(tiles);
                // Only the last band is not full; it is padded by its last row.
                for _ in self.come..(group + 1).saturating_mul(side) {
                    push_to(&mut tiles, row, &self.coder)?;
                }
                for (column, tile) in (0..).zip(tiles) {
                    let bytes = tile.finish()?;
                    keep(&mut self.entries, &mut self.spooled, group * across + column, &bytes, out)?;
                }
            }
            Band::Pixels(pixels) => {
                let mut pixels = std::mem::take(pixels);
                let down = self.rows.groups(side);
                for column in 0..across {
                    let raster = turn(self.cut(&pixels, column), self.turn);
                    let bytes = self.coder.encode(pad(raster, side))?;
                    let index = if self.turn.transpose { column * down + group } else { group * across + column };
                    keep(&mut self.entries, &mut self.spooled, index, &bytes, out)?;
                }
                pixels.clear();
                self.band = Band::Pixels(pixels);
            }
            Band::Copied(_) => {}
        }
        Ok(())
    }

    /// The pixels of the band in a column of tiles, as stored.
    fn cut(&self, pixels: &[u8], column: u32) -> Raster {
        let (channels, width) = (self.coder.channels, self.size.width() as usize);
        let left = column as usize * self.coder.side as usize;
        let right = (left + self.coder.side as usize).min(width);
        let rows = pixels.chunks_exact(width * channels);
        let dimensions = Dimensions::at_least_one((right - left) as u32, rows.len() as u32);
        let data = rows.flat_map(|row| &row[left * channels..right * channels]).copied().collect();
        Raster { dimensions, channels, data }
    }
}

/// Notes where a tile lies, and hands it on, with its leader and trailer.
fn keep(entries: &mut [Entry], spooled: &mut u64, index: u32, tile: &[u8], out: &mut dyn FnMut(Vec<u8>)) -> Result<()> {
    let internal = || internal("a tile beyond its level, or of no length");
    let (block, bytes) = (leader::block(tile).ok_or_else(internal)?, u32::try_from(tile.len()).map_err(|_| internal())?);
    *entries.get_mut(index as usize).ok_or_else(internal)? = Entry { offset: *spooled + leader::BYTES, bytes };
    *spooled += block.len() as u64;
    out(block);
    Ok(())
}

/// Whether tiles are coded while their rows come: then they must come in the order in which they are seen.
fn streams(coder: &TileCoder, turn: Orientation) -> bool {
    coder.by_rows() && turn == Orientation::NORMAL
}

/// A row to all tiles of a band; the last one may be narrower, and is padded by its last pixel.
fn push_to(tiles: &mut [TileRows], row: &[u8], coder: &TileCoder) -> Result<()> {
    let stride = coder.side as usize * coder.channels;
    for (tile, part) in tiles.iter_mut().zip(row.chunks(stride)) {
        if part.len() == stride {
            tile.push(part)?;
            continue;
        }
        let mut padded = part.to_vec();
        pad_row(&mut padded, coder.channels, stride);
        tile.push(&padded)?;
    }
    Ok(())
}

fn pad_row(row: &mut Vec<u8>, channels: usize, stride: usize) {
    let last = row.len().saturating_sub(channels);
    while row.len() < stride {
        row.extend_from_within(last..last + channels);
    }
}

/// A tile of `side` × `side` px, the pixels at its edges repeated: they cost least there and cast nothing into what is seen.
fn pad(raster: Raster, side: u32) -> Raster {
    if (raster.dimensions.width(), raster.dimensions.height()) == (side, side) {
        return raster;
    }
    let (channels, stride) = (raster.channels, side as usize * raster.channels);
    let mut data = Vec::with_capacity(stride * side as usize);
    for row in raster.data.chunks_exact(raster.stride()) {
        let mut row = row.to_vec();
        pad_row(&mut row, channels, stride);
        data.extend(row);
    }
    let last = data.len().saturating_sub(stride);
    while data.len() < stride * side as usize {
        data.extend_from_within(last..last + stride);
    }
    Raster { dimensions: Dimensions::at_least_one(side, side), channels, data }
}
