//! The inverse DCTs with WebAssembly's vectors. Their twins without them are in [`super::idct::scalar`].

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a hot kernel on arrays of fixed size")]

use core::arch::wasm32::*;

use super::idct::Coefficients;
use crate::jpeg::vector::{high, load_i16, low, pair, transpose};

/// Eight by eight samples.
#[inline(always)]
pub(super) fn full(block: &Coefficients) -> [[u8; 8]; 8] {
    let mut rows: [v128; 8] = core::array::from_fn(|y| load_i16(block, y));
    rows = full_pass::<11>(rows);
    transpose(&mut rows);
    rows = full_pass::<18>(rows);
    transpose(&mut rows);
    let two = |y: usize| samples(rows[y], rows[y + 1]);
    let ([r0, r1], [r2, r3], [r4, r5], [r6, r7]) = (two(0), two(2), two(4), two(6));
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// Two vectors of values around zero as samples.
#[inline(always)]
fn samples(first: v128, second: v128) -> [[u8; 8]; 2] {
    let bytes = v128_xor(i8x16_narrow_i16x8(first, second), i8x16_splat(-128));
    [u64x2_extract_lane::<0>(bytes).to_le_bytes(), u64x2_extract_lane::<1>(bytes).to_le_bytes()]
}

#[inline(always)]
fn full_pass<const SHIFT: u32>(s: [v128; 8]) -> [v128; 8] {
    let (sum, difference) = (i16x8_add(s[0], s[4]), i16x8_sub(s[0], s[4]));
    let (z3, z4) = (i16x8_add(s[7], s[3]), i16x8_add(s[5], s[1]));
    let lower =
        full_half::<SHIFT>([i32x4_extend_low_i16x8(sum), i32x4_extend_low_i16x8(difference)], [low(s[2], s[6]), low(z3, z4), low(s[7], s[1]), low(s[5], s[3])]);
    let upper = full_half::<SHIFT>(
        [i32x4_extend_high_i16x8(sum), i32x4_extend_high_i16x8(difference)],
        [high(s[2], s[6]), high(z3, z4), high(s[7], s[1]), high(s[5], s[3])],
    );
    core::array::from_fn(|i| i16x8_narrow_i32x4(lower[i], upper[i]))
}

/// Four of the eight columns, in 32 bits.
#[inline(always)]
fn full_half<const SHIFT: u32>([sum, difference]: [v128; 2], [turned, z34, s71, s53]: [v128; 4]) -> [v128; 8] {
    let rounding = i32x4_splat(1 << (SHIFT - 1));
    let (sum, difference) = (i32x4_add(i32x4_shl(sum, 13), rounding), i32x4_add(i32x4_shl(difference, 13), rounding));
    let (turned2, turned3) = (i32x4_dot_i16x8(turned, pair(4433, 4433 - 15137)), i32x4_dot_i16x8(turned, pair(4433 + 6270, 4433)));
    let even = [i32x4_add(sum, turned3), i32x4_add(difference, turned2), i32x4_sub(difference, turned2), i32x4_sub(sum, turned3)];
    let (z3, z4) = (i32x4_dot_i16x8(z34, pair(9633 - 16069, 9633)), i32x4_dot_i16x8(z34, pair(9633, 9633 - 3196)));
    let odd = [
        i32x4_add(i32x4_dot_i16x8(s71, pair(-7373, 12299 - 7373)), z4),
        i32x4_add(i32x4_dot_i16x8(s53, pair(-20995, 25172 - 20995)), z3),
        i32x4_add(i32x4_dot_i16x8(s53, pair(16819 - 20995, -20995)), z4),
        i32x4_add(i32x4_dot_i16x8(s71, pair(2446 - 7373, -7373)), z3),
    ];
    core::array::from_fn(|i| i32x4_shr(if i < 4 { i32x4_add(even[i], odd[i]) } else { i32x4_sub(even[7 - i], odd[7 - i]) }, SHIFT))
}

/// Four by four samples.
#[inline(always)]
pub(super) fn half(block: &Coefficients) -> [[u8; 4]; 4] {
    let rows: [v128; 8] = core::array::from_fn(|y| load_i16(block, y));
    let parts = |pick: fn(v128, v128) -> v128, start: v128| half_pass::<12>(start, pick(rows[2], rows[6]), pick(rows[7], rows[5]), pick(rows[3], rows[1]));
    let (lower, upper) = (parts(low, i32x4_extend_low_i16x8(rows[0])), parts(high, i32x4_extend_high_i16x8(rows[0])));
    let out: [v128; 4] = core::array::from_fn(|y| i16x8_narrow_i32x4(lower[y], upper[y]));
    // Columns of four lanes: 0 and 1 of each pair side by side, then the pairs.
    let (a, b) = (low(out[0], out[2]), low(out[1], out[3]));
    let (c01, c23) = (low(a, b), high(a, b));
    let (a, b) = (high(out[0], out[2]), high(out[1], out[3]));
    let (c45, c67) = (low(a, b), high(a, b));
    let columns = half_pass::<19>(i32x4_extend_low_i16x8(c01), low(c23, c67), high(c67, c45), high(c23, c01));
    let (first, second) = (i16x8_narrow_i32x4(columns[0], columns[1]), i16x8_narrow_i32x4(columns[2], columns[3]));
    let bytes = v128_xor(i8x16_narrow_i16x8(first, second), i8x16_splat(-128));
    let bytes = i8x16_shuffle::<0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15>(bytes, bytes);
    [
        u32x4_extract_lane::<0>(bytes).to_le_bytes(),
        u32x4_extract_lane::<1>(bytes).to_le_bytes(),
        u32x4_extract_lane::<2>(bytes).to_le_bytes(),
        u32x4_extract_lane::<3>(bytes).to_le_bytes(),
    ]
}

#[inline(always)]
fn half_pass<const SHIFT: u32>(start: v128, s26: v128, s75: v128, s31: v128) -> [v128; 4] {
    let start = i32x4_add(i32x4_shl(start, 14), i32x4_splat(1 << (SHIFT - 1)));
    let turned = i32x4_dot_i16x8(s26, pair(15137, -6270));
    let (outer, inner) = (i32x4_add(start, turned), i32x4_sub(start, turned));
    let odd0 = i32x4_add(i32x4_dot_i16x8(s75, pair(-4176, -4926)), i32x4_dot_i16x8(s31, pair(7373, 20995)));
    let odd1 = i32x4_add(i32x4_dot_i16x8(s75, pair(-1730, 11893)), i32x4_dot_i16x8(s31, pair(-17799, 8697)));
    [i32x4_add(outer, odd0), i32x4_add(inner, odd1), i32x4_sub(inner, odd1), i32x4_sub(outer, odd0)].map(|value| i32x4_shr(value, SHIFT))
}

/// Two by two samples.
#[inline(always)]
pub(super) fn quarter(block: &Coefficients) -> [[u8; 2]; 2] {
    let rows = [0, 1, 3, 5, 7].map(|y| load_i16(block, y));
    let parts = |pick: fn(v128, v128) -> v128, start: v128| {
        let start = i32x4_add(i32x4_shl(start, 15), i32x4_splat(1 << 12));
        let odd = i32x4_add(i32x4_dot_i16x8(pick(rows[4], rows[3]), pair(-5906, 6967)), i32x4_dot_i16x8(pick(rows[2], rows[1]), pair(-10426, 29692)));
        [i32x4_shr(i32x4_add(start, odd), 13), i32x4_shr(i32x4_sub(start, odd), 13)]
    };
    let (lower, upper) = (parts(low, i32x4_extend_low_i16x8(rows[0])), parts(high, i32x4_extend_high_i16x8(rows[0])));
    core::array::from_fn(|y| {
        let row = i16x8_narrow_i32x4(lower[y], upper[y]);
        let products = i32x4_dot_i16x8(row, i16x8(0, 29692, 0, -10426, 0, 6967, 0, -5906));
        let sums = i32x4_add(products, i32x4_shuffle::<2, 3, 0, 1>(products, products));
        let odd = i32x4_extract_lane::<0>(i32x4_add(sums, i32x4_shuffle::<1, 0, 3, 2>(sums, sums)));
        let start = (i32::from(i16x8_extract_lane::<0>(row)) << 15).wrapping_add(1 << 19);
        [start.wrapping_add(odd), start.wrapping_sub(odd)].map(|value| sample(value >> 20))
    })
}

fn sample(value: i32) -> u8 {
    u8::try_from(value.clamp(-128, 127) + 128).unwrap_or(255)
}
