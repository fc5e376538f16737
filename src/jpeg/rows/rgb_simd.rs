//! YCbCr to RGB with WebAssembly's vectors, sixteen pixels at once. Its twin without them is [`super::rgb::convert_scalar`].

use core::arch::wasm32::*;

use crate::jpeg::vector::{high, load, low, pair, store};

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
        let rg = i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(r, g);
        let more = i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(r, g);
        store(first, i8x16_shuffle::<0, 1, 16, 2, 3, 17, 4, 5, 18, 6, 7, 19, 8, 9, 20, 10>(rg, b));
        let middle = i8x16_shuffle::<11, 0, 12, 13, 0, 14, 15, 0, 16, 17, 0, 18, 19, 0, 20, 21>(rg, more);
        store(second, i8x16_shuffle::<0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15>(middle, b));
        store(third, i8x16_shuffle::<26, 6, 7, 27, 8, 9, 28, 10, 11, 29, 12, 13, 30, 14, 15, 31>(more, b));
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
