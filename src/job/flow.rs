//! Files whose rows come one after the other, on their way to the answer: nothing of them is ever whole, unless the answer is turned.

use super::Meter;
use super::output::Output;
use super::planes::PlaneRows;
use super::scan::Scan;
use super::strips::Strips;
use crate::bytes::Step;
use crate::codec::{Encoder, JpegFile, Part, WholeRows};
use crate::error::{Error, Result};
use crate::limits::{Limits, PIECE};
use crate::options::EncodeOptions;
use crate::plan::Rendering;
use crate::pyramid::Pyramid;
use crate::render::{Pipeline, Raster, Row};

/// A file on its way.
pub(super) struct Flow {
    from: From,
    sink: Sink,
}

enum From {
    /// Rows of the whole file, of which the next is this one.
    Rows(Box<(WholeRows, Pipeline, u32)>),
    Scan(Box<Scan>),
    Strips(Box<Strips>),
    /// Bands of a JPEG file that is here.
    File(Box<JpegFile>),
}

/// Where rows go.
pub(super) struct Sink {
    pub output: Output,
    /// All of them, if they came at once.
    pub all: Option<Raster>,
    height: u32,
    planes: Option<PlaneRows>,
}

impl Sink {
    /// For the answer to a plan, out of a source that is `gray` or not; to an encoder that has counted all rows, if there is one.
    pub fn new(plan: &Rendering, options: &EncodeOptions, gray: bool, counted: Option<Encoder>) -> Self {
        Self { output: Output::new(plan, options, counted), all: None, height: plan.size.height(), planes: PlaneRows::of(plan, options, gray) }
    }

    /// How the answer is sampled for which planes will do.
    pub fn sampling(&self) -> Option<crate::jpeg::Sampling> {
        self.planes.as_ref().map(PlaneRows::sampling)
    }

    pub fn push(&mut self, part: Part) -> Result<()> {
        match (part, &mut self.planes) {
            (Part::Planes(sampling, rows), Some(planes)) => planes.push(sampling, rows, &mut self.output),
            (Part::Planes(..), None) => Err(Error::Internal { what: "planes that nobody wants".to_owned() }),
            (Part::File(bytes), _) => {
                self.output.put(bytes);
                Ok(())
            }
            (Part::Coefficients(components, profile), _) => self.output.copy(&components, profile.as_ref().and_then(|profile| profile.bytes())),
            // What came at once is encoded a piece at a time.
            (Part::Rows(rows), _) if rows.dimensions.height() == self.height => {
                self.all = Some(rows);
                Ok(())
            }
            (Part::Rows(rows), _) => self.output.push(rows),
        }
    }
}

impl Flow {
    /// Of the rows of a file that is here.
    pub fn of_rows(rows: WholeRows, plan: &Rendering, sink: Sink) -> Self {
        let pipeline = Pipeline::new(plan, rows.layout(), rows.profile());
        Self { from: From::Rows(Box::new((rows, pipeline, 0))), sink }
    }

    /// Of a JPEG file that is here.
    pub fn of_file(file: JpegFile, sink: Sink) -> Self {
        Self { from: From::File(Box::new(file)), sink }
    }

    /// Of a scan that is yet to be fetched.
    pub fn of_scan(pyramid: &Pyramid, plan: &Rendering, options: &EncodeOptions, counted: Option<Encoder>, limits: &Limits) -> Result<Self> {
        let sink = Sink::new(plan, options, pyramid.is_gray(), counted);
        let scan = Scan::new(pyramid, plan, sink.sampling(), limits)?;
        Ok(Self { from: From::Scan(Box::new(scan)), sink })
    }

    /// Of strips that are yet to be fetched.
    pub fn of_strips(pyramid: &Pyramid, plan: &Rendering, options: &EncodeOptions, counted: Option<Encoder>, limits: &Limits) -> Result<Self> {
        let sink = Sink::new(plan, options, pyramid.is_gray(), counted);
        Ok(Self { from: From::Strips(Box::new(Strips::new(pyramid, plan, limits)?)), sink })
    }

    /// Of a scan whose coefficients are to be copied.
    pub fn of_coefficients(pyramid: &Pyramid, plan: &Rendering, options: &EncodeOptions, limits: &Limits) -> Result<Self> {
        let sink = Sink::new(plan, options, pyramid.is_gray(), None);
        Ok(Self { from: From::Scan(Box::new(Scan::copying(pyramid, plan, limits)?)), sink })
    }

    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        match &mut self.from {
            From::Scan(scan) => scan.provide(offset, bytes),
            From::Strips(strips) => strips.provide(offset, bytes),
            From::Rows(_) | From::File(_) => Err(Error::Internal { what: "bytes that were not asked for".to_owned() }),
        }
    }

    /// Goes on to the end, or as far as the bytes reach, or until a piece of the answer is finished.
    pub fn step(&mut self, plan: &Rendering, meter: &mut Meter, limits: &Limits) -> Result<Step<()>> {
        loop {
            if let Some(piece) = self.sink.output.take(PIECE as usize) {
                return Ok(Step::Piece(piece));
            }
            if self.sink.output.advance()? {
                continue;
            }
            let sink = &mut self.sink;
            let step = match &mut self.from {
                From::Scan(scan) => scan.step(meter, limits, &mut |part| sink.push(part))?,
                From::Strips(strips) => {
                    let step = strips.step(plan, meter, limits, &mut |rows| sink.push(Part::Rows(rows)))?;
                    meter.damaged(strips.damage().as_ref());
                    step
                }
                From::Rows(from) => {
                    let more = next_rows(from, plan, sink)?;
                    meter.damaged(from.0.damage());
                    Step::Done(more)
                }
                From::File(file) => {
                    let more = file.next(&mut |part| sink.push(part))?;
                    meter.damaged(file.told().damage.as_ref());
                    Step::Done(more)
                }
            };
            let more = match step {
                Step::Done(more) => more,
                Step::Need(ranges) => return Ok(Step::Need(ranges)),
                Step::Piece(_) => return Err(Error::Internal { what: "rows in pieces".to_owned() }),
            };
            if !more {
                return Ok(Step::Done(()));
            }
        }
    }

    /// What has not left yet.
    pub fn into_sink(self) -> Sink {
        self.sink
    }
}

/// The next rows of a file, cut; whether there are more.
fn next_rows((rows, pipeline, y): &mut (WholeRows, Pipeline, u32), plan: &Rendering, sink: &mut Sink) -> Result<bool> {
    if let Some(rows) = pipeline.next_rows() {
        return sink.push(Part::Rows(rows)).map(|()| true);
    }
    if *y >= plan.crop.bottom() {
        return pipeline.check().map(|()| false);
    }
    let (crop, channels) = (plan.crop, rows.layout().channels());
    let columns = crop.x() as usize * channels..crop.right() as usize * channels;
    let more = rows.next(&mut |row| {
        *y += 1;
        if !(crop.y()..crop.bottom()).contains(&(*y - 1)) {
            return Ok(());
        }
        let row = match row {
            Row::U8(samples) => Row::U8(&samples[columns.clone()]),
            Row::U16(samples) => Row::U16(&samples[columns.clone()]),
        };
        pipeline.push(row)
    })?;
    // What was made of it is taken first.
    if more || *y >= crop.bottom() { Ok(true) } else { pipeline.check().map(|()| false) }
}
