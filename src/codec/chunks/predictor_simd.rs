//! Running sums with the vector instructions of WebAssembly, for sixteen samples of one byte or eight of two bytes at once. The versions without them are in
//! [`super::predictor`].

use core::arch::wasm32::*;

use crate::bytes::Endian;
use crate::jpeg::vector::{load, store};

/// Sums the samples that fill whole vectors of sixteen; returns how many these are.
pub(super) fn sum_bytes(row: &mut [u8], samples: usize) -> usize {
    match samples {
        // Each sample gets the sum of those before it in the vector, by doubling the distance. Then the last pixel of the vector before, in `sum`, is added.
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

/// Calls `next` for each vector: it makes the sums of sixteen samples from the sums of those before them.
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

/// Sums the samples of 16 bits that fill whole vectors of eight; returns how many these are.
pub(super) fn sum_words(row: &mut [u8], samples: usize, endian: Endian) -> usize {
    match endian {
        Endian::Little => sum_lanes(row, samples, |v| v),
        Endian::Big => sum_lanes(row, samples, |v| i8x16_shuffle::<1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14>(v, v)),
    }
}

/// The same. `turned` converts samples between the byte order of the file and that of this machine.
#[inline(always)]
fn sum_lanes(row: &mut [u8], samples: usize, turned: impl Fn(v128) -> v128) -> usize {
    match samples {
        // As with bytes: by doubling the distance, then with the last pixel of the vector before.
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

/// Calls `next` for each vector: it makes the sums of eight samples from the sums of those before them.
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
