//! Where a chunk lies in the file: its entries in the tables of offsets and lengths.
//!
//! | offset | length | meaning |
//! |---|---|---|
//! | 0 | 0 or unknown | the chunk was left out (a sparse file) |
//! | 0 | more | the file is broken: at byte 0 is the header |
//! | more | more | as the tables say |
//! | more | 0 or unknown | the chunk runs to the next greater offset or to the end of the file; if another chunk with a length begins at the same byte, that is the one which is stored there, and this one was left out |
//!
//! Of an uncompressed chunk the length follows from its size; the table of lengths is not read.

use super::{Compression, FAX_TIMES, Level, leader};
use crate::bytes::{ByteRange, ByteStore, Endian};
use crate::error::{Error, SourceFormat, Stop};

/// Entries in which the chunk that follows another in the file is looked for: some are left out, and some lie elsewhere.
const NEIGHBOURS: u64 = 64;
/// Entries before and after one of no length in which the next greater offset is looked for.
const SEARCHED: u64 = 512;

impl Level {
    /// Where a chunk lies: reads its entries of the tables, no others; if chunks may be `led`, that of its length only if it is here.
    pub fn locate(&self, store: &ByteStore, endian: Endian, column: u32, row: u32, plane: u16, led: bool) -> Result<Location, Stop> {
        let (index, rows) = (self.entry(column, row, plane), self.chunk_height(row));
        if self.compression == Compression::None {
            return self.offsets.get(store, endian, index).map(|offset| self.locate_plain(offset, row, rows));
        }
        let counts = self.byte_counts.as_ref().filter(|counts| counts.count > index);
        let (offset, count) = (self.offsets.get(store, endian, index), counts.map(|counts| counts.get(store, endian, index)).transpose());
        let (offset, count) = match (offset, count) {
            // All entries are named at once.
            (Err(Stop::Need(mut entries)), Err(Stop::Need(count))) => {
                match self.offsets.get(store, endian, index.saturating_add(1)) {
                    Err(Stop::Need(next)) if led => entries.extend(next),
                    _ if led => {}
                    _ => entries.extend(count),
                }
                return Err(Stop::Need(entries));
            }
            (Ok(offset), Err(Stop::Need(count))) => {
                let room = if led { self.room(store, endian, index, offset) } else { None };
                return room.map(|bytes| Location { offset, bytes, rows, led: bytes > 0 }).ok_or(Stop::Need(count));
            }
            (offset, count) => (offset?, count?.filter(|count| *count > 0)),
        };
        let bytes = match (offset, count) {
            (0, None) => 0,
            (0, Some(count)) => return Err(broken(0, format!("a chunk of {count} bytes where the file begins"))),
            (_, Some(count)) => count,
            (_, None) => self.stretch(store, endian, index, offset)?,
        };
        Ok(Location { offset, bytes, rows, led: false })
    }

    /// The number of a chunk in the tables.
    fn entry(&self, column: u32, row: u32, plane: u16) -> u64 {
        let (across, down) = self.grid;
        let strip = row.checked_div(self.slices).unwrap_or(0);
        let in_plane = u64::from(strip).saturating_mul(across.into()).saturating_add(column.into());
        u64::from(plane).saturating_mul(down.into()).saturating_mul(across.into()).saturating_add(in_plane)
    }

    /// An uncompressed chunk, which may be a slice of what is stored at `offset`.
    fn locate_plain(&self, offset: u64, row: u32, rows: u32) -> Location {
        if offset == 0 {
            return Location { offset, bytes: 0, rows, led: false };
        }
        let slice = row.checked_rem(self.slices).unwrap_or(0);
        let before = self.row_bytes().saturating_mul(self.chunk.height().into()).saturating_mul(slice.into());
        let (offset, bytes) = (offset.saturating_add(before), self.plain_bytes(rows));
        Location { offset, bytes, rows, led: false }
    }

    /// Bytes from a chunk to the leader of the one that follows it in the file, or to the file's end; 0 for one that was left out. `None` if that is not to be
    /// known, or more than a chunk takes.
    fn room(&self, store: &ByteStore, endian: Endian, index: u64, offset: u64) -> Option<u64> {
        if offset == 0 {
            return Some(0);
        }
        let (next, count) = (index.saturating_add(1), self.offsets.count);
        let neighbours = next..count.min(next.saturating_add(NEIGHBOURS));
        let behind = neighbours.map_while(|index| self.offsets.get(store, endian, index).ok()).filter(|at| *at > offset).min();
        let end = match behind {
            Some(at) => at.checked_sub(leader::BYTES)?,
            None if next == count => store.size(),
            None => return None,
        };
        end.checked_sub(offset).filter(|room| *room <= self.chunk_bytes() && offset >= leader::BYTES && end <= store.size())
    }

    /// Bytes of a chunk whose length is not told, at most; 0 if what lies there is another chunk.
    fn stretch(&self, store: &ByteStore, endian: Endian, index: u64, offset: u64) -> Result<u64, Stop> {
        if offset >= store.size() {
            // It has some, where there are none.
            return Ok(1);
        }
        let counts = self.byte_counts.as_ref();
        let (mut end, mut missing) = (store.size(), Vec::new());
        for other in index.saturating_sub(SEARCHED)..self.offsets.count.min(index.saturating_add(SEARCHED)) {
            let at = match self.offsets.get(store, endian, other) {
                Ok(at) => at,
                Err(Stop::Need(ranges)) => {
                    missing.extend(ranges);
                    continue;
                }
                Err(stop) => return Err(stop),
            };
            if at > offset {
                end = end.min(at);
            } else if let Some(counts) = counts.filter(|counts| at == offset && other != index && counts.count > other) {
                match counts.get(store, endian, other) {
                    Ok(0) => {}
                    Ok(_) => return Ok(0),
                    Err(Stop::Need(ranges)) => missing.extend(ranges),
                    Err(stop) => return Err(stop),
                }
            }
        }
        if missing.is_empty() { Ok(end.saturating_sub(offset).min(self.longest_chunk())) } else { Err(Stop::Need(missing)) }
    }

    /// Bytes that a chunk takes in the file at most, however badly its coding suits it.
    fn longest_chunk(&self) -> u64 {
        let plain = self.row_bytes().saturating_mul(self.strip_rows().into());
        let times = if matches!(self.compression, Compression::Fax(_)) { FAX_TIMES } else { 2 };
        plain.saturating_mul(times).saturating_add(64 << 10)
    }
}

fn broken(at: u64, what: String) -> Stop {
    Stop::Fail(Error::SourceCorrupt { format: SourceFormat::Tiff, at, what })
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
