//! From JPEG chunks to a JPEG by their coefficients, which are laid side by side, cut and turned as they are.

use super::Meter;
use super::chunks::{Chunks, Walk};
use super::output::Output;
use crate::api::Quality;
use crate::bytes::Step;
use crate::codec::chunks::{cut_chunk, lay_chunk};
use crate::error::{Error, Result};
use crate::jpeg::Mosaic;
use crate::limits::{Limits, PIECE};
use crate::options::EncodeOptions;
use crate::plan::{COUNTED_JPG, Rendering, SourcePlan};
use crate::pyramid::{Orientation, Pyramid};

/// Chunks on their way into the answer: a row of them at a time, or all if they are turned.
pub(super) struct Lossless {
    pub chunks: Chunks,
    walk: Walk,
    mosaic: Mosaic,
    output: Output,
    /// Whether there is nothing to be found out before something of the answer may leave.
    looked: bool,
}

/// What became of a step.
pub(super) enum Copied {
    All,
    /// The chunk at this byte does not fit.
    Unlike(u64),
}

impl Lossless {
    /// For a rendering that is planned so; [`Error::Internal`] for another.
    pub fn new(pyramid: &Pyramid, plan: &Rendering, options: &EncodeOptions) -> Result<Self> {
        let SourcePlan::Chunks { level, columns, rows } = &plan.source else { return Err(Error::Internal { what: "chunks of what has none".to_owned() }) };
        let (walk, mosaic) = (Walk::new(columns.clone(), rows.clone()), Mosaic::new(plan.crop.dimensions()));
        // A file that is small leaves in one piece, when all has been seen.
        let looked = plan.size.area() <= COUNTED_JPG;
        let mut lossless = Self { chunks: Chunks::new(pyramid, *level)?, walk, mosaic, output: Output::new(plan, options, None), looked };
        lossless.begin_row(plan);
        Ok(lossless)
    }

    /// Copies what is there; done once all is, or once something does not fit.
    pub fn step(&mut self, plan: &Rendering, meter: &mut Meter, limits: &Limits) -> Result<Step<Copied>> {
        let gray = plan.quality == Quality::Gray;
        // A profile of colours is none of luminance alone.
        if gray && self.chunks.level().samples.count > 1 && self.chunks.is_converted() {
            return Ok(Step::Done(Copied::Unlike(0)));
        }
        if !self.looked {
            match self.chunks.are_stored(&self.walk, meter, limits)? {
                Step::Done(true) => self.looked = true,
                Step::Done(false) => return Ok(Step::Done(Copied::Unlike(0))),
                Step::Need(ranges) => return Ok(Step::Need(ranges)),
                Step::Piece(piece) => return Ok(Step::Piece(piece)),
            }
        }
        let alone = self.walk.columns.len() == 1 && self.walk.rows.len() == 1 && plan.turn == Orientation::NORMAL && plan.size.area() <= COUNTED_JPG;
        while !self.walk.rows.is_empty() {
            if let Some(piece) = self.output.take(PIECE as usize) {
                return Ok(Step::Piece(piece));
            }
            if let Step::Need(ranges) = self.chunks.fetch(&self.walk, meter, limits)? {
                return Ok(Step::Need(ranges));
            }
            let Some(chunk) = self.chunks.take() else { return Err(Error::Internal { what: "no chunk where one was fetched".to_owned() }) };
            let (location, wanted, level) = (chunk.location(), self.chunks.wanted(&chunk, plan.crop)?, self.chunks.level());
            if alone
                && !(gray && level.samples.count > 1)
                && let Some(file) = cut_chunk(level, &self.chunks.bytes(&location)?, location, wanted, self.chunks.carried_profile())?
            {
                self.output.put(file);
                return Ok(Step::Done(Copied::All));
            }
            let left = chunk.column.saturating_mul(level.chunk.width()).saturating_add(wanted.x()).saturating_sub(plan.crop.x());
            let top = level.chunk_top(chunk.row).saturating_add(wanted.y()).saturating_sub(plan.crop.y());
            if !lay_chunk(level, &self.chunks.bytes(&location)?, location, wanted, gray, &mut self.mosaic, (left, top))? {
                return Ok(Step::Done(Copied::Unlike(location.offset)));
            }
            let row_ends = self.walk.advance();
            if (row_ends && plan.is_upright()) || self.walk.rows.is_empty() {
                if !self.mosaic.can_turn(plan.turn.into()) {
                    return Ok(Step::Done(Copied::Unlike(location.offset)));
                }
                self.output.copy(&self.mosaic.take(plan.turn.into())?, self.chunks.carried_profile())?;
                self.begin_row(plan);
            }
        }
        Ok(Step::Done(Copied::All))
    }

    /// What has not left yet.
    pub fn into_output(self) -> Output {
        self.output
    }

    /// The next row of chunks, unless all are laid together.
    fn begin_row(&mut self, plan: &Rendering) {
        if plan.is_upright() {
            let (level, row) = (self.chunks.level(), self.walk.rows.start);
            let below = |row: u32| level.chunk_top(row).clamp(plan.crop.y(), plan.crop.bottom()).saturating_sub(plan.crop.y());
            self.mosaic.begin_band(below(row)..below(row.saturating_add(1)));
        }
    }
}
