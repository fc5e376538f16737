//! Finding and fetching the chunks of a level.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::mask::{self, Mask};
use super::{Meter, widen};
use crate::bytes::{ByteRange, ByteStore, Step};
use crate::codec::chunks::{Block, decode_chunk};
use crate::error::{Error, Result, Stop};
use crate::geometry::Rect;
use crate::incomplete::Incomplete;
use crate::limits::Limits;
use crate::plan::{BATCH, fetched, fetched_chunk};
use crate::profile::{Profile, Stored as StoredProfile};
use crate::pyramid::level::{Level, Levels, Location, leader};
use crate::pyramid::{Body, Pyramid};
use crate::render::Row;

/// Ranges nearer than this are fetched as one.
pub(super) const GAP: u64 = 16 << 10;

/// A chunk whose place in the file is known.
pub(crate) struct Located {
    pub column: u32,
    pub row: u32,
    /// Where its planes lie.
    pub planes: Vec<Location>,
    /// The chunks of the level's mask that cover it.
    pub mask: Vec<Self>,
}

impl Located {
    /// Bytes as it is stored.
    pub fn bytes(&self) -> u64 {
        let mask = self.mask.iter().flat_map(|mask| &mask.planes);
        self.planes.iter().chain(mask).fold(0, |sum, location| sum.saturating_add(location.bytes))
    }

    /// Of its first plane.
    pub fn location(&self) -> Location {
        self.planes.first().copied().unwrap_or(Location { offset: 0, bytes: 0, rows: 0, led: false })
    }
}

/// The chunks that are read, row by row; those from `column` on in the first row.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    pub columns: Range<u32>,
    pub rows: Range<u32>,
    pub column: u32,
}

impl Walk {
    pub fn new(columns: Range<u32>, rows: Range<u32>) -> Self {
        Self { column: columns.start, columns, rows }
    }

    /// Goes on to the next chunk; whether it was the last of its row.
    pub fn advance(&mut self) -> bool {
        self.column += 1;
        let end = self.column >= self.columns.end;
        if end {
            self.column = self.columns.start;
            self.rows.start += 1;
        }
        end
    }
}

/// What a request reads of one level of a TIFF.
pub(crate) struct Chunks {
    pyramid: Pyramid,
    levels: Arc<Levels>,
    level: usize,
    pub(super) store: ByteStore,
    /// Parts of tables that were asked for and are to be kept for other requests.
    tables: Vec<ByteRange>,
    /// Whether chunks are believed to tell their own lengths.
    led: bool,
    /// The next chunks, as many as make a batch.
    pub(super) located: VecDeque<Located>,
    /// Chunks have been taken from the batch.
    begun: bool,
    /// Of the level's mask, if it has one.
    mask: Mask,
    /// Whether rows that cannot be decoded are filled.
    show: bool,
    /// What was filled, in rows of the level.
    damage: Option<Incomplete>,
}

impl Chunks {
    /// Of the level with an index; [`Error::Internal`] if there is none.
    pub fn new(pyramid: &Pyramid, level: usize) -> Result<Self> {
        let Body::Levels(levels) = &pyramid.body else { return Err(Error::Internal { what: "chunks of an image that has none".to_owned() }) };
        let led = levels.get(level).ok_or_else(|| Error::Internal { what: "a level that is not there".to_owned() })?.led;
        Ok(Self {
            pyramid: pyramid.clone(),
            levels: levels.clone(),
            level,
            store: pyramid.kept.store(),
            tables: Vec::new(),
            led,
            located: VecDeque::new(),
            begun: false,
            mask: Mask::default(),
            show: false,
            damage: None,
        })
    }

    /// The same, by what tables tell of lengths alone.
    pub(super) fn by_tables(self) -> Self {
        Self { led: false, ..self }
    }

    /// The same; what is damaged or lies beyond the end of the file is filled if the limits allow for that.
    pub fn showing(self, limits: &Limits) -> Self {
        Self { show: limits.show_incomplete, ..self }
    }

    /// What was filled so far, in rows of the full image.
    pub fn damage(&self) -> Option<Incomplete> {
        let full = self.levels.first().map_or(0, |level| level.dimensions.height());
        self.damage.clone().map(|damage| damage.scaled(self.level().dimensions.height(), full))
    }

    /// Notes what was filled of a chunk in a row of chunks; an error unless that is allowed.
    pub fn note(&mut self, row: u32, damage: Option<Incomplete>) -> Result<()> {
        let Some(damage) = damage else { return Ok(()) };
        if !self.show {
            return Err(damage.damage);
        }
        let top = self.level().chunk_top(row);
        Incomplete::merge(&mut self.damage, Some(damage.moved(top)));
        Ok(())
    }

    /// The profile of its colours.
    pub fn profile(&self) -> Option<&Arc<Profile>> {
        self.pyramid.profile().map(|(profile, _)| profile)
    }

    /// Whether decoded pixels are converted by it.
    pub fn is_converted(&self) -> bool {
        self.pyramid.profile().is_some_and(|(profile, model)| profile.converts(model))
    }

    /// The profile that stored pixels must bring along.
    pub fn carried_profile(&self) -> Option<&[u8]> {
        if let StoredProfile::With(icc) = self.pyramid.stored_profile() { Some(icc) } else { None }
    }

    pub fn level(&self) -> &Level {
        // The constructor has looked.
        &self.levels[self.level]
    }

    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.store.provide(offset, bytes)
    }

    /// Fetches the next chunks of a walk, as many as make a batch.
    pub fn fetch(&mut self, walk: &Walk, meter: &mut Meter, limits: &Limits) -> Result<Step<()>> {
        loop {
            if self.located.is_empty() {
                if std::mem::take(&mut self.begun) {
                    // What has been decoded is not needed again.
                    self.store = self.pyramid.kept.store();
                }
                if let Step::Need(ranges) = self.find(walk, meter, limits)? {
                    return Ok(Step::Need(ranges));
                }
            }
            if self.begun {
                return Ok(Step::Done(()));
            }
            let missing = self.missing()?;
            if !missing.is_empty() {
                let count = self.located.len() as u64;
                return meter.need(joined(missing, fetched(self.level(), &self.pyramid, count)), limits);
            }
            if self.measure() {
                return Ok(Step::Done(()));
            }
            // Written over since: the tables know.
            self.led = false;
            self.located.clear();
        }
    }

    /// Finds the next chunks of a walk, as many as make a batch, without fetching them.
    pub(super) fn find(&mut self, walk: &Walk, meter: &mut Meter, limits: &Limits) -> Result<Step<()>> {
        match self.locate(walk.clone()) {
            Ok(located) => self.located = located.into(),
            Err(Stop::Fail(error)) => return Err(error),
            Err(Stop::Need(entries)) => return self.need_tables(&entries, meter, limits),
        }
        self.pyramid.kept.add(&self.store, &std::mem::take(&mut self.tables));
        Ok(Step::Done(()))
    }

    /// Lets the chunks that are here tell their lengths; false if one of them does not.
    fn measure(&mut self) -> bool {
        let Self { located, store, .. } = self;
        located.iter_mut().flat_map(|chunk| &mut chunk.planes).filter(|location| location.led).all(|location| {
            let length = location.range().and_then(|range| leader::length(&store.read(range).ok()?));
            length.map(|bytes| *location = Location { bytes, led: false, ..*location }).is_some()
        })
    }

    /// Whether all chunks of a walk are there, none having been left out: asks for what tables tell of them.
    pub fn are_stored(&mut self, walk: &Walk, meter: &mut Meter, limits: &Limits) -> Result<Step<bool>> {
        let (level, mut walk) = (self.level(), walk.clone());
        let (mut missing, mut all) = (Vec::new(), true);
        while !walk.rows.is_empty() {
            match level.locate(&self.store, walk.column, walk.rows.start, 0, self.led) {
                Ok(location) => all &= location.bytes > 0,
                Err(Stop::Need(ranges)) => missing.extend(ranges),
                Err(Stop::Fail(error)) => return Err(error),
            }
            walk.advance();
        }
        if missing.is_empty() || !all { Ok(Step::Done(all)) } else { self.need_tables(&missing, meter, limits) }
    }

    /// Asks for entries of tables, with their neighbours.
    fn need_tables<T>(&mut self, entries: &[ByteRange], meter: &mut Meter, limits: &Limits) -> Result<Step<T>> {
        let missing = widen(entries, &self.store);
        self.tables.extend(&missing);
        meter.need(ByteRange::coalesce(missing, GAP), limits)
    }

    /// The next chunk that was fetched.
    pub fn take(&mut self) -> Option<Located> {
        self.begun = true;
        self.located.pop_front()
    }

    /// Where the bytes of a chunk lie, as far as the file reaches.
    fn there(&self, location: &Location) -> Option<ByteRange> {
        let range = location.range()?;
        ByteRange::new(range.start(), range.end().min(self.store.size()))
    }

    /// Whether a chunk reaches beyond the end of the file.
    pub fn is_cut(&self, location: &Location) -> bool {
        location.bytes > 0 && self.there(location) != location.range()
    }

    /// The stored bytes of a chunk, as far as the file reaches; none for one that was left out.
    pub fn bytes(&self, location: &Location) -> Result<Cow<'_, [u8]>> {
        match self.there(location) {
            None => Ok(Cow::Borrowed(&[])),
            Some(range) => self.store.read(range).map_err(|_| Error::Internal { what: "a chunk that was fetched is not here".to_owned() }),
        }
    }

    /// The same; `None` for one that was left out.
    fn stored(&self, location: &Location) -> Result<Option<Cow<'_, [u8]>>> {
        if location.bytes == 0 { Ok(None) } else { self.bytes(location).map(Some) }
    }

    /// The pixels of a chunk, as far as they are within `source` (px of the level).
    pub fn decode(&mut self, chunk: &Located, source: Rect) -> Result<Block> {
        let planes: Result<Vec<_>> = chunk.planes.iter().map(|plane| self.stored(plane)).collect();
        let (level, wanted) = (self.level(), self.wanted(chunk, source)?);
        let (block, damage) = decode_chunk(level, &planes?, chunk.location(), wanted)?;
        self.note(chunk.row, damage)?;
        let level = self.level();
        if level.mask.is_none() {
            return Ok(block);
        }
        let (mut mask, levels) = (std::mem::take(&mut self.mask), self.levels.clone());
        let Some(masking) = levels.get(self.level).and_then(|level| level.mask.as_deref()) else { return Ok(block) };
        let (left, top) = (chunk.column * self.level().chunk.width() + wanted.x(), self.level().chunk_top(chunk.row) + wanted.y());
        let place = Rect::new(left, top, wanted.width(), wanted.height()).unwrap_or(wanted);
        let (block, damage) = mask.cover(masking, &chunk.mask, place, |chunk| self.stored(&chunk.location()), block)?;
        self.mask = mask;
        if let Some(damage) = damage {
            let damage = damage.scaled(masking.dimensions.height(), self.level().dimensions.height());
            self.note(0, Some(damage))?;
        }
        Ok(block)
    }

    /// What of a chunk lies within `source` (px of the level), px of the chunk.
    pub fn wanted(&self, chunk: &Located, source: Rect) -> Result<Rect> {
        let level = self.level();
        let place = Rect::new(chunk.column.saturating_mul(level.chunk.width()), level.chunk_top(chunk.row), level.chunk.width(), chunk.location().rows);
        let wanted = place.and_then(|place| place.intersection(source)?.relative_to(place));
        wanted.ok_or_else(|| Error::Internal { what: "a chunk that is not wanted".to_owned() })
    }

    /// As much of a chunk as its pixels can take: decoders stop when these are there, whatever the tables say of its length.
    fn within(&self, location: Location) -> Location {
        let most = fetched_chunk(self.level());
        if location.led || location.bytes <= most { location } else { Location { bytes: most, ..location } }
    }

    /// Where the next chunks lie, as many as make a batch; names all table entries it lacks at once.
    fn locate(&self, mut walk: Walk) -> std::result::Result<Vec<Located>, Stop> {
        let level = self.level();
        let (mut located, mut missing, mut bytes) = (Vec::new(), Vec::new(), 0_u64);
        while !walk.rows.is_empty() {
            let (column, row) = (walk.column, walk.rows.start);
            let mut planes = Vec::new();
            for plane in 0..level.planes() {
                match level.locate(&self.store, column, row, plane, self.led) {
                    Ok(location) => planes.push(self.within(location)),
                    Err(Stop::Need(ranges)) => missing.extend(ranges),
                    Err(stop) => return Err(stop),
                }
            }
            let mut covering = Vec::new();
            if let Some((mask, place)) = level.mask.as_deref().zip(level.place(column, row)) {
                match mask::locate(mask, &self.store, place) {
                    Ok(located) => covering = located,
                    Err(Stop::Need(ranges)) => missing.extend(ranges),
                    Err(stop) => return Err(stop),
                }
            }
            // While entries are missing their sizes are guessed: decoded, a chunk is rarely smaller than coded.
            let known = planes.iter().chain(covering.iter().flat_map(|chunk| &chunk.planes)).fold(0_u64, |sum, location| sum.saturating_add(location.bytes));
            bytes = bytes.saturating_add(if missing.is_empty() { known } else { level.chunk_bytes() / 4 });
            if bytes > BATCH && !(located.is_empty() && missing.is_empty()) {
                break;
            }
            located.push(Located { column, row, planes, mask: covering });
            walk.advance();
        }
        if missing.is_empty() { Ok(located) } else { Err(Stop::Need(missing)) }
    }

    /// What is missing of the located chunks. A chunk that lies about its size is refused before it is fetched.
    fn missing(&self) -> Result<Vec<ByteRange>> {
        let mut missing = Vec::new();
        let stored = |chunk: &Located| chunk.planes.iter().chain(chunk.mask.iter().flat_map(|mask| &mask.planes)).copied().collect::<Vec<_>>();
        for location in self.located.iter().flat_map(stored).filter(|location| location.bytes > 0) {
            missing.extend(self.range_of(&location)?.into_iter().flat_map(|range| self.store.missing(range)));
        }
        Ok(missing)
    }

    /// Where the bytes of a chunk lie, as far as the file reaches; an error if it does not reach to their end, unless what is missing may be filled.
    pub(super) fn range_of(&self, location: &Location) -> Result<Option<ByteRange>> {
        let there = self.there(location);
        if self.show || !self.is_cut(location) {
            return Ok(there);
        }
        let what = format!("a chunk of {} bytes from byte {}, in a file of {}", location.bytes, location.offset, self.store.size());
        Err(Error::SourceCorrupt { format: self.pyramid.format, at: location.offset, what })
    }
}

/// Ranges that are near to each other as one, as long as they are no more than `most` bytes with what lies between them.
fn joined(ranges: Vec<ByteRange>, most: u64) -> Vec<ByteRange> {
    let bytes = |ranges: &[ByteRange]| ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(range.len()));
    let near = [GAP, GAP / 4, GAP / 16].into_iter().map(|gap| ByteRange::coalesce(ranges.clone(), gap)).find(|joined| bytes(joined) <= most);
    near.unwrap_or_else(|| ByteRange::coalesce(ranges, 0))
}

/// Gives rows of blocks that lie side by side to `sink`.
pub(crate) fn join_rows(blocks: &[Block], rows: Range<u32>, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
    let (mut narrow, mut wide) = (Vec::new(), Vec::new());
    for y in rows {
        narrow.clear();
        wide.clear();
        for block in blocks {
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
