//! The two jobs a driver runs: opening an image and rendering a request. Both are stepped until done; between steps the driver fetches what they name.

use std::borrow::Cow;

use crate::api::{Format, ResolvedRequest};
use crate::bytes::{ByteRange, ByteStore, Step};
use crate::codec::tiff::{Block, decode_chunk, layout};
use crate::codec::{self, EncodeOptions};
use crate::error::{Error, Result, Stop};
use crate::geometry::Dimensions;
use crate::limits::Limits;
use crate::plan::{BATCH, Plan, SourcePlan};
use crate::pyramid::tiff::{Level, Location, Tiff};
use crate::pyramid::{Body, Pyramid};
use crate::render::{Pipeline, Raster, Row, flatten, rotate, turn};

/// The first read: enough for the headers of nearly every file.
const FIRST_READ: u64 = 16 << 10;
/// Reads while opening are widened to this grid, so that neighbouring tables come along.
const GRID: u64 = 8 << 10;
/// Ranges nearer than this are fetched as one.
const GAP: u64 = 16 << 10;

/// Reads the headers of a file.
///
/// ```
/// # use azulejo::{Limits, Open, Step};
/// let file = include_bytes!("../www/samples/rocket.jpg");
/// let mut job = Open::new(file.len() as u64, &Limits::default());
/// let pyramid = loop {
///     match job.step()? {
///         Step::Done(pyramid) => break pyramid,
///         Step::Need(ranges) => {
///             for range in ranges {
///                 job.provide(range.start(), file[range.start() as usize..range.end() as usize].to_vec())?;
///             }
///         }
///     }
/// };
/// assert_eq!((pyramid.dimensions().width(), pyramid.dimensions().height()), (640, 427));
/// # Ok::<(), azulejo::Error>(())
/// ```
#[derive(Debug)]
pub struct Open {
    store: ByteStore,
    limits: Limits,
    meter: Meter,
}

impl Open {
    /// For a file of `size` bytes.
    pub fn new(size: u64, limits: &Limits) -> Self {
        Self { store: ByteStore::new(size), limits: limits.clone(), meter: Meter::default() }
    }

    /// Goes on as far as the bytes reach.
    pub fn step(&mut self) -> Result<Step<Pyramid>> {
        if self.store.held() == 0
            && let Some(first) = ByteRange::new(0, self.store.size().min(FIRST_READ))
        {
            return self.meter.need(vec![first], &self.limits);
        }
        match Pyramid::open(&self.store) {
            Ok(pyramid) => Ok(Step::Done(pyramid)),
            Err(Stop::Fail(error)) => Err(error),
            Err(Stop::Need(ranges)) => {
                self.meter.round(&self.limits)?;
                let wide = ranges.into_iter().filter_map(|range| {
                    let end = range.end().checked_next_multiple_of(GRID).unwrap_or(range.end()).min(self.store.size());
                    ByteRange::new(range.start() / GRID * GRID, end)
                });
                let missing = wide.flat_map(|range| self.store.missing(range)).collect();
                self.meter.need(ByteRange::coalesce(missing, 0), &self.limits)
            }
        }
    }

    /// Hands over fetched bytes.
    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.store.provide(offset, bytes)
    }
}

/// What was asked of the driver so far, against the limits.
#[derive(Debug, Default, Clone, Copy)]
struct Meter {
    ranges: u64,
    bytes: u64,
    rounds: u64,
}

impl Meter {
    fn need<T>(&mut self, ranges: Vec<ByteRange>, limits: &Limits) -> Result<Step<T>> {
        if ranges.is_empty() {
            return Err(Error::Internal { what: "nothing is needed, yet nothing is done".to_owned() });
        }
        self.ranges = self.ranges.saturating_add(ranges.len() as u64);
        self.bytes = ranges.iter().fold(self.bytes, |sum, range| sum.saturating_add(range.len()));
        over("ranges", self.ranges, limits.ranges.into())?;
        over("bytes", self.bytes, limits.fetched)?;
        Ok(Step::Need(ranges))
    }

    fn round(&mut self, limits: &Limits) -> Result<()> {
        self.rounds = self.rounds.saturating_add(1);
        over("rounds", self.rounds, limits.rounds.into())
    }
}

fn over(what: &'static str, needs: u64, limit: u64) -> Result<()> {
    if needs > limit { Err(Error::SourceTooCostly { what, needs, limit }) } else { Ok(()) }
}

/// The bytes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// A file of `format`.
    pub bytes: Vec<u8>,
    /// What `bytes` are.
    pub format: Format,
    /// Width and height of the answer, rotation applied, px.
    pub dimensions: Dimensions,
    /// Whether stored bytes were sent as they are, without decoding.
    pub passthrough: bool,
}

/// Renders one request of an opened image.
pub struct Render {
    pyramid: Pyramid,
    plan: Plan,
    options: EncodeOptions,
    limits: Limits,
    store: ByteStore,
    meter: Meter,
    bands: Option<Bands>,
}

/// Rows of chunks that are done, and what became of them.
struct Bands {
    pipeline: Pipeline,
    next: u32,
    /// Where the chunks of the batch lie: rows of chunks from `next`, each the planes of each column.
    located: Vec<Vec<Location>>,
}

impl Render {
    /// Plans a request; [`Error::SourceTooCostly`] if it would break the limits.
    pub fn new(pyramid: &Pyramid, request: &ResolvedRequest, options: &EncodeOptions, limits: &Limits) -> Result<Self> {
        let plan = Plan::new(request, pyramid, limits)?;
        let store = pyramid.headers.clone();
        Ok(Self { pyramid: pyramid.clone(), plan, options: options.clone(), limits: limits.clone(), store, meter: Meter::default(), bands: None })
    }

    /// Bytes of memory that this will take at most, for a driver that admits several at once.
    pub fn memory(&self) -> u64 {
        self.plan.price.memory
    }

    /// Hands over fetched bytes.
    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.store.provide(offset, bytes)
    }

    /// Goes on as far as the bytes reach.
    pub fn step(&mut self) -> Result<Step<Encoded>> {
        match (&self.plan.source, self.pyramid.body.clone()) {
            (SourcePlan::Whole { .. }, Body::Whole(_)) => self.step_whole(),
            (SourcePlan::Chunks { level, columns, rows }, Body::Tiff(tiff)) => {
                let (level, columns, rows) = (*level, columns.clone(), rows.clone());
                self.step_chunks(&tiff, level, &columns, &rows)
            }
            _ => Err(Error::Internal { what: "the plan is for another kind of image".to_owned() }),
        }
    }

    fn step_whole(&mut self) -> Result<Step<Encoded>> {
        let missing = ByteRange::new(0, self.store.size()).map(|whole| self.store.missing(whole)).unwrap_or_default();
        if !missing.is_empty() {
            return self.meter.need(missing, &self.limits);
        }
        let bytes = self.store.take_whole().ok_or_else(|| Error::Internal { what: "a file that is here and not here".to_owned() })?;
        let raster = codec::decode_whole(self.pyramid.format, bytes, &self.plan, &self.limits)?;
        self.finish(raster)
    }

    fn step_chunks(&mut self, tiff: &Tiff, index: usize, columns: &std::ops::Range<u32>, rows: &std::ops::Range<u32>) -> Result<Step<Encoded>> {
        let level = tiff.levels.get(index).ok_or_else(|| Error::Internal { what: "a level that is not there".to_owned() })?;
        let icc = tiff.levels.first().and_then(|first| first.icc.as_ref());
        let mut bands = match self.bands.take() {
            Some(bands) => bands,
            None => {
                let mut pipeline = Pipeline::new(&self.plan, layout(level), icc);
                pipeline.reserve();
                Bands { pipeline, next: rows.start, located: Vec::new() }
            }
        };
        loop {
            if bands.located.is_empty() {
                match self.locate(tiff, level, columns, bands.next..rows.end) {
                    Ok(located) => bands.located = located,
                    Err(Stop::Fail(error)) => return Err(error),
                    Err(Stop::Need(missing)) => {
                        self.bands = Some(bands);
                        return self.meter.need(ByteRange::coalesce(missing, GAP), &self.limits);
                    }
                }
            }
            let missing = self.missing(&bands.located)?;
            if !missing.is_empty() {
                self.bands = Some(bands);
                return self.meter.need(ByteRange::coalesce(missing, GAP), &self.limits);
            }
            for band in std::mem::take(&mut bands.located) {
                self.render_band(tiff, level, columns, bands.next, &band, &mut bands.pipeline)?;
                bands.next += 1;
            }
            // What is decoded is not needed again.
            self.store = self.pyramid.headers.clone();
            if bands.next >= rows.end {
                let raster = bands.pipeline.finish()?;
                return self.finish(raster);
            }
        }
    }

    /// Where the chunks of the next rows of chunks lie, as many as make a batch; names all table entries it lacks at once.
    fn locate(&self, tiff: &Tiff, level: &Level, columns: &std::ops::Range<u32>, rows: std::ops::Range<u32>) -> std::result::Result<Vec<Vec<Location>>, Stop> {
        let (mut located, mut missing, mut bytes) = (Vec::new(), Vec::new(), 0_u64);
        for row in rows {
            let mut band = Vec::new();
            for column in columns.clone() {
                for plane in 0..level.planes() {
                    match level.locate(&self.store, tiff.endian, column, row, plane) {
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
    fn missing(&self, located: &[Vec<Location>]) -> Result<Vec<ByteRange>> {
        let mut missing = Vec::new();
        for location in located.iter().flatten() {
            let Some(range) = ByteRange::at(location.offset, location.bytes) else { continue };
            if range.end() > self.store.size() {
                let what = format!("a chunk ends at byte {} of {}", range.end(), self.store.size());
                return Err(Error::SourceCorrupt { format: self.pyramid.format, at: location.offset, what });
            }
            missing.extend(self.store.missing(range));
        }
        let total = missing.iter().fold(0_u64, |sum, range| sum.saturating_add(range.len()));
        over("memory", total.saturating_add(self.plan.price.memory), self.limits.memory.saturating_add(BATCH))?;
        Ok(missing)
    }

    fn render_band(&self, tiff: &Tiff, level: &Level, columns: &std::ops::Range<u32>, row: u32, band: &[Location], pipeline: &mut Pipeline) -> Result<()> {
        let mut blocks: Vec<Block> = Vec::new();
        for planes in band.chunks(level.planes().into()) {
            let first = planes.first().copied().unwrap_or(Location { offset: 0, bytes: 0, rows: 0 });
            let bytes: Result<Vec<Cow<'_, [u8]>>> = planes
                .iter()
                .map(|plane| match ByteRange::at(plane.offset, plane.bytes) {
                    None => Ok(Cow::Borrowed(&[][..])),
                    Some(range) => self.store.read(range).map_err(|_| Error::Internal { what: "a chunk that was fetched is not here".to_owned() }),
                })
                .collect();
            blocks.push(decode_chunk(level, tiff.endian, &bytes?, first.rows, first.offset)?);
        }
        let crop = self.plan.crop;
        let (top, channels) = (level.chunk_top(row), layout(level).channels());
        let width = level.chunk.width() as usize;
        let (mut narrow, mut wide) = (Vec::new(), Vec::new());
        for y in crop.y().max(top)..crop.bottom().min(level.chunk_bottom(row)) {
            narrow.clear();
            wide.clear();
            for (column, block) in columns.clone().zip(&blocks) {
                let left = column as usize * width;
                let from = (crop.x() as usize).max(left) - left;
                let to = (crop.right() as usize).min(left + width) - left;
                let start = (y - top) as usize * width;
                let range = (start + from) * channels..(start + to) * channels;
                match block.row(range) {
                    // One block that spans the crop needs no copy.
                    row if blocks.len() == 1 => pipeline.push(row)?,
                    Row::U8(samples) => narrow.extend_from_slice(samples),
                    Row::U16(samples) => wide.extend_from_slice(samples),
                }
            }
            match (blocks.len(), narrow.is_empty()) {
                (1, _) => {}
                (_, false) => pipeline.push(Row::U8(&narrow))?,
                (_, true) => pipeline.push(Row::U16(&wide))?,
            }
        }
        Ok(())
    }

    /// Turns and encodes.
    fn finish(&self, raster: Raster) -> Result<Step<Encoded>> {
        let mut raster = turn(raster, self.plan.turn);
        if let Some(degrees) = self.plan.angle {
            raster = rotate(&raster, degrees);
            if !self.plan.format.has_alpha() {
                flatten(&mut raster);
            }
        }
        let dimensions = raster.dimensions;
        let bytes = codec::encode(raster, self.plan.format, self.plan.quality, &self.options)?;
        Ok(Step::Done(Encoded { bytes, format: self.plan.format, dimensions, passthrough: false }))
    }
}
