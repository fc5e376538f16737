//! One side of a level as stored: which rows make a tile, and which a pair, when the image as seen may begin at the other end.

/// The rows, or columns, of a level in the order in which they come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub len: u32,
    /// Whether the last that comes is the first as seen.
    pub flipped: bool,
}

impl Axis {
    /// Groups of `size`, counted as seen; the last as seen may be smaller.
    pub fn groups(self, size: u32) -> u32 {
        self.len.div_ceil(size)
    }

    /// The group of the `at`th that comes, counted as seen.
    pub fn group(self, at: u32, size: u32) -> u32 {
        self.seen(at) / size
    }

    /// Whether the `at`th is the first of its group to come.
    pub fn begins(self, at: u32, size: u32) -> bool {
        at == 0 || self.group(at - 1, size) != self.group(at, size)
    }

    /// Whether the `at`th is the last of its group to come.
    pub fn ends(self, at: u32, size: u32) -> bool {
        at + 1 >= self.len || self.group(at + 1, size) != self.group(at, size)
    }

    fn seen(self, at: u32) -> u32 {
        if self.flipped { self.len.saturating_sub(1).saturating_sub(at) } else { at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_counted_as_seen() {
        let groups = |flipped| (0..5).map(|at| Axis { len: 5, flipped }.group(at, 2)).collect::<Vec<_>>();
        assert_eq!((groups(false), groups(true)), (vec![0, 0, 1, 1, 2], vec![2, 1, 1, 0, 0]));
        let ends = |flipped| (0..5).map(|at| Axis { len: 5, flipped }.ends(at, 2)).collect::<Vec<_>>();
        assert_eq!((ends(false), ends(true)), (vec![false, true, false, true, true], vec![true, false, true, false, true]));
        let begins = |flipped| (0..5).map(|at| Axis { len: 5, flipped }.begins(at, 2)).collect::<Vec<_>>();
        assert_eq!((begins(false), begins(true)), (vec![true, false, true, false, true], vec![true, true, false, true, false]));
    }
}
