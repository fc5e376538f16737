//! Conversion by curves and a matrix: of gray, and of colours of three primaries.
//!
//! A library does the same, but cuts 8-bit results off instead of rounding them, and makes tables of 65,536 entries for every request. Here samples of 8 and of
//! 16 bits take the same way, so that a value and its 257-fold become the same.

use std::sync::{LazyLock, OnceLock};

use super::curve::{Curve, SRGB};

/// Steps of the tables for 16 bits, between which values are interpolated: 16 for each value of 8 bits.
const STEPS: u32 = 255 * 16;

/// Curves, and the matrix from light of the primaries to that of sRGB's.
#[derive(Debug)]
pub(crate) struct Shaper {
    /// One for gray, three for colours.
    curves: Vec<Curve>,
    matrix: [[f32; 3]; 3],
    /// The light of each value of 8 bits, for each curve.
    narrow: Vec<[f32; 256]>,
    /// That of each step, made when it is needed.
    wide: OnceLock<Vec<Vec<f32>>>,
}

/// Samples of 8 bits by the light they show: 65,536 steps of it.
static SAMPLES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut samples = vec![255_u8; 1 << 16];
    let mut from = 0;
    for sample in 0..255_u8 {
        // Half way to the next one.
        let end = libm::ceil(SRGB.light((f64::from(sample) + 0.5) / 255.0) * 65_535.0) as usize;
        samples[from..end].fill(sample);
        from = end;
    }
    samples
});

/// The sample that shows a light; what cannot be shown is black or full.
fn sample(samples: &[u8], light: f32) -> u8 {
    // `as` saturates, and NaN becomes 0.
    samples[((light * 65_535.0 + 0.5) as u32).min(65_535) as usize]
}

impl Shaper {
    pub(super) fn gray(curve: Curve) -> Self {
        Self::new(vec![curve], [[0.0; 3]; 3])
    }

    pub(super) fn rgb(curves: [Curve; 3], matrix: [[f64; 3]; 3]) -> Self {
        Self::new(curves.into(), matrix.map(|row| row.map(|factor| factor as f32)))
    }

    fn new(curves: Vec<Curve>, matrix: [[f32; 3]; 3]) -> Self {
        let narrow = curves.iter().map(|curve| std::array::from_fn(|value| curve.light(value as f64 / 255.0) as f32)).collect();
        Self { curves, matrix, narrow, wide: OnceLock::new() }
    }

    /// Samples of a pixel, before and after.
    pub fn channels(&self) -> usize {
        self.curves.len()
    }

    /// Bytes it takes at most.
    pub fn weight(&self) -> usize {
        self.curves.len() * (256 + STEPS as usize + 1) * size_of::<f32>()
    }

    /// Appends what samples of 8 bits become.
    pub fn narrow(&self, from: &[u8], out: &mut Vec<u8>) {
        let samples = SAMPLES.as_slice();
        match self.narrow.as_slice() {
            [gray] => {
                let table: [u8; 256] = std::array::from_fn(|value| sample(samples, gray[value]));
                out.extend(from.iter().map(|value| table[usize::from(*value)]));
            }
            [red, green, blue] => {
                let light = |[r, g, b]: &[u8; 3]| [red[usize::from(*r)], green[usize::from(*g)], blue[usize::from(*b)]];
                self.colors(from.as_chunks::<3>().0, light, out);
            }
            _ => {}
        }
    }

    /// Appends what samples of 16 bits become, of 8 bits.
    pub fn wide(&self, from: &[u16], out: &mut Vec<u8>) {
        let tables = self.wide.get_or_init(|| {
            let table = |curve: &Curve| (0..=STEPS).map(|step| curve.light(f64::from(step) / f64::from(STEPS)) as f32).collect();
            self.curves.iter().map(table).collect()
        });
        let samples = SAMPLES.as_slice();
        match tables.as_slice() {
            [gray] => out.extend(from.iter().map(|value| sample(samples, interpolated(gray, *value)))),
            [red, green, blue] => {
                let light = |[r, g, b]: &[u16; 3]| [interpolated(red, *r), interpolated(green, *g), interpolated(blue, *b)];
                self.colors(from.as_chunks::<3>().0, light, out);
            }
            _ => {}
        }
    }

    fn colors<S>(&self, pixels: &[[S; 3]], light: impl Fn(&[S; 3]) -> [f32; 3], out: &mut Vec<u8>) {
        let samples = SAMPLES.as_slice();
        // Columns of four, so that a pixel is one vector. The fourth lane is not used.
        let column = |index: usize| [self.matrix[0][index], self.matrix[1][index], self.matrix[2][index], 0.0];
        let (of_red, of_green, of_blue) = (column(0), column(1), column(2));
        let begin = out.len();
        out.resize(begin + pixels.len() * 3, 0);
        for (pixel, out) in pixels.iter().zip(out[begin..].as_chunks_mut::<3>().0) {
            let [r, g, b] = light(pixel);
            let at: [u32; 4] = std::array::from_fn(|lane| {
                let light = of_red[lane] * r + of_green[lane] * g + of_blue[lane] * b;
                // `as` saturates, and NaN becomes 0.
                ((light * 65_535.0 + 0.5) as u32).min(65_535)
            });
            *out = [samples[at[0] as usize], samples[at[1] as usize], samples[at[2] as usize]];
        }
    }
}

/// The light of a value between two steps.
fn interpolated(table: &[f32], value: u16) -> f32 {
    let at = u32::from(value) * STEPS;
    let (index, rest) = ((at / 65_535) as usize, at % 65_535);
    let low = table[index];
    if rest == 0 { low } else { low + (table[index + 1] - low) * (rest as f32 / 65_535.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::curve::encode;

    const SAME: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

    fn narrow(shaper: &Shaper, from: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        shaper.narrow(from, &mut out);
        out
    }

    fn wide(shaper: &Shaper, from: &[u16]) -> Vec<u8> {
        let mut out = Vec::new();
        shaper.wide(from, &mut out);
        out
    }

    #[test]
    fn results_are_rounded_to_the_nearest() {
        for gamma in [1.0, 1.8, 2.2, 0.4] {
            let shaper = Shaper::gray(Curve::Power(gamma));
            let all: Vec<u8> = (0..=255).collect();
            for (value, found) in all.iter().zip(narrow(&shaper, &all)) {
                let exact = encode(libm::pow(f64::from(*value) / 255.0, gamma)) * 255.0;
                // The light has 65,536 steps, the darkest of which are a twentieth of a value.
                assert!((exact - f64::from(found)).abs() < 0.53, "{gamma} {value}: {found} for {exact}");
            }
        }
    }

    #[test]
    fn a_value_and_its_257_fold_become_the_same() {
        let matrix = [[1.2, -0.15, -0.05], [-0.04, 1.1, -0.06], [0.01, -0.2, 1.19]];
        let shaper = Shaper::rgb([Curve::Power(2.2), SRGB, Curve::Table(vec![0, 9000, 20_000, 65_535])], matrix);
        let pixels: Vec<u8> = (0..30_000_u32).map(|index| ((index * 7919) >> 3) as u8).collect();
        let deep: Vec<u16> = pixels.iter().map(|value| u16::from(*value) * 257).collect();
        assert_eq!(narrow(&shaper, &pixels), wide(&shaper, &deep));
        let gray = Shaper::gray(Curve::Power(1.7));
        assert_eq!(narrow(&gray, &pixels), wide(&gray, &deep));
    }

    #[test]
    fn srgb_stays_as_it_is() {
        let shaper = Shaper::rgb([SRGB, SRGB, SRGB], SAME);
        let all: Vec<u8> = (0..=254_u8).collect();
        assert_eq!(narrow(&shaper, &all), all);
        assert_eq!(narrow(&Shaper::gray(SRGB), &all), all);
    }

    #[test]
    fn sixteen_bits_are_interpolated_closely() {
        for curve in [SRGB, Curve::Power(2.2), Curve::Table((0..1000).map(|step| (step * step / 16) as u16).collect())] {
            let shaper = Shaper::gray(curve.clone());
            let values: Vec<u16> = (0..=65_535).step_by(7).collect();
            for (value, found) in values.iter().zip(wide(&shaper, &values)) {
                let exact = encode(curve.light(f64::from(*value) / 65_535.0)) * 255.0;
                assert!((exact - f64::from(found)).abs() < 0.53, "{value}: {found} for {exact}");
            }
        }
    }

    #[test]
    fn what_no_screen_shows_is_cut_off() {
        let matrix = [[2.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [f64::NAN, 0.0, 0.0]];
        assert_eq!(narrow(&Shaper::rgb([SRGB, SRGB, SRGB], matrix), &[255, 0, 0]), [255, 0, 0]);
    }
}
