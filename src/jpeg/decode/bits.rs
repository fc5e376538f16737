//! Reading entropy-coded segments (T.81, F.2.2.5): bits, most significant first, zero bytes behind 0xFF left out.
//!
//! Behind the end of a segment zeros come, without end, and are counted: the hot loops need not ask for the end, and whoever asks later learns of it.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a hot kernel: places are checked, bits within 0 to 64"
)]

use crate::jpeg::marker::RST0;

/// A place between two bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BitPosition {
    /// Byte offset in the stream.
    pub byte: usize,
    /// Bits of that byte that are done with, 0 to 7.
    pub bit: u8,
}

/// The bits of one entropy-coded segment after another.
#[derive(Debug, Clone)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    /// Where `data` lie in the stream.
    start: usize,
    /// The first byte that is not in `window`.
    at: usize,
    /// The next bits, left-aligned. What lies behind `count` may be bits of the next byte already.
    window: u64,
    count: u32,
    /// How many of the bits in `window`, or taken from it, were made up behind the end.
    made_up: u32,
    /// A code that no table has was met.
    pub invalid: bool,
}

impl<'a> BitReader<'a> {
    /// Bits of `data`, which begin at a place of the stream that is not within a stuffed pair.
    pub fn new(data: &'a [u8], position: BitPosition) -> Self {
        let mut reader = Self { data, start: position.byte, at: 0, window: 0, count: 0, made_up: 0, invalid: false };
        reader.ensure();
        reader.skip(u32::from(position.bit & 7));
        reader
    }

    /// Makes sure of 32 bits, which is more than any code with its bits takes.
    #[inline(always)]
    pub fn ensure(&mut self) {
        if self.count < 32 {
            self.fill();
        }
    }

    /// Makes sure of 56 bits. Where many are taken it is better to do it each time than to ask whether it is needed: that is hard to foresee.
    #[inline(always)]
    pub fn fill(&mut self) {
        if let Some(bytes) = self.data.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_be_bytes(*bytes);
            // Whether some byte is 0xFF.
            if (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 == 0 {
                self.window |= word >> self.count;
                let bytes = (63 - self.count) >> 3;
                self.at += bytes as usize;
                self.count += bytes * 8;
                return;
            }
        }
        self.fill_slowly();
    }

    /// Byte by byte: over stuffed pairs, up to a marker or the end.
    #[cold]
    #[inline(never)]
    fn fill_slowly(&mut self) {
        // What the window holds behind its count would be in the way of made up zeros.
        self.window &= !(u64::MAX >> self.count);
        while self.count < 56 {
            let byte = match self.data.get(self.at) {
                Some(0xFF) if self.data.get(self.at + 1) == Some(&0) => {
                    self.at += 2;
                    0xFF
                }
                None | Some(0xFF) => {
                    self.made_up = self.made_up.saturating_add(8);
                    0
                }
                Some(byte) => {
                    self.at += 1;
                    *byte
                }
            };
            self.window |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next `count` bits, 1 to 32, without taking them; they must have been ensured.
    #[inline(always)]
    pub fn peek(&self, count: u32) -> u32 {
        (self.window >> (64 - count)) as u32
    }

    /// Takes bits that were peeked at.
    #[inline(always)]
    pub fn skip(&mut self, count: u32) {
        self.window <<= count;
        self.count = self.count.wrapping_sub(count);
    }

    /// Takes `count` bits, 0 to 16.
    #[inline(always)]
    pub fn take(&mut self, count: u32) -> u32 {
        let bits = ((self.window >> 32) >> (32 - count)) as u32;
        self.skip(count);
        bits
    }

    /// Takes one bit; it is ensured here.
    #[inline(always)]
    pub fn take_bit(&mut self) -> bool {
        self.ensure();
        self.take(1) != 0
    }

    /// Whether more bits were taken than there are.
    pub fn is_exhausted(&self) -> bool {
        self.made_up > self.count
    }

    /// Whether the data end before everything that an MCU can be: 64 blocks of 64 coefficients of 27 bits, and as much again for stuffing.
    pub fn is_near_end(&self) -> bool {
        const MOST: usize = 64 << 10;
        self.data.len() - self.at < MOST
    }

    /// Whether all data were taken, but for the first byte of what may become a marker.
    pub fn is_at_end(&self) -> bool {
        self.data.len() - self.at <= 1
    }

    /// Where the next bit lies.
    pub fn position(&self) -> BitPosition {
        let BitPosition { byte, bit } = self.place();
        BitPosition { byte: self.start + byte, bit }
    }

    /// The same within `data`.
    fn place(&self) -> BitPosition {
        let held = self.count.saturating_sub(self.made_up);
        let mut byte = self.at;
        for _ in 0..held.div_ceil(8) {
            byte = byte.saturating_sub(1);
            if byte > 0 && self.data.get(byte) == Some(&0) && self.data[byte - 1] == 0xFF {
                byte -= 1;
            }
        }
        BitPosition { byte, bit: ((8 - held % 8) % 8) as u8 }
    }

    /// Gives `put` the bits from here to another place in the same data, at most 32 at a time, with their number.
    pub fn each_up_to(&self, end: &Self, mut put: impl FnMut(u32, u32)) {
        let (from, to) = (self.place(), end.place());
        let between = self.data.get(from.byte..to.byte).unwrap_or_default();
        // A byte 0xFF that is no marker has a zero behind it.
        let stuffed = between.iter().filter(|byte| **byte == 0xFF).count();
        let mut left = (between.len().saturating_sub(stuffed) * 8 + usize::from(to.bit)).saturating_sub(from.bit.into());
        let mut bits = self.clone();
        while left > 0 {
            let count = left.min(32) as u32;
            bits.ensure();
            put(bits.peek(count), count);
            bits.skip(count);
            left -= count as usize;
        }
    }

    /// Goes on behind the restart marker that must follow (T.81, E.2.4); whatever lies before it is passed over.
    pub fn restart(&mut self, number: u8) -> Restart {
        let mut at = self.place().byte;
        loop {
            match self.data.get(at..).and_then(|rest| rest.first_chunk::<2>()) {
                None => return Restart::BeyondEnd,
                Some([0xFF, marker]) if *marker == RST0 | number => break,
                Some([0xFF, 0]) => at += 2,
                Some([0xFF, marker]) if *marker != 0xFF => return Restart::Missing,
                Some(_) => at += 1,
            }
        }
        *self = Self { data: self.data, start: self.start, at: at + 2, window: 0, count: 0, made_up: 0, invalid: self.invalid };
        Restart::Passed
    }
}

/// What became of the search for a restart marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restart {
    Passed,
    /// Another marker comes first.
    Missing,
    /// The data end before it.
    BeyondEnd,
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: BitPosition = BitPosition { byte: 0, bit: 0 };

    #[test]
    fn stuffed_zeros_are_left_out_and_positions_count_them() {
        let data = [0xFF, 0x00, 0x12, 0xFF, 0x00, 0xFF, 0x00, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, 0x11, 0x22, 0x33, 0x44, 0xFF, 0xD9];
        let plain = [0xFF_u8, 0x12, 0xFF, 0xFF, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, 0x11, 0x22, 0x33, 0x44];
        let places = [0, 2, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
        let mut reader = BitReader::new(&data, START);
        for (byte, place) in plain.into_iter().zip(places) {
            reader.ensure();
            assert_eq!(reader.position(), BitPosition { byte: place, bit: 0 });
            assert_eq!(reader.take(3), u32::from(byte >> 5));
            assert_eq!(reader.position(), BitPosition { byte: place, bit: 3 });
            let mut again = BitReader::new(&data[place..], reader.position());
            assert_eq!(again.take(5), u32::from(byte & 31));
            assert_eq!(reader.take(5), u32::from(byte & 31));
        }
        assert!(!reader.is_exhausted());
        assert_eq!(reader.position(), BitPosition { byte: 18, bit: 0 });
        reader.ensure();
        assert_eq!(reader.take(1), 0);
        assert!(reader.is_exhausted());
    }

    #[test]
    fn restarts_pass_over_padding_only() {
        let data = [0xAB, 0x7F, 0xFF, 0xFF, 0xD0, 0x40, 0xFF, 0xD1, 0x80];
        let mut reader = BitReader::new(&data, START);
        assert_eq!(reader.take(12), 0xAB7);
        assert_eq!(reader.clone().restart(1), Restart::Missing);
        assert_eq!(reader.restart(0), Restart::Passed);
        reader.ensure();
        assert_eq!(reader.take(8), 0x40);
        assert_eq!(reader.restart(1), Restart::Passed);
        reader.ensure();
        assert_eq!(reader.take(8), 0x80);
        assert_eq!(reader.restart(2), Restart::BeyondEnd);
    }
}
