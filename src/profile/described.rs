//! Colours that a PNG describes without a profile: code points (cICP), a gamma and chromaticities (gAMA, cHRM).

use std::sync::Arc;

use super::curve::{Curve, SRGB};
use super::shaper::Shaper;
use super::{Profile, Source};

pub(crate) use super::matrix::Primaries;

const D65: (f64, f64) = (0.3127, 0.3290);

const BT709: Primaries = Primaries { red: (0.64, 0.33), green: (0.30, 0.60), blue: (0.15, 0.06), white: D65 };

impl Profile {
    /// Of code points (ITU-T H.273), in full range. `None` for those that have no meaning on a screen of sRGB: unspecified and unknown ones, and the curves for high
    /// dynamic range (PQ, HLG), which would have to be mapped to what it can show.
    pub fn of_code_points(primaries: u8, transfer: u8) -> Option<Self> {
        // Table 2.
        let primaries = match primaries {
            1 => BT709,
            4 => Primaries { red: (0.67, 0.33), green: (0.21, 0.71), blue: (0.14, 0.08), white: (0.31, 0.316) },
            5 => Primaries { red: (0.64, 0.33), green: (0.29, 0.60), blue: (0.15, 0.06), white: D65 },
            6 | 7 => Primaries { red: (0.63, 0.34), green: (0.31, 0.595), blue: (0.155, 0.07), white: D65 },
            8 => Primaries { red: (0.681, 0.319), green: (0.243, 0.692), blue: (0.145, 0.049), white: (0.31, 0.316) },
            9 => Primaries { red: (0.708, 0.292), green: (0.17, 0.797), blue: (0.131, 0.046), white: D65 },
            11 => Primaries { red: (0.68, 0.32), green: (0.265, 0.69), blue: (0.15, 0.06), white: (0.314, 0.351) },
            12 => Primaries { red: (0.68, 0.32), green: (0.265, 0.69), blue: (0.15, 0.06), white: D65 },
            22 => Primaries { red: (0.63, 0.34), green: (0.295, 0.605), blue: (0.155, 0.077), white: D65 },
            _ => return None,
        };
        // Table 3. It tells how a camera codes light; what a screen makes of it is BT.1886, a power of 2.4, also in browsers.
        let curve = match transfer {
            1 | 6 | 11 | 14 | 15 => Curve::Power(2.4),
            4 => Curve::Power(2.2),
            5 => Curve::Power(2.8),
            8 => Curve::Power(1.0),
            13 => SRGB,
            _ => return None,
        };
        Self::of_curve(curve, primaries)
    }

    /// Of a PNG's gamma, in 100,000ths, and its chromaticities. `None` if that is sRGB, or nothing that can be.
    ///
    /// 45455 is what PNG tells encoders to write for sRGB beside, or in place of, its own chunk (third edition, 11.3.2.5). Almost all files with it hold sRGB: so it is
    /// taken for that where the primaries do not say otherwise. Without chromaticities libpng and browsers take a twentieth more or less for the same, and so does this.
    pub fn of_gamma(gamma: u32, primaries: Option<Primaries>) -> Option<Self> {
        if gamma == 0 {
            return None;
        }
        let (exponent, ratio) = (100_000.0 / f64::from(gamma), f64::from(gamma) * 2.2 / 100_000.0);
        let near = |(x, y): (f64, f64), (u, v): (f64, f64)| (x - u).abs() < 0.002 && (y - v).abs() < 0.002;
        let like_srgb = |p: Primaries| near(p.red, BT709.red) && near(p.green, BT709.green) && near(p.blue, BT709.blue) && near(p.white, BT709.white);
        let neutral = primaries.map_or(0.05, |primaries| if like_srgb(primaries) { 0.005 } else { 0.0 });
        if (ratio - 1.0).abs() < neutral {
            return None;
        }
        Self::of_curve(Curve::Power(exponent), primaries.unwrap_or(BT709))
    }

    /// Gray has the curve alone, in any channel.
    fn of_curve(curve: Curve, primaries: Primaries) -> Option<Self> {
        let colors = Shaper::rgb([curve.clone(), curve.clone(), curve.clone()], primaries.to_srgb()?);
        Some(Self::of(Source::Fields(Arc::new(Shaper::gray(curve)), Arc::new(colors))))
    }
}
