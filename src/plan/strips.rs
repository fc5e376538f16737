//! What large strips cost, which are decoded row by row from their beginning.

use azulejo_codecs::{ZSTANDARD_WINDOW, zstandard_window};

use super::Rendering;
use super::cost::{mul, pipeline, sum};
use crate::pyramid::level::{Compression, Level};

/// Bytes of packed data that a decoder is given at a time, unless it needs more in one piece.
pub(crate) const INPUT: u64 = 16 << 10;
/// Samples of rows that are decoded at a time, about.
const SAMPLES: u64 = 64 << 10;
/// The longest block of Zstandard.
const BLOCK: u64 = 128 << 10;

/// Rows that are decoded at a time.
pub(crate) fn rows_at_a_time(level: &Level) -> u32 {
    let together = level.rows_together();
    let units = SAMPLES.checked_div(mul(&[row_samples(level), together.into()])).unwrap_or(1).max(1);
    u32::try_from(units).unwrap_or(u32::MAX).saturating_mul(together)
}

/// Samples of a row.
fn row_samples(level: &Level) -> u64 {
    u64::from(level.chunk.width()).saturating_mul(level.decoded_samples())
}

/// Bytes of a sample while it is made.
fn depth(level: &Level) -> u64 {
    if level.samples.bits > 8 { 2 } else { 1 }
}

/// Pixels that are decoded: those above the wanted rows in the first strip as well.
pub(super) fn decoded(plan: &Rendering, level: &Level) -> u64 {
    let top = level.chunk_top(level.chunk_row_at(plan.crop.y()));
    mul(&[level.chunk.width().into(), plan.crop.bottom().saturating_sub(top).into()])
}

/// Memory of the decoder, of some rows while they are decoded, and of those rows on their way through averages and kernels to pixels of `made` samples.
/// Without the data that are fetched.
pub(super) fn decoding(plan: &Rendering, level: &Level, made: u64) -> u64 {
    let samples = SAMPLES.max(mul(&[row_samples(level), level.rows_together().into()]));
    // As unpacked bytes; then as samples, in order, and as those of them that are wanted.
    let bytes = u64::from(level.samples.bits.div_ceil(8)).saturating_add(depth(level).saturating_mul(3));
    let rows = pipeline(plan, plan.crop.width().into(), (level.decoded_samples(), depth(level)), plan.size, made);
    let planes = u64::from(level.planes());
    sum(&[mul(&[sum(&[decoder(level), INPUT, INPUT]), planes]), mul(&[samples, bytes]), rows])
}

/// What the decoder of a plane holds.
pub(super) fn decoder(level: &Level) -> u64 {
    match level.compression {
        Compression::None | Compression::PackBits | Compression::Jpeg | Compression::WebP => 0,
        Compression::Lzw => 64 << 10,
        // What it looks back at, what it makes ahead of that, and tables.
        Compression::Deflate => 160 << 10,
        // Its window and a block, in a buffer that grows by doubling; a block of data, joined, and tables.
        Compression::Zstandard => sum(&[buffer(level), growing(level), mul(&[BLOCK.min(content(level)), 7])]),
        // Where colours change in a row and in the one above it: words, at most one a pixel, with as many to grow into.
        Compression::Fax(_) => mul(&[level.chunk.width().into(), 16]),
    }
}

/// Bytes that are packed as one.
fn content(level: &Level) -> u64 {
    level.plain_bytes(level.chunk.height())
}

/// The buffer in which Zstandard is decoded: of its window and a block, or of all there is and a block.
fn buffer(level: &Level) -> u64 {
    let doubled = |bytes: u64| bytes.checked_next_power_of_two().unwrap_or(u64::MAX);
    let window = zstandard_window(content(level)).min(ZSTANDARD_WINDOW);
    let all = content(level).saturating_add(BLOCK);
    doubled(window).saturating_add(mul(&[BLOCK, 2])).min(doubled(all).saturating_add(4096))
}

/// What is held of one decoder beside its buffer while that grows.
fn growing(level: &Level) -> u64 {
    if level.compression == Compression::Zstandard { buffer(level) / 2 } else { 0 }
}
