//! The codes of T.4 (tables 2, 3a, 3b and 4) and T.6 (table 1).

use std::sync::LazyLock;

/// The longest code of a run, bits.
pub(super) const LONGEST: u32 = 13;
/// Bits of the longest mode code.
pub(super) const MODE_BITS: u32 = 7;

/// Terminating codes of white runs of 0 to 63 pixels. Each has a 1 before the first bit of the code, which marks where the code begins.
#[rustfmt::skip]
const WHITE: [u16; 64] = [
    0x135, 0x47, 0x17, 0x18, 0x1B, 0x1C, 0x1E, 0x1F, 0x33, 0x34, 0x27, 0x28, 0x48, 0x43, 0x74, 0x75, 0x6A, 0x6B, 0xA7, 0x8C, 0x88, 0x97, 0x83, 0x84,
    0xA8, 0xAB, 0x93, 0xA4, 0x98, 0x102, 0x103, 0x11A, 0x11B, 0x112, 0x113, 0x114, 0x115, 0x116, 0x117, 0x128, 0x129, 0x12A, 0x12B, 0x12C, 0x12D,
    0x104, 0x105, 0x10A, 0x10B, 0x152, 0x153, 0x154, 0x155, 0x124, 0x125, 0x158, 0x159, 0x15A, 0x15B, 0x14A, 0x14B, 0x132, 0x133, 0x134,
];
/// Make-up codes of white runs of 64, 128, … 1728 pixels.
#[rustfmt::skip]
const WHITE_MAKE_UP: [u16; 27] = [
    0x3B, 0x32, 0x57, 0xB7, 0x136, 0x137, 0x164, 0x165, 0x168, 0x167, 0x2CC, 0x2CD, 0x2D2, 0x2D3, 0x2D4, 0x2D5, 0x2D6, 0x2D7, 0x2D8, 0x2D9, 0x2DA,
    0x2DB, 0x298, 0x299, 0x29A, 0x58, 0x29B,
];
/// Terminating codes of black runs of 0 to 63 pixels.
#[rustfmt::skip]
const BLACK: [u16; 64] = [
    0x437, 0xA, 0x7, 0x6, 0xB, 0x13, 0x12, 0x23, 0x45, 0x44, 0x84, 0x85, 0x87, 0x104, 0x107, 0x218, 0x417, 0x418, 0x408, 0x867, 0x868, 0x86C, 0x837,
    0x828, 0x817, 0x818, 0x10CA, 0x10CB, 0x10CC, 0x10CD, 0x1068, 0x1069, 0x106A, 0x106B, 0x10D2, 0x10D3, 0x10D4, 0x10D5, 0x10D6, 0x10D7, 0x106C,
    0x106D, 0x10DA, 0x10DB, 0x1054, 0x1055, 0x1056, 0x1057, 0x1064, 0x1065, 0x1052, 0x1053, 0x1024, 0x1037, 0x1038, 0x1027, 0x1028, 0x1058, 0x1059,
    0x102B, 0x102C, 0x105A, 0x1066, 0x1067,
];
/// Make-up codes of black runs of 64, 128, … 1728 pixels.
#[rustfmt::skip]
const BLACK_MAKE_UP: [u16; 27] = [
    0x40F, 0x10C8, 0x10C9, 0x105B, 0x1033, 0x1034, 0x1035, 0x206C, 0x206D, 0x204A, 0x204B, 0x204C, 0x204D, 0x2072, 0x2073, 0x2074, 0x2075, 0x2076,
    0x2077, 0x2052, 0x2053, 0x2054, 0x2055, 0x205A, 0x205B, 0x2064, 0x2065,
];
/// Make-up codes of runs of 1792, 1856, … 2560 pixels of either colour.
const LONG_MAKE_UP: [u16; 13] = [0x808, 0x80C, 0x80D, 0x1012, 0x1013, 0x1014, 0x1015, 0x1016, 0x1017, 0x101C, 0x101D, 0x101E, 0x101F];

/// Every code of white (0) or black (1) runs: the run in pixels, the code, and its length in bits.
pub(super) fn runs(color: usize) -> impl Iterator<Item = (u16, u16, u32)> {
    let (terminating, make_up) = if color == 0 { (WHITE, WHITE_MAKE_UP) } else { (BLACK, BLACK_MAKE_UP) };
    let made_up = make_up.into_iter().chain(LONG_MAKE_UP).zip((64..).step_by(64));
    terminating.into_iter().zip(0_u16..).chain(made_up).map(|(code, run)| {
        let length = code.ilog2();
        (run, code ^ 1 << length, length)
    })
}

/// For each value of the next [`LONGEST`] bits, of white and of black: the run that they begin with, times 16, plus the length of its code in bits. The length
/// is 0 if no code of a run begins like this.
pub(super) type Runs = [[u16; 1 << LONGEST]; 2];

pub(super) static RUNS: LazyLock<Box<Runs>> = LazyLock::new(|| {
    let mut table = Box::new([[0; 1 << LONGEST]; 2]);
    for (color, entries) in table.iter_mut().enumerate() {
        for (run, code, length) in runs(color) {
            let rest = LONGEST - length;
            entries[usize::from(code) << rest..][..1 << rest].fill(run << 4 | length as u16);
        }
    }
    table
});

/// The modes of two-dimensional coding: how a row goes on in relation to the row above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The colour changes this many pixels to the right of b1; to the left, if negative.
    Vertical(i8),
    Horizontal,
    Pass,
    /// What follows is coded in another way, by an extension.
    Extension,
    /// No mode has this code.
    None,
}

/// For each value of the next [`MODE_BITS`] bits: the mode that they begin with, and the length of its code in bits.
pub(super) static MODES: [(Mode, u8); 1 << MODE_BITS] = {
    let mut modes = [(Mode::None, 0); 1 << MODE_BITS];
    let mut bits = 1;
    while bits < modes.len() {
        modes[bits] = match bits {
            0b0000001 => (Mode::Extension, 7),
            0b0000010 => (Mode::Vertical(-3), 7),
            0b0000011 => (Mode::Vertical(3), 7),
            0b0000100..=0b0000101 => (Mode::Vertical(-2), 6),
            0b0000110..=0b0000111 => (Mode::Vertical(2), 6),
            0b0001000..=0b0001111 => (Mode::Pass, 4),
            0b0010000..=0b0011111 => (Mode::Horizontal, 3),
            0b0100000..=0b0101111 => (Mode::Vertical(-1), 3),
            0b0110000..=0b0111111 => (Mode::Vertical(1), 3),
            _ => (Mode::Vertical(0), 1),
        };
        bits += 1;
    }
    modes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_begins_with_another() {
        for color in 0..2 {
            let taken: usize = runs(color).map(|(_, _, length)| 1 << (LONGEST - length)).sum();
            let free = RUNS[color].iter().filter(|entry| **entry == 0).count();
            assert_eq!(taken + free, 1 << LONGEST, "codes overlap");
            // Eight zeros begin only the EOL, and codes that T.4 does not assign.
            assert!(RUNS[color][..1 << 5].iter().all(|entry| *entry == 0));
        }
        assert_eq!(runs(0).count() + runs(1).count(), 208);
    }

    #[test]
    fn codes_of_the_recommendation() {
        let find = |color: usize, wanted: u16| runs(color).find(|(run, ..)| *run == wanted).map(|(_, code, length)| (code, length)).unwrap();
        assert_eq!(find(0, 0), (0b0011_0101, 8));
        assert_eq!(find(0, 63), (0b0011_0100, 8));
        assert_eq!(find(0, 1728), (0b0_1001_1011, 9));
        assert_eq!(find(1, 0), (0b00_0011_0111, 10));
        assert_eq!(find(1, 3), (0b10, 2));
        assert_eq!(find(1, 64), (0b00_0000_1111, 10));
        assert_eq!(find(1, 2560), (0b0000_0001_1111, 12));
    }
}
