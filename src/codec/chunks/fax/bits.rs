//! Reads the bits of CCITT data, the highest bit of each byte first.

/// A position between two bits of the data.
#[derive(Debug, Clone)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// Offset of the first byte that is not counted in `held`.
    at: usize,
    /// The next bits, left-aligned. After the first `held` bits come bits of the following bytes, or zeros.
    window: u64,
    held: u32,
}

impl<'a> Bits<'a> {
    /// The bits of `data` from number `bit` on.
    pub fn new(data: &'a [u8], bit: usize) -> Self {
        let mut bits = Self { data, at: (bit / 8).min(data.len()), window: 0, held: 0 };
        bits.fill();
        // If the position is beyond the end, no bits are left anyway.
        let _ = bits.skip((bit % 8) as u32);
        bits
    }

    /// Number of bits that have been consumed, from the beginning of the data.
    pub fn position(&self) -> usize {
        self.at * 8 - self.held as usize
    }

    /// Makes sure that 32 bits are held, if as many are left.
    #[inline(always)]
    pub fn ensure(&mut self) {
        if self.held < 32 {
            self.fill();
        }
    }

    fn fill(&mut self) {
        if let Some(bytes) = self.data.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            self.window |= u64::from_be_bytes(*bytes) >> self.held;
            let count = (63 - self.held) / 8;
            self.at += count as usize;
            self.held += count * 8;
            return;
        }
        while self.held <= 56
            && let Some(byte) = self.data.get(self.at)
        {
            self.window |= u64::from(*byte) << (56 - self.held);
            self.at += 1;
            self.held += 8;
        }
    }

    /// The next `count` bits, 1 to 32, without consuming them. Bits beyond the end are zeros.
    #[inline(always)]
    pub fn peek(&self, count: u32) -> u32 {
        (self.window >> (64 - count)) as u32
    }

    /// Consumes `count` bits, at most 32, which have been ensured. If there are fewer, consumes none and returns `false`.
    #[inline(always)]
    #[must_use]
    pub fn skip(&mut self, count: u32) -> bool {
        let Some(held) = self.held.checked_sub(count) else { return false };
        self.held = held;
        self.window <<= count;
        true
    }

    /// Whether fewer than `count` bits, at most 32, are left.
    pub fn are_fewer_than(&mut self, count: u32) -> bool {
        self.ensure();
        self.held < count
    }

    /// Consumes the zeros up to the next 1.
    pub fn skip_zeros(&mut self) {
        loop {
            self.ensure();
            let zeros = self.window.leading_zeros().min(self.held).min(32);
            if zeros == 0 || !self.skip(zeros) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_order_from_anywhere() {
        let data: Vec<u8> = (0..40_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let bit = |at: usize| u32::from(data[at / 8] >> (7 - at % 8) & 1);
        for begin in 0..data.len() * 8 {
            let mut bits = Bits::new(&data, begin);
            for at in begin..data.len() * 8 {
                assert_eq!(bits.position(), at);
                bits.ensure();
                assert_eq!(bits.peek(1), bit(at));
                assert!(bits.skip(1));
            }
            assert!(bits.are_fewer_than(1) && !bits.skip(1));
        }
    }

    #[test]
    fn zeros_are_passed_over() {
        let mut data = vec![0; 30];
        data.extend([0x10, 0]);
        let mut bits = Bits::new(&data, 3);
        bits.skip_zeros();
        assert_eq!((bits.position(), bits.peek(1)), (30 * 8 + 3, 1));
        assert!(bits.skip(1));
        bits.skip_zeros();
        assert_eq!(bits.position(), 32 * 8);
    }
}
