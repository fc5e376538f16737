//! JPEG chunks to planes: what goes into a JPEG again need not become pixels in between.

use super::chunk::{open_jpeg, relocate};
use crate::error::Result;
use crate::geometry::Rect;
use crate::jpeg::{Decoder, Plane, Planes, Sampling, Wanted};
use crate::pyramid::tiff::{Compression, Level, Location, Model};

/// Whether the chunks of a level may be read as planes for an answer of `crop` (px of the level): YCbCr or gray, and chroma samples that are not cut.
pub(crate) fn has_planes(level: &Level, sampling: Sampling, crop: Rect) -> bool {
    let (across, down) = sampling.factors();
    let whole = |side: u32, factor: usize| (side as usize).is_multiple_of(factor);
    let uncut = whole(crop.x(), across) && whole(crop.y(), down) && whole(level.chunk.width(), across) && whole(level.chunk.height(), down);
    let colors = match level.model {
        Model::BlackIsZero => level.samples.count == 1,
        Model::YCbCr(..) => level.samples.count == 3 && !level.samples.planar,
        _ => false,
    };
    level.compression == Compression::Jpeg && colors && level.samples.alpha.is_none() && uncut
}

/// The planes of what is wanted of a chunk (px of the chunk), at `sampling`; `None` if its stream has another one. A chunk that was left out is black.
pub(crate) fn decode_planes(level: &Level, bytes: &[u8], location: Location, wanted: Rect, sampling: Sampling) -> Result<Option<Planes>> {
    let mut planes: Planes = (0..sampling.components()).map(|component| sized(wanted, factors(sampling, component)).2).collect();
    if bytes.is_empty() {
        planes.iter_mut().skip(1).for_each(|chroma| chroma.data.fill(128));
        return Ok(Some(planes));
    }
    let stream = open_jpeg(level, bytes, location)?;
    let Some(header) = stream.sampled(sampling) else { return Ok(None) };
    let (memory, gray) = (level.chunk_bytes().saturating_mul(4).max(1 << 20), sampling == Sampling::Gray);
    let mut decode = || -> Result<()> {
        let mut decoder = Decoder::new(header, bytes, &Wanted { region: wanted, reduction: 1, gray, memory })?;
        let grid = decoder.grid().clone();
        while let Some(band) = decoder.next_band()? {
            for (component, (plane, from)) in planes.iter_mut().zip(band.planes).enumerate() {
                let (across, down) = factors(sampling, component);
                let (left, top, _) = sized(wanted, (across, down));
                // Of a component that is sampled like its pixels there are as many samples as of the densest.
                let place = grid.component(grid.most.0 / across, grid.most.1 / down);
                let first = band.mcu_row * grid.mcu().1 / down;
                for y in 0..from.height {
                    let Some(into) = (first + y).checked_sub(top).filter(|row| *row < plane.height) else { continue };
                    let skip = left - place.left;
                    plane.data[into * plane.stride..][..plane.width].copy_from_slice(&from.row(y)[skip..skip + plane.width]);
                }
            }
        }
        Ok(())
    };
    decode().map_err(|error| relocate(error, location.offset))?;
    Ok(Some(planes))
}

/// Luma samples for one of a component, across and down.
fn factors(sampling: Sampling, component: usize) -> (usize, usize) {
    if component == 0 { (1, 1) } else { sampling.factors() }
}

/// Where a component's part of a rectangle begins, and room for it.
fn sized(wanted: Rect, (across, down): (usize, usize)) -> (usize, usize, Plane) {
    let (left, top) = (wanted.x() as usize / across, wanted.y() as usize / down);
    let (right, bottom) = ((wanted.right() as usize).div_ceil(across), (wanted.bottom() as usize).div_ceil(down));
    (left, top, Plane::new(right - left, bottom - top))
}
