//! CIE L*a*b* under D50 to sRGB of 8 bits, by way of XYZ and the Bradford-adapted sRGB matrix (IEC 61966-2-1), in integers.

use std::sync::LazyLock;

use super::row::Sample;

/// Bits behind the point of all numbers here.
const POINT: u32 = 24;
const ONE: i64 = 1 << POINT;

/// XYZ of the white of D50 to linear sRGB, by the parts of that white.
#[allow(clippy::cast_possible_truncation, reason = "constants of a few units")]
const MATRIX: [[i64; 3]; 3] = {
    const WHITE: [f64; 3] = [0.96422, 1.0, 0.82521];
    const XYZ_TO_RGB: [[f64; 3]; 3] = [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]];
    let mut matrix = [[0; 3]; 3];
    let mut index = 0;
    while index < 9 {
        let exact = XYZ_TO_RGB[index / 3][index % 3] * WHITE[index % 3] * ONE as f64;
        matrix[index / 3][index % 3] = (if exact < 0.0 { exact - 0.5 } else { exact + 0.5 }) as i64;
        index += 1;
    }
    matrix
};

/// Bits of a linear sample that [`Gamma::levels`] looks at: at its steepest, the curve gains less than a level between two entries.
const INDEX: u32 = 12;

/// The sRGB curve.
struct Gamma {
    /// The level where the linear samples of each entry begin.
    levels: [u8; 1 << INDEX],
    /// The least linear sample of each level, and one that none has.
    least: [i64; 257],
}

static GAMMA: LazyLock<Box<Gamma>> = LazyLock::new(|| {
    let mut gamma = Box::new(Gamma { levels: [0; 1 << INDEX], least: [i64::MAX; 257] });
    gamma.least[0] = 0;
    for level in 1..256 {
        // A level is what is nearer to it than to the one below.
        let encoded = (level as f64 - 0.5) / 255.0;
        let linear = if encoded <= 12.92 * 0.003_130_8 { encoded / 12.92 } else { libm::pow((encoded + 0.055) / 1.055, 2.4) };
        gamma.least[level] = libm::ceil(linear * ONE as f64) as i64;
    }
    let mut level = 0;
    for index in 0..1 << INDEX {
        while gamma.least[usize::from(level) + 1] <= (index as i64) << (POINT - INDEX) {
            level += 1;
        }
        gamma.levels[index] = level;
    }
    gamma
});

/// Appends the sRGB of pixels: L* from 0 to 100 over the sample's range; a* and b* with their zero at the value with only the highest bit set.
pub(super) fn to_srgb<S: Sample>(samples: &[S], out: &mut Vec<u8>) {
    let gamma = &**GAMMA;
    // One of a* and of b* is a 256th of all values.
    let (most, one) = (i64::from(S::MAX), i64::from((S::MAX + 1) / 256));
    // (L* + 16) / 116, a* / 500 and b* / 200 for a step of the sample, with as many more bits.
    let (step, step_a, step_b) = ((100 << (2 * POINT)) / (116 * most), (1 << (2 * POINT)) / (500 * one), (1 << (2 * POINT)) / (200 * one));
    let (black, half) = ((16 << (2 * POINT)) / 116, ONE / 2);
    let zero = i64::from(S::MAX / 2 + 1);
    out.reserve(samples.len());
    for pixel in samples.as_chunks::<3>().0 {
        let [l, a, b] = pixel.map(|sample| i64::from(sample.to_u32()));
        let fy = black + l * step;
        let (fx, fz) = (fy + (a - zero) * step_a, fy - (b - zero) * step_b);
        let xyz = [fx, fy, fz].map(|f| inverse((f + half) >> POINT));
        out.extend_from_slice(&MATRIX.map(|[x, y, z]| {
            let linear = ((x * xyz[0] + y * xyz[1] + z * xyz[2] + half) >> POINT).clamp(0, ONE - 1);
            let level = gamma.levels[(linear >> (POINT - INDEX)) as usize];
            level + u8::from(linear >= gamma.least[usize::from(level) + 1])
        }));
    }
}

/// The part of white's X, Y or Z (CIE 15, 8.2.1).
#[inline(always)]
fn inverse(f: i64) -> i64 {
    // 6 / 29, and 3 × (6 / 29)² × (f - 4 / 29).
    if f > 6 * ONE / 29 { (((f * f) >> POINT) * f) >> POINT } else { (f - 4 * ONE / 29) * 108 / 841 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::testing::Numbers;

    /// The formula as it is written.
    fn exact(l: f64, a: f64, b: f64) -> [u8; 3] {
        let fy = (l + 16.0) / 116.0;
        let inverse = |f: f64| if f > 6.0 / 29.0 { f * f * f } else { 3.0 * (6.0_f64 / 29.0).powi(2) * (f - 4.0 / 29.0) };
        let (x, y, z) = (0.96422 * inverse(fy + a / 500.0), inverse(fy), 0.82521 * inverse(fy - b / 200.0));
        let linear =
            [3.1338561 * x - 1.6168667 * y - 0.4906146 * z, -0.9787684 * x + 1.9161415 * y + 0.0334540 * z, 0.0719453 * x - 0.2289914 * y + 1.4052427 * z];
        linear.map(|value| {
            let encoded = if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * libm::pow(value, 1.0 / 2.4) - 0.055 };
            libm::round(encoded.clamp(0.0, 1.0) * 255.0) as u8
        })
    }

    /// Compares pixels, and tells in how many of a million samples they differ.
    fn compare<S: Sample + std::fmt::Debug>(samples: &[S]) -> usize {
        let mut found = Vec::new();
        to_srgb(samples, &mut found);
        assert_eq!(found.len(), samples.len());
        let mut different = 0;
        for (pixel, found) in samples.as_chunks::<3>().0.iter().zip(found.as_chunks::<3>().0) {
            let unit = |sample: S| f64::from(sample.to_u32());
            let (most, one) = (f64::from(S::MAX), f64::from((S::MAX + 1) / 256));
            let zero = f64::from(S::MAX / 2 + 1);
            let exact = exact(unit(pixel[0]) / most * 100.0, (unit(pixel[1]) - zero) / one, (unit(pixel[2]) - zero) / one);
            for (found, exact) in found.iter().zip(exact) {
                assert!(found.abs_diff(exact) <= 1, "{pixel:?} is {found:?} and not {exact:?}");
                different += usize::from(*found != exact);
            }
        }
        different * 1_000_000 / samples.len()
    }

    #[test]
    fn colours_are_those_of_the_formula() {
        let lightness = (0..=255).flat_map(|l| (0..=255).step_by(5).flat_map(move |a| (0..=255).step_by(3).map(move |b| [l, a, b])));
        let narrow: Vec<u8> = lightness.flatten().collect();
        let mut numbers = Numbers(1);
        let wide: Vec<u16> = (0..600_000).map(|_| numbers.below(65_536) as u16).collect();
        let dark: Vec<u16> = (0..600_000).map(|index| (if index % 3 == 0 { numbers.below(6000) } else { 30_000 + numbers.below(6000) }) as u16).collect();
        // They differ where the exact value lies between two levels.
        for (what, millionths) in [("8 bits", compare(&narrow)), ("16 bits", compare(&wide)), ("dark ones", compare(&dark))] {
            assert!(millionths < 200, "{millionths} of a million samples of {what} differ");
        }
    }

    #[test]
    fn grays_are_gray_from_black_to_white() {
        let grays: Vec<u16> = (0..=65_535).flat_map(|l| [l, 0x8000, 0x8000]).collect();
        let mut found = Vec::new();
        to_srgb(&grays, &mut found);
        assert_eq!((&found[..3], &found[found.len() - 3..]), (&[0; 3][..], &[255; 3][..]));
        assert!(found.as_chunks::<3>().0.is_sorted() && found.as_chunks::<3>().0.iter().all(|[r, g, b]| r.abs_diff(*g) <= 1 && g.abs_diff(*b) <= 1));
    }
}
