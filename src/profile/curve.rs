//! Tone curves: from a stored sample to linear light, both from 0 to 1.

/// How a sample becomes light.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Curve {
    /// A power.
    Power(f64),
    /// A power with a linear part near black (ICC.1, 10.18): `(a·x + b)^g + e` from `d` on, `c·x + f` below.
    Parametric { g: f64, a: f64, b: f64, c: f64, d: f64, e: f64, f: f64 },
    /// Values at even steps.
    Table(Vec<u16>),
    /// The lightness L* (CIE 1976), from 0 to 1, that another curve gives.
    Lightness(Box<Curve>),
}

/// IEC 61966-2-1.
pub(super) const SRGB: Curve = Curve::Parametric { g: 2.4, a: 1.0 / 1.055, b: 0.055 / 1.055, c: 1.0 / 12.92, d: 0.04045, e: 0.0, f: 0.0 };

impl Curve {
    /// A `curveType` of these values (ICC.1, 10.6).
    pub fn table(values: Vec<u16>) -> Self {
        match *values.as_slice() {
            [] => Self::Power(1.0),
            // u8Fixed8Number.
            [gamma] => Self::Power(f64::from(gamma) / 256.0),
            _ => Self::Table(values),
        }
    }

    /// A `parametricCurveType` (ICC.1, 10.18); `None` if no function has so many parameters.
    pub fn parametric(parameters: &[f64]) -> Option<Self> {
        let start = |a: f64, b: f64| if a == 0.0 { 0.0 } else { -b / a };
        Some(match *parameters {
            [g] => Self::Power(g),
            [g, a, b] => Self::Parametric { g, a, b, c: 0.0, d: start(a, b), e: 0.0, f: 0.0 },
            [g, a, b, c] => Self::Parametric { g, a, b, c: 0.0, d: start(a, b), e: c, f: c },
            [g, a, b, c, d] => Self::Parametric { g, a, b, c, d, e: 0.0, f: 0.0 },
            [g, a, b, c, d, e, f] => Self::Parametric { g, a, b, c, d, e, f },
            _ => return None,
        })
    }

    /// The light of a sample.
    pub fn light(&self, x: f64) -> f64 {
        let light = match self {
            Self::Power(gamma) => libm::pow(x, *gamma),
            Self::Parametric { c, d, f, .. } if x < *d => c * x + f,
            Self::Parametric { g, a, b, e, .. } => libm::pow((a * x + b).max(0.0), *g) + e,
            Self::Table(table) => interpolate(table, x),
            Self::Lightness(curve) => luminance(curve.light(x)),
        };
        // NaN, of nonsensical parameters, is black.
        if light > 0.0 { light.min(1.0) } else { 0.0 }
    }
}

/// A value between those of a table.
fn interpolate(table: &[u16], x: f64) -> f64 {
    let at = x.clamp(0.0, 1.0) * table.len().saturating_sub(1) as f64;
    let index = at as usize;
    let value = |index: usize| table.get(index).or(table.last()).map_or(0.0, |value| f64::from(*value) / 65_535.0);
    value(index) + (value(index + 1) - value(index)) * (at - index as f64)
}

/// The Y of a lightness (CIE 15), both from 0 to 1.
fn luminance(lightness: f64) -> f64 {
    let f = (lightness * 100.0 + 16.0) / 116.0;
    if f > 6.0 / 29.0 { f * f * f } else { 3.0 * (6.0_f64 / 29.0) * (6.0 / 29.0) * (f - 4.0 / 29.0) }
}

/// The sample that shows this light on an sRGB screen, from 0 to 1.
#[cfg(test)]
pub(super) fn encode(light: f64) -> f64 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * libm::pow(light, 1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_read_as_icc_defines_them() {
        let table = |values: &[u16]| Curve::table(values.to_vec());
        assert_eq!(table(&[]).light(0.25), 0.25);
        assert!((table(&[0x0200]).light(0.5) - 0.25).abs() < 1e-12);
        assert!((table(&[0, 65_535, 0]).light(0.25) - 0.5).abs() < 1e-12);
        let parametric = |values: &[f64]| Curve::parametric(values).map(|curve| curve.light(0.5));
        assert_eq!(parametric(&[2.0]), Some(0.25));
        assert_eq!(parametric(&[2.0, 2.0, -0.5]), Some(0.25));
        assert_eq!(parametric(&[2.0, 2.0, -0.5, 0.125]), Some(0.375));
        assert_eq!(parametric(&[2.0, 1.0, 0.0, 0.25, 0.75]), Some(0.125));
        assert_eq!(parametric(&[2.0, 1.0, 0.0, 0.25, 0.75, 0.5, 0.125]), Some(0.25));
        assert_eq!(parametric(&[f64::NAN]), Some(0.0));
        assert_eq!(parametric(&[1.0, 2.0]), None);
        assert!((encode(SRGB.light(0.7)) - 0.7).abs() < 1e-9);
        // A lightness of 50 is a luminance of 18.4 %.
        assert!((Curve::Lightness(Box::new(Curve::Power(1.0))).light(0.5) - 0.184_187).abs() < 1e-6);
        assert_eq!(table(&[]).light(1.0), 1.0);
    }
}
