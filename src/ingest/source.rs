//! The rows of an image at full size, from whatever it is stored in: decoded once, top to bottom, gray or sRGB.

use super::Options;
use crate::bytes::{ByteRange, ByteStore, Step};
use crate::codec::chunks::{Block, layout};
use crate::codec::{Part, WholeRows};
use crate::error::{Error, Result};
use crate::job::{Chunks, Meter, Scan, Strips, Walk, join_rows};
use crate::jpeg::Component;
use crate::limits::Limits;
use crate::plan::{Price, Rendering, SourcePlan};
use crate::pyramid::{Body, Pyramid};
use crate::render::{Pipeline, Raster};

/// An image that is read from its first row to its last.
pub(super) struct Rows {
    pyramid: Pyramid,
    plan: Rendering,
    /// Memory and CPU time are limited: all of the file is read in any case.
    limits: Limits,
    meter: Meter,
    memory: u64,
    state: State,
}

/// What comes of an image.
pub(super) enum Made<'a> {
    Rows(Raster),
    /// The next row of MCUs, as stored.
    Coefficients(&'a [Component]),
}

enum State {
    /// A file that is decoded from its beginning is being fetched.
    Fetch(ByteStore),
    Whole(Box<(WholeRows, Pipeline)>),
    /// And whether its coefficients are wanted beside its rows.
    Scan(Box<Scan>, bool),
    Strips(Box<Strips>),
    Chunks(Box<ByChunks>),
    Done,
}

struct ByChunks {
    chunks: Chunks,
    walk: Walk,
    /// The chunks of a row of chunks so far.
    blocks: Vec<Block>,
    pipeline: Pipeline,
}

impl Rows {
    /// With the coefficients of a scan, if they are wanted: then colours stay as they are stored.
    pub fn new(pyramid: &Pyramid, options: &Options, coefficients: bool) -> Result<Self> {
        let plan = Rendering::full(pyramid);
        let memory = Price::of_rows(&plan, pyramid);
        Price::check_pyramid(&plan, pyramid, options.work)?;
        let limits = Limits { memory: options.memory, fetched: u64::MAX, ranges: u32::MAX, work: options.work, show_incomplete: false, ..Limits::default() };
        let state = match &plan.source {
            SourcePlan::Whole { .. } => State::Fetch(pyramid.kept.store()),
            SourcePlan::Scan { .. } if coefficients => State::Scan(Box::new(Scan::with_coefficients(pyramid, &plan, &limits)?), true),
            SourcePlan::Scan { .. } => State::Scan(Box::new(Scan::new(pyramid, &plan, None, &limits)?), false),
            SourcePlan::Strips { .. } => State::Strips(Box::new(Strips::new(pyramid, &plan, &limits)?)),
            SourcePlan::Chunks { columns, rows, .. } => {
                let chunks = Chunks::new(pyramid, 0)?;
                let pipeline = Pipeline::new(&plan, layout(chunks.level()), chunks.profile());
                State::Chunks(Box::new(ByChunks { chunks, walk: Walk::new(columns.clone(), rows.clone()), blocks: Vec::new(), pipeline }))
            }
        };
        Ok(Self { pyramid: pyramid.clone(), plan, limits, meter: Meter::default(), memory, state })
    }

    /// Bytes that it takes at most.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// Samples of a pixel as headers tell: those that are decoded whole may turn out to have alpha.
    pub fn channels(&self) -> usize {
        match &self.pyramid.body {
            Body::Levels(_) => Price::channels(&self.plan, &self.pyramid) as usize,
            Body::Whole(_) | Body::Scan(_) if self.pyramid.is_gray() => 1,
            Body::Whole(_) | Body::Scan(_) => 3,
        }
    }

    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        match &mut self.state {
            State::Fetch(store) => store.provide(offset, bytes),
            State::Chunks(by) => by.chunks.provide(offset, bytes),
            State::Scan(scan, _) => scan.provide(offset, bytes),
            State::Strips(strips) => strips.provide(offset, bytes),
            State::Whole(_) | State::Done => Err(Error::Internal { what: "bytes that were not asked for".to_owned() }),
        }
    }

    /// Gives some rows, or a row of MCUs, to `sink`; `Done` says whether there are more.
    pub fn step(&mut self, sink: &mut dyn FnMut(Made<'_>) -> Result<()>) -> Result<Step<bool>> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Fetch(mut store) => {
                let whole = ByteRange::new(0, store.size());
                if let Some(whole) = whole.filter(|whole| !store.has(*whole)) {
                    // In one piece: what came with the headers is not worth joining.
                    store.clear();
                    self.state = State::Fetch(store);
                    return self.meter.need(vec![whole], &self.limits);
                }
                let bytes = store.take_whole().ok_or_else(|| Error::Internal { what: "a file that is here and not here".to_owned() })?;
                let memory = self.limits.memory.saturating_sub(bytes.len() as u64);
                let rows = WholeRows::new(self.pyramid.format, bytes, self.plan.level, (memory, self.pyramid.colors_memory()), false)?;
                let pipeline = Pipeline::new(&self.plan, rows.layout(), rows.profile());
                self.state = State::Whole(Box::new((rows, pipeline)));
                Ok(Step::Done(true))
            }
            State::Whole(mut whole) => {
                let (rows, pipeline) = &mut *whole;
                if rows.next(&mut |row| pipeline.pass_on(row, &mut |rows| sink(Made::Rows(rows))))? {
                    self.state = State::Whole(whole);
                    return Ok(Step::Done(true));
                }
                pipeline.check().map(|()| Step::Done(false))
            }
            State::Scan(mut scan, coefficients) => {
                let step = scan.step(&mut self.meter, &self.limits, &mut |part| match part {
                    Part::Rows(rows) => sink(Made::Rows(rows)),
                    Part::Planes(..) | Part::Coefficients(..) | Part::File(_) => {
                        Err(Error::Internal { what: "other than rows, which nobody wants".to_owned() })
                    }
                })?;
                if coefficients && let Step::Done(true) = step {
                    sink(Made::Coefficients(scan.coefficients()))?;
                }
                if !matches!(step, Step::Done(false)) {
                    self.state = State::Scan(scan, coefficients);
                }
                Ok(step)
            }
            State::Strips(mut strips) => {
                let step = strips.step(&self.plan, &mut self.meter, &self.limits, &mut |rows| sink(Made::Rows(rows)))?;
                if !matches!(step, Step::Done(false)) {
                    self.state = State::Strips(strips);
                }
                Ok(step)
            }
            State::Chunks(mut by) => {
                if by.walk.rows.is_empty() {
                    return by.pipeline.check().map(|()| Step::Done(false));
                }
                if let Step::Need(ranges) = by.chunks.fetch(&by.walk, &mut self.meter, &self.limits)? {
                    self.state = State::Chunks(by);
                    return Ok(Step::Need(ranges));
                }
                let ByChunks { chunks, walk, blocks, pipeline } = &mut *by;
                let chunk = chunks.take().ok_or_else(|| Error::Internal { what: "no chunk where one was fetched".to_owned() })?;
                blocks.push(chunks.decode(&chunk, self.plan.crop)?);
                if walk.advance() {
                    let rows = blocks.first().map_or(0..0, Block::rows);
                    join_rows(&std::mem::take(blocks), rows, &mut |row| pipeline.pass_on(row, &mut |rows| sink(Made::Rows(rows))))?;
                }
                self.state = State::Chunks(by);
                Ok(Step::Done(true))
            }
            State::Done => Err(Error::Internal { what: "a step after the end".to_owned() }),
        }
    }
}
