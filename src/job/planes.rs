//! From JPEG to JPEG without pixels in between: planes, side by side where they come in chunks, are resampled each at its own density and go into the encoder.

use super::chunks::{Chunks, Located};
use super::output::Output;
use crate::api::{Format, Quality};
use crate::codec::chunks::decode_planes;
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::jpeg::{Plane, Planes, Sampling};
use crate::options::EncodeOptions;
use crate::plan::Rendering;
use crate::pyramid::Orientation;
use crate::render::{Alpha, Layout, Model, Pipeline, Row};

/// Rows of planes that are passed on at a time.
const ROWS: usize = 8;

/// Rows of planes on their way to the encoder.
pub(super) struct PlaneRows {
    plan: Rendering,
    /// Of the answer.
    sampling: Sampling,
    /// Of the planes that come, once that is known; and how each becomes the answer's, unless it is that already.
    source: Option<(Sampling, Vec<Option<Pipeline>>)>,
    /// The chunks of a row of chunks so far, side by side.
    row: Vec<Planes>,
    /// What does not yet fill a row of MCUs.
    rest: Planes,
    /// Rows of the answer yet to come.
    rows_left: usize,
}

impl PlaneRows {
    /// For an upright answer in a JPEG, out of a source that is `gray` or not. Whether the source has planes is another question.
    pub fn of(plan: &Rendering, options: &EncodeOptions, gray: bool) -> Option<Self> {
        let sampling = options.sampling(gray || plan.quality == Quality::Gray);
        let upright = plan.turn == Orientation::NORMAL && plan.angle.is_none();
        let small = options.is_small(plan.format, plan.size.area());
        // Of a larger answer many rows of one plane would wait for those of the next.
        let fits = plan.format == Format::Jpg && !small && plan.quality != Quality::Bitonal && upright && !plan.is_enlarged();
        let rows_left = plan.size.height() as usize;
        fits.then(|| Self { plan: plan.clone(), sampling, source: None, row: Vec::new(), rest: Planes::new(), rows_left })
    }

    /// How the answer samples chroma.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// Adds a chunk to its row; `false` if it has no planes, or others than the first one.
    pub fn add(&mut self, chunks: &mut Chunks, chunk: &Located, source: Rect) -> Result<bool> {
        let (location, wanted) = (chunk.location(), chunks.wanted(chunk, source)?);
        let (mut planes, mut found) = (Planes::new(), None);
        let mut join = |sampling, rows: Planes| {
            found = Some(sampling);
            append(&mut planes, rows);
            Ok(())
        };
        let damage = decode_planes(chunks.level(), &chunks.bytes(&location)?, location, wanted, self.sampling == Sampling::Gray, &mut join)?;
        self.row.push(planes);
        let has_planes = match damage {
            Some(damage) => chunks.note(chunk.row, damage).map(|()| true)?,
            None => false,
        };
        Ok(has_planes && found.is_some_and(|found| self.begin(found)))
    }

    /// The row of chunks is whole.
    pub fn end_row(&mut self, output: &mut Output) -> Result<()> {
        let row = std::mem::take(&mut self.row);
        let Some((sampling, _)) = self.source else { return Err(Error::Internal { what: "a row of no planes".to_owned() }) };
        self.push(sampling, (0..sampling.components()).map(|component| beside(&row, component)).collect(), output)
    }

    /// Adds rows as wide as the plan's crop, of chroma all samples that it touches, and hands whole rows of MCUs to the encoder.
    pub fn push(&mut self, sampling: Sampling, planes: Planes, output: &mut Output) -> Result<()> {
        if !self.begin(sampling) {
            return Err(Error::Internal { what: "planes that are sampled by turns".to_owned() });
        }
        // A few rows at a time, as more may be made of them.
        let steps = planes.iter().map(|plane| plane.height).max().unwrap_or(0).div_ceil(ROWS).max(1);
        let mut planes: Vec<Option<Plane>> = planes.into_iter().map(Some).collect();
        for step in 0..steps {
            let pipelines = self.source.iter_mut().flat_map(|(_, pipelines)| pipelines);
            for ((pipeline, whole), rest) in pipelines.zip(&mut planes).zip(&mut self.rest) {
                let Some(pipeline) = pipeline else {
                    whole.take().into_iter().for_each(|plane| join(rest, plane));
                    continue;
                };
                let Some(plane) = whole else { continue };
                for y in plane.height * step / steps..plane.height * (step + 1) / steps {
                    pipeline.pass_on(Row::U8(plane.row(y)), &mut |rows| {
                        rest.append(&rows.data);
                        Ok(())
                    })?;
                }
            }
            self.encode(output)?;
        }
        Ok(())
    }

    /// [`Error::Internal`] if rows are missing.
    pub fn check(&self) -> Result<()> {
        if self.rows_left == 0 { Ok(()) } else { Err(Error::Internal { what: format!("{} rows of planes are missing", self.rows_left) }) }
    }

    /// Planes that are so sampled come; whether that can be.
    fn begin(&mut self, sampling: Sampling) -> bool {
        if let Some((known, _)) = &self.source {
            return *known == sampling;
        }
        if sampling.components() != self.sampling.components() {
            return false;
        }
        let (stored, made) = (sampling.factors(), self.sampling.factors());
        if !self.plan.suits_planes(stored, made) {
            return false;
        }
        let component = |index| if index == 0 { self.plan.clone() } else { self.plan.of_component(stored, made) };
        let plans: Vec<Rendering> = (0..sampling.components()).map(component).collect();
        let layout = Layout { model: Model::Gray, alpha: Alpha::None };
        let pipelines = plans.iter().map(|plan| (!plan.is_exact()).then(|| Pipeline::new(plan, layout, None))).collect();
        self.rest = plans.iter().map(|plan| Plane::new(plan.size.width() as usize, 0)).collect();
        self.source = Some((sampling, pipelines));
        true
    }

    /// Hands over what fills rows of MCUs.
    fn encode(&mut self, output: &mut Output) -> Result<()> {
        let (_, down) = self.sampling.factors();
        let rows = |(component, plane): (usize, &Plane)| if component == 0 { plane.height } else { plane.height * down };
        let held = self.rest.iter().enumerate().map(rows).min().unwrap_or(0);
        let ready = if held >= self.rows_left { self.rows_left } else { held / (8 * down) * (8 * down) };
        if ready == 0 {
            return Ok(());
        }
        let take = |(component, plane): (usize, &mut Plane)| plane.take(if component == 0 { ready } else { ready.div_ceil(down) });
        let planes: Planes = self.rest.iter_mut().enumerate().map(take).collect();
        self.rows_left -= ready;
        output.encode_planes(&planes)
    }
}

/// The planes of a component of several chunks, side by side.
fn beside(chunks: &[Planes], component: usize) -> Plane {
    let planes: Vec<&Plane> = chunks.iter().filter_map(|planes| planes.get(component)).collect();
    if let [plane] = planes.as_slice() {
        return Plane::clone(plane);
    }
    let width = planes.iter().map(|plane| plane.width).sum();
    let height = planes.iter().map(|plane| plane.height).min().unwrap_or(0);
    let mut data = Vec::with_capacity(width * height);
    for y in 0..height {
        planes.iter().for_each(|plane| data.extend_from_slice(plane.row(y)));
    }
    Plane { width, height, stride: width, data }
}

/// Adds rows below others.
fn append(above: &mut Planes, below: Planes) {
    if above.is_empty() {
        *above = below;
    } else {
        above.iter_mut().zip(below).for_each(|(above, below)| join(above, below));
    }
}

fn join(above: &mut Plane, below: Plane) {
    if above.height == 0 {
        *above = below;
    } else {
        above.append(&below.data);
    }
}
