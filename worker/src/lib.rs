//! The engine of the Worker: the core with all codecs and its HTTP service, in a memory that outlives a trap. Everything else of the Worker is `worker/entry.mjs` and
//! `src/js/host`.

#![deny(unsafe_code)]

#[cfg(target_family = "wasm")]
mod heap;

// Exports the surface of the service for JavaScript.
pub use azulejo::service;

#[cfg(target_family = "wasm")]
use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(target_family = "wasm")]
#[wasm_bindgen(raw_module = "azulejo:instance")]
extern "C" {
    /// The memory cannot grow by so many bytes.
    fn exhausted(bytes: f64);
}
