//! What a scan is read by: fetched in runs, by the index where there is one, and adding to it.

use std::borrow::Cow;

use super::super::Meter;
use super::super::chunks::GAP;
use super::Scan;
use crate::bytes::{ByteRange, ByteStore, Step};
use crate::error::{Error, Result, SourceFormat};
use crate::limits::Limits;
use crate::plan::SEAM;

/// Where an end is guessed, so many bytes more are fetched, and an eighth of them all: another round costs more.
const MARGIN: u64 = 256 << 10;
/// Bytes up to which a file is small.
const SMALL: u64 = 8 << 20;
/// Ranges that one region lies in, at most: where there are more, those that lie near each other are fetched as one.
const RANGES: usize = 64;
/// Bytes that are looked through for what must come next, at most.
const STRAY: u64 = 4 << 20;

impl Scan {
    /// Whether what others have learnt meanwhile leads further.
    pub(super) fn catches_up(&mut self, from: usize) -> bool {
        self.learn();
        self.sequential.record(self.file.index());
        self.sequential.seek().is_some_and(|at| at > from)
    }

    /// Asks for what comes next. `from` is where decoding goes on, and what is there ends at `seen`.
    pub(super) fn fetch(&mut self, from: usize, seen: u64, meter: &mut Meter, limits: &Limits) -> Result<Step<bool>> {
        self.store.forget(from as u64);
        let reading = self.file.reading(&self.file.index(), self.sequential.grid(), self.sequential.rows_left(), (from, self.sequential.next_mcu()));
        let mut ranges = reading.ranges;
        let reach = |range: &mut ByteRange, end: u64| *range = ByteRange::new(range.start(), end.min(self.file.end())).unwrap_or(*range);
        if let Some(last) = ranges.last_mut().filter(|_| reading.open) {
            reach(last, last.end() + last.len() / 8 + MARGIN);
        }
        // An index may be wrong, and so may a file.
        if let Some(first) = ranges.first_mut().filter(|first| first.end() <= seen) {
            reach(first, seen + SEAM as u64);
        }
        let mut gap = self.gap(&ranges);
        let mut ranges = ByteRange::coalesce(ranges, gap);
        while ranges.len() > RANGES {
            gap *= 2;
            ranges = ByteRange::coalesce(ranges, gap);
        }
        let mut left = self.run;
        let mut missing = Vec::new();
        for hole in ranges.into_iter().flat_map(|range| self.store.missing(range)) {
            missing.extend(ByteRange::at(hole.start(), hole.len().min(left)));
            left = left.saturating_sub(hole.len());
        }
        meter.need(missing, limits)
    }

    /// Ranges nearer than this are fetched as one. A read costs as much as hundreds of kilobytes, but of a large file little should be read.
    fn gap(&self, ranges: &[ByteRange]) -> u64 {
        let size = self.file.size();
        let plenty = if size <= SMALL { size / 4 } else { size / 50 };
        let read = |gap: u64| ByteRange::coalesce(ranges.to_vec(), gap).iter().fold(0_u64, |sum, range| sum.saturating_add(range.len()));
        [GAP * 4, GAP, GAP / 2].into_iter().find(|gap| read(*gap) <= plenty).unwrap_or(GAP / 4)
    }

    /// Hands on what was learnt of the index.
    pub(super) fn learn(&mut self) {
        let (first, entries) = self.sequential.recorded();
        self.file.learn(first, &entries);
    }
}

/// Bytes of two runs or more.
pub(super) fn joined(store: &ByteStore, from: u64, end: u64) -> Result<Cow<'_, [u8]>> {
    let range = ByteRange::new(from, end).filter(|range| range.len() <= STRAY);
    let bytes = range.and_then(|range| store.read(range).ok());
    bytes.ok_or_else(|| Error::SourceCorrupt { format: SourceFormat::Jpeg, at: from, what: "a restart marker is missing".to_owned() })
}
