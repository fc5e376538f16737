//! What the kernels with WebAssembly's vectors share: eight lanes of 16 bits, moved without unsafe code.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a hot kernel on arrays of fixed size")]

use core::arch::wasm32::*;

/// Lanes 8 × `row` and on.
#[inline(always)]
pub(crate) fn load_u16(values: &[u16; 64], row: usize) -> v128 {
    let v: &[u16; 8] = &values.as_chunks::<8>().0[row];
    u16x8(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
}

/// Lanes 8 × `row` and on.
#[inline(always)]
pub(crate) fn load_i16(values: &[i16; 64], row: usize) -> v128 {
    let v: &[i16; 8] = &values.as_chunks::<8>().0[row];
    i16x8(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
}

/// Sets values 8 × `row` and on.
#[inline(always)]
pub(crate) fn store_i16(values: &mut [i16; 64], row: usize, lanes: v128) {
    values.as_chunks_mut::<8>().0[row] = [
        i16x8_extract_lane::<0>(lanes),
        i16x8_extract_lane::<1>(lanes),
        i16x8_extract_lane::<2>(lanes),
        i16x8_extract_lane::<3>(lanes),
        i16x8_extract_lane::<4>(lanes),
        i16x8_extract_lane::<5>(lanes),
        i16x8_extract_lane::<6>(lanes),
        i16x8_extract_lane::<7>(lanes),
    ];
}

/// Two factors, for every pair of lanes.
#[inline(always)]
pub(crate) fn pair(first: i16, second: i16) -> v128 {
    i16x8(first, second, first, second, first, second, first, second)
}

/// The lower lanes of both, alternating.
#[inline(always)]
pub(crate) fn low(a: v128, b: v128) -> v128 {
    i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a, b)
}

/// The upper lanes of both, alternating.
#[inline(always)]
pub(crate) fn high(a: v128, b: v128) -> v128 {
    i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a, b)
}

/// Exchanges rows and columns.
#[inline(always)]
pub(crate) fn transpose(rows: &mut [v128; 8]) {
    for _ in 0..3 {
        let r = *rows;
        *rows = [low(r[0], r[4]), high(r[0], r[4]), low(r[1], r[5]), high(r[1], r[5]), low(r[2], r[6]), high(r[2], r[6]), low(r[3], r[7]), high(r[3], r[7])];
    }
}

/// Sixteen bytes.
#[inline(always)]
pub(crate) fn load(bytes: &[u8; 16]) -> v128 {
    let [first, second] = [0, 8]
        .map(|at| u64::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3], bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]]));
    u64x2(first, second)
}

/// Sets sixteen bytes.
#[inline(always)]
pub(crate) fn store(bytes: &mut [u8; 16], lanes: v128) {
    let halves = [u64x2_extract_lane::<0>(lanes), u64x2_extract_lane::<1>(lanes)];
    for (bytes, half) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(halves) {
        *bytes = half.to_le_bytes();
    }
}

/// The first, second and third of every three bytes.
#[inline(always)]
pub(crate) fn apart(p: v128, q: v128, s: v128) -> [v128; 3] {
    let r = i8x16_shuffle::<0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0>(p, q);
    let r = i8x16_shuffle::<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29>(r, s);
    let g = i8x16_shuffle::<1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0>(p, q);
    let g = i8x16_shuffle::<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30>(g, s);
    let b = i8x16_shuffle::<2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0>(p, q);
    let b = i8x16_shuffle::<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31>(b, s);
    [r, g, b]
}

/// Bytes of three vectors by turns.
#[inline(always)]
pub(crate) fn interleave(r: v128, g: v128, b: v128) -> [v128; 3] {
    let rg = i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(r, g);
    let more = i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(r, g);
    let middle = i8x16_shuffle::<11, 0, 12, 13, 0, 14, 15, 0, 16, 17, 0, 18, 19, 0, 20, 21>(rg, more);
    [
        i8x16_shuffle::<0, 1, 16, 2, 3, 17, 4, 5, 18, 6, 7, 19, 8, 9, 20, 10>(rg, b),
        i8x16_shuffle::<0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15>(middle, b),
        i8x16_shuffle::<26, 6, 7, 27, 8, 9, 28, 10, 11, 29, 12, 13, 30, 14, 15, 31>(more, b),
    ]
}

/// Sets three times sixteen bytes.
#[inline(always)]
pub(crate) fn store_three(bytes: [&mut [u8; 16]; 3], lanes: [v128; 3]) {
    for (bytes, lanes) in bytes.into_iter().zip(lanes) {
        store(bytes, lanes);
    }
}
