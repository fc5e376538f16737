//! Which parts of a file have been read. The package has no use for that, and its users would wait for the code: there nothing is noted.

#[cfg(not(feature = "web"))]
use std::cell::RefCell;

use super::ByteRange;

/// Ranges in the order in which they were read, if they are to be noted.
#[derive(Debug, Default)]
pub(super) struct Notes(#[cfg(not(feature = "web"))] Option<RefCell<Vec<ByteRange>>>);

/// A copy of a store is read by others.
impl Clone for Notes {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[cfg(not(feature = "web"))]
impl Notes {
    /// None so far, and from now on all.
    pub fn begun() -> Self {
        Self(Some(RefCell::default()))
    }

    pub fn clear(&self) {
        self.0.iter().for_each(|ranges| ranges.borrow_mut().clear());
    }

    pub fn add(&self, range: ByteRange) {
        self.0.iter().for_each(|ranges| ranges.borrow_mut().push(range));
    }

    pub fn ranges(&self) -> Vec<ByteRange> {
        self.0.as_ref().map(|ranges| ranges.borrow().clone()).unwrap_or_default()
    }
}

#[cfg(feature = "web")]
impl Notes {
    pub fn begun() -> Self {
        Self()
    }

    pub fn clear(&self) {}

    pub fn add(&self, _: ByteRange) {}

    pub fn ranges(&self) -> Vec<ByteRange> {
        Vec::new()
    }
}
