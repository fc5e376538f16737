//! The sums of a separable kernel with WebAssembly's vectors. Their twins without them are in [`super::convolve`].

use core::arch::wasm32::*;

use super::convolve::{HALF, LANES};
use super::scale::{BITS, Kernel};
use crate::jpeg::vector::{apart, interleave, load, store, store_three};

/// Sixteen columns at once, two rows in a product.
pub(super) fn down(rows: &[&[u8]], weights: &[i16], out: &mut [u8]) {
    let mut pairs = Vec::with_capacity(rows.len().div_ceil(2));
    for (rows, weights) in rows.chunks(2).zip(weights.chunks(2)) {
        let weights = i32::from(weights[0]) & 0xFFFF | weights.get(1).map_or(0, |second| i32::from(*second) << 16);
        pairs.push((rows[0].as_chunks::<16>().0.iter(), rows[rows.len() - 1].as_chunks::<16>().0.iter(), i32x4_splat(weights)));
    }
    for out in out.as_chunks_mut::<16>().0 {
        let mut sums = [i32x4_splat(HALF); 4];
        for (first, second, weights) in &mut pairs {
            let (Some(first), Some(second)) = (first.next(), second.next()) else { break };
            let (first, second, weights) = (load(first), load(second), *weights);
            let lower = i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(first, second);
            let upper = i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(first, second);
            sums[0] = i32x4_add(sums[0], i32x4_dot_i16x8(u16x8_extend_low_u8x16(lower), weights));
            sums[1] = i32x4_add(sums[1], i32x4_dot_i16x8(u16x8_extend_high_u8x16(lower), weights));
            sums[2] = i32x4_add(sums[2], i32x4_dot_i16x8(u16x8_extend_low_u8x16(upper), weights));
            sums[3] = i32x4_add(sums[3], i32x4_dot_i16x8(u16x8_extend_high_u8x16(upper), weights));
        }
        store(out, u8x16_narrow_i16x8(narrow(sums[0], sums[1]), narrow(sums[2], sums[3])));
    }
}

/// Four outputs at once; how many were made.
pub(super) fn across(kernel: &Kernel, row: &[u8], out: &mut [u8]) -> usize {
    match kernel.lanes {
        1 => across_of::<1>(kernel, row, out),
        2 => across_of::<2>(kernel, row, out),
        _ => across_of::<0>(kernel, row, out),
    }
}

/// `GROUPS` of weights for each output, or any number if it is 0.
#[inline(always)]
fn across_of<const GROUPS: usize>(kernel: &Kernel, row: &[u8], out: &mut [u8]) -> usize {
    let groups = if GROUPS == 0 { kernel.lanes } else { GROUPS };
    let outputs = out.as_chunks_mut::<4>().0;
    let starts = kernel.starts.as_chunks::<4>().0;
    for ((out, starts), weights) in outputs.iter_mut().zip(starts).zip(kernel.weights.chunks_exact(4 * groups)) {
        let part = |index: usize| sum(&row[starts[index]..][..groups * LANES], &weights[index * groups..][..groups]);
        let sums = i32x4_add(add(add(part(0), part(1)), add(part(2), part(3))), i32x4_splat(HALF));
        let sums = narrow(sums, sums);
        *out = i32x4_extract_lane::<0>(u8x16_narrow_i16x8(sums, sums)).to_le_bytes();
    }
    outputs.len() * 4
}

/// Takes three channels apart, sixteen pixels at once; how many.
pub(super) fn part(row: &[u8], planes: &mut [u8]) -> usize {
    let length = planes.len() / 3;
    let (a, rest) = planes.split_at_mut(length);
    let (b, c) = rest.split_at_mut(length);
    let rows = row.as_chunks::<48>().0;
    let outs = a.as_chunks_mut::<16>().0.iter_mut().zip(b.as_chunks_mut::<16>().0).zip(c.as_chunks_mut::<16>().0);
    for (row, ((a, b), c)) in rows.iter().zip(outs) {
        let [p, q, r] = row.as_chunks::<16>().0 else { break };
        store_three([a, b, c], apart(load(p), load(q), load(r)));
    }
    rows.len() * 16
}

/// Puts three channels together, sixteen pixels at once; how many.
pub(super) fn join(planes: &[u8], row: &mut [u8]) -> usize {
    let length = planes.len() / 3;
    let (a, rest) = planes.split_at(length);
    let (b, c) = rest.split_at(length);
    let ins = a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0).zip(c.as_chunks::<16>().0);
    let mut done = 0;
    for (row, ((a, b), c)) in row.as_chunks_mut::<48>().0.iter_mut().zip(ins) {
        let [p, q, r] = row.as_chunks_mut::<16>().0 else { break };
        store_three([p, q, r], interleave(load(a), load(b), load(c)));
        done += 16;
    }
    done
}

/// Products of samples and weights, a quarter of their sum in each lane.
#[inline(always)]
fn sum(row: &[u8], weights: &[[i16; LANES]]) -> v128 {
    let mut sum = i32x4_splat(0);
    for (samples, weights) in row.as_chunks::<LANES>().0.iter().zip(weights) {
        sum = i32x4_add(sum, i32x4_dot_i16x8(extend(samples), eight(weights)));
    }
    sum
}

/// Sums of neighbouring lanes, those of `a` first.
#[inline(always)]
fn add(a: v128, b: v128) -> v128 {
    i32x4_add(i32x4_shuffle::<0, 2, 4, 6>(a, b), i32x4_shuffle::<1, 3, 5, 7>(a, b))
}

#[inline(always)]
fn narrow(a: v128, b: v128) -> v128 {
    i16x8_narrow_i32x4(i32x4_shr(a, BITS), i32x4_shr(b, BITS))
}

#[inline(always)]
fn extend(samples: &[u8; LANES]) -> v128 {
    u16x8_extend_low_u8x16(u64x2_splat(u64::from_le_bytes(*samples)))
}

#[inline(always)]
fn eight(v: &[i16; LANES]) -> v128 {
    i16x8(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
}
