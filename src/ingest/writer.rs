//! All levels at once: each row of the image goes down them as far as it makes rows of the next.

use std::collections::VecDeque;
use std::sync::Arc;

use super::copied::Copied;
use super::head::{Head, Page};
use super::level::Level;
use super::{Compression, Finished, Options, internal};
use crate::codec::TileCoder;
use crate::error::{Budget, Error, Remedy, Result};
use crate::geometry::Dimensions;
use crate::jpeg::Component;
use crate::profile::Profile;
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
    /// Of the largest level, if it is made of coefficients; until there are levels.
    copied: Option<Copied>,
    profile: Option<Arc<Profile>>,
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
    /// `reading` is what the source takes of the memory. If its coefficients come as well, they are `copied`.
    pub fn new(pyramid: &Pyramid, options: &Options, reading: u64, copied: Option<Copied>) -> Self {
        let mut sizes = vec![pyramid.stored];
        while let Some(last) = sizes.last().filter(|last| last.width().max(last.height()) > options.tile) {
            sizes.push(last.reduced(2));
        }
        Self {
            options: options.clone(),
            orientation: pyramid.orientation,
            stored: pyramid.stored,
            sizes,
            reading: reading.saturating_add(copied.as_ref().map_or(0, |copied| copied.memory(pyramid.file_size))),
            memory: 0,
            profile: copied.as_ref().and_then(|copied| copied.profile.clone()),
            copied,
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
        let Options { tile, quality, compression, memory: limit, .. } = self.options;
        let coder = TileCoder { compression: compression.unwrap_or(usual), quality, side: tile, channels };
        let memory = |(number, size): (usize, &Dimensions)| Level::memory(&coder, *size, self.turn(), number == 0 && self.copied.is_some());
        // One tile is turned, padded and coded at a time.
        let tile = u64::from(tile) * u64::from(tile) * 12;
        self.memory = self.sizes.iter().enumerate().map(memory).fold(self.reading.saturating_add(tile), u64::saturating_add);
        over_memory(self.memory, limit)?;
        Ok(coder)
    }

    pub fn held(&self) -> u64 {
        let waiting: usize = self.pieces.iter().map(|(_, bytes)| bytes.capacity()).sum();
        self.levels.iter().map(Level::held).sum::<usize>().saturating_add(waiting) as u64
    }

    /// Takes the next rows. What is mirrored as seen is mirrored here, so that only turns are left for tiles.
    pub fn take(&mut self, rows: &Raster) -> Result<()> {
        let coder = self.begun(rows.channels)?;
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

    /// Takes the next row of MCUs of what is a JPEG already.
    pub fn copy(&mut self, strip: &[Component]) -> Result<()> {
        self.begun(strip.len())?;
        let pieces = &mut self.pieces;
        let Some(level) = self.levels.first_mut() else { return Err(internal("an image of no levels")) };
        level.copy(strip, &mut |bytes| pieces.push_back((0, bytes)))?;
        // Where a file is far denser than elsewhere.
        let needs = self.reading.saturating_add(self.held());
        over_memory(needs, self.options.memory)
    }

    /// Once the first rows have come, there are levels.
    fn begun(&mut self, channels: usize) -> Result<TileCoder> {
        if let Some(coder) = self.coder {
            return Ok(coder);
        }
        let coder = self.settle(channels)?;
        for index in 0..self.sizes.len() {
            // The largest comes first.
            let level = Level::new(coder, self.sizes[index], self.turn(), self.copied.take());
            self.levels.push(level);
        }
        Ok(*self.coder.insert(coder))
    }

    /// The rest of the file, once all rows have come.
    pub fn finish(&mut self) -> Result<Finished> {
        let Some(coder) = self.coder.take() else { return Err(internal("a step after the end, or an image without rows")) };
        if self.taken != self.stored.height() {
            return Err(internal("rows are missing"));
        }
        let mut pages: Vec<Page<'_>> = Vec::new();
        for level in &self.levels {
            pages.push(level.page()?);
        }
        let head = Head { coder, profile: self.profile.clone(), pages }.write();
        Ok(Finished { head, spools: (0..self.levels.len()).rev().collect(), dimensions: self.orientation.apply(self.stored) })
    }

    /// What is left of the orientation once rows are mirrored.
    fn turn(&self) -> Orientation {
        Orientation { flip_x: false, ..self.orientation }
    }
}

fn over_memory(needs: u64, limit: u64) -> Result<()> {
    if needs > limit { Err(Error::SourceTooCostly { what: Budget::Memory, needs, limit, remedy: Remedy::Limit }) } else { Ok(()) }
}
