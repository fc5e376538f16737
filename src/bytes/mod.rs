//! Bytes that are not all here yet: ranges, the sparse store, and a cursor that asks for what it lacks.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::arithmetic_side_effects)
)]

mod cursor;
mod notes;
mod range;
mod store;

pub use cursor::{Cursor, Endian};
pub use range::ByteRange;
pub use store::ByteStore;

/// What became of a step of work: ranges to fetch (never empty, none of them in the store), a piece of the result, or its end.
#[derive(Debug)]
pub enum Step<T> {
    /// Fetch these, provide them, and step again.
    Need(Vec<ByteRange>),
    /// The next bytes of an answer that is made in pieces: send them, and step again.
    Piece(Vec<u8>),
    /// The result; final.
    Done(T),
}
