//! The whole number by which the sides of an image were divided to make a smaller copy.

/// The whole number, 2 or more, by which both sides of `full` (width and height, px) are divided in `copy`; `None` if there is none. Writers round each side up
/// or down, and some round again at each level, so a side may differ from the exact quotient by less than one pixel of the copy. If several numbers fit, as for
/// copies of few pixels, the order of preference is: one that divides exactly, a power of two, the nearest number.
pub(in crate::pyramid) fn factor(full: (u64, u64), copy: (u64, u64)) -> Option<u64> {
    // The longer side gives the most precise factor; a side of one pixel says nothing about it.
    let (long, longer) = if full.0 >= full.1 { (copy.0, full.0) } else { (copy.1, full.1) };
    let nearest = longer.checked_add(long / 2)?.checked_div(long)?;
    let below = 1_u64.checked_shl(longer.checked_div(long)?.checked_ilog2()?)?;
    let close = |full: u64, copy: u64, factor: u64| copy.checked_mul(factor).is_some_and(|scaled| scaled.abs_diff(full) < factor);
    let fits = |factor: &u64| *factor > 1 && close(full.0, copy.0, *factor) && close(full.1, copy.1, *factor);
    // Of the two powers of two around the quotient, the nearer one is tried first.
    let above = below.saturating_mul(2);
    let powers = if nearest.saturating_sub(below) <= above.saturating_sub(nearest) { [below, above] } else { [above, below] };
    let exact = |factor: &u64| copy.0.checked_mul(*factor) == Some(full.0) && copy.1.checked_mul(*factor) == Some(full.1);
    Some(nearest).filter(exact).into_iter().chain(powers).chain([nearest]).find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_that_were_rounded_level_by_level_have_one_factor() {
        // The first rows are sizes of slides, whose sides are truncated at each level.
        for (full, levels) in [
            ((46_000, 32_914), &[((11_500, 8228), 4), ((2875, 2057), 16)][..]),
            ((46_920, 33_014), &[((11_730, 8253), 4), ((2932, 2063), 16)]),
            ((143_431, 79_672), &[((35_857, 19_918), 4), ((8964, 4979), 16), ((4482, 2489), 32)]),
            ((100, 70), &[((50, 35), 2), ((12, 8), 8), ((6, 4), 16), ((3, 2), 32)]),
            ((6001, 4001), &[((2000, 1334), 3), ((3001, 2000), 2), ((1201, 801), 5)]),
            ((729, 2187), &[((243, 729), 3), ((3, 9), 243), ((1, 3), 729)]),
        ] {
            for (copy, expected) in levels {
                assert_eq!(factor(full, *copy), Some(*expected), "{full:?} {copy:?}");
                assert_eq!(factor((full.1, full.0), (copy.1, copy.0)), Some(*expected), "{full:?} {copy:?} turned");
            }
        }
    }

    #[test]
    fn other_sizes_have_none() {
        for (full, other) in [
            ((640, 480), (640, 480)),
            ((640, 480), (320, 200)),
            ((640, 480), (240, 320)),
            ((640, 480), (500, 375)),
            ((46_080, 38_400), (1024, 840)),
            ((640, 480), (0, 0)),
            ((0, 0), (1, 1)),
            ((u64::MAX, u64::MAX), (1, 2)),
            ((1, 1), (u64::MAX, u64::MAX)),
        ] {
            assert_eq!(factor(full, other), None, "{full:?} {other:?}");
        }
    }
}
