//! Where the MCUs of JPEG chunks begin, as far as chunks were decoded: who wants more of one need not read what lies before it once more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::jpeg::{Entry, Header, Index};

/// Bytes of the indexes of a level, at most: those of about a hundred chunks.
const KEPT: usize = 128 << 10;

/// What is known of the chunks of a level that were decoded last.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    /// By the chunks' offsets in the file; the one that was used last is the first.
    known: Mutex<Vec<(u64, Arc<Index>)>>,
}

impl Indexes {
    /// That of a chunk, which is a stream of `size` bytes with this header at an offset of the file.
    pub fn of(&self, offset: u64, header: &Header, size: usize) -> Result<Arc<Index>> {
        let mut known = self.lock();
        let Some(place) = known.iter().position(|(at, _)| *at == offset) else { return Index::of_file(header, size).map(Arc::new) };
        let found = known.remove(place);
        let index = found.1.clone();
        known.insert(0, found);
        Ok(index)
    }

    /// Adds positions that were come by, the first of which has this number, to what was known of a chunk.
    pub fn learn(&self, offset: u64, mut index: Arc<Index>, first: usize, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        Arc::make_mut(&mut index).learn(first, entries);
        let mut known = self.lock();
        known.retain(|(at, _)| *at != offset);
        known.insert(0, (offset, index));
        // One that is too large by itself costs no other its place.
        let mut room = KEPT;
        known.retain(|(_, index)| room.checked_sub(index.weight()).map(|rest| room = rest).is_some());
    }

    /// Bytes they take.
    pub fn weight(&self) -> usize {
        self.lock().iter().fold(0, |sum, (_, index)| sum.saturating_add(index.weight()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Arc<Index>)>> {
        // Whoever panicked while holding it left it whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Dimensions;
    use crate::jpeg::testing::{Numbers, encode, picture};
    use crate::jpeg::{Sampling, Settings};

    #[test]
    fn the_chunks_that_were_used_last_are_kept() {
        let samples = picture(&mut Numbers(1), 64, 64, 3);
        let stream = encode(&Settings::new(Dimensions::new(64, 64).unwrap(), Sampling::S420, 80), &samples);
        let header = Header::read(None, &stream).unwrap();
        let indexes = Indexes::default();
        let entry = (indexes.of(0, &header, stream.len()).unwrap().last().unwrap().bits, [0; 4]);
        // Of each a quarter of what is kept of all.
        let many = vec![entry; KEPT / 4 / size_of::<Entry>() - 1];
        for offset in 1..=6 {
            let index = indexes.of(offset, &header, stream.len()).unwrap();
            indexes.learn(offset, index.clone(), index.len(), &many);
            assert!(indexes.weight() <= KEPT, "{offset}");
            // The first is asked for again and again.
            indexes.of(1, &header, stream.len()).unwrap();
        }
        let known: Vec<u64> = (1..=6).filter(|offset| indexes.of(*offset, &header, stream.len()).unwrap().len() > 1).collect();
        assert!(known.contains(&1) && known.contains(&6) && !known.contains(&2), "{known:?}");
        // One that is more than all may be is not kept, and the others are.
        let (index, before) = (indexes.of(9, &header, stream.len()).unwrap(), indexes.weight());
        indexes.learn(9, index.clone(), index.len(), &vec![entry; KEPT]);
        assert!(before > 0 && indexes.weight() == before);
    }
}
