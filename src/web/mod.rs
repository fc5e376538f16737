//! The surface for JavaScript: converts and delegates.

#[cfg(all(feature = "web", not(feature = "codecs")))]
mod codecs;
#[cfg(feature = "web")]
mod engine;
#[cfg(feature = "web")]
mod ingest;
#[cfg(feature = "http")]
mod service;
#[cfg(any(feature = "http", feature = "web"))]
mod values;
