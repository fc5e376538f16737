//! Bytes of a file that are kept beside its pyramid.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Body;
use crate::bytes::{ByteRange, ByteStore};

/// A file, or what was fetched to open it, is kept whole up to this size.
const SMALL: u64 = 32 << 10;
/// Bytes of tables that are kept, at most: 32 000 chunks.
const MOST: u64 = 256 << 10;

/// Parts of the tables of chunks, and whatever else is small. Clones share them: what one request has fetched of the tables, the next finds here.
#[derive(Debug, Clone)]
pub(crate) struct Kept(Arc<Mutex<ByteStore>>);

impl Kept {
    /// What is worth keeping of all that was fetched to open the image.
    pub fn of(store: &ByteStore, body: &Body) -> Self {
        let kept = match body {
            _ if store.held() == store.size() && store.size() <= SMALL => store.clone(),
            Body::Levels(_) if store.held() <= SMALL => store.clone(),
            Body::Levels(levels) => store.only(levels.tables(), MOST),
            // It is read in long runs.
            Body::Whole(_) | Body::Scan(_) => ByteStore::new(store.size()),
        };
        Self(Arc::new(Mutex::new(kept)))
    }

    /// A store to begin a request with.
    pub fn store(&self) -> ByteStore {
        self.lock().clone()
    }

    /// Keeps what has been fetched of tables. When there is no room, what was kept is forgotten.
    pub fn add(&self, store: &ByteStore, ranges: &[ByteRange]) {
        let mut kept = self.lock();
        let more = ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(range.len()));
        if kept.held().saturating_add(more) > MOST {
            kept.clear();
        }
        for range in ranges.iter().filter(|range| range.len() <= MOST) {
            if let Ok(bytes) = store.read(*range) {
                // Within the file, as it was read from there.
                let _ = kept.provide(range.start(), bytes.into_owned());
            }
        }
    }

    /// What is held.
    pub fn parts(&self) -> Vec<(u64, Vec<u8>)> {
        self.lock().parts().map(|(start, bytes)| (start, bytes.to_vec())).collect()
    }

    /// Bytes held.
    pub fn held(&self) -> u64 {
        self.lock().held()
    }

    fn lock(&self) -> MutexGuard<'_, ByteStore> {
        // Whoever panicked while holding it had no part of it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
