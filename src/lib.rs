//! azulejo renders IIIF images: reads just the bytes it needs, cuts, scales and encodes what was asked for. The core does no IO.
//!
//! Layers (a module imports those of its own layer and of lower ones): `error, geometry, incomplete, limits, window` ← `api, options` ← `bytes, settings` ←
//! `jpeg, profile` ← `pyramid` ← `plan` ← `render` ← `codec` ← `job, ingest` ← `service` ← `native, web`. `tests/suite/layers.rs` checks them.

// A build of the HTTP service for images of the host's own has no use for what reads files.
#![cfg_attr(all(feature = "http", not(feature = "files")), allow(dead_code))]

// Unit tests run as WebAssembly too: there `#[test]` is that of wasm-bindgen.
#[cfg(all(test, target_family = "wasm"))]
#[macro_use]
extern crate azulejo_wasm_test;

pub mod api;
mod bytes;
mod codec;
mod error;
mod geometry;
mod incomplete;
pub mod ingest;
mod installed;
mod job;
mod jpeg;
mod limits;
#[cfg(not(target_family = "wasm"))]
pub mod native;
mod options;
mod plan;
mod profile;
mod pyramid;
mod render;
pub mod service;
pub mod settings;
#[cfg(any(feature = "http", feature = "web"))]
mod web;
mod window;

/// What fuzz targets call; there for them alone.
#[cfg(fuzzing)]
#[doc(hidden)]
pub use jpeg::fuzzing;

pub use bytes::{ByteRange, ByteStore, Step};
pub use error::{Budget, Error, Part, Remedy, Result, SizeLimit, SourceFormat, Stop};
pub use geometry::{Dimensions, Rect, scale_round};
pub use incomplete::Incomplete;
pub use job::{Encoded, Open, Render};
pub use limits::Limits;
pub use options::{EncodeOptions, PngCompression};
pub use profile::Unused;
pub use pyramid::{Orientation, Pages, Pyramid};
pub use settings::Settings;
pub use window::Window;
