//! JPEG chunks to planes: what goes into a JPEG again need not become pixels in between.

use super::chunk::{open_jpeg, relocate};
use crate::codec::jpeg::Part;
use crate::error::Result;
use crate::geometry::Rect;
use crate::jpeg::{Mosaic, Plane, Planes, Sampling};
use crate::pyramid::tiff::{Compression, Level, Location, Model};

/// Whether the chunks of a level may be read as planes: YCbCr or gray, and no sample of chroma lies in two of them.
pub(crate) fn has_planes(level: &Level, sampling: Sampling) -> bool {
    let (across, down) = sampling.factors();
    let uncut = (level.chunk.width() as usize).is_multiple_of(across) && (level.chunk.height() as usize).is_multiple_of(down);
    let colors = match level.model {
        Model::BlackIsZero => level.samples.count == 1,
        Model::YCbCr(..) => level.samples.count == 3 && !level.samples.planar,
        _ => false,
    };
    level.compression == Compression::Jpeg && colors && level.samples.alpha.is_none() && uncut
}

/// Gives the planes of what is wanted of a chunk (px of the chunk), at `sampling`, to `sink`, some rows at a time; `false` if its stream has another one. A
/// chunk that was left out is black.
pub(crate) fn decode_planes(
    level: &Level,
    bytes: &[u8],
    location: Location,
    wanted: Rect,
    sampling: Sampling,
    sink: &mut impl FnMut(Planes) -> Result<()>,
) -> Result<bool> {
    if bytes.is_empty() {
        sink(black(wanted, sampling))?;
        return Ok(true);
    }
    let stream = open_jpeg(level, bytes, location)?;
    if !stream.is_sampled(sampling) {
        return Ok(false);
    }
    let part = Part { crop: wanted, reduction: 1, gray: false, memory: level.chunk_bytes().saturating_mul(4).max(1 << 20) };
    stream.planes(part, sampling, sink).map_err(|error| relocate(error, location.offset))?;
    Ok(true)
}

/// Lays the coefficients of what is wanted of a chunk (px of the chunk) at a place of a mosaic, px; `false` if they do not fit there, or if the chunk was left
/// out. `gray` is luminance alone.
pub(crate) fn lay_chunk(level: &Level, bytes: &[u8], location: Location, wanted: Rect, gray: bool, mosaic: &mut Mosaic, at: (u32, u32)) -> Result<bool> {
    if bytes.is_empty() {
        return Ok(false);
    }
    let part = Part { crop: wanted, reduction: 1, gray, memory: level.chunk_bytes().saturating_mul(4).max(1 << 20) };
    open_jpeg(level, bytes, location)?.lay(part, mosaic, at).map_err(|error| relocate(error, location.offset))
}

fn black(wanted: Rect, sampling: Sampling) -> Planes {
    let plane = |component| {
        let (across, down) = if component == 0 { (1, 1) } else { sampling.factors() };
        let mut plane = Plane::new((wanted.width() as usize).div_ceil(across), (wanted.height() as usize).div_ceil(down));
        plane.data.fill(if component == 0 { 0 } else { 128 });
        plane
    };
    (0..sampling.components()).map(plane).collect()
}
