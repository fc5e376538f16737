//! Which parts of a file have been read.

use std::cell::RefCell;

use super::ByteRange;

/// Ranges in the order in which they were read, if they are to be noted.
#[derive(Debug, Default)]
pub(super) struct Notes(Option<RefCell<Vec<ByteRange>>>);

/// A copy of a store is read by others.
impl Clone for Notes {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Notes {
    /// None so far, and from now on all.
    pub fn begun() -> Self {
        Self(Some(RefCell::default()))
    }

    pub fn clear(&self) {
        self.0.iter().for_each(|ranges| ranges.borrow_mut().clear());
    }

    /// What goes on where the last one ends is one with it: a file may have a header of many small parts.
    pub fn add(&self, range: ByteRange) {
        let Some(ranges) = &self.0 else { return };
        let mut ranges = ranges.borrow_mut();
        if let Some(last) = ranges.last_mut()
            && (last.start()..=last.end()).contains(&range.start())
            && let Some(both) = ByteRange::new(last.start(), last.end().max(range.end()))
        {
            *last = both;
        } else {
            ranges.push(range);
        }
    }

    pub fn ranges(&self) -> Vec<ByteRange> {
        self.0.as_ref().map(|ranges| ranges.borrow().clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_in_turn_is_one() {
        let range = |start, end| ByteRange::new(start, end).unwrap();
        let notes = Notes::begun();
        for (start, end) in [(10, 12), (12, 20), (13, 15), (30, 31), (20, 22), (22, 23), (22, 23), (20, 24)] {
            notes.add(range(start, end));
        }
        assert_eq!(notes.ranges(), [range(10, 20), range(30, 31), range(20, 24)]);
        notes.clear();
        assert!(notes.ranges().is_empty());
    }
}
