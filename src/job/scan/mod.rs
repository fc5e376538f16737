//! The scan of a JPEG, a file or a strip of a TIFF, on its way to rows or planes, or to a JPEG again.

mod fetch;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use fetch::joined;

use super::Meter;
use crate::api::Quality;
use crate::bytes::{ByteStore, Step};
use crate::codec::{Intake, Part};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::incomplete::Incomplete;
use crate::jpeg::{Component, Cut, Input, Mosaic, Progress, Sampling, Sequential, Turn, Wanted};
use crate::limits::Limits;
use crate::plan::{COUNTED_JPG, Rendering, SEAM, SourcePlan};
use crate::profile::{Profile, Stored};
use crate::pyramid::{Body, OneScan, Orientation, Pyramid};

/// What a plan decodes of a scan.
pub(crate) struct Scan {
    file: Arc<OneScan>,
    sequential: Sequential,
    making: Making,
    store: ByteStore,
    format: SourceFormat,
    /// Bytes that are fetched at a time.
    run: u64,
    /// All bands have come.
    finished: bool,
    /// The byte it could not go on from, though there were bytes up to another.
    stuck: (u64, u64),
}

/// What becomes of its MCUs.
enum Making {
    Pixels(Intake),
    /// A JPEG of the bits of a part.
    Cut,
    /// Its coefficients, so turned, with this profile: as they come, or all at once if a part has dimensions.
    Copy(Turn, Option<Arc<Profile>>, Option<Dimensions>),
}

impl Scan {
    /// For a plan of copied coefficients.
    pub fn copying(pyramid: &Pyramid, plan: &Rendering, limits: &Limits) -> Result<Self> {
        let (file, run) = of_scan(pyramid, plan)?;
        let wanted = Wanted { region: plan.crop, gray: plan.quality == Quality::Gray, memory: limits.memory, ..Wanted::whole(&file.header) };
        // Of a profile that is too large to be copied there is no such plan.
        let icc = file.profile.clone().filter(|_| pyramid.stored_profile() != Stored::Plain);
        let small = plan.turn == Orientation::NORMAL && wanted.region.dimensions().area() <= COUNTED_JPG;
        if small
            && !(wanted.gray && file.header.components.len() > 1)
            && let Some(cut) = Cut::new(&file.header, wanted.region.dimensions(), icc.as_ref().and_then(|icc| icc.bytes()))?
        {
            return Ok(Self::of(pyramid, file, Sequential::cutting(&file.header, &wanted, cut)?, Making::Cut, run));
        }
        let turn = plan.turn.into();
        Ok(if plan.is_upright() {
            Self::of(pyramid, file, Sequential::with_coefficients(&file.header, &wanted, false)?, Making::Copy(turn, icc, None), run)
        } else {
            Self::of(pyramid, file, Sequential::coefficients(&file.header, &wanted)?, Making::Copy(turn, icc, Some(plan.crop.dimensions())), run)
        })
    }

    fn of(pyramid: &Pyramid, file: &Arc<OneScan>, mut sequential: Sequential, making: Making, run: u64) -> Self {
        sequential.record(file.index());
        Self { file: file.clone(), sequential, making, store: pyramid.kept.store(), format: pyramid.format, run, finished: false, stuck: (u64::MAX, 0) }
    }

    /// For a plan of [`SourcePlan::Scan`]; its answer may be planes of this sampling, if the file has them.
    pub fn new(pyramid: &Pyramid, plan: &Rendering, planes: Option<Sampling>, limits: &Limits) -> Result<Self> {
        let (file, run) = of_scan(pyramid, plan)?;
        let (wanted, intake) = Intake::new(&file.header, file.profile.as_ref(), plan, planes, limits)?;
        Ok(Self::of(pyramid, file, Sequential::new(&file.header, &wanted)?, Making::Pixels(intake), run))
    }

    /// All rows of a plan, and beside them the coefficients, in colours as they are stored.
    pub fn with_coefficients(pyramid: &Pyramid, plan: &Rendering, limits: &Limits) -> Result<Self> {
        let (file, run) = of_scan(pyramid, plan)?;
        let (wanted, intake) = Intake::new(&file.header, None, plan, None, limits)?;
        Ok(Self::of(pyramid, file, Sequential::with_coefficients(&file.header, &wanted, true)?, Making::Pixels(intake), run))
    }

    /// Those of the MCU row that was made last.
    pub fn coefficients(&self) -> &[Component] {
        self.sequential.row_kept()
    }

    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.store.provide(offset, bytes)
    }

    /// Makes the next MCU row and gives what comes of it to `sink`; `Done` says whether there are more.
    pub fn step(&mut self, meter: &mut Meter, limits: &Limits, sink: &mut dyn FnMut(Part) -> Result<()>) -> Result<Step<bool>> {
        let step = self.next(meter, limits, sink).map_err(|error| self.of_source(error));
        if let Some(damage) = self.sequential.damage() {
            meter.damaged(Some(&Incomplete { damage: self.of_source(damage.damage.clone()), ..*damage }));
        }
        step
    }

    /// An error about the JPEG as one about the file that has it.
    fn of_source(&self, error: Error) -> Error {
        match (error, self.format) {
            (Error::SourceCorrupt { at, what, .. }, SourceFormat::Tiff) => {
                Error::SourceCorrupt { format: SourceFormat::Tiff, at, what: format!("in a strip: {what}") }
            }
            (error, _) => error,
        }
    }

    fn next(&mut self, meter: &mut Meter, limits: &Limits, sink: &mut dyn FnMut(Part) -> Result<()>) -> Result<Step<bool>> {
        if let Making::Pixels(intake) = &mut self.making
            && let Some(part) = intake.next()?
        {
            return sink(part).map(|()| Step::Done(true));
        }
        if self.finished {
            if let Making::Pixels(intake) = &self.making {
                intake.check()?;
            }
            return Ok(Step::Done(false));
        }
        while let Some(from) = self.sequential.seek() {
            let seen = if self.stuck.0 == from as u64 { self.stuck.1 } else { from as u64 };
            let rest = self.store.rest(seen);
            // Bytes of the file behind a strip are none of it.
            let rest = rest.get(..usize::try_from(self.file.end().saturating_sub(seen)).unwrap_or(usize::MAX)).unwrap_or(rest);
            let size = self.file.end();
            if rest.is_empty() && seen < size {
                if self.catches_up(from) {
                    continue;
                }
                return self.fetch(from, seen, meter, limits);
            }
            let bytes = if seen == from as u64 { Cow::Borrowed(rest) } else { joined(&self.store, from as u64, seen + rest.len().min(SEAM) as u64)? };
            let end = from as u64 + bytes.len() as u64;
            match self.sequential.next_band(&Input { bytes: &bytes, start: from, last: end >= size })? {
                Progress::Band(band) => {
                    match &mut self.making {
                        Making::Pixels(intake) => intake.push(&band, sink)?,
                        Making::Copy(turn, icc, None) => sink(Part::Coefficients(copied(self.sequential.row_kept(), *turn), icc.clone()))?,
                        Making::Cut | Making::Copy(.., Some(_)) => {}
                    }
                    return Ok(Step::Done(true));
                }
                Progress::Need { .. } => self.stuck = (from as u64, end),
                Progress::Done => break,
            }
        }
        self.learn();
        self.finished = true;
        match &mut self.making {
            Making::Pixels(intake) => {
                intake.finish(sink)?;
                if let Some(part) = intake.next()? {
                    return sink(part).map(|()| Step::Done(true));
                }
                intake.check()?;
            }
            Making::Cut => {
                let cut = self.sequential.take_cut().ok_or_else(|| Error::Internal { what: "a part that was not cut".to_owned() })?;
                sink(Part::File(cut.finish()))?;
            }
            Making::Copy(_, _, None) => {}
            Making::Copy(turn, icc, Some(dimensions)) => {
                let components = self.sequential.take_coefficients().unwrap_or_default();
                sink(Part::Coefficients(Mosaic::of(&self.file.header, *dimensions, components).take(*turn)?, icc.take()))?;
            }
        }
        Ok(Step::Done(false))
    }
}

/// A row of MCUs as it is written, which may be mirrored.
fn copied(row: &[Component], turn: Turn) -> Vec<Component> {
    let copied = |component: &Component| {
        let mut component = component.clone().turned(turn);
        component.make_sound();
        component
    };
    row.iter().map(copied).collect()
}

/// What a plan of [`SourcePlan::Scan`] is about.
fn of_scan<'a>(pyramid: &'a Pyramid, plan: &Rendering) -> Result<(&'a Arc<OneScan>, u64)> {
    match (&pyramid.body, &plan.source) {
        (Body::Scan(file), SourcePlan::Scan { run, .. }) => Ok((file, *run)),
        _ => Err(Error::Internal { what: "a scan of what has none".to_owned() }),
    }
}
