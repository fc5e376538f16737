//! From JPEG chunks to JPEG without pixels in between: their planes, side by side, go into the encoder.

use super::chunks::{Chunks, Located};
use super::output::Output;
use crate::api::{Format, Quality};
use crate::codec::EncodeOptions;
use crate::codec::tiff::decode_planes;
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::jpeg::{Plane, Planes, Sampling};
use crate::plan::Rendering;
use crate::pyramid::Orientation;

/// Rows of planes on their way from chunks to the encoder.
pub(super) struct PlaneRows {
    sampling: Sampling,
    /// The chunks of a row of chunks so far, side by side.
    row: Vec<Planes>,
    /// What does not yet fill a row of MCUs.
    rest: Planes,
    /// Rows of the answer yet to come.
    rows_left: usize,
}

impl PlaneRows {
    /// For an answer that shows pixels as they are, in a JPEG, out of a source that is `gray` or not. Whether the source has such planes is another question.
    /// The planes of several chunks must not be cut within a sample of chroma.
    pub fn of_chunks(plan: &Rendering, options: &EncodeOptions, gray: bool) -> Option<Self> {
        let (across, down) = options.sampling(gray || plan.quality == Quality::Gray).factors();
        let uncut = (plan.crop.x() as usize).is_multiple_of(across) && (plan.crop.y() as usize).is_multiple_of(down);
        Self::of(plan, options, gray).filter(|_| uncut)
    }

    /// The same for a file that is one stream.
    pub fn of(plan: &Rendering, options: &EncodeOptions, gray: bool) -> Option<Self> {
        let sampling = options.sampling(gray || plan.quality == Quality::Gray);
        let unchanged = plan.is_exact() && plan.turn == Orientation::NORMAL && plan.angle.is_none();
        let fits = plan.format == Format::Jpg && plan.quality != Quality::Bitonal;
        (unchanged && fits).then(|| Self { sampling, row: Vec::new(), rest: Planes::new(), rows_left: plan.size.height() as usize })
    }

    /// How the answer samples chroma.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// Adds a chunk to its row; `false` if it is not sampled as the answer is.
    pub fn add(&mut self, chunks: &Chunks, chunk: &Located, source: Rect) -> Result<bool> {
        let (location, wanted) = (chunk.location(), chunks.wanted(chunk, source)?);
        let mut planes = Planes::new();
        let mut join = |rows: Planes| {
            planes = if planes.is_empty() { rows } else { beneath(&planes, &rows) };
            Ok(())
        };
        let sampled = decode_planes(chunks.level(), &chunks.bytes(&location)?, location, wanted, self.sampling, &mut join)?;
        self.row.push(planes);
        Ok(sampled)
    }

    /// The row of chunks is whole.
    pub fn end_row(&mut self, output: &mut Output) -> Result<()> {
        let row = std::mem::take(&mut self.row);
        self.push((0..self.sampling.components()).map(|component| beside(&row, component)).collect(), output)
    }

    /// Adds rows as wide as the answer, and hands whole rows of MCUs to the encoder.
    pub fn push(&mut self, planes: Planes, output: &mut Output) -> Result<()> {
        let mut planes = if self.rest.is_empty() { planes } else { beneath(&self.rest, &planes) };
        let (_, down) = self.sampling.factors();
        let held = planes.first().map_or(0, |plane| plane.height);
        let ready = if held >= self.rows_left { held } else { held / (8 * down) * (8 * down) };
        self.rest = Planes::new();
        if ready < held {
            for (component, plane) in planes.iter_mut().enumerate() {
                let rows = if component == 0 { ready } else { ready / down };
                let rest = plane.data.split_off(rows * plane.stride);
                self.rest.push(Plane { data: rest, height: plane.height - rows, ..*plane });
                plane.height = rows;
            }
        }
        if ready > 0 {
            output.encode_planes(&planes)?;
            self.rows_left = self.rows_left.saturating_sub(ready);
        }
        Ok(())
    }

    /// [`Error::Internal`] if rows are missing.
    pub fn check(&self) -> Result<()> {
        if self.rows_left == 0 { Ok(()) } else { Err(Error::Internal { what: format!("{} rows of planes are missing", self.rows_left) }) }
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

/// Rows, and further rows below them.
fn beneath(above: &Planes, below: &Planes) -> Planes {
    let join = |(above, below): (&Plane, &Plane)| {
        let mut data = Vec::with_capacity(above.data.len() + below.data.len());
        data.extend_from_slice(&above.data);
        (0..below.height).for_each(|y| data.extend_from_slice(below.row(y)));
        Plane { width: above.width, height: above.height + below.height, stride: above.width, data }
    };
    above.iter().zip(below).map(join).collect()
}
