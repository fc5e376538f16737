//! Positions of MCUs in JPEG chunks, remembered from earlier decoding. To decode another part of such a chunk, the data before that part need not be read
//! again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::jpeg::{Entry, Header, Index};

/// Most bytes that the indexes of a level take together: those of about a hundred chunks.
const KEPT: usize = 128 << 10;

/// The indexes of the chunks of a level that were decoded last.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    /// Each index with the offset of its chunk in the file; the most recently used one comes first.
    known: Mutex<Vec<(u64, Arc<Index>)>>,
}

impl Indexes {
    /// The index of the chunk at `offset` of the file, a JPEG stream of `size` bytes with this header. A new index if none is known.
    pub fn of(&self, offset: u64, header: &Header, size: usize) -> Result<Arc<Index>> {
        let mut known = self.lock();
        let Some(place) = known.iter().position(|(at, _)| *at == offset) else { return Index::of_file(header, size).map(Arc::new) };
        let found = known.remove(place);
        let index = found.1.clone();
        known.insert(0, found);
        Ok(index)
    }

    /// Adds MCU positions that were found while decoding a chunk to its index. `first` is the number of the first of them.
    pub fn learn(&self, offset: u64, mut index: Arc<Index>, first: usize, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        Arc::make_mut(&mut index).learn(first, entries);
        let mut known = self.lock();
        known.retain(|(at, _)| *at != offset);
        known.insert(0, (offset, index));
        // An index that alone exceeds the limit is dropped, without pushing out the others.
        let mut room = KEPT;
        known.retain(|(_, index)| room.checked_sub(index.weight()).map(|rest| room = rest).is_some());
    }

    /// Bytes of memory they take.
    pub fn weight(&self) -> usize {
        self.lock().iter().fold(0, |sum, (_, index)| sum.saturating_add(index.weight()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Arc<Index>)>> {
        // A poisoned lock can be used: a thread that panicked while it held the lock left the list whole.
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
        // Each index takes a quarter of the limit.
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
        // An index that exceeds the limit alone is not kept, and the others stay.
        let (index, before) = (indexes.of(9, &header, stream.len()).unwrap(), indexes.weight());
        indexes.learn(9, index.clone(), index.len(), &vec![entry; KEPT]);
        assert!(before > 0 && indexes.weight() == before);
    }
}
