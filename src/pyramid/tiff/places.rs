//! Where a chunk lies in the file, by its entries in the tables of offsets and lengths (StripOffsets and StripByteCounts, or TileOffsets and TileByteCounts).
//!
//! | offset | length | meaning |
//! |---|---|---|
//! | 0 | 0 or unknown | the chunk was left out (a sparse file) |
//! | 0 | more | the file is broken: at byte 0 is the header |
//! | more | more | as the tables say |
//! | more | 0 or unknown | the chunk extends to the next greater offset or to the end of the file; if another chunk with a length begins at the same byte, the data belong to that one, and this one was left out |
//!
//! The length of an uncompressed chunk follows from its size in pixels, so the table of lengths is not read.

use super::ifd::Array;
use crate::bytes::{ByteRange, ByteStore, Endian};
use crate::error::{Error, SourceFormat, Stop};
use crate::pyramid::level::{Compression, FAX_TIMES, Level, Location, Places, leader};

/// Number of following entries that are searched for the next chunk in the file: some chunks are left out, and some lie elsewhere.
const NEIGHBOURS: u64 = 64;
/// Number of entries before and after a chunk without a length that are searched for the next greater offset.
const SEARCHED: u64 = 512;

/// The tables of offsets and lengths of a directory.
#[derive(Debug)]
pub(super) struct Tables {
    pub endian: Endian,
    pub offsets: Array,
    pub byte_counts: Option<Array>,
}

impl Places for Tables {
    fn tables(&self) -> Vec<ByteRange> {
        [Some(self.offsets), self.byte_counts].into_iter().flatten().filter_map(|table| table.range()).collect()
    }

    /// Reads only the entries of this chunk. If chunks may be `led`, the entry of its length is used only if it is in the store already.
    fn locate(&self, level: &Level, store: &ByteStore, (column, row, plane): (u32, u32, u16), led: bool) -> Result<Location, Stop> {
        let (index, rows) = (entry(level, column, row, plane), level.chunk_height(row));
        if level.compression == Compression::None {
            return self.offsets.get(store, self.endian, index).map(|offset| locate_plain(level, offset, row, rows));
        }
        let counts = self.byte_counts.as_ref().filter(|counts| counts.count > index);
        let (offset, count) = (self.offsets.get(store, self.endian, index), counts.map(|counts| counts.get(store, self.endian, index)).transpose());
        let (offset, count) = match (offset, count) {
            // All missing entries are asked for at once.
            (Err(Stop::Need(mut entries)), Err(Stop::Need(count))) => {
                match self.offsets.get(store, self.endian, index.saturating_add(1)) {
                    Err(Stop::Need(next)) if led => entries.extend(next),
                    _ if led => {}
                    _ => entries.extend(count),
                }
                return Err(Stop::Need(entries));
            }
            (Ok(offset), Err(Stop::Need(count))) => {
                let room = if led { self.room(level, store, index, offset) } else { None };
                return room.map(|bytes| Location { offset, bytes, rows, led: bytes > 0 }).ok_or(Stop::Need(count));
            }
            (offset, count) => (offset?, count?.filter(|count| *count > 0)),
        };
        let bytes = match (offset, count) {
            (0, None) => 0,
            (0, Some(count)) => return Err(broken(0, format!("a chunk of {count} bytes where the file begins"))),
            (_, Some(count)) => count,
            (_, None) => self.stretch(level, store, index, offset)?,
        };
        Ok(Location { offset, bytes, rows, led: false })
    }
}

impl Tables {
    /// Bytes from the beginning of a chunk to the leader of the next chunk in the file, or to the end of the file; 0 for a chunk that was left out. `None` if
    /// the next chunk is not known, or if there are more bytes than a chunk can take.
    fn room(&self, level: &Level, store: &ByteStore, index: u64, offset: u64) -> Option<u64> {
        if offset == 0 {
            return Some(0);
        }
        let (next, count) = (index.saturating_add(1), self.offsets.count);
        let neighbours = next..count.min(next.saturating_add(NEIGHBOURS));
        let behind = neighbours.map_while(|index| self.offsets.get(store, self.endian, index).ok()).filter(|at| *at > offset).min();
        let end = match behind {
            Some(at) => at.checked_sub(leader::BYTES)?,
            None if next == count => store.size(),
            None => return None,
        };
        end.checked_sub(offset).filter(|room| *room <= level.chunk_bytes() && offset >= leader::BYTES && end <= store.size())
    }

    /// Upper limit for the bytes of a chunk whose length is not in the tables; 0 if another chunk is stored at its offset.
    fn stretch(&self, level: &Level, store: &ByteStore, index: u64, offset: u64) -> Result<u64, Stop> {
        if offset >= store.size() {
            // The offset lies beyond the end of the file. A length of 1 makes reading fail there; 0 would mean that the chunk was left out.
            return Ok(1);
        }
        let counts = self.byte_counts.as_ref();
        let (mut end, mut missing) = (store.size(), Vec::new());
        for other in index.saturating_sub(SEARCHED)..self.offsets.count.min(index.saturating_add(SEARCHED)) {
            let at = match self.offsets.get(store, self.endian, other) {
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
                match counts.get(store, self.endian, other) {
                    Ok(0) => {}
                    Ok(_) => return Ok(0),
                    Err(Stop::Need(ranges)) => missing.extend(ranges),
                    Err(stop) => return Err(stop),
                }
            }
        }
        if missing.is_empty() { Ok(end.saturating_sub(offset).min(longest_chunk(level))) } else { Err(Stop::Need(missing)) }
    }
}

/// The index of a chunk in the tables.
fn entry(level: &Level, column: u32, row: u32, plane: u16) -> u64 {
    let (across, down) = level.grid;
    let strip = row.checked_div(level.slices).unwrap_or(0);
    let in_plane = u64::from(strip).saturating_mul(across.into()).saturating_add(column.into());
    u64::from(plane).saturating_mul(down.into()).saturating_mul(across.into()).saturating_add(in_plane)
}

/// Where an uncompressed chunk lies. It may be a slice of the strip that is stored at `offset`.
fn locate_plain(level: &Level, offset: u64, row: u32, rows: u32) -> Location {
    if offset == 0 {
        return Location { offset, bytes: 0, rows, led: false };
    }
    let slice = row.checked_rem(level.slices).unwrap_or(0);
    let before = level.row_bytes().saturating_mul(level.chunk.height().into()).saturating_mul(slice.into());
    let (offset, bytes) = (offset.saturating_add(before), level.plain_bytes(rows));
    Location { offset, bytes, rows, led: false }
}

/// Most bytes that a chunk takes in the file, even if compression makes it longer.
fn longest_chunk(level: &Level) -> u64 {
    let plain = level.row_bytes().saturating_mul(level.strip_rows().into());
    let times = if matches!(level.compression, Compression::Fax(_)) { FAX_TIMES } else { 2 };
    plain.saturating_mul(times).saturating_add(64 << 10)
}

fn broken(at: u64, what: String) -> Stop {
    Stop::Fail(Error::SourceCorrupt { format: SourceFormat::Tiff, at, what })
}
