//! JPEG chunks to component planes: samples that are encoded as JPEG again need not become pixels in between.

use super::chunk::{open_jpeg, relocate, relocated};
use crate::codec::filler::MEDIUM;
use crate::codec::jpeg::Part;
use crate::error::Result;
use crate::geometry::Rect;
use crate::incomplete::Incomplete;
use crate::jpeg::{Mosaic, Plane, Planes, Sampling};
use crate::pyramid::level::{Level, Location, Model};

/// Passes the planes of the wanted part of a chunk (px of the chunk) to `sink`, some rows at a time, with their sampling; only luminance if `gray`. `None` if
/// the stream has no such planes, or if a sample of chroma lies in two chunks. A chunk that was left out of the file is black. What cannot be decoded is
/// filled; the damage that is returned counts in rows of the chunk.
pub(crate) fn decode_planes(
    level: &Level,
    bytes: &[u8],
    location: Location,
    wanted: Rect,
    gray: bool,
    sink: &mut impl FnMut(Sampling, Planes) -> Result<()>,
) -> Result<Option<Option<Incomplete>>> {
    let opened = if location.bytes == 0 { None } else { Some(open_jpeg(level, bytes, location)) };
    let Some(Ok(stream)) = opened else {
        let sampling = match level.model {
            Model::YCbCr(1, 1) if !gray => Sampling::S444,
            Model::YCbCr(2, 1) if !gray => Sampling::S422,
            Model::YCbCr(2, 2) if !gray => Sampling::S420,
            Model::YCbCr(..) if !gray => return Ok(None),
            _ => Sampling::Gray,
        };
        let damage = opened.and_then(std::result::Result::err).map(|error| Incomplete::below(0, error)).transpose()?;
        sink(sampling, flat(wanted, sampling, if damage.is_some() { MEDIUM } else { 0 }))?;
        return Ok(Some(damage));
    };
    let stream = stream.filling(true);
    let uncut = |sampling: &Sampling| {
        let (across, down) = sampling.factors();
        (level.chunk.width() as usize).is_multiple_of(across) && (level.chunk.height() as usize).is_multiple_of(down)
    };
    let Some(sampling) = stream.sampling(gray).filter(uncut) else { return Ok(None) };
    let part = Part { crop: wanted, reduction: 1, gray: false, memory: level.chunk_bytes().saturating_mul(4).max(1 << 20) };
    let damage = stream.planes(part, sampling, &mut |planes| sink(sampling, planes)).map_err(|error| relocate(error, location.offset))?;
    Ok(Some(damage.map(|damage| relocated(damage, location.offset))))
}

/// The wanted part of a chunk (px of the chunk) as a JPEG of its own, with an ICC profile. Its entropy-coded bits are copied; `None` if they cannot be.
pub(crate) fn cut_chunk(level: &Level, bytes: &[u8], location: Location, wanted: Rect, icc: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let part = Part { crop: wanted, reduction: 1, gray: false, memory: level.chunk_bytes().saturating_mul(4).max(1 << 20) };
    open_jpeg(level, bytes, location)?.cut(part, icc).map_err(|error| relocate(error, location.offset))
}

/// Copies the coefficients of the wanted part of a chunk (px of the chunk) to the position `at` of a mosaic, px. Returns `false` if they do not fit there, or
/// if the chunk was left out of the file. With `gray`, only luminance.
pub(crate) fn lay_chunk(level: &Level, bytes: &[u8], location: Location, wanted: Rect, gray: bool, mosaic: &mut Mosaic, at: (u32, u32)) -> Result<bool> {
    if bytes.is_empty() {
        return Ok(false);
    }
    let part = Part { crop: wanted, reduction: 1, gray, memory: level.chunk_bytes().saturating_mul(4).max(1 << 20) };
    open_jpeg(level, bytes, location)?.lay(part, mosaic, at).map_err(|error| relocate(error, location.offset))
}

/// Planes of uniform luminance, without colour.
fn flat(wanted: Rect, sampling: Sampling, luminance: u8) -> Planes {
    let plane = |component| {
        let (across, down) = if component == 0 { (1, 1) } else { sampling.factors() };
        let side = |from: u32, to: u32, factor: usize| (to as usize).div_ceil(factor) - from as usize / factor;
        let mut plane = Plane::new(side(wanted.x(), wanted.right(), across), side(wanted.y(), wanted.bottom(), down));
        plane.data.fill(if component == 0 { luminance } else { MEDIUM });
        plane
    };
    (0..sampling.components()).map(plane).collect()
}
