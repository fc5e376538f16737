//! Where the chunks of a level lie.

use std::fmt::Debug;

use super::{Level, leader};
use crate::bytes::{ByteRange, ByteStore};
use crate::error::Stop;

/// How a container tells where the chunks of a level lie.
pub(crate) trait Places: Debug + Send + Sync {
    /// Where the chunk at (column, row) lies, of the plane of that number if they are stored apart. [`Stop::Need`] of what tells it; if chunks may be `led`, not
    /// of what tells their lengths.
    fn locate(&self, level: &Level, store: &ByteStore, chunk: (u32, u32, u16), led: bool) -> Result<Location, Stop>;

    /// What is worth keeping of the file because it tells where chunks are.
    fn tables(&self) -> Vec<ByteRange>;
}

/// Where the bytes of a chunk lie, and how many image rows it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub offset: u64,
    /// 0 for a chunk that was left out (sparse files): it is black, or transparent.
    pub bytes: u64,
    pub rows: u32,
    /// It has at most so many bytes: how many, its leader tells.
    pub led: bool,
}

impl Location {
    /// What is to be fetched of it; nothing of one that was left out.
    pub fn range(&self) -> Option<ByteRange> {
        let before = if self.led { leader::BYTES } else { 0 };
        ByteRange::at(self.offset.saturating_sub(before), self.bytes.saturating_add(before))
    }
}
