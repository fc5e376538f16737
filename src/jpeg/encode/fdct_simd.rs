//! The forward DCT with WebAssembly's vectors: eight columns at once, and two multiplications and an addition an instruction.
//! Its twin without them is [`super::fdct::transform_scalar`].

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel on arrays of fixed size")]

use core::arch::wasm32::*;

use super::fdct::{Block, Divisors, Samples};
use crate::jpeg::vector::{high, load_i16, load_u16, low, pair, store_i16, transpose};

/// Transforms and quantizes; in the bits of the second result, lowest first, which of the coefficients are not zero.
#[inline]
pub(super) fn transform(samples: &Samples, divisors: &Divisors, block: &mut Block) -> u64 {
    let center = i16x8_splat(128);
    let mut rows: [v128; 8] = core::array::from_fn(|y| i16x8_sub(u16x8_extend_low_u8x16(u64x2(u64::from_le_bytes(samples[y]), 0)), center));
    transpose(&mut rows);
    let mut rows = pass::<11>(rows);
    rows[0] = i16x8_shl(rows[0], 2);
    rows[4] = i16x8_shl(rows[4], 2);
    transpose(&mut rows);
    let mut rows = pass::<15>(rows);
    let half = i16x8_splat(2);
    rows[0] = i16x8_shr(i16x8_add(rows[0], half), 2);
    rows[4] = i16x8_shr(i16x8_add(rows[4], half), 2);
    let zero = i16x8_splat(0);
    let mut nonzero = [zero; 8];
    for y in 0..8 {
        let sign = i16x8_shr(rows[y], 15);
        let magnitude = i16x8_add(i16x8_abs(rows[y]), load_u16(&divisors.correction, y));
        let quotient = multiply_high(multiply_high(magnitude, load_u16(&divisors.reciprocal, y)), load_u16(&divisors.scale, y));
        nonzero[y] = i16x8_ne(quotient, zero);
        store_i16(block, y, i16x8_sub(v128_xor(quotient, sign), sign));
    }
    bits(nonzero)
}

/// Which coefficients of a block are not zero; its twin is [`super::fdct::present_scalar`].
#[inline]
pub(super) fn present(block: &Block) -> u64 {
    bits(core::array::from_fn(|y| i16x8_ne(load_i16(block, y), i16x8_splat(0))))
}

/// A bit of each lane, lowest first.
#[inline(always)]
fn bits(lanes: [v128; 8]) -> u64 {
    let bits = |y: usize| u64::from(i8x16_bitmask(i8x16_narrow_i16x8(lanes[y], lanes[y + 1])));
    bits(0) | bits(2) << 16 | bits(4) << 32 | bits(6) << 48
}

/// The upper halves of the products of unsigned lanes.
#[inline(always)]
fn multiply_high(a: v128, b: v128) -> v128 {
    i16x8_shuffle::<1, 3, 5, 7, 9, 11, 13, 15>(u32x4_extmul_low_u16x8(a, b), u32x4_extmul_high_u16x8(a, b))
}

/// `a × first + b × second`, rounded off.
#[inline(always)]
fn rotate<const SHIFT: u32>(a: v128, b: v128, factors: v128) -> v128 {
    let half = i32x4_splat(1 << (SHIFT - 1));
    let part = |pairs| i32x4_shr(i32x4_add(i32x4_dot_i16x8(pairs, factors), half), SHIFT);
    i16x8_narrow_i32x4(part(low(a, b)), part(high(a, b)))
}

/// The sum of two such, rounded off.
#[inline(always)]
fn rotate_both<const SHIFT: u32>(a: v128, b: v128, factors: v128, c: v128, d: v128, others: v128) -> v128 {
    let half = i32x4_splat(1 << (SHIFT - 1));
    let part = |first, second| i32x4_shr(i32x4_add(i32x4_add(i32x4_dot_i16x8(first, factors), i32x4_dot_i16x8(second, others)), half), SHIFT);
    i16x8_narrow_i32x4(part(low(a, b), low(c, d)), part(high(a, b), high(c, d)))
}

#[inline(always)]
fn pass<const SHIFT: u32>(s: [v128; 8]) -> [v128; 8] {
    let (sum0, sum1, sum2, sum3) = (i16x8_add(s[0], s[7]), i16x8_add(s[1], s[6]), i16x8_add(s[2], s[5]), i16x8_add(s[3], s[4]));
    let (odd4, odd5, odd6, odd7) = (i16x8_sub(s[3], s[4]), i16x8_sub(s[2], s[5]), i16x8_sub(s[1], s[6]), i16x8_sub(s[0], s[7]));
    let (even0, even3, even1, even2) = (i16x8_add(sum0, sum3), i16x8_sub(sum0, sum3), i16x8_add(sum1, sum2), i16x8_sub(sum1, sum2));
    let (z3, z4) = (i16x8_add(odd4, odd6), i16x8_add(odd5, odd7));
    let (third, fourth) = (pair(9633 - 16069, 9633), pair(9633, 9633 - 3196));
    [
        i16x8_add(even0, even1),
        rotate_both::<SHIFT>(odd4, odd7, pair(-7373, 12299 - 7373), z3, z4, fourth),
        rotate::<SHIFT>(even2, even3, pair(4433, 4433 + 6270)),
        rotate_both::<SHIFT>(odd5, odd6, pair(-20995, 25172 - 20995), z3, z4, third),
        i16x8_sub(even0, even1),
        rotate_both::<SHIFT>(odd5, odd6, pair(16819 - 20995, -20995), z3, z4, fourth),
        rotate::<SHIFT>(even2, even3, pair(4433 - 15137, 4433)),
        rotate_both::<SHIFT>(odd4, odd7, pair(2446 - 7373, -7373), z3, z4, third),
    ]
}
