//! RGB to YCbCr with WebAssembly's vectors, sixteen pixels at once. Its twin without them is [`super::color::convert_scalar`].

use core::arch::wasm32::*;

use crate::jpeg::vector::{apart, high, load, low, pair, store};

/// Converts as many pixels as come in sixteens; their number.
pub(super) fn convert(rgb: &[u8], luma: &mut [u8], blue: &mut [u8], red: &mut [u8]) -> usize {
    let chunks = rgb.as_chunks::<48>().0.iter().zip(luma.as_chunks_mut::<16>().0).zip(blue.as_chunks_mut::<16>().0).zip(red.as_chunks_mut::<16>().0);
    let mut done = 0_usize;
    for (((rgb, luma), blue), red) in chunks {
        let [p, q, s] = rgb.as_chunks::<16>().0 else { break };
        let [r, g, b] = apart(load(p), load(q), load(s));
        let first = eight(u16x8_extend_low_u8x16(r), u16x8_extend_low_u8x16(g), u16x8_extend_low_u8x16(b));
        let second = eight(u16x8_extend_high_u8x16(r), u16x8_extend_high_u8x16(g), u16x8_extend_high_u8x16(b));
        store(luma, u8x16_narrow_i16x8(first[0], second[0]));
        store(blue, u8x16_narrow_i16x8(first[1], second[1]));
        store(red, u8x16_narrow_i16x8(first[2], second[2]));
        done = done.saturating_add(16);
    }
    done
}

/// Y, Cb and Cr of eight pixels.
#[inline(always)]
fn eight(r: v128, g: v128, b: v128) -> [v128; 3] {
    let zero = i16x8_splat(0);
    let lower = four(low(r, g), low(b, g), low(g, b), low(zero, b), low(zero, r));
    let upper = four(high(r, g), high(b, g), high(g, b), high(zero, b), high(zero, r));
    [i16x8_narrow_i32x4(lower[0], upper[0]), i16x8_narrow_i32x4(lower[1], upper[1]), i16x8_narrow_i32x4(lower[2], upper[2])]
}

/// Of four pixels; green's share of luma does not fit 15 bits and comes in two parts, the halves of blue and red come shifted.
#[inline(always)]
fn four(rg: v128, bg: v128, gb: v128, b: v128, r: v128) -> [v128; 3] {
    let half = i32x4_splat(1 << 15);
    let center = i32x4_splat((128 << 16) + (1 << 15) - 1);
    let y = i32x4_add(i32x4_dot_i16x8(rg, pair(19595, 22086)), i32x4_dot_i16x8(bg, pair(7471, 16384)));
    let cb = i32x4_add(i32x4_dot_i16x8(rg, pair(-11059, -21709)), u32x4_shr(b, 1));
    let cr = i32x4_add(i32x4_dot_i16x8(gb, pair(-27439, -5329)), u32x4_shr(r, 1));
    [i32x4_shr(i32x4_add(y, half), 16), i32x4_shr(i32x4_add(cb, center), 16), i32x4_shr(i32x4_add(cr, center), 16)]
}
