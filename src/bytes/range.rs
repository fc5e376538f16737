//! A non-empty run of bytes in a file.

use std::fmt;

/// The bytes `start..end` of a file; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRange {
    start: u64,
    end: u64,
}

impl ByteRange {
    /// `None` unless `start < end`.
    pub fn new(start: u64, end: u64) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The `len` bytes from `start`; `None` if empty or beyond `u64`.
    pub fn at(start: u64, len: u64) -> Option<Self> {
        Self::new(start, start.checked_add(len)?)
    }

    /// First byte.
    pub fn start(self) -> u64 {
        self.start
    }

    /// One past the last byte.
    pub fn end(self) -> u64 {
        self.end
    }

    /// Number of bytes, at least 1.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Always false; here because `len` is.
    pub fn is_empty(self) -> bool {
        false
    }

    /// Sorts, and merges what overlaps or lies at most `gap` bytes apart: one longer read is cheaper than two.
    pub fn coalesce(mut ranges: Vec<Self>, gap: u64) -> Vec<Self> {
        ranges.sort_unstable();
        let mut merged: Vec<Self> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start <= last.end.saturating_add(gap) => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coalesce_merges_overlaps_and_small_gaps() {
        let range = |a, b| ByteRange::new(a, b).unwrap();
        let merged = ByteRange::coalesce(vec![range(100, 200), range(0, 10), range(150, 250), range(260, 270)], 10);
        assert_eq!(merged, vec![range(0, 10), range(100, 270)]);
    }
}
