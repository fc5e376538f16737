//! Writing entropy-coded segments (T.81, F.1.2.3): bits, most significant first, with a zero byte stuffed after each 0xFF.

#![allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel: the number of free bits is kept within 0 to 64")]

/// Collects bits into bytes.
#[derive(Debug)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// The last bits, right-aligned.
    pending: u64,
    /// How many more bits `pending` has room for.
    free: u32,
}

impl BitWriter {
    /// A writer of nothing yet.
    pub fn new() -> Self {
        Self { bytes: Vec::new(), pending: 0, free: 64 }
    }

    /// Makes room for so many more bytes, and no more than that.
    pub fn reserve(&mut self, bytes: usize) {
        if self.bytes.capacity() - self.bytes.len() < bytes {
            self.bytes.reserve_exact(bytes);
        }
    }

    /// Makes room for `bytes` more, and `step` more than that if there is too little.
    pub fn grow(&mut self, bytes: usize, step: usize) {
        if self.bytes.capacity() - self.bytes.len() < bytes {
            self.bytes.reserve_exact(bytes + step);
        }
    }

    /// Appends the lowest `count` bits (at most 32); all above must be zero.
    #[inline(always)]
    pub fn put(&mut self, bits: u32, count: u32) {
        if count <= self.free {
            // A shift by 64 happens only when nothing is pending.
            self.pending = self.pending.wrapping_shl(count) | u64::from(bits);
            self.free -= count;
        } else {
            let over = count - self.free;
            let word = self.pending.wrapping_shl(self.free) | (u64::from(bits) >> over);
            self.emit(word);
            self.pending = u64::from(bits);
            self.free = 64 - over;
        }
    }

    #[inline(always)]
    fn emit(&mut self, word: u64) {
        let inverse = !word;
        // Whether some byte of the inverse is zero.
        if inverse.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 == 0 {
            self.bytes.extend_from_slice(&word.to_be_bytes());
        } else {
            self.emit_stuffed(word);
        }
    }

    #[cold]
    fn emit_stuffed(&mut self, word: u64) {
        for byte in word.to_be_bytes() {
            self.stuff(byte);
        }
    }

    fn stuff(&mut self, byte: u8) {
        self.bytes.push(byte);
        if byte == 0xFF {
            self.bytes.push(0);
        }
    }

    /// Fills the last byte with ones (F.1.2.3), as must be done before a marker.
    pub fn align(&mut self) {
        let mut count = 64 - self.free;
        while count >= 8 {
            count -= 8;
            self.stuff((self.pending >> count) as u8);
        }
        if count > 0 {
            let fill = 8 - count;
            self.stuff((self.pending << fill) as u8 | ((1_u8 << fill) - 1));
        }
        (self.pending, self.free) = (0, 64);
    }

    /// Appends a marker, or anything else that is not entropy-coded; the bits must be aligned.
    pub fn raw(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.free, 64, "bits are pending");
        self.bytes.extend_from_slice(bytes);
    }

    /// How many whole bytes were collected and not taken.
    pub fn held(&self) -> usize {
        self.bytes.len()
    }

    /// The whole bytes that were collected so far.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_packed_stuffed_and_filled() {
        let mut writer = BitWriter::new();
        writer.put(0b101, 3);
        writer.put(0, 0);
        writer.put(0b11111, 5);
        writer.put(0xFF, 8);
        for byte in 0..20 {
            writer.put(byte, 8);
        }
        writer.put(0xFFFF_FFFF, 32);
        writer.put(0, 1);
        writer.align();
        writer.raw(&[0xFF, 0xD9]);
        let expected = [[0xBF, 0xFF, 0].as_slice(), &(0..20).collect::<Vec<u8>>(), &[0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0x7F, 0xFF, 0xD9]].concat();
        assert_eq!(writer.take(), expected);
        assert!(writer.take().is_empty());
    }

    #[test]
    fn every_way_of_cutting_makes_the_same_bytes() {
        let bits: Vec<u32> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) & 1 | u32::from(i % 97 < 40)).collect();
        let mut plain = BitWriter::new();
        bits.iter().for_each(|bit| plain.put(*bit, 1));
        plain.align();
        let plain = plain.take();
        for size in [2, 7, 13, 26, 31, 32] {
            let mut writer = BitWriter::new();
            for part in bits.chunks(size) {
                writer.put(part.iter().fold(0, |value, bit| value << 1 | bit), part.len() as u32);
            }
            writer.align();
            assert_eq!(writer.take(), plain);
        }
    }
}
