//! Quantization tables (T.81, A.3.4, K.1) and libjpeg's scale of quality, which everyone means by a number from 1 to 100.

/// Step sizes in row-major order.
pub(super) type QuantizationTable = [u16; 64];

/// Table K.1.
#[rustfmt::skip]
const LUMINANCE: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// Table K.2.
#[rustfmt::skip]
const CHROMINANCE: [u16; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
];

/// The tables for luminance and chrominance at a quality of 1 to 100, within the 8 bits of the baseline process.
pub(super) fn tables(quality: u8) -> [QuantizationTable; 2] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000_u32.checked_div(quality).unwrap_or(5000) } else { 200_u32.saturating_sub(quality.saturating_mul(2)) };
    let scaled = |step: u16| {
        let step = u32::from(step).saturating_mul(percent).saturating_add(50) / 100;
        u16::try_from(step.clamp(1, 255)).unwrap_or(255)
    };
    [LUMINANCE.map(scaled), CHROMINANCE.map(scaled)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_runs_from_coarsest_to_one() {
        assert_eq!(tables(50), [LUMINANCE, CHROMINANCE]);
        assert_eq!(tables(100), [[1; 64]; 2]);
        assert_eq!(tables(1)[0][0], 255);
        assert_eq!(tables(75)[0][..4], [8, 6, 5, 8]);
        assert_eq!((tables(0), tables(200)), (tables(1), tables(100)));
    }
}
