//! Rendering a request.

use std::collections::VecDeque;
use std::ops::Range;

use super::Meter;
use super::chunks::{Band, Chunks};
use super::output::Output;
use crate::api::{Format, ResolvedRequest};
use crate::bytes::{ByteRange, ByteStore, Step};
use crate::codec::stored::{self, Colors};
use crate::codec::tiff::layout;
use crate::codec::{self, EncodeOptions};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Rect};
use crate::limits::Limits;
use crate::plan::{PIECE, Plan, Rendering, SourcePlan, StoredChunk};
use crate::pyramid::Pyramid;
use crate::pyramid::tiff::{Model, Tiff};
use crate::render::{Pipeline, Raster};

/// Rows are handed to the encoder by about this many bytes.
const ROWS: usize = 256 << 10;

/// The bytes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// A file of `format`; of one that was made in pieces ([`Step::Piece`]), what comes after them.
    pub bytes: Vec<u8>,
    /// What `bytes` are.
    pub format: Format,
    /// Width and height of the answer, rotation applied, px.
    pub dimensions: Dimensions,
    /// Whether stored bytes were sent as they are, without decoding.
    pub passthrough: bool,
}

/// Renders one request of an opened image.
///
/// An answer of many megabytes comes in pieces, so that neither its pixels nor its bytes need ever be whole.
pub struct Render {
    pyramid: Pyramid,
    plan: Plan,
    options: EncodeOptions,
    limits: Limits,
    meter: Meter,
    state: State,
}

enum State {
    Begin,
    /// A stored chunk is being fetched.
    Stored(Box<Chunks>, StoredChunk),
    /// A file that is decoded from its beginning is being fetched.
    Whole(ByteStore),
    Bands(Box<Bands>),
    /// All pixels are there, turned; rows from this one on are yet to be encoded.
    Encode(Option<Raster>, u32, Box<Output>),
    Done,
}

/// Rows of chunks that become windows of the answer.
struct Bands {
    chunks: Chunks,
    windows: VecDeque<Rect>,
    window: Option<Window>,
    output: Output,
}

/// A window under way.
struct Window {
    pipeline: Pipeline,
    /// What it is made from, px of the level.
    source: Rect,
    columns: Range<u32>,
    rows: Range<u32>,
}

impl Render {
    /// Plans a request; [`Error::SourceTooCostly`] if it would break the limits.
    pub fn new(pyramid: &Pyramid, request: &ResolvedRequest, options: &EncodeOptions, limits: &Limits) -> Result<Self> {
        let plan = Plan::new(request, pyramid, limits)?;
        let meter = Meter { work: plan.rendering().price.work, ..Meter::default() };
        Ok(Self { pyramid: pyramid.clone(), plan, options: options.clone(), limits: limits.clone(), meter, state: State::Begin })
    }

    /// Bytes of memory that this will take at most, for a driver that admits several at once.
    pub fn memory(&self) -> u64 {
        self.plan.rendering().price.memory
    }

    /// Whether it is likely to send a stored chunk as it is: next to no work.
    pub fn is_passthrough(&self) -> bool {
        matches!(self.plan, Plan::Passthrough(..))
    }

    /// Hands over fetched bytes.
    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        match &mut self.state {
            State::Stored(chunks, _) => chunks.provide(offset, bytes),
            State::Bands(bands) => bands.chunks.provide(offset, bytes),
            State::Whole(store) => store.provide(offset, bytes),
            State::Begin | State::Encode(..) | State::Done => Err(Error::Internal { what: "bytes that were not asked for".to_owned() }),
        }
    }

    /// Goes on as far as the bytes reach.
    pub fn step(&mut self) -> Result<Step<Encoded>> {
        loop {
            let next = match std::mem::replace(&mut self.state, State::Done) {
                State::Begin => self.begin()?,
                State::Stored(chunks, chunk) => self.step_stored(chunks, chunk)?,
                State::Whole(store) => self.step_whole(store)?,
                State::Bands(bands) => self.step_bands(bands)?,
                State::Encode(raster, row, output) => self.step_encode(raster, row, output)?,
                State::Done => return Err(Error::Internal { what: "a step after the end".to_owned() }),
            };
            match next {
                Next::Go(state) => self.state = state,
                Next::Stop(state, step) => {
                    self.state = state;
                    return Ok(step);
                }
            }
        }
    }

    fn begin(&self) -> Result<Next> {
        let state = match &self.plan {
            Plan::Passthrough(chunk, _) => State::Stored(Box::new(Chunks::new(&self.pyramid, chunk.level)?), *chunk),
            Plan::Render(plan) => match plan.source {
                SourcePlan::Whole { .. } => State::Whole(self.pyramid.kept.store()),
                SourcePlan::Chunks { level, .. } => {
                    let chunks = Chunks::new(&self.pyramid, level)?;
                    let windows = plan.windows(chunks.level()).into();
                    State::Bands(Box::new(Bands { chunks, windows, window: None, output: Output::new(plan, &self.options) }))
                }
            },
        };
        Ok(Next::Go(state))
    }

    /// A stored chunk, if it is what its level says; else it is decoded like any other.
    fn step_stored(&mut self, mut chunks: Box<Chunks>, chunk: StoredChunk) -> Result<Next> {
        let (columns, rows) = (chunk.column..chunk.column + 1, chunk.row..chunk.row + 1);
        if let Step::Need(ranges) = chunks.fetch(&columns, rows, 0, &mut self.meter, &self.limits)? {
            return Ok(Next::Stop(State::Stored(chunks, chunk), Step::Need(ranges)));
        }
        let format = self.plan.rendering().format;
        let band = chunks.take();
        if let Some(location) = band.first().and_then(|band| band.first()) {
            let level = chunks.level();
            let colors = match level.model {
                Model::BlackIsZero => Colors::Gray,
                Model::YCbCr(..) => Colors::YCbCr,
                _ => Colors::Rgb,
            };
            let icc = profile(chunks.tiff());
            let bytes = chunks.bytes(location)?;
            if let Some(bytes) = stored::as_file(format, level.jpeg_tables.as_deref(), &bytes, chunk.dimensions, colors, icc) {
                return Ok(Next::Stop(State::Done, Step::Done(Encoded { bytes, format, dimensions: chunk.dimensions, passthrough: true })));
            }
        }
        let rendering = self.plan.rendering().clone();
        self.plan = Plan::Render(rendering);
        Ok(Next::Go(State::Begin))
    }

    fn step_whole(&mut self, mut store: ByteStore) -> Result<Next> {
        let whole = ByteRange::new(0, store.size());
        if let Some(whole) = whole.filter(|whole| !store.has(*whole)) {
            // In one piece: what came with the headers is not worth joining.
            store.clear();
            let step = self.meter.need(vec![whole], &self.limits)?;
            return Ok(Next::Stop(State::Whole(store), step));
        }
        let bytes = store.take_whole().ok_or_else(|| Error::Internal { what: "a file that is here and not here".to_owned() })?;
        let plan = self.plan.rendering();
        let mut output = Box::new(Output::new(plan, &self.options));
        let mut all = None;
        codec::decode_whole(self.pyramid.format, bytes, plan, &self.limits, &mut |rows| {
            // What came at once is encoded a piece at a time.
            if rows.dimensions.height() == plan.size.height() {
                all = Some(rows);
                return Ok(());
            }
            output.push(rows)
        })?;
        let Some(raster) = all else { return Ok(Next::Go(State::Encode(None, 0, output))) };
        let raster = output.lay(raster)?;
        Ok(Next::Go(State::Encode(Some(raster), 0, output)))
    }

    fn step_encode(&self, raster: Option<Raster>, row: u32, mut output: Box<Output>) -> Result<Next> {
        if let Some(piece) = output.take(PIECE as usize) {
            return Ok(Next::Stop(State::Encode(raster, row, output), Step::Piece(piece)));
        }
        let Some(raster) = raster else { return self.done(*output) };
        if row == 0 && !output.by_rows() {
            output.encode(raster)?;
            return self.done(*output);
        }
        let left = raster.dimensions.height() - row;
        let rows = u32::try_from(ROWS / raster.stride().max(1)).unwrap_or(1).clamp(1, left);
        output.encode(raster.rows(row, rows))?;
        Ok(Next::Go(State::Encode((rows < left).then_some(raster), row + rows, output)))
    }

    fn step_bands(&mut self, mut bands: Box<Bands>) -> Result<Next> {
        let plan = self.plan.rendering();
        loop {
            if let Some(piece) = bands.output.take(PIECE as usize) {
                return Ok(Next::Stop(State::Bands(bands), Step::Piece(piece)));
            }
            let Some(window) = &mut bands.window else {
                let Some(next) = bands.windows.pop_front() else { return self.done(bands.output) };
                bands.window = Some(Window::new(next, plan, &bands.chunks));
                continue;
            };
            if window.rows.is_empty() {
                window.pipeline.check()?;
                bands.window = None;
                continue;
            }
            let rows = window.rows.clone();
            if let Step::Need(ranges) = bands.chunks.fetch(&window.columns, rows, plan.price.memory, &mut self.meter, &self.limits)? {
                return Ok(Next::Stop(State::Bands(bands), Step::Need(ranges)));
            }
            for band in bands.chunks.take() {
                window.render(&bands.chunks, &band, &mut bands.output)?;
            }
            // What is decoded is not needed again.
            bands.chunks.forget();
        }
    }

    fn done(&self, output: Output) -> Result<Next> {
        let dimensions = output.dimensions();
        let encoded = Encoded { bytes: output.finish()?, format: self.plan.rendering().format, dimensions, passthrough: false };
        Ok(Next::Stop(State::Done, Step::Done(encoded)))
    }
}

/// What comes after a state: another, or word to the driver.
enum Next {
    Go(State),
    Stop(State, Step<Encoded>),
}

impl Window {
    fn new(window: Rect, plan: &Rendering, chunks: &Chunks) -> Self {
        let (level, icc) = (chunks.level(), chunks.tiff().levels.first().and_then(|first| first.icc.as_ref()));
        let source = plan.source_of(window);
        let (columns, rows) = plan.chunks_of(level, source);
        let pipeline = Pipeline::of_window(plan, window, layout(level), icc);
        let source = Rect::new(plan.crop.x() + source.x(), plan.crop.y() + source.y(), source.width(), source.height()).unwrap_or(plan.crop);
        Self { pipeline, source, columns, rows }
    }

    /// Sends the next row of chunks down the pipeline, and what comes out of it to the output.
    fn render(&mut self, chunks: &Chunks, band: &Band, output: &mut Output) -> Result<()> {
        let row = self.rows.start;
        self.rows.start += 1;
        let mut sink = |rows| output.push(rows);
        let pipeline = &mut self.pipeline;
        chunks.rows(band, row, &self.columns, self.source, &mut |row| pipeline.pass_on(row, &mut sink))
    }
}

/// The profile of a file, if it changes anything: decoded pixels are converted by it, others must bring it along.
fn profile(tiff: &Tiff) -> Option<&[u8]> {
    let first = tiff.levels.first()?;
    let icc = first.icc.as_ref()?;
    tiff.profiled.get_or_init(|| codec::icc::to_srgb(icc, layout(first).model).is_some()).then_some(icc)
}
