//! Bytes of a file that are kept with its pyramid, so that later requests need not fetch them again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Body;
use crate::bytes::{ByteRange, ByteStore};

/// A file of up to this size is kept whole. So is everything that was fetched to open an image of levels, if it is no more than this. Bytes.
const SMALL: u64 = 32 << 10;
/// Most bytes of tables that are kept: the entries of 32 000 chunks.
const MOST: u64 = 256 << 10;

/// Parts of the tables that say where chunks lie, and the whole of what is small. Clones share them: entries that one request has fetched need not be fetched
/// by the next.
#[derive(Debug, Clone)]
pub(crate) struct Kept(Arc<Mutex<ByteStore>>);

impl Kept {
    /// Chooses what is kept of the bytes that were fetched to open the image.
    pub fn of(store: &ByteStore, body: &Body) -> Self {
        let kept = match body {
            _ if store.held() == store.size() && store.size() <= SMALL => store.clone(),
            Body::Levels(_) if store.held() <= SMALL => store.clone(),
            Body::Levels(levels) => store.only(levels.tables(), MOST),
            // Such an image is read in long runs of bytes, so that keeping a few of them saves nothing.
            Body::Whole(_) | Body::Scan(_) => ByteStore::new(store.size()),
        };
        Self(Arc::new(Mutex::new(kept)))
    }

    /// A store for a new request, which holds the bytes that were kept.
    pub fn store(&self) -> ByteStore {
        self.lock().clone()
    }

    /// Keeps `ranges` of the tables, which `store` has fetched. If there is no room for them, everything that was kept before is dropped.
    pub fn add(&self, store: &ByteStore, ranges: &[ByteRange]) {
        let mut kept = self.lock();
        let more = ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(range.len()));
        if kept.held().saturating_add(more) > MOST {
            kept.clear();
        }
        for range in ranges.iter().filter(|range| range.len() <= MOST) {
            if let Ok(bytes) = store.read(*range) {
                // This cannot fail: the bytes were read from the same file, so they lie within it.
                let _ = kept.provide(range.start(), bytes.into_owned());
            }
        }
    }

    /// The runs of bytes that are held, each with its offset in the file.
    pub fn parts(&self) -> Vec<(u64, Vec<u8>)> {
        self.lock().parts().map(|(start, bytes)| (start, bytes.to_vec())).collect()
    }

    /// Bytes held.
    pub fn held(&self) -> u64 {
        self.lock().held()
    }

    fn lock(&self) -> MutexGuard<'_, ByteStore> {
        // A poisoned lock can be used: a thread that panicked while it held the lock left no half-done change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
