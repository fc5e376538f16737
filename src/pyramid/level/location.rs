//! Where the chunks of a level lie.

use std::fmt::Debug;

use super::{Level, leader};
use crate::bytes::{ByteRange, ByteStore};
use crate::error::Stop;

/// How the container says where the chunks of a level lie.
pub(crate) trait Places: Debug + Send + Sync {
    /// Where the chunk at (column, row, plane) lies; the plane counts only if planes are stored apart. [`Stop::Need`] with the table entries that are missing
    /// from the store. If `led`, the caller can take the length of a chunk from its leader, so the entry of its length is not asked for.
    fn locate(&self, level: &Level, store: &ByteStore, chunk: (u32, u32, u16), led: bool) -> Result<Location, Stop>;

    /// The byte ranges of the tables that say where chunks lie. They are worth keeping for later requests.
    fn tables(&self) -> Vec<ByteRange>;
}

/// Where the bytes of a chunk lie, and how many image rows it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub offset: u64,
    /// 0 for a chunk that was left out (sparse files): its pixels are black, or transparent.
    pub bytes: u64,
    pub rows: u32,
    /// Whether `bytes` is only an upper limit, because the length itself is in the chunk's leader.
    pub led: bool,
}

impl Location {
    /// The bytes to fetch for the chunk, including its leader; none for a chunk that was left out.
    pub fn range(&self) -> Option<ByteRange> {
        let before = if self.led { leader::BYTES } else { 0 };
        ByteRange::at(self.offset.saturating_sub(before), self.bytes.saturating_add(before))
    }
}
