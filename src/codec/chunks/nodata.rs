//! Makes pixels that have the nodata value (GDAL_NODATA) transparent.

use super::samples::{Number, Raws};
use crate::pyramid::level::Level;

/// Adds an alpha sample after each pixel if the level has a nodata value: 0 where all colour samples have that value, `opaque` elsewhere.
pub(super) fn with_alpha<S: Copy + Default>(samples: Vec<S>, raws: &Raws<'_>, level: &Level, plane: usize, opaque: S) -> Vec<S> {
    let Some(nodata) = level.values.nodata else { return samples };
    let colors = usize::from(level.model.colors());
    let (stored, colors) = match level.samples.planar {
        false => (usize::from(level.samples.count), colors),
        true => (1, usize::from(plane < colors)),
    };
    let number = Number::of_level(level);
    let precision = match (level.samples.is_float(), level.samples.bits) {
        (false, _) => 0.0,
        // Half a unit in the last place.
        (true, 16) => 1.0 / f64::from(1 << 11),
        (true, 24) => 1.0 / f64::from(1 << 17),
        (true, 32) => 1.0 / f64::from(1 << 24),
        // The nodata value was read from decimal digits.
        (true, _) => 1e-15,
    };
    let tolerance = if nodata.is_finite() { nodata.abs() * precision } else { 0.0 };
    let is_nothing = |value: f64| value.is_nan() || value == nodata || (value - nodata).abs() <= tolerance;
    let nothing = raws.map(|raw| is_nothing(number.of(raw)));
    let mut out = Vec::with_capacity(samples.len() / stored * (stored + 1));
    for (pixel, nothing) in samples.chunks_exact(stored).zip(nothing.chunks_exact(stored)) {
        out.extend_from_slice(pixel);
        // A plane of an extra sample never makes a pixel opaque.
        out.push(if nothing[..colors].iter().all(|nothing| *nothing) { S::default() } else { opaque });
    }
    out
}
