//! Running sums with WebAssembly's vectors, sixteen samples of a byte or eight of two at once. Their twins without them are in [`super::predictor`].

use core::arch::wasm32::*;

use crate::bytes::Endian;
use crate::jpeg::vector::{load, store};

/// Sums as many as come in sixteens; their number.
pub(super) fn sum_bytes(row: &mut [u8], samples: usize) -> usize {
    match samples {
        // To each sample those before it in the vector, by doubling; `sum` has the last pixel before it in front.
        1 => by_sixteens(row, |sum, v| {
            let v = i8x16_add(v, i8x16_shuffle::<15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30>(i8x16_splat(0), v));
            let v = i8x16_add(v, i8x16_shuffle::<14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29>(i8x16_splat(0), v));
            let v = i8x16_add(v, i8x16_shuffle::<12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27>(i8x16_splat(0), v));
            let v = i8x16_add(v, i8x16_shuffle::<8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23>(i8x16_splat(0), v));
            i8x16_add(v, i8x16_shuffle::<15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15>(sum, sum))
        }),
        3 => by_sixteens(row, |sum, v| {
            let v = i8x16_add(v, i8x16_shuffle::<13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28>(i8x16_splat(0), v));
            let v = i8x16_add(v, i8x16_shuffle::<10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25>(i8x16_splat(0), v));
            let v = i8x16_add(v, i8x16_shuffle::<4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19>(i8x16_splat(0), v));
            i8x16_add(v, i8x16_shuffle::<13, 14, 15, 13, 14, 15, 13, 14, 15, 13, 14, 15, 13, 14, 15, 13>(sum, sum))
        }),
        4 => by_sixteens(row, |sum, v| {
            let v = i8x16_add(v, i8x16_shuffle::<12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27>(i8x16_splat(0), v));
            let v = i8x16_add(v, i8x16_shuffle::<8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23>(i8x16_splat(0), v));
            i8x16_add(v, i8x16_shuffle::<12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15>(sum, sum))
        }),
        _ => 0,
    }
}

/// `next` makes the sums of sixteen samples out of the sums of those before them.
#[inline(always)]
fn by_sixteens(row: &mut [u8], next: impl Fn(v128, v128) -> v128) -> usize {
    let chunks = row.as_chunks_mut::<16>().0;
    let mut sum = i8x16_splat(0);
    for chunk in chunks.iter_mut() {
        sum = next(sum, load(chunk));
        store(chunk, sum);
    }
    chunks.len() * 16
}

/// Sums as many samples of 16 bits as come in eights; their number.
pub(super) fn sum_words(row: &mut [u8], samples: usize, endian: Endian) -> usize {
    match endian {
        Endian::Little => sum_lanes(row, samples, |v| v),
        Endian::Big => sum_lanes(row, samples, |v| i8x16_shuffle::<1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14>(v, v)),
    }
}

/// The same where `turned` takes samples to the order of this machine, and back.
#[inline(always)]
fn sum_lanes(row: &mut [u8], samples: usize, turned: impl Fn(v128) -> v128) -> usize {
    match samples {
        // As with bytes: by doubling, and behind the last pixel before them.
        1 => by_eights(row, turned, |sum, v| {
            let v = i16x8_add(v, i16x8_shuffle::<7, 8, 9, 10, 11, 12, 13, 14>(i16x8_splat(0), v));
            let v = i16x8_add(v, i16x8_shuffle::<6, 7, 8, 9, 10, 11, 12, 13>(i16x8_splat(0), v));
            let v = i16x8_add(v, i16x8_shuffle::<4, 5, 6, 7, 8, 9, 10, 11>(i16x8_splat(0), v));
            i16x8_add(v, i16x8_shuffle::<7, 7, 7, 7, 7, 7, 7, 7>(sum, sum))
        }),
        3 => by_eights(row, turned, |sum, v| {
            let v = i16x8_add(v, i16x8_shuffle::<5, 6, 7, 8, 9, 10, 11, 12>(i16x8_splat(0), v));
            let v = i16x8_add(v, i16x8_shuffle::<2, 3, 4, 5, 6, 7, 8, 9>(i16x8_splat(0), v));
            i16x8_add(v, i16x8_shuffle::<5, 6, 7, 5, 6, 7, 5, 6>(sum, sum))
        }),
        4 => by_eights(row, turned, |sum, v| {
            let v = i16x8_add(v, i16x8_shuffle::<4, 5, 6, 7, 8, 9, 10, 11>(i16x8_splat(0), v));
            i16x8_add(v, i16x8_shuffle::<4, 5, 6, 7, 4, 5, 6, 7>(sum, sum))
        }),
        _ => 0,
    }
}

/// `next` makes the sums of eight samples out of the sums of those before them.
#[inline(always)]
fn by_eights(row: &mut [u8], turned: impl Fn(v128) -> v128, next: impl Fn(v128, v128) -> v128) -> usize {
    let chunks = row.as_chunks_mut::<16>().0;
    let mut sum = i16x8_splat(0);
    for chunk in chunks.iter_mut() {
        sum = next(sum, turned(load(chunk)));
        store(chunk, turned(sum));
    }
    chunks.len() * 8
}
