//! Rendering a request.

use std::collections::VecDeque;
use std::ops::Range;

use super::Meter;
use super::chunks::{Chunks, Located, Walk, join_rows};
use super::flow::{Flow, Sink};
use super::lossless::{Copied, Lossless};
use super::output::Output;
use super::planes::PlaneRows;
use crate::api::{Format, ResolvedRequest};
use crate::bytes::{ByteRange, ByteStore, Step};
use crate::codec::chunks::{Block, layout};
#[cfg(feature = "web")]
use crate::codec::modules;
use crate::codec::stored::{self, Colors};
use crate::codec::{Encoder, JpegFile, WholeRows};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::{Dimensions, Rect};
use crate::incomplete::Incomplete;
use crate::limits::{Limits, PIECE};
use crate::options::EncodeOptions;
use crate::plan::{Plan, Rendering, SourcePlan, StoredChunk};
use crate::profile::Unused;
use crate::pyramid::Pyramid;
use crate::pyramid::level::{Level, Model};
use crate::render::{Pipeline, Raster};

/// Rows are handed to the encoder by about this many bytes.
const ROWS: usize = 64 << 10;

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
    /// Bytes of memory at the peak.
    memory: u64,
    /// Planes would do for the answer, but the source has none that fit.
    by_pixels: bool,
    /// Pieces of the answer are gone.
    left: bool,
    /// It was known then that the answer is incomplete.
    told: bool,
    /// Descriptions of the file's colours that are not used.
    unused: Vec<Unused>,
    /// All rows have been counted, and are made again to be written.
    counted: Option<Encoder>,
    state: State,
}

enum State {
    Begin,
    /// A stored chunk is being fetched.
    Stored(Box<Chunks>, StoredChunk),
    /// Chunks whose coefficients are copied are being fetched.
    Lossless(Box<Lossless>),
    /// A file that is decoded from its beginning is being fetched.
    Whole(ByteStore),
    /// A file whose rows come one after the other.
    Flow(Box<Flow>),
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
    /// Of an answer that needs no pixels. Until a row of chunks has shown that it is as it should be, it may be given up.
    planes: Option<PlaneRows>,
    output: Output,
}

/// A window under way.
struct Window {
    /// Of the answer, px.
    place: Rect,
    /// Once there are pixels.
    pipeline: Option<Pipeline>,
    /// What it is made from, px of the level.
    source: Rect,
    walk: Walk,
    /// The chunks of a row of chunks so far.
    blocks: Vec<Block>,
    /// Of a whole row of chunks, the rows that are yet to be sent on.
    rows: Range<u32>,
}

impl Render {
    /// Plans a request; [`Error::SourceTooCostly`] if it would break the limits.
    pub fn new(pyramid: &Pyramid, request: &ResolvedRequest, options: &EncodeOptions, limits: &Limits) -> Result<Self> {
        let plan = Plan::new(request, pyramid, options, limits)?;
        let price = plan.rendering().price;
        let meter = Meter { work: price.work, per_byte: price.per_byte, twice: price.twice, ..Meter::default() };
        let mut options = options.clone();
        options.webp_lossless |= plan.rendering().lossless;
        let mut memory = price.memory.saturating_add(options.small_memory(request.format(), request.size().area()));
        if memory > limits.memory {
            options.jpeg_small = false;
            memory = price.memory;
        }
        Ok(Self {
            pyramid: pyramid.clone(),
            plan,
            options,
            limits: limits.clone(),
            meter,
            memory,
            by_pixels: false,
            left: false,
            told: false,
            unused: Vec::new(),
            counted: None,
            state: State::Begin,
        })
    }

    /// What could not be decoded of a file that is shown all the same ([`Limits::show_incomplete`]); known when the first piece of the answer is, or all of it.
    /// Damage that is found later breaks the answer.
    pub fn incomplete(&self) -> Option<&Incomplete> {
        self.meter.incomplete.as_ref()
    }

    /// Descriptions of the file's colours that were not used, which somebody may miss; known when the first piece of the answer is, or all of it.
    pub fn unused(&self) -> &[Unused] {
        &self.unused
    }

    /// Bytes of memory that this will take at most, for a driver that admits several at once.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// CPU time that this will take at most, ns of the machine that [`Limits::work`] is measured by. It grows with what is fetched.
    pub fn work(&self) -> u64 {
        self.meter.work()
    }

    /// Names of the modules of codecs that this may need, for a host whose engine is built without them.
    #[cfg(feature = "web")]
    pub(crate) fn modules(&self) -> Vec<&'static str> {
        let plan = self.plan.rendering();
        let answer = modules::of_answer(plan.format, plan.dimensions().area(), &self.options);
        modules::names(&self.pyramid, answer)
    }

    /// Whether it is likely to send a stored chunk as it is: next to no work.
    pub fn is_passthrough(&self) -> bool {
        matches!(self.plan, Plan::Passthrough(..))
    }

    /// Hands over fetched bytes.
    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        match &mut self.state {
            State::Stored(chunks, _) => chunks.provide(offset, bytes),
            State::Lossless(lossless) => lossless.chunks.provide(offset, bytes),
            State::Bands(bands) => bands.chunks.provide(offset, bytes),
            State::Whole(store) => store.provide(offset, bytes),
            State::Flow(flow) => flow.provide(offset, bytes),
            State::Begin | State::Encode(..) | State::Done => Err(Error::Internal { what: "bytes that were not asked for".to_owned() }),
        }
    }

    /// Goes on as far as the bytes reach.
    pub fn step(&mut self) -> Result<Step<Encoded>> {
        loop {
            let next = match std::mem::replace(&mut self.state, State::Done) {
                State::Begin => self.begin()?,
                State::Stored(chunks, chunk) => self.step_stored(chunks, chunk)?,
                State::Lossless(lossless) => self.step_lossless(lossless)?,
                State::Whole(store) => self.step_whole(store)?,
                State::Flow(flow) => self.step_flow(flow)?,
                State::Bands(bands) => self.step_bands(bands)?,
                State::Encode(raster, row, output) => self.step_encode(raster, row, output)?,
                State::Done => return Err(Error::Internal { what: "a step after the end".to_owned() }),
            };
            match next {
                Next::Go(state) => self.state = state,
                Next::Stop(state, step) => {
                    self.state = state;
                    self.leave(&step)?;
                    return Ok(step);
                }
            }
        }
    }

    /// Before something is handed to the driver. Once a piece has left, it is too late to say that the answer is incomplete.
    fn leave(&mut self, step: &Step<Encoded>) -> Result<()> {
        match &self.meter.incomplete {
            Some(Incomplete { damage, .. }) if self.left && !self.told => return Err(damage.clone()),
            incomplete if !self.left => self.told = incomplete.is_some(),
            _ => {}
        }
        self.left |= matches!(step, Step::Piece(_));
        Ok(())
    }

    fn begin(&mut self) -> Result<Next> {
        if let Some((profile, model)) = self.pyramid.profile() {
            self.unused = profile.unused(model);
        }
        let state = match &self.plan {
            Plan::Passthrough(chunk, _) => State::Stored(Box::new(Chunks::new(&self.pyramid, chunk.level)?.showing(&self.limits)), *chunk),
            Plan::Lossless(plan) if matches!(plan.source, SourcePlan::Scan { .. }) => {
                State::Flow(Box::new(Flow::of_coefficients(&self.pyramid, plan, &self.options, &self.limits)?))
            }
            Plan::Lossless(plan) => State::Lossless(Box::new(Lossless::new(&self.pyramid, plan, &self.options)?)),
            Plan::Render(plan) => match plan.source {
                SourcePlan::Whole { .. } => State::Whole(self.pyramid.kept.store()),
                SourcePlan::Scan { .. } => State::Flow(Box::new(Flow::of_scan(&self.pyramid, plan, &self.options, self.counted.take(), &self.limits)?)),
                SourcePlan::Strips { .. } => State::Flow(Box::new(Flow::of_strips(&self.pyramid, plan, &self.options, self.counted.take(), &self.limits)?)),
                SourcePlan::Chunks { level, .. } => {
                    let chunks = Chunks::new(&self.pyramid, level)?.showing(&self.limits);
                    let windows = plan.windows(chunks.level()).into();
                    let level = chunks.level();
                    let planes =
                        PlaneRows::of(plan, &self.options, level.is_gray()).filter(|_| !self.by_pixels && level.has_planes() && !chunks.is_converted());
                    State::Bands(Box::new(Bands { chunks, windows, window: None, planes, output: Output::new(plan, &self.options, self.counted.take()) }))
                }
            },
        };
        Ok(Next::Go(state))
    }

    /// A stored chunk, if it is what its level says; else it is decoded like any other.
    fn step_stored(&mut self, mut chunks: Box<Chunks>, chunk: StoredChunk) -> Result<Next> {
        let walk = Walk::new(chunk.column..chunk.column + 1, chunk.row..chunk.row + 1);
        if let Step::Need(ranges) = chunks.fetch(&walk, &mut self.meter, &self.limits)? {
            return Ok(Next::Stop(State::Stored(chunks, chunk), Step::Need(ranges)));
        }
        let format = self.plan.rendering().format;
        // A chunk that the file has but a part of is decoded.
        let location = chunks.take().as_ref().map(Located::location);
        if let Some(location) = location.filter(|location| !chunks.is_cut(location)) {
            let level = chunks.level();
            let colors = match level.model {
                Model::BlackIsZero => Colors::Gray,
                Model::YCbCr(..) => Colors::YCbCr,
                _ if level.samples.alpha.is_some() => Colors::Rgba,
                _ => Colors::Rgb,
            };
            let icc = chunks.carried_profile();
            let bytes = chunks.bytes(&location)?;
            if let Some(bytes) = stored::as_file(format, level.jpeg_tables.as_deref(), &bytes, chunk.dimensions, colors, icc) {
                return Ok(Next::Stop(State::Done, Step::Done(Encoded { bytes, format, dimensions: chunk.dimensions, passthrough: true })));
            }
        }
        Ok(self.render_instead())
    }

    fn step_lossless(&mut self, mut lossless: Box<Lossless>) -> Result<Next> {
        let plan = self.plan.rendering();
        match lossless.step(plan, &mut self.meter, &self.limits) {
            Ok(Step::Need(ranges)) => Ok(Next::Stop(State::Lossless(lossless), Step::Need(ranges))),
            Ok(Step::Piece(piece)) => Ok(Next::Stop(State::Lossless(lossless), Step::Piece(piece))),
            Ok(Step::Done(Copied::All)) => self.done(lossless.into_output()),
            Ok(Step::Done(Copied::Unlike(at))) if self.left => Err(unlike(self.pyramid.format, "coding", at)),
            // The decoder may make more of it, or has the better words.
            Ok(Step::Done(Copied::Unlike(_))) => Ok(self.render_instead()),
            Err(Error::SourceCorrupt { .. }) if !self.left => Ok(self.render_instead()),
            Err(error) => Err(error),
        }
    }

    /// What is stored is not what was expected, and nothing of an answer is gone: in the next best way.
    fn render_instead(&mut self) -> Next {
        self.plan = self.plan.instead(&self.pyramid, &self.limits);
        Next::Go(State::Begin)
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
        let (plan, colors) = (self.plan.rendering(), self.pyramid.colors_memory());
        let sink = Sink::new(plan, &self.options, self.pyramid.is_gray(), self.counted.take());
        if self.pyramid.is_buffered_jpeg() {
            let file = JpegFile::new(bytes, plan, sink.sampling(), &self.limits, colors)?;
            self.unused.clone_from(&file.told().unused);
            return Ok(Next::Go(State::Flow(Box::new(Flow::of_file(file, sink)))));
        }
        let rows = WholeRows::new(self.pyramid.format, bytes, plan.level, (self.limits.memory, colors), self.limits.show_incomplete)?;
        self.meter.damaged(rows.damage());
        self.unused = rows.unused();
        Ok(Next::Go(State::Flow(Box::new(Flow::of_rows(rows, plan, sink)))))
    }

    fn step_flow(&mut self, mut flow: Box<Flow>) -> Result<Next> {
        let plan = self.plan.rendering();
        Ok(match flow.step(plan, &mut self.meter, &self.limits) {
            Ok(Step::Need(ranges)) => Next::Stop(State::Flow(flow), Step::Need(ranges)),
            Ok(Step::Piece(piece)) => Next::Stop(State::Flow(flow), Step::Piece(piece)),
            Ok(Step::Done(())) => encode(flow.into_sink())?,
            // The decoder may make more of it, or has the better words.
            Err(Error::SourceCorrupt { .. }) if matches!(self.plan, Plan::Lossless(_)) && !self.left => self.render_instead(),
            Err(error) => return Err(error),
        })
    }

    fn step_encode(&mut self, raster: Option<Raster>, row: u32, mut output: Box<Output>) -> Result<Next> {
        if let Some(piece) = output.take(PIECE as usize) {
            return Ok(Next::Stop(State::Encode(raster, row, output), Step::Piece(piece)));
        }
        if output.advance()? {
            if output.is_counted() {
                output.rotate_again();
            }
            return Ok(Next::Go(State::Encode(raster, row, output)));
        }
        let Some(raster) = raster else { return self.done(*output) };
        if row == 0 && !output.by_rows(&raster) {
            output.encode(raster)?;
            return self.done(*output);
        }
        let left = raster.dimensions.height() - row;
        let rows = u32::try_from(ROWS / raster.stride().max(1)).unwrap_or(1).clamp(1, left);
        output.encode(raster.rows(row, rows))?;
        // Rows that are here need not be made again to be written.
        let row = if output.is_counted() { 0 } else { row + rows };
        Ok(Next::Go(State::Encode((row < raster.dimensions.height()).then_some(raster), row, output)))
    }

    fn step_bands(&mut self, mut bands: Box<Bands>) -> Result<Next> {
        let plan = self.plan.rendering();
        loop {
            if let Some(piece) = bands.output.take(PIECE as usize) {
                return Ok(Next::Stop(State::Bands(bands), Step::Piece(piece)));
            }
            if bands.output.advance()? {
                continue;
            }
            let Some(window) = &mut bands.window else {
                let Some(next) = bands.windows.pop_front() else { return self.done(bands.output) };
                bands.window = Some(Window::new(next, plan, &bands.chunks));
                continue;
            };
            if let Some(rows) = window.pipeline.as_mut().and_then(Pipeline::next_rows) {
                bands.output.push(rows)?;
                continue;
            }
            if !window.rows.is_empty() {
                window.emit(plan, &bands.chunks, &mut bands.output)?;
                continue;
            }
            if window.walk.rows.is_empty() {
                match (&bands.planes, &window.pipeline) {
                    (Some(planes), _) => planes.check()?,
                    (None, Some(pipeline)) => pipeline.check()?,
                    (None, None) => return Err(Error::Internal { what: "a window of no rows".to_owned() }),
                }
                bands.window = None;
                continue;
            }
            if let Step::Need(ranges) = bands.chunks.fetch(&window.walk, &mut self.meter, &self.limits)? {
                return Ok(Next::Stop(State::Bands(bands), Step::Need(ranges)));
            }
            let Some(chunk) = bands.chunks.take() else { return Err(Error::Internal { what: "no chunk where one was fetched".to_owned() }) };
            self.meter.decode(chunk.bytes(), &self.limits)?;
            let as_planes = bands.planes.as_mut().map(|planes| planes.add(&mut bands.chunks, &chunk, window.source)).transpose()?;
            match as_planes {
                // The first chunk shows how all are sampled.
                Some(false) if window.is_fresh(plan, bands.chunks.level()) => bands.planes = None,
                Some(false) if self.left => return Err(unlike(self.pyramid.format, "chroma subsampling", chunk.location().offset)),
                // Nothing of the answer is gone yet: from the beginning, by pixels.
                Some(false) => {
                    self.by_pixels = true;
                    return Ok(Next::Go(State::Begin));
                }
                Some(true) | None => {}
            }
            if bands.planes.is_none() {
                window.blocks.push(bands.chunks.decode(&chunk, window.source)?);
            }
            self.meter.damaged(bands.chunks.damage().as_ref());
            if window.walk.advance() {
                match &mut bands.planes {
                    Some(planes) => planes.end_row(&mut bands.output)?,
                    None => window.rows = window.blocks.first().map_or(0..0, Block::rows),
                }
            }
        }
    }

    fn done(&mut self, output: Output) -> Result<Next> {
        if output.is_counted() {
            // Nothing of it has left yet.
            self.counted = output.into_encoder();
            self.meter.twice = false;
            return Ok(Next::Go(State::Begin));
        }
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

/// All rows are made.
fn encode(Sink { mut output, all, .. }: Sink) -> Result<Next> {
    let raster = all.and_then(|raster| output.lay(raster));
    Ok(Next::Go(State::Encode(raster, 0, Box::new(output))))
}

impl Window {
    fn new(window: Rect, plan: &Rendering, chunks: &Chunks) -> Self {
        let source = plan.source_of(window);
        let (columns, rows) = plan.chunks_of(chunks.level(), source);
        let source = Rect::new(plan.crop.x() + source.x(), plan.crop.y() + source.y(), source.width(), source.height()).unwrap_or(plan.crop);
        Self { place: window, pipeline: None, source, walk: Walk::new(columns, rows), blocks: Vec::new(), rows: 0..0 }
    }

    /// Whether its first chunk is at hand.
    fn is_fresh(&self, plan: &Rendering, level: &Level) -> bool {
        self.walk.rows.start == level.chunk_row_at(plan.crop.y()) && self.walk.column == self.walk.columns.start
    }

    /// A row of chunks is there: sends some of its rows down the pipeline, and what comes out of it to the output.
    fn emit(&mut self, plan: &Rendering, chunks: &Chunks, output: &mut Output) -> Result<()> {
        // Four bytes for each pixel that is read, or that is made of it.
        let made = f64::from(self.place.width()) / plan.down.scale();
        let pixels = (made.min(ROWS as f64) as usize).max(self.source.width() as usize).max(1);
        let many = u32::try_from(ROWS / 4 / pixels).unwrap_or(1).max(1);
        // What a row completes is taken before the next one comes.
        let count = if plan.is_enlarged() { 1 } else { many };
        let rows = self.rows.start..self.rows.end.min(self.rows.start.saturating_add(count));
        self.rows.start = rows.end;
        let pipeline = self.pipeline.get_or_insert_with(|| Pipeline::of_window(plan, self.place, layout(chunks.level()), chunks.profile()));
        join_rows(&self.blocks, rows, &mut |row| match plan.is_enlarged() {
            true => pipeline.push(row),
            false => pipeline.pass_on(row, &mut |rows| output.push(rows)),
        })?;
        if self.rows.is_empty() {
            self.blocks.clear();
        }
        Ok(())
    }
}

/// Chunks of one level that are coded in different ways, which is noticed too late: libtiff's tables allow for that, but hardly anybody writes it.
fn unlike(format: SourceFormat, what: &str, at: u64) -> Error {
    Error::SourceUnsupported { format: Some(format), feature: format!("chunks of different {what} (at byte {at})") }
}
