//! Writes the bits of a VP8L stream, the first one into the lowest bit of its byte (RFC 9649, section 3.1).

/// Collects bits into bytes.
#[derive(Debug, Default)]
pub(super) struct Bits {
    pub bytes: Vec<u8>,
    pending: u64,
    /// Number of bits in `pending`: below 64.
    count: u32,
    /// Number of bytes that were taken.
    taken: u64,
}

impl Bits {
    /// Appends the lowest `count` bits (at most 63). All bits above them must be zero.
    #[inline(never)]
    pub fn put(&mut self, bits: u64, count: u32) {
        self.put_fast(bits, count);
    }

    /// The same, inlined for the places that call it most.
    #[inline(always)]
    pub fn put_fast(&mut self, bits: u64, count: u32) {
        self.pending |= bits << self.count;
        self.count += count;
        if self.count >= 64 {
            self.bytes.extend_from_slice(&self.pending.to_le_bytes());
            self.count -= 64;
            // The bits that had no room. If `self.count` is 0 now, all of them had room.
            self.pending = bits.checked_shr(count - self.count).unwrap_or(0);
        }
    }

    /// Number of bits written so far, including those that were taken.
    pub fn written(&self) -> u64 {
        (self.taken + self.bytes.len() as u64) * 8 + u64::from(self.count)
    }

    /// Takes the complete bytes.
    pub fn take(&mut self) -> Vec<u8> {
        self.taken += self.bytes.len() as u64;
        std::mem::take(&mut self.bytes)
    }

    /// Takes the rest, with zeros up to the end of the last byte.
    pub fn finish(&mut self) -> Vec<u8> {
        let rest = self.count.div_ceil(8) as usize;
        self.bytes.extend_from_slice(&self.pending.to_le_bytes()[..rest]);
        std::mem::take(&mut self.bytes)
    }
}
