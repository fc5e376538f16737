//! The surface for JavaScript: converts and delegates.

#[cfg(feature = "web")]
mod engine;
#[cfg(any(feature = "extra-module", all(feature = "web", not(feature = "extra"))))]
mod extra;
#[cfg(feature = "web")]
mod ingest;
#[cfg(feature = "http")]
mod service;
#[cfg(any(feature = "http", feature = "web"))]
mod values;
