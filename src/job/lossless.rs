//! From JPEG chunks to a JPEG by their coefficients, which are laid side by side, cut and turned as they are.

use super::Meter;
use super::chunks::{Chunks, Walk};
use crate::api::Quality;
use crate::bytes::Step;
use crate::codec::tiff::{cut_chunk, lay_chunk};
use crate::error::{Error, Result};
use crate::jpeg::{Copied, Mosaic, Tables};
use crate::limits::Limits;
use crate::plan::{Rendering, SourcePlan};
use crate::pyramid::{Orientation, Pyramid};

/// Chunks on their way into the answer.
pub(super) struct Lossless {
    pub chunks: Chunks,
    walk: Walk,
    mosaic: Mosaic,
    /// The file, if all of it lies in one chunk whose bits could be copied.
    cut: Option<Vec<u8>>,
}

impl Lossless {
    /// For a rendering that is planned so; [`Error::Internal`] for another.
    pub fn new(pyramid: &Pyramid, plan: &Rendering) -> Result<Self> {
        let SourcePlan::Chunks { level, columns, rows } = &plan.source else { return Err(Error::Internal { what: "chunks of what has none".to_owned() }) };
        let (walk, mosaic) = (Walk::new(columns.clone(), rows.clone()), Mosaic::new(plan.crop.dimensions()));
        Ok(Self { chunks: Chunks::new(pyramid, *level)?, walk, mosaic, cut: None })
    }

    /// Lays what is there; done once all is, or once something does not fit (`false`).
    pub fn step(&mut self, plan: &Rendering, meter: &mut Meter, limits: &Limits) -> Result<Step<bool>> {
        let gray = plan.quality == Quality::Gray;
        // A profile of colours is none of luminance alone.
        if gray && self.chunks.level().samples.count > 1 && self.chunks.profile().is_some() {
            return Ok(Step::Done(false));
        }
        let alone = self.walk.columns.len() == 1 && self.walk.rows.len() == 1 && plan.turn == Orientation::NORMAL;
        while !self.walk.rows.is_empty() {
            if let Step::Need(ranges) = self.chunks.fetch(&self.walk, plan.price.memory, meter, limits)? {
                return Ok(Step::Need(ranges));
            }
            let Some(chunk) = self.chunks.take() else { return Err(Error::Internal { what: "no chunk where one was fetched".to_owned() }) };
            let (location, wanted, level) = (chunk.location(), self.chunks.wanted(&chunk, plan.crop)?, self.chunks.level());
            if alone && !(gray && level.samples.count > 1) {
                self.cut = cut_chunk(level, &self.chunks.bytes(&location)?, location, wanted, self.chunks.profile())?;
                if self.cut.is_some() {
                    return Ok(Step::Done(true));
                }
            }
            let left = chunk.column.saturating_mul(level.chunk.width()).saturating_add(wanted.x()).saturating_sub(plan.crop.x());
            let top = level.chunk_top(chunk.row).saturating_add(wanted.y()).saturating_sub(plan.crop.y());
            if !lay_chunk(level, &self.chunks.bytes(&location)?, location, wanted, gray, &mut self.mosaic, (left, top))? {
                return Ok(Step::Done(false));
            }
            self.walk.advance();
        }
        Ok(Step::Done(self.mosaic.can_turn(plan.turn.into())))
    }

    /// The file, once all is laid.
    pub fn finish(self, plan: &Rendering) -> Result<Vec<u8>> {
        if let Some(file) = self.cut {
            return Ok(file);
        }
        let icc = self.chunks.profile();
        self.mosaic.write(plan.turn.into(), &Copied { tables: Tables::Optimal, icc, ..Copied::default() })
    }
}
