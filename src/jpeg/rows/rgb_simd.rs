//! YCbCr to RGB with WebAssembly's vectors, sixteen pixels at once. Its twin without them is [`super::rgb::convert_scalar`].

use core::arch::wasm32::*;

use crate::jpeg::vector::{high, interleave, load, low, pair, store_three};

/// Converts as many pixels as come in sixteens; their number.
pub(super) fn convert(luma: &[u8], blue: &[u8], red: &[u8], rgb: &mut [u8]) -> usize {
    let chunks = rgb.as_chunks_mut::<48>().0.iter_mut().zip(luma.as_chunks::<16>().0).zip(blue.as_chunks::<16>().0).zip(red.as_chunks::<16>().0);
    let mut done = 0_usize;
    for (((rgb, luma), blue), red) in chunks {
        let [first, second, third] = rgb.as_chunks_mut::<16>().0 else { break };
        let center = i8x16_splat(-128);
        let (y, cb, cr) = (load(luma), v128_xor(load(blue), center), v128_xor(load(red), center));
        let lower = eight(u16x8_extend_low_u8x16(y), i16x8_extend_low_i8x16(cb), i16x8_extend_low_i8x16(cr));
        let upper = eight(u16x8_extend_high_u8x16(y), i16x8_extend_high_i8x16(cb), i16x8_extend_high_i8x16(cr));
        let [r, g, b] = [0, 1, 2].map(|channel: usize| match (lower.get(channel), upper.get(channel)) {
            (Some(lower), Some(upper)) => u8x16_narrow_i16x8(*lower, *upper),
            _ => center,
        });
        store_three([first, second, third], interleave(r, g, b));
        done = done.saturating_add(16);
    }
    done
}

/// Red, green and blue of eight pixels. Factors that do not fit 16 bits go without their whole part, which is added as it is; 2 × 16 384 rounds.
#[inline(always)]
fn eight(y: v128, cb: v128, cr: v128) -> [v128; 3] {
    let two = i16x8_splat(2);
    let scaled = |value: v128, factor: i16| {
        let part = |pairs| i32x4_shr(i32x4_dot_i16x8(pairs, pair(factor, 16_384)), 16);
        i16x8_narrow_i32x4(part(low(value, two)), part(high(value, two)))
    };
    let half = i32x4_splat(1 << 15);
    let both = |pairs| i32x4_shr(i32x4_add(i32x4_dot_i16x8(pairs, pair(-22_554, 18_734)), half), 16);
    let green = i16x8_narrow_i32x4(both(low(cb, cr)), both(high(cb, cr)));
    [i16x8_add(y, i16x8_add(cr, scaled(cr, 26_345))), i16x8_add(y, i16x8_sub(green, cr)), i16x8_add(y, i16x8_add(i16x8_shl(cb, 1), scaled(cb, -14_942)))]
}
