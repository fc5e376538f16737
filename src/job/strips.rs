//! Large compressed strips, a few rows at a time: nothing of them is ever whole, neither their data nor their pixels.

use std::borrow::Cow;
use std::ops::Range;

use super::Meter;
use super::chunks::{Chunks, GAP, Located, Walk};
use crate::bytes::{ByteRange, Step};
use crate::codec::Progress;
use crate::codec::chunks::{Block, UnpackedRows, Unpacker, decode_rows, layout, too_short};
use crate::error::{Error, Result};
use crate::incomplete::Incomplete;
use crate::limits::Limits;
use crate::plan::{INPUT, Rendering, SourcePlan, rows_at_a_time};
use crate::pyramid::Pyramid;
use crate::pyramid::level::{Level, Location};
use crate::render::{Pipeline, Raster};

/// Where the end of what is wanted of a strip is guessed, an eighth more is fetched, and so many bytes: another round costs more.
const MARGIN: u64 = 64 << 10;

/// The rows of a plan's crop, out of the strips that hold them.
pub(crate) struct Strips {
    chunks: Chunks,
    walk: Walk,
    strip: Option<Strip>,
    /// Decoded rows, of which these are yet to go on.
    block: Option<(Block, Range<u32>)>,
    pipeline: Pipeline,
    /// Bytes that are fetched at a time.
    run: u64,
}

/// A strip under way.
struct Strip {
    located: Located,
    /// In step with each other; `None` for one that was left out.
    planes: Vec<Option<Plane>>,
    /// Rows of the image that are yet to be decoded, as far as they are wanted.
    rows: Range<u32>,
}

/// The decoder of one plane.
struct Plane {
    unpacker: Unpacker,
    /// What is left of its data.
    data: Range<u64>,
    /// Unpacked bytes of the next rows, as far as they are `filled`.
    rows: Vec<u8>,
    filled: usize,
    /// Bytes of data that the decoder is given at a time.
    input: u64,
    /// Bytes that it made before.
    made: usize,
    /// What is damaged so far, in rows of the strip.
    damage: Option<Incomplete>,
    /// Nothing more comes: what is missing is 0.
    broken: bool,
}

impl Strips {
    /// For a plan of [`SourcePlan::Strips`].
    pub fn new(pyramid: &Pyramid, plan: &Rendering, limits: &Limits) -> Result<Self> {
        let SourcePlan::Strips { level, rows, run } = &plan.source else { return Err(Error::Internal { what: "strips of what has none".to_owned() }) };
        let chunks = Chunks::new(pyramid, *level)?.by_tables().showing(limits);
        let pipeline = Pipeline::new(plan, layout(chunks.level()), chunks.profile());
        Ok(Self { walk: Walk::new(0..1, rows.clone()), strip: None, block: None, pipeline, run: *run, chunks })
    }

    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.chunks.provide(offset, bytes)
    }

    /// What was filled so far, in rows of the full image.
    pub fn damage(&self) -> Option<Incomplete> {
        self.chunks.damage()
    }

    /// Decodes the next rows and gives what comes of them to `sink`; `Done` says whether there are more.
    pub fn step(&mut self, plan: &Rendering, meter: &mut Meter, limits: &Limits, sink: &mut dyn FnMut(Raster) -> Result<()>) -> Result<Step<bool>> {
        if let Some(rows) = self.pipeline.next_rows() {
            return sink(rows).map(|()| Step::Done(true));
        }
        if let Some((block, rows)) = &mut self.block {
            // Where a row completes many of the answer, these are taken before the next one comes.
            let count = if plan.is_enlarged() { 1 } else { rows.len() };
            for y in rows.by_ref().take(count) {
                match plan.is_enlarged() {
                    true => self.pipeline.push(block.row(y))?,
                    false => self.pipeline.pass_on(block.row(y), sink)?,
                }
            }
            self.block = self.block.take().filter(|(_, rows)| !rows.is_empty());
            return Ok(Step::Done(true));
        }
        let Some(strip) = &mut self.strip else {
            if self.walk.rows.is_empty() {
                return self.pipeline.check().map(|()| Step::Done(false));
            }
            if self.chunks.located.is_empty()
                && let Step::Need(ranges) = self.chunks.find(&self.walk, meter, limits)?
            {
                return Ok(Step::Need(ranges));
            }
            self.begin(plan)?;
            return Ok(Step::Done(true));
        };
        let level = self.chunks.level();
        let count = strip.rows.len().min(rows_at_a_time(level) as usize) as u32;
        let bytes = level.plain_bytes(count) as usize;
        let at = strip.located.location().offset;
        let mut filled = true;
        for plane in strip.planes.iter_mut().flatten() {
            filled &= plane.fill(bytes, &self.chunks, at)?;
        }
        if !filled {
            return self.fetch(plan, meter, limits);
        }
        let top = level.chunk_top(strip.located.row);
        let rows = strip.rows.start..strip.rows.start + count;
        strip.rows.start = rows.end;
        let mut damage = None;
        strip.planes.iter().flatten().for_each(|plane| Incomplete::merge(&mut damage, plane.damage.clone()));
        let missing = damage.as_ref().map(|damage| damage.rows.saturating_sub(rows.start - top)).filter(|row| *row < count);
        let planes = strip.planes.iter_mut().map(|plane| plane.as_mut().map(Plane::take)).collect();
        self.chunks.note(strip.located.row, damage)?;
        if rows.end > plan.crop.y() {
            let unpacked = UnpackedRows { planes, rows: count, missing, at };
            let block = decode_rows(self.chunks.level(), unpacked, plan.crop.x()..plan.crop.right())?;
            self.block = Some((block, plan.crop.y().saturating_sub(rows.start)..rows.end.min(plan.crop.bottom()) - rows.start));
        }
        if strip.rows.is_empty() {
            // What was fetched of it is not needed again.
            let ranges: Vec<ByteRange> = strip.located.planes.iter().filter_map(|location| location.range()).collect();
            ranges.into_iter().for_each(|range| self.chunks.store.release(range));
            self.strip = None;
        }
        Ok(Step::Done(true))
    }

    /// Begins the next strip.
    fn begin(&mut self, plan: &Rendering) -> Result<()> {
        let Some(located) = self.chunks.located.pop_front() else { return Err(Error::Internal { what: "no strip where one was found".to_owned() }) };
        let level = self.chunks.level();
        let top = level.chunk_top(located.row);
        let bottom = level.chunk_bottom(located.row).min(plan.crop.bottom());
        let begin = |location: &Location| {
            if location.bytes == 0 {
                return Ok(None);
            }
            let data = self.chunks.range_of(location)?.map_or(0..0, |range| range.start()..range.end());
            let unpacker = Unpacker::new(level.compression, level.chunk.width(), level.plain_bytes(bottom - top), location.offset)?;
            Ok(Some(Plane { unpacker, data, rows: Vec::new(), filled: 0, input: INPUT, made: 0, damage: None, broken: false }))
        };
        let planes = located.planes.iter().map(begin).collect::<Result<_>>()?;
        self.walk.advance();
        self.strip = Some(Strip { located, planes, rows: top..bottom });
        Ok(())
    }

    /// Asks for what comes next of the strip and of those that follow it, as much as makes a run.
    fn fetch(&mut self, plan: &Rendering, meter: &mut Meter, limits: &Limits) -> Result<Step<bool>> {
        let Self { chunks, strip: Some(strip), run, .. } = self else { return Err(Error::Internal { what: "data of no strip".to_owned() }) };
        let planes = || strip.planes.iter().zip(&strip.located.planes).filter_map(|(plane, location)| Some((plane.as_ref()?, location)));
        for (plane, location) in planes() {
            ByteRange::new(location.offset, plane.data.start).into_iter().for_each(|done| chunks.store.release(done));
        }
        let mut left = run.saturating_sub(chunks.store.held());
        let mut missing = Vec::new();
        let count = strip.planes.len() as u64;
        for (plane, location) in planes() {
            let Some(rest) = ByteRange::new(plane.data.start, plane.data.end) else { continue };
            let here = chunks.store.reach(rest);
            let guess = location.offset.saturating_add(wanted(location, chunks.level(), strip.located.row, plan));
            // Where the guess was too short, it is tried with an eighth of the rest.
            let guess = if guess > here { guess } else { here.saturating_add(rest.len() / 8 + MARGIN) };
            // A decoder that needs a longer piece is given one, whatever the run.
            let most = here.saturating_add((left / count).max(plane.input));
            missing.extend(ByteRange::new(here, guess.min(most).min(rest.end())).into_iter().flat_map(|range| chunks.store.missing(range)));
        }
        left = missing.iter().fold(left, |left, range| left.saturating_sub(range.len()));
        for next in &chunks.located {
            for location in &next.planes {
                let bytes = wanted(location, chunks.level(), next.row, plan);
                let range = ByteRange::at(location.offset, bytes.min(left)).filter(|range| range.end() <= chunks.store.size());
                let holes: Vec<ByteRange> = range.into_iter().flat_map(|range| chunks.store.missing(range)).collect();
                left = holes.iter().fold(left, |left, range| left.saturating_sub(range.len()));
                missing.extend(holes);
            }
        }
        meter.need(ByteRange::coalesce(missing, GAP), limits)
    }
}

/// Bytes of a strip in which its wanted rows lie, about.
fn wanted(location: &Location, level: &Level, row: u32, plan: &Rendering) -> u64 {
    let rows = u64::from(level.chunk_bottom(row).min(plan.crop.bottom()).saturating_sub(level.chunk_top(row)));
    let share = location.bytes.checked_div(location.rows.into()).unwrap_or(location.bytes).saturating_add(1).saturating_mul(rows);
    share.saturating_add(share / 8 + MARGIN).min(location.bytes)
}

impl Plane {
    /// Decodes until so many bytes of rows are there, 0 for those that are damaged; whether there are data enough for them.
    fn fill(&mut self, bytes: usize, chunks: &Chunks, at: u64) -> Result<bool> {
        self.rows.resize(bytes, 0);
        while self.filled < bytes {
            if self.broken {
                // A step that failed may have written something.
                self.rows[self.filled..].fill(0);
                self.filled = bytes;
                break;
            }
            let end = self.data.end.min(self.data.start.saturating_add(self.input));
            let here = ByteRange::new(self.data.start, end).map_or(end, |range| chunks.store.reach(range));
            let input = match ByteRange::new(self.data.start, here) {
                None => Cow::Borrowed([].as_slice()),
                Some(range) => chunks.store.read(range).map_err(|_| Error::Internal { what: "data that are here and not here".to_owned() })?,
            };
            let input = if chunks.level().samples.reversed { Cow::Owned(input.iter().map(|byte| byte.reverse_bits()).collect()) } else { input };
            let last = here == self.data.end;
            let Progress { consumed, produced } = match self.unpacker.decode(&input, last, &mut self.rows[self.filled..]) {
                Ok(progress) => progress,
                Err(error) => {
                    self.end(chunks.level(), error)?;
                    continue;
                }
            };
            Incomplete::merge(&mut self.damage, self.unpacker.take_damage());
            self.data.start += consumed as u64;
            self.filled += produced;
            if consumed > 0 || produced > 0 {
                self.input = INPUT;
            } else if last {
                self.end(chunks.level(), too_short(self.made + self.filled, self.made + bytes, at))?;
            } else if here < end {
                return Ok(false);
            } else {
                self.input = self.input.saturating_mul(2);
            }
        }
        Ok(true)
    }

    /// Nothing more comes, for this reason; an error unless that is damage.
    fn end(&mut self, level: &Level, error: Error) -> Result<()> {
        let rows = level.rows_of((self.made + self.filled) as u64);
        Incomplete::merge(&mut self.damage, Some(Incomplete::below(rows, error)?));
        self.broken = true;
        self.data.start = self.data.end;
        Ok(())
    }

    /// The bytes of the rows that are there.
    fn take(&mut self) -> Vec<u8> {
        self.made += self.filled;
        self.filled = 0;
        std::mem::take(&mut self.rows)
    }
}
