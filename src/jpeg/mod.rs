//! The JPEG bitstream (ITU-T T.81) as the engine reads and writes it: markers, entropy-coded segments, coefficients and planes.
//!
//! Samples stay in planes at their own sampling from end to end; whoever wants interleaved rows asks for them. All arithmetic is on integers, so that
//! every platform makes the same bytes. Where the standard leaves the rounding open, libjpeg's accurate method (`islow`) is followed to the bit.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::arithmetic_side_effects)
)]

#[cfg(test)]
mod differential;
mod encode;
mod huffman;
mod marker;
mod plane;
mod quantization;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector;
mod zigzag;

pub(crate) use encode::{Encoder, Sampling, Settings, Tables};
pub(crate) use plane::{Plane, Planes};
