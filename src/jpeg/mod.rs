//! The JPEG bitstream (ITU-T T.81) as the engine reads and writes it: markers, entropy-coded segments, coefficients and planes.
//!
//! Samples stay in planes at their own sampling from end to end; whoever wants interleaved rows asks for them. All arithmetic is on integers, so that
//! every platform makes the same bytes. Where the standard leaves the rounding open, libjpeg's accurate method (`islow`) is followed to the bit.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::arithmetic_side_effects)
)]

#[cfg(test)]
mod agreement;
mod coefficients;
#[cfg(test)]
mod damage;
mod decode;
#[cfg(test)]
mod differential;
mod encode;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod header;
mod huffman;
mod marker;
mod plane;
mod quantization;
mod rows;
mod tables;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) mod vector;
mod zigzag;

pub(crate) use coefficients::Component;
pub(crate) use decode::{Band, Decoder, Entry, Grid, Index, Input, Lossless, Progress, Sequential, Wanted, block_bytes, kind, seal};
#[cfg(any(test, fuzzing))]
pub(crate) use encode::Transcode;
pub(crate) use encode::{AHEAD, Copied, Copier, Cut, Encoder, Mosaic, Sampling, Settings, Tables, Turn, cut, fill, is_lossless, most_coded, most_listed};
pub(crate) use header::{ColorModel, Header};
pub(crate) use marker::SOF3;
pub(crate) use plane::{Plane, Planes};
pub(crate) use rows::Rows;

use crate::error::{Error, SourceFormat};

/// "The file is broken", noticed at or behind a byte of the stream.
fn corrupt(at: usize, what: impl Into<String>) -> Error {
    Error::SourceCorrupt { format: SourceFormat::Jpeg, at: at as u64, what: what.into() }
}

/// "The file is sound, but needs something that is not built in".
fn unsupported(feature: String) -> Error {
    Error::SourceUnsupported { format: Some(SourceFormat::Jpeg), feature }
}
