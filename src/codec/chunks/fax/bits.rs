//! Bits of CCITT data, the highest of each byte first.

/// A place between two bits of data.
#[derive(Debug, Clone)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// The first byte that is not counted by `held`.
    at: usize,
    /// The next bits, left-aligned. Behind the `held` ones come those of the next bytes, or zeros.
    window: u64,
    held: u32,
}

impl<'a> Bits<'a> {
    /// Bits of `data` from one of them on.
    pub fn new(data: &'a [u8], bit: usize) -> Self {
        let mut bits = Self { data, at: (bit / 8).min(data.len()), window: 0, held: 0 };
        bits.fill();
        // Bits beyond the end are as good as none.
        let _ = bits.skip((bit % 8) as u32);
        bits
    }

    /// How many bits from the beginning of the data on are done with.
    pub fn position(&self) -> usize {
        self.at * 8 - self.held as usize
    }

    /// Makes sure of 32 bits, if there are as many.
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

    /// The next `count` bits, 1 to 32; zeros stand for those behind the end.
    #[inline(always)]
    pub fn peek(&self, count: u32) -> u32 {
        (self.window >> (64 - count)) as u32
    }

    /// Takes `count` bits, at most 32, which have been ensured; none if there are fewer.
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

    /// Takes the zeros that come next.
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
