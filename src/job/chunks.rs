//! Finding and fetching the chunks of a level.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::{Meter, over, widen};
use crate::bytes::{ByteRange, ByteStore, Step};
use crate::codec::tiff::{Block, decode_chunk};
use crate::error::{Error, Result, Stop};
use crate::geometry::Rect;
use crate::limits::Limits;
use crate::plan::BATCH;
use crate::pyramid::tiff::{Level, Location, Tiff};
use crate::pyramid::{Body, Pyramid};
use crate::render::Row;

/// Ranges nearer than this are fetched as one.
const GAP: u64 = 16 << 10;

/// The locations of the chunks in one row of chunks: for each column its planes.
pub(crate) type Band = Vec<Location>;

/// What a request reads of one level of a TIFF.
pub(crate) struct Chunks {
    pyramid: Pyramid,
    tiff: Arc<Tiff>,
    level: usize,
    store: ByteStore,
    /// Parts of tables that were asked for and are to be kept for other requests.
    tables: Vec<ByteRange>,
    /// The next rows of chunks, as many as make a batch.
    located: Vec<Band>,
}

impl Chunks {
    /// Of the level with an index; [`Error::Internal`] if there is none.
    pub fn new(pyramid: &Pyramid, level: usize) -> Result<Self> {
        let Body::Tiff(tiff) = &pyramid.body else { return Err(Error::Internal { what: "chunks of what is no TIFF".to_owned() }) };
        if level >= tiff.levels.len() {
            return Err(Error::Internal { what: "a level that is not there".to_owned() });
        }
        Ok(Self { pyramid: pyramid.clone(), tiff: tiff.clone(), level, store: pyramid.kept.store(), tables: Vec::new(), located: Vec::new() })
    }

    pub fn tiff(&self) -> &Tiff {
        &self.tiff
    }

    pub fn level(&self) -> &Level {
        // The constructor has looked.
        &self.tiff.levels[self.level]
    }

    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.store.provide(offset, bytes)
    }

    /// Fetches the first of `rows` of chunks, and as many of them as make a batch; `memory` is what the request takes beside them.
    pub fn fetch(&mut self, columns: &Range<u32>, rows: Range<u32>, memory: u64, meter: &mut Meter, limits: &Limits) -> Result<Step<()>> {
        if self.located.is_empty() {
            match self.locate(columns, rows) {
                Ok(located) => self.located = located,
                Err(Stop::Fail(error)) => return Err(error),
                Err(Stop::Need(entries)) => {
                    let missing = widen(&entries, &self.store);
                    self.tables.extend(&missing);
                    return meter.need(ByteRange::coalesce(missing, GAP), limits);
                }
            }
            self.pyramid.kept.add(&self.store, &std::mem::take(&mut self.tables));
        }
        let missing = self.missing(memory, limits)?;
        if missing.is_empty() { Ok(Step::Done(())) } else { meter.need(ByteRange::coalesce(missing, GAP), limits) }
    }

    /// The rows of chunks that were fetched, once.
    pub fn take(&mut self) -> Vec<Band> {
        std::mem::take(&mut self.located)
    }

    /// Forgets the bytes of what has been decoded.
    pub fn forget(&mut self) {
        self.store = self.pyramid.kept.store();
    }

    /// The stored bytes of a chunk; none for one that was left out.
    pub fn bytes(&self, location: &Location) -> Result<Cow<'_, [u8]>> {
        match ByteRange::at(location.offset, location.bytes) {
            None => Ok(Cow::Borrowed(&[])),
            Some(range) => self.store.read(range).map_err(|_| Error::Internal { what: "a chunk that was fetched is not here".to_owned() }),
        }
    }

    /// The blocks of row `row` of chunks, one a column, as far as they are within `source` (px of the level).
    fn decode(&self, band: &Band, row: u32, columns: &Range<u32>, source: Rect) -> Result<Vec<Block>> {
        let level = self.level();
        let decode = |(planes, column): (&[Location], u32)| {
            let first = planes.first().copied().unwrap_or(Location { offset: 0, bytes: 0, rows: 0 });
            let bytes: Result<Vec<_>> = planes.iter().map(|plane| self.bytes(plane)).collect();
            let chunk = Rect::new(column.saturating_mul(level.chunk.width()), level.chunk_top(row), level.chunk.width(), first.rows);
            let wanted = chunk.and_then(|chunk| chunk.intersection(source)?.relative_to(chunk));
            let wanted = wanted.ok_or_else(|| Error::Internal { what: "a chunk that is not wanted".to_owned() })?;
            decode_chunk(level, self.tiff.endian, &bytes?, first, wanted)
        };
        band.chunks(level.planes().into()).zip(columns.clone()).map(decode).collect()
    }

    /// Gives the rows of row `row` of chunks, as far as they are within `source` (px of the level), to `sink`.
    pub fn rows(&self, band: &Band, row: u32, columns: &Range<u32>, source: Rect, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        let (mut narrow, mut wide) = (Vec::new(), Vec::new());
        let blocks = self.decode(band, row, columns, source)?;
        let rows = blocks.first().map_or(0..0, Block::rows);
        for y in rows {
            narrow.clear();
            wide.clear();
            for block in &blocks {
                match block.row(y) {
                    // One block that spans the crop needs no copy.
                    row if blocks.len() == 1 => sink(row)?,
                    Row::U8(samples) => narrow.extend_from_slice(samples),
                    Row::U16(samples) => wide.extend_from_slice(samples),
                }
            }
            match (blocks.len(), narrow.is_empty()) {
                (1, _) => {}
                (_, false) => sink(Row::U8(&narrow))?,
                (_, true) => sink(Row::U16(&wide))?,
            }
        }
        Ok(())
    }

    /// Where the chunks of the next rows of chunks lie, as many as make a batch; names all table entries it lacks at once.
    fn locate(&self, columns: &Range<u32>, rows: Range<u32>) -> std::result::Result<Vec<Band>, Stop> {
        let level = self.level();
        let (mut located, mut missing, mut bytes) = (Vec::new(), Vec::new(), 0_u64);
        for row in rows {
            let mut band = Vec::new();
            for column in columns.clone() {
                for plane in 0..level.planes() {
                    match level.locate(&self.store, self.tiff.endian, column, row, plane) {
                        Ok(location) => band.push(location),
                        Err(Stop::Need(ranges)) => missing.extend(ranges),
                        Err(stop) => return Err(stop),
                    }
                }
            }
            // While entries are missing their sizes are guessed: decoded, a chunk is rarely smaller than coded.
            let known = band.iter().fold(0_u64, |sum, location| sum.saturating_add(location.bytes));
            let guess = if missing.is_empty() { known } else { level.chunk_bytes().saturating_mul(columns.len() as u64) / 4 };
            bytes = bytes.saturating_add(guess);
            if bytes > BATCH && !(located.is_empty() && missing.is_empty()) {
                break;
            }
            located.push(band);
        }
        if missing.is_empty() { Ok(located) } else { Err(Stop::Need(missing)) }
    }

    /// What is missing of the located chunks. A chunk that lies about its size is refused before it is fetched.
    fn missing(&self, memory: u64, limits: &Limits) -> Result<Vec<ByteRange>> {
        let mut missing = Vec::new();
        for location in self.located.iter().flatten() {
            let Some(range) = ByteRange::at(location.offset, location.bytes) else { continue };
            if range.end() > self.store.size() {
                let what = format!("a chunk ends at byte {} of {}", range.end(), self.store.size());
                return Err(Error::SourceCorrupt { format: self.pyramid.format, at: location.offset, what });
            }
            missing.extend(self.store.missing(range));
        }
        let total = missing.iter().fold(0_u64, |sum, range| sum.saturating_add(range.len()));
        over("memory", total.saturating_add(memory), limits.memory.saturating_add(BATCH))?;
        Ok(missing)
    }
}
