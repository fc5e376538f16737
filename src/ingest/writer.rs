//! All levels at once: each row of the image goes down them as far as it makes rows of the next.

use std::collections::VecDeque;

use super::head::{Head, Page};
use super::level::Level;
use super::{Compression, Finished, Options, internal};
use crate::codec::TileCoder;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::pyramid::{Orientation, Pyramid};
use crate::render::Raster;

/// Takes the rows of an image as stored.
pub(super) struct Writer {
    options: Options,
    orientation: Orientation,
    pub stored: Dimensions,
    /// Of all levels, as stored.
    pub sizes: Vec<Dimensions>,
    /// What reading the rows takes, and with it all that the levels take.
    reading: u64,
    pub memory: u64,
    /// Once the first rows have told what a pixel is.
    coder: Option<TileCoder>,
    levels: Vec<Level>,
    /// Rows that have come.
    pub taken: u32,
    mirrored: Vec<u8>,
    /// Finished tiles and their levels.
    pub pieces: VecDeque<(usize, Vec<u8>)>,
}

impl Writer {
    /// `reading` is what the source takes of the memory.
    pub fn new(pyramid: &Pyramid, options: &Options, reading: u64) -> Self {
        let mut sizes = vec![pyramid.stored];
        while let Some(last) = sizes.last().filter(|last| last.width().max(last.height()) > options.tile) {
            sizes.push(last.reduced(2));
        }
        Self {
            options: options.clone(),
            orientation: pyramid.orientation,
            stored: pyramid.stored,
            sizes,
            reading,
            memory: 0,
            coder: None,
            levels: Vec::new(),
            taken: 0,
            mirrored: Vec::new(),
            pieces: VecDeque::new(),
        }
    }

    /// What all takes if pixels have so many samples; [`Error::SourceTooCostly`] if that is too much.
    pub fn settle(&mut self, channels: usize) -> Result<TileCoder> {
        let usual = if channels.is_multiple_of(2) { Compression::Deflate } else { Compression::Jpeg };
        let Options { tile, quality, compression, memory: limit } = self.options;
        let coder = TileCoder { compression: compression.unwrap_or(usual), quality, side: tile, channels };
        let memory = |size: &Dimensions| Level::memory(&coder, *size, self.turn());
        // One tile is turned, padded and coded at a time.
        let tile = u64::from(tile) * u64::from(tile) * 12;
        self.memory = self.sizes.iter().map(memory).fold(self.reading.saturating_add(tile), u64::saturating_add);
        if self.memory > limit {
            return Err(Error::SourceTooCostly { what: "memory", needs: self.memory, limit });
        }
        Ok(coder)
    }

    pub fn held(&self) -> u64 {
        let waiting: usize = self.pieces.iter().map(|(_, bytes)| bytes.capacity()).sum();
        self.levels.iter().map(Level::held).sum::<usize>().saturating_add(waiting) as u64
    }

    /// Takes the next rows. What is mirrored as seen is mirrored here, so that only turns are left for tiles.
    pub fn take(&mut self, rows: &Raster) -> Result<()> {
        let coder = match self.coder {
            Some(coder) => coder,
            None => {
                let coder = self.settle(rows.channels)?;
                self.levels = self.sizes.iter().map(|size| Level::new(coder, *size, self.turn())).collect();
                *self.coder.insert(coder)
            }
        };
        if rows.channels != coder.channels || rows.dimensions.width() != self.stored.width() {
            return Err(internal("rows of another kind"));
        }
        for row in rows.data.chunks_exact(rows.stride()) {
            self.taken += 1;
            let mut row = row;
            if self.orientation.flip_x {
                self.mirrored.clear();
                self.mirrored.extend(row.chunks_exact(rows.channels).rev().flatten());
                row = &self.mirrored;
            }
            for (spool, level) in self.levels.iter_mut().enumerate() {
                let pieces = &mut self.pieces;
                match level.push(row, &mut |bytes| pieces.push_back((spool, bytes)))? {
                    Some(half) => row = half,
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// The rest of the file, once all rows have come.
    pub fn finish(&mut self) -> Result<Finished> {
        let Some(coder) = self.coder.take() else { return Err(internal("a step after the end, or an image without rows")) };
        if self.taken != self.stored.height() {
            return Err(internal("rows are missing"));
        }
        let pages: Vec<Page<'_>> = self.levels.iter().map(Level::page).collect();
        let head = Head { coder, jpeg_tables: coder.jpeg_tables()?, pages }.write();
        Ok(Finished { head, spools: (0..self.levels.len()).rev().collect(), dimensions: self.orientation.apply(self.stored) })
    }

    /// What is left of the orientation once rows are mirrored.
    fn turn(&self) -> Orientation {
        Orientation { flip_x: false, ..self.orientation }
    }
}
