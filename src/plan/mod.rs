//! What to read and what to do for a request, decided and priced before any pixel is touched.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::arithmetic_side_effects)
)]

mod axis;
mod component;
mod cost;
mod level;
mod lossless;
mod passthrough;
mod reach;
mod rendering;
mod strips;
mod windows;

pub(crate) use axis::Axis;
pub(crate) use cost::{
    BATCH, COUNTED_JPG, LARGE_TIF, LARGE_WEBP, LEAST_RUN, Price, RUN, SEAM, TIF_STRIP, fetched, fetched_chunk, most_deflated, of_png, png_bytes, png_held,
};
pub(crate) use passthrough::StoredChunk;
pub(crate) use reach::{LOBES, Reach, rows_to_rotate};
pub(crate) use rendering::{Rendering, SourcePlan};
pub(crate) use strips::{INPUT, rows_at_a_time};

use crate::api::ResolvedRequest;
use crate::error::{Error, Remedy, Result};
use crate::limits::Limits;
use crate::options::EncodeOptions;
use crate::pyramid::Pyramid;

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    /// With a stored chunk as it is, never decoded. What cannot be told from headers, the chunk itself must show; if it is not what it should be, it is rendered.
    Passthrough(StoredChunk, Rendering),
    /// With stored coefficients as they are, cut and turned. What cannot be told from headers, the chunks must show; if they are not what they should be, it is
    /// rendered.
    Lossless(Rendering),
    /// With pixels.
    Render(Rendering),
}

impl Plan {
    /// The plan for a request. [`crate::Error::SourceTooCostly`] if no way of doing it is within the limits.
    pub fn new(request: &ResolvedRequest, pyramid: &Pyramid, options: &EncodeOptions, limits: &Limits) -> Result<Self> {
        let rendering = Rendering::new(request, pyramid, options, limits).map_err(|error| remedied(error, request, pyramid, options, limits))?;
        Ok(match (StoredChunk::of(&rendering, pyramid), rendering.lossless(pyramid, limits)) {
            (Some(chunk), _) => Self::Passthrough(chunk, rendering),
            (None, Some(rendering)) => Self::Lossless(rendering),
            (None, None) => Self::Render(rendering),
        })
    }

    /// The next best way, if what is stored is not what it should be.
    pub fn instead(&self, pyramid: &Pyramid, limits: &Limits) -> Self {
        match self {
            Self::Passthrough(_, rendering) => rendering.lossless(pyramid, limits).map_or_else(|| Self::Render(rendering.clone()), Self::Lossless),
            Self::Lossless(rendering) | Self::Render(rendering) => Self::Render(rendering.clone()),
        }
    }

    /// How it is rendered, if it is.
    pub fn rendering(&self) -> &Rendering {
        match self {
            Self::Passthrough(_, rendering) | Self::Lossless(rendering) | Self::Render(rendering) => rendering,
        }
    }
}

/// Of a request that costs too much: the largest size, of the same region, rotation and format, that does not.
fn remedied(error: Error, request: &ResolvedRequest, pyramid: &Pyramid, options: &EncodeOptions, limits: &Limits) -> Error {
    let Error::SourceTooCostly { what, needs, limit, .. } = error else { return error };
    let fits = |size| Rendering::new(&request.resized(size), pyramid, options, limits).is_ok();
    let remedy = request.size().largest_that(fits).map_or(Remedy::File, Remedy::Size);
    Error::SourceTooCostly { what, needs, limit, remedy }
}
