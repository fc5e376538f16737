//! The sums of a separable kernel: rows blended into one (down), and a row resampled (across). Sums are exact, so that every platform gives the same bytes.

use super::scale::{BITS, Kernel};

/// Weights come in groups of this many, for the vectors of processors.
pub(super) const LANES: usize = 8;
/// Rows are as long as a multiple of this.
const BLOCK: usize = 64;
pub(super) const HALF: i32 = 1 << (BITS - 1);

/// The length of a buffer for rows of `len` samples: kernels look at what lies behind them, and give it no weight.
pub(super) fn stride(len: usize) -> usize {
    (len + LANES).next_multiple_of(BLOCK)
}

/// `out[x]` = the weighted sum of `rows`, all as long as `out`, a multiple of 64.
pub(super) fn down(rows: &[&[u8]], weights: &[i16], out: &mut [u8]) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    super::convolve_simd::down(rows, weights, out);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    down_scalar(rows, weights, out);
}

/// The same without vector instructions.
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
fn down_scalar(rows: &[&[u8]], weights: &[i16], out: &mut [u8]) {
    for (block, out) in out.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
        let mut sums = [HALF; BLOCK];
        for (row, weight) in rows.iter().zip(weights) {
            for (sum, sample) in sums.iter_mut().zip(&row.as_chunks::<BLOCK>().0[block]) {
                *sum += i32::from(*weight) * i32::from(*sample);
            }
        }
        *out = sums.map(to_u8);
    }
}

/// Resamples a row of one channel, which has room for whole groups of weights behind its end.
pub(super) fn across(kernel: &Kernel, row: &[u8], out: &mut [u8]) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let done = super::convolve_simd::across(kernel, row, out);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let done = 0;
    across_scalar(kernel, row, out, done);
}

/// The same without vector instructions, from output `first` on.
fn across_scalar(kernel: &Kernel, row: &[u8], out: &mut [u8], first: usize) {
    for (index, out) in out.iter_mut().enumerate().skip(first) {
        let weights = kernel.weights[index * kernel.lanes..][..kernel.lanes].as_flattened();
        let sum: i32 = row[kernel.starts[index]..].iter().zip(weights).map(|(sample, weight)| i32::from(*weight) * i32::from(*sample)).sum();
        *out = to_u8(sum + HALF);
    }
}

fn to_u8(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

/// Takes the channels of a row apart; `planes` holds them one behind the other, with room behind each.
pub(super) fn part(row: &[u8], planes: &mut [u8], channels: usize) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let done = if channels == 3 { super::convolve_simd::part(row, planes) } else { 0 };
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let done = 0;
    let length = planes.len() / channels;
    for (channel, plane) in planes.chunks_exact_mut(length).enumerate() {
        plane[done..].iter_mut().zip(row[done * channels..].chunks_exact(channels)).for_each(|(sample, pixel)| *sample = pixel[channel]);
    }
}

/// Puts channels that lie one behind the other together.
pub(super) fn join(planes: &[u8], row: &mut [u8], channels: usize) {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let done = if channels == 3 { super::convolve_simd::join(planes, row) } else { 0 };
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let done = 0;
    let length = planes.len() / channels;
    for (channel, plane) in planes.chunks_exact(length).enumerate() {
        row[done * channels..].chunks_exact_mut(channels).zip(&plane[done..]).for_each(|(pixel, sample)| pixel[channel] = *sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Reach;

    fn noise(count: usize) -> Vec<u8> {
        (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761).rotate_left(7) >> 24) as u8).collect()
    }

    #[test]
    fn every_platform_blends_alike() {
        let noise = noise(30 * 192);
        for (taps, extreme) in [(1, false), (2, true), (5, false), (30, true)] {
            let rows: Vec<&[u8]> = noise.chunks_exact(192).take(taps).collect();
            let weights: Vec<i16> = (0..taps).map(|tap| if extreme { [i16::MAX, i16::MIN][tap % 2] } else { 16_384 / taps as i16 - 7 }).collect();
            let (mut out, mut twin) = (vec![0; 192], vec![0; 192]);
            down(&rows, &weights, &mut out);
            down_scalar(&rows, &weights, &mut twin);
            assert_eq!(out, twin, "{taps} rows");
        }
    }

    #[test]
    fn every_platform_resamples_alike() {
        for (from, to) in [(1, 7), (100, 99), (500, 400), (500, 161), (400, 27), (3, 64), (1000, 9)] {
            let kernel = Kernel::new(Reach::new(0.25, f64::from(from) - 0.25, from, to), 0..to, 0);
            let mut row = noise(from as usize);
            row.resize(stride(row.len()), 255);
            let (mut out, mut twin) = (vec![0; to as usize], vec![0; to as usize]);
            across(&kernel, &row, &mut out);
            across_scalar(&kernel, &row, &mut twin, 0);
            assert_eq!(out, twin, "{from} to {to}");
        }
    }

    #[test]
    fn channels_that_were_taken_apart_go_together_again() {
        for channels in 2..=4 {
            let row = noise(50 * channels);
            let mut planes = vec![0; 50 * channels];
            part(&row, &mut planes, channels);
            assert_eq!(planes[50..53], [row[1], row[channels + 1], row[2 * channels + 1]]);
            let mut again = vec![0; 50 * channels];
            join(&planes, &mut again, channels);
            assert_eq!(again, row);
        }
    }
}
