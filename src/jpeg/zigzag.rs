//! The order of coefficients (T.81, A.3.6).

/// Row-major place of each coefficient in zigzag order. Runs that a broken stream makes too long end in the 16 places behind, which are the last again.
pub(super) const NATURAL: [u8; 80] = natural();

/// Zigzag position of each row-major place.
pub(super) const ZIGZAG: [u8; 64] = zigzag();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
const fn natural() -> [u8; 80] {
    let mut order = [63; 80];
    let (mut x, mut y) = (0_u8, 0_u8);
    let mut k = 0;
    while k < 64 {
        order[k] = y * 8 + x;
        let up = (x + y).is_multiple_of(2);
        if up && x == 7 {
            y += 1;
        } else if up && y == 0 {
            x += 1;
        } else if up {
            x += 1;
            y -= 1;
        } else if y == 7 {
            x += 1;
        } else if x == 0 {
            y += 1;
        } else {
            x -= 1;
            y += 1;
        }
        k += 1;
    }
    order
}

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
const fn zigzag() -> [u8; 64] {
    let mut order = [0; 64];
    let mut k = 0;
    while k < 64 {
        order[NATURAL[k] as usize] = k as u8;
        k += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_and_ends_as_figure_a6_draws_it() {
        assert_eq!(NATURAL[..12], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25]);
        assert_eq!(NATURAL[56..64], [53, 60, 61, 54, 47, 55, 62, 63]);
        let mut places = NATURAL[..64].to_vec();
        places.sort_unstable();
        assert!(places.iter().enumerate().all(|(index, place)| index == usize::from(*place)));
        assert!((0..64).all(|k| usize::from(ZIGZAG[usize::from(NATURAL[k])]) == k));
    }
}
