//! The sparse store that drivers fill and parsers read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::ByteRange;
use super::notes::Notes;
use crate::error::{Error, Result};

/// The parts of one file that have been fetched so far.
///
/// Pieces may be provided in any order and may overlap; a read sees their union, and what came first stays.
/// A clone shares the pieces.
#[derive(Debug, Clone)]
pub struct ByteStore {
    size: u64,
    pieces: BTreeMap<u64, Arc<Vec<u8>>>,
    held: u64,
    notes: Notes,
}

impl ByteStore {
    /// An empty store for a file of `size` bytes.
    pub fn new(size: u64) -> Self {
        Self { size, pieces: BTreeMap::new(), held: 0, notes: Notes::default() }
    }

    /// The same, with notes of what is read.
    pub fn noting(size: u64) -> Self {
        Self { notes: Notes::begun(), ..Self::new(size) }
    }

    /// Begins with the notes anew.
    pub fn note_anew(&self) {
        self.notes.clear();
    }

    /// What has been read, or was found to be here: each byte once.
    pub fn noted(&self) -> Vec<(u64, Vec<u8>)> {
        let ranges = ByteRange::coalesce(self.notes.ranges(), 0);
        ranges.into_iter().filter_map(|range| Some((range.start(), self.get(range).ok()?.into_owned()))).collect()
    }

    /// Size of the file, bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes held at this moment.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// The pieces, and where each begins.
    pub fn parts(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pieces.iter().map(|(start, piece)| (*start, piece.as_slice()))
    }

    /// Adds what a driver fetched. [`Error::SourceRead`] if it is empty or lies beyond the end of the file.
    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        let len = bytes.len() as u64;
        let within = offset.checked_add(len).is_some_and(|end| end <= self.size);
        if bytes.is_empty() || !within {
            return Err(Error::SourceRead { what: format!("{len} bytes at {offset} were delivered for a file of {} bytes", self.size) });
        }
        let Some(range) = ByteRange::at(offset, len) else { return Ok(()) };
        // Only what is new goes in, so that pieces never overlap.
        let holes = self.holes(range);
        if holes == [range] {
            self.insert(offset, bytes);
            return Ok(());
        }
        for hole in holes {
            let from = usize::try_from(hole.start().saturating_sub(offset)).unwrap_or(usize::MAX);
            let to = usize::try_from(hole.end().saturating_sub(offset)).unwrap_or(usize::MAX);
            self.insert(hole.start(), bytes.get(from..to).unwrap_or_default().to_vec());
        }
        Ok(())
    }

    /// Adds a piece. Small ones that follow each other become one: if a file comes byte by byte, each read would walk over all of its pieces.
    fn insert(&mut self, offset: u64, mut bytes: Vec<u8>) {
        const SMALL: usize = 4 << 10;
        self.held = self.held.saturating_add(bytes.len() as u64);
        let end = offset.saturating_add(bytes.len() as u64);
        let fits = |piece: &Vec<u8>, more: usize| piece.len().saturating_add(more) <= SMALL;
        if self.pieces.get(&end).is_some_and(|next| fits(next, bytes.len()))
            && let Some(next) = self.pieces.remove(&end)
        {
            bytes.extend_from_slice(&next);
        }
        if let Some((start, before)) = self.pieces.range_mut(..offset).next_back()
            && start.saturating_add(before.len() as u64) == offset
            && fits(before, bytes.len())
        {
            return Arc::make_mut(before).extend_from_slice(&bytes);
        }
        self.pieces.insert(offset, Arc::new(bytes));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.pieces.clear();
        self.held = 0;
    }

    /// Forgets what lies before a byte.
    pub fn forget(&mut self, before: u64) {
        let mut kept = self.pieces.split_off(&before);
        if let Some((start, piece)) = self.pieces.pop_last() {
            let skip = usize::try_from(before.saturating_sub(start)).unwrap_or(usize::MAX);
            if let Some(rest) = piece.get(skip..).filter(|rest| !rest.is_empty()) {
                kept.insert(before, Arc::new(rest.to_vec()));
            }
        }
        self.held = kept.values().fold(0, |sum, piece| sum.saturating_add(piece.len() as u64));
        self.pieces = kept;
    }

    /// Forgets what lies in `range`, and nothing else.
    pub fn release(&mut self, range: ByteRange) {
        let first = self.piece_at(range.start()).map_or(range.start(), |(start, _)| start);
        let starts: Vec<u64> = self.pieces.range(first..range.end()).map(|(start, _)| *start).collect();
        for start in starts {
            let Some(piece) = self.pieces.remove(&start) else { continue };
            self.held = self.held.saturating_sub(piece.len() as u64);
            let until = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
            for (at, kept) in [(start, piece.get(..until(range.start()))), (range.end(), piece.get(until(range.end())..))] {
                if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
                    self.insert(at, kept.to_vec());
                }
            }
        }
    }

    /// The byte up to which all of `range` is here; its start if nothing is.
    pub fn reach(&self, range: ByteRange) -> u64 {
        let mut at = range.start();
        while at < range.end() {
            let Some((start, piece)) = self.piece_at(at) else { return at };
            at = start.saturating_add(piece.len() as u64);
        }
        range.end()
    }

    /// The bytes from `at` on, as far as one piece has them; empty if it is not here.
    pub fn rest(&self, at: u64) -> &[u8] {
        let Some((start, piece)) = self.piece_at(at) else { return &[] };
        usize::try_from(at.saturating_sub(start)).ok().and_then(|skip| piece.get(skip..)).unwrap_or_default()
    }

    /// Takes out the whole file, if it is here; joining pieces takes its size twice.
    pub fn take_whole(&mut self) -> Option<Vec<u8>> {
        let whole = self.pieces.get(&0).is_some_and(|piece| piece.len() as u64 == self.size);
        let bytes = if whole { Arc::unwrap_or_clone(self.pieces.remove(&0)?) } else { self.read(ByteRange::new(0, self.size)?).ok()?.into_owned() };
        self.clear();
        Some(bytes)
    }

    /// Whether all of `range` is here.
    pub fn has(&self, range: ByteRange) -> bool {
        self.holes(range).is_empty()
    }

    /// A store of what is here of `ranges`, as far as `most` bytes go; first come, first kept.
    pub fn only(&self, ranges: impl IntoIterator<Item = ByteRange>, most: u64) -> Self {
        let mut kept = Self::new(self.size);
        for range in ranges {
            for part in self.present(range) {
                if let Ok(bytes) = self.get(part)
                    && kept.held.saturating_add(part.len()) <= most
                {
                    // Within the file, as it is read from there.
                    let _ = kept.provide(part.start(), bytes.into_owned());
                }
            }
        }
        kept
    }

    /// The parts of `range` that are here.
    fn present(&self, range: ByteRange) -> Vec<ByteRange> {
        let mut at = range.start();
        let mut parts = Vec::new();
        for hole in self.holes(range) {
            parts.extend(ByteRange::new(at, hole.start()));
            at = hole.end();
        }
        parts.extend(ByteRange::new(at, range.end()));
        parts
    }

    /// The bytes of `range`, borrowed if one piece holds them all; else what is missing of it.
    pub fn read(&self, range: ByteRange) -> std::result::Result<Cow<'_, [u8]>, Vec<ByteRange>> {
        let bytes = self.get(range)?;
        self.notes.add(range);
        Ok(bytes)
    }

    /// The same without a note.
    fn get(&self, range: ByteRange) -> std::result::Result<Cow<'_, [u8]>, Vec<ByteRange>> {
        if let Some(bytes) = self.within_one_piece(range) {
            return Ok(Cow::Borrowed(bytes));
        }
        let holes = self.holes(range);
        if !holes.is_empty() {
            return Err(holes);
        }
        let mut joined = Vec::with_capacity(usize::try_from(range.len()).unwrap_or(0));
        let mut at = range.start();
        while at < range.end() {
            // There is no hole, so some piece holds `at`.
            let Some((start, piece)) = self.piece_at(at) else { return Err(vec![range]) };
            let skip = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
            let rest = piece.get(skip..).unwrap_or_default();
            let wanted = usize::try_from(range.end().saturating_sub(at)).unwrap_or(usize::MAX).min(rest.len());
            joined.extend_from_slice(rest.get(..wanted).unwrap_or_default());
            at = at.saturating_add(wanted as u64);
        }
        Ok(Cow::Owned(joined))
    }

    /// The parts of `range` that have not been provided, in order.
    pub fn missing(&self, range: ByteRange) -> Vec<ByteRange> {
        let holes = self.holes(range);
        if holes.is_empty() {
            self.notes.add(range);
        }
        holes
    }

    /// The same without a note.
    fn holes(&self, range: ByteRange) -> Vec<ByteRange> {
        let mut holes = Vec::new();
        let mut at = range.start();
        while at < range.end() {
            if let Some((start, piece)) = self.piece_at(at) {
                at = start.saturating_add(piece.len() as u64);
                continue;
            }
            let next = self.pieces.range(at..).next().map_or(range.end(), |(start, _)| (*start).min(range.end()));
            holes.extend(ByteRange::new(at, next));
            at = next;
        }
        holes
    }

    fn within_one_piece(&self, range: ByteRange) -> Option<&[u8]> {
        let (start, piece) = self.piece_at(range.start())?;
        let from = usize::try_from(range.start().checked_sub(start)?).ok()?;
        piece.get(from..from.checked_add(usize::try_from(range.len()).ok()?)?)
    }

    /// The piece that holds byte `at`.
    fn piece_at(&self, at: u64) -> Option<(u64, &[u8])> {
        let (start, piece) = self.pieces.range(..=at).next_back()?;
        (at < start.saturating_add(piece.len() as u64)).then_some((*start, piece.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> ByteRange {
        ByteRange::new(start, end).unwrap()
    }

    #[test]
    fn reads_across_pieces_and_names_holes() {
        let mut store = ByteStore::new(100);
        store.provide(10, (10..20).collect()).unwrap();
        store.provide(20, (20..30).collect()).unwrap();
        store.provide(40, (40..50).collect()).unwrap();
        assert_eq!(store.read(range(12, 15)).unwrap().as_ref(), [12, 13, 14]);
        assert_eq!(store.read(range(18, 22)).unwrap().as_ref(), [18, 19, 20, 21]);
        assert_eq!(store.read(range(5, 60)).unwrap_err(), vec![range(5, 10), range(30, 40), range(50, 60)]);
        store.provide(15, vec![0; 30]).unwrap();
        assert_eq!(store.held(), 40, "what was there stays, what was not is added");
        assert_eq!(store.read(range(28, 32)).unwrap().as_ref(), [28, 29, 0, 0]);
    }

    #[test]
    fn keeps_what_is_asked_for_and_there() {
        let mut store = ByteStore::new(100);
        store.provide(10, (10..20).collect()).unwrap();
        store.provide(40, (40..50).collect()).unwrap();
        let kept = store.only([range(5, 15), range(18, 42)], 100);
        assert_eq!((kept.held(), kept.missing(range(0, 50))), (9, vec![range(0, 10), range(15, 18), range(20, 40), range(42, 50)]));
        assert_eq!(store.only([range(40, 50), range(10, 20)], 10).missing(range(0, 100)), vec![range(0, 40), range(50, 100)]);
    }

    #[test]
    fn notes_what_is_read_and_nothing_else() {
        let mut store = ByteStore::noting(100);
        store.provide(10, (10..40).collect()).unwrap();
        store.read(range(12, 15)).unwrap();
        store.note_anew();
        assert!(store.noted().is_empty());
        store.read(range(20, 24)).unwrap();
        store.read(range(22, 26)).unwrap();
        assert!(store.missing(range(30, 32)).is_empty());
        // Not here, or not asked for as bytes.
        store.read(range(38, 42)).unwrap_err();
        assert!(store.has(range(11, 19)));
        store.only([range(10, 40)], 100);
        store.clone().read(range(33, 35)).unwrap();
        assert!(store.clone().noted().is_empty());
        assert_eq!(store.noted(), [(20, vec![20, 21, 22, 23, 24, 25]), (30, vec![30, 31])]);
    }

    #[test]
    fn forgets_what_lies_before() {
        let mut store = ByteStore::new(100);
        store.provide(10, (10..20).collect()).unwrap();
        store.provide(40, (40..50).collect()).unwrap();
        store.forget(15);
        assert_eq!((store.held(), store.rest(15), store.rest(14)), (15, [15_u8, 16, 17, 18, 19].as_slice(), [].as_slice()));
        store.forget(20);
        assert_eq!((store.held(), store.rest(42).len()), (10, 8));
        store.forget(50);
        assert_eq!(store.held(), 0);
    }

    #[test]
    fn releases_a_range_and_keeps_what_lies_around_it() {
        let mut store = ByteStore::new(100);
        store.provide(10, (10..20).collect()).unwrap();
        store.provide(20, (20..30).collect()).unwrap();
        store.provide(40, (40..50).collect()).unwrap();
        assert_eq!((store.reach(range(12, 60)), store.reach(range(12, 25)), store.reach(range(30, 40))), (30, 25, 30));
        store.release(range(15, 45));
        assert_eq!((store.held(), store.missing(range(10, 50))), (10, vec![range(15, 45)]));
        assert_eq!((store.rest(10), store.rest(45)), ([10_u8, 11, 12, 13, 14].as_slice(), [45_u8, 46, 47, 48, 49].as_slice()));
        store.release(range(11, 13));
        assert_eq!((store.held(), store.missing(range(10, 15))), (8, vec![range(11, 13)]));
    }

    #[test]
    fn refuses_bytes_beyond_the_end() {
        let mut store = ByteStore::new(10);
        assert!(store.provide(8, vec![0; 3]).is_err());
        assert!(store.provide(0, Vec::new()).is_err());
        assert!(store.provide(u64::MAX, vec![0]).is_err());
    }
}
