//! The engine of Workers: the core with all codecs and its HTTP service, in a memory that outlives a trap. What surrounds it is `worker/entry.ts` and `src/js/host`.

#![deny(unsafe_code)]

#[cfg(target_family = "wasm")]
mod heap;

// Exports the surface of the service for JavaScript.
pub use azulejo::service;

#[cfg(target_family = "wasm")]
use wasm_bindgen::prelude::wasm_bindgen;

/// Whether memory has run out: an allocation failed because the memory cannot grow. May be asked after a trap, as it only reads.
#[cfg(target_family = "wasm")]
#[wasm_bindgen]
pub fn exhausted() -> bool {
    heap::is_exhausted()
}
