//! Resampling by rows with a Lanczos kernel, in integers, so that every platform gives the same bytes.
//!
//! Rows come in; as soon as the rows under the kernel of an output row are there, they are blended (down), and the blend is resampled (across).

use std::ops::Range;

use crate::geometry::Rect;
use crate::plan::{LOBES, Reach};

/// Kernel weights have this many fractional bits.
const BITS: u32 = 14;

/// Resamples rows of `channels` samples of 8 bits; a second or fourth channel is alpha.
pub(super) struct Resampler {
    channels: usize,
    across: Kernel,
    down: Kernel,
    /// The last rows, the one of image row `y` at `y % capacity`.
    ring: Vec<u8>,
    capacity: usize,
    row_len: usize,
    rows: usize,
    /// Next output row.
    next: usize,
    blend: Vec<u8>,
    line: Vec<u8>,
}

impl Resampler {
    /// From the rows of `source` (px of the averaged crop) to `window` of the answer.
    pub fn new(channels: usize, (across, down): (Reach, Reach), source: Rect, window: Rect) -> Self {
        let across = Kernel::new(across, window.x()..window.right(), source.x());
        let down = Kernel::new(down, window.y()..window.bottom(), source.y());
        let row_len = source.width() as usize * channels;
        let capacity = down.taps;
        Self {
            channels,
            row_len,
            capacity,
            ring: vec![0; capacity * row_len],
            rows: 0,
            next: 0,
            blend: vec![0; row_len],
            line: vec![0; window.width() as usize * channels],
            across,
            down,
        }
    }

    /// Adds the next row, alpha straight, and appends every output row that it completes to `out`.
    pub fn push(&mut self, row: &[u8], out: &mut Vec<u8>) {
        let slot = self.rows % self.capacity * self.row_len;
        let place = &mut self.ring[slot..slot + self.row_len];
        place.copy_from_slice(row);
        premultiply(place, self.channels);
        self.rows += 1;
        while self.next < self.down.len() && self.down.end(self.next) <= self.rows {
            self.emit(out);
        }
    }

    fn emit(&mut self, out: &mut Vec<u8>) {
        let (start, weights) = self.down.at(self.next);
        self.next += 1;
        blend_rows(&self.ring, self.capacity, self.row_len, start, weights, &mut self.blend);
        match self.channels {
            1 => across::<1>(&self.across, &self.blend, &mut self.line),
            2 => across::<2>(&self.across, &self.blend, &mut self.line),
            3 => across::<3>(&self.across, &self.blend, &mut self.line),
            _ => across::<4>(&self.across, &self.blend, &mut self.line),
        }
        unpremultiply(&mut self.line, self.channels);
        out.extend_from_slice(&self.line);
    }
}

/// For each output position, where its kernel begins and its weights; the weights sum to 1.
struct Kernel {
    starts: Vec<usize>,
    weights: Vec<i16>,
    taps: usize,
}

impl Kernel {
    /// Of the outputs in `range`; starts are counted from input `base`.
    fn new(reach: Reach, range: Range<u32>, base: u32) -> Self {
        let (taps, stretch) = (reach.taps as usize, reach.stretch());
        let mut starts = Vec::with_capacity(range.len());
        let mut weights = Vec::with_capacity(range.len() * taps);
        let mut exact = vec![0.0; taps];
        for index in range {
            let (center, start) = (reach.center(index), reach.start(index));
            for (tap, weight) in exact.iter_mut().enumerate() {
                *weight = lanczos(((start as usize + tap) as f64 + 0.5 - center) / stretch);
            }
            let sum: f64 = exact.iter().sum();
            let unit = f64::from(1 << BITS);
            let begin = weights.len();
            weights.extend(exact.iter().map(|weight| libm::round(weight / sum * unit) as i16));
            // Rounding must not change the brightness of a plain area: the largest weight takes what is left.
            let own = &mut weights[begin..];
            let rest = (1 << BITS) - own.iter().map(|weight| i32::from(*weight)).sum::<i32>();
            if let Some(largest) = own.iter_mut().max_by_key(|weight| **weight) {
                *largest += rest as i16;
            }
            starts.push((start - base) as usize);
        }
        Self { starts, weights, taps }
    }

    fn len(&self) -> usize {
        self.starts.len()
    }

    fn at(&self, index: usize) -> (usize, &[i16]) {
        (self.starts[index], &self.weights[index * self.taps..][..self.taps])
    }

    /// One past the last input that an output needs.
    fn end(&self, index: usize) -> usize {
        self.starts[index] + self.taps
    }
}

fn lanczos(x: f64) -> f64 {
    if x.abs() >= LOBES {
        return 0.0;
    }
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { libm::sin(std::f64::consts::PI * x) / (std::f64::consts::PI * x) };
    sinc(x) * sinc(x / LOBES)
}

fn to_u8(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (BITS - 1);

/// `out[x]` = the weighted sum of `weights.len()` rows from image row `start`.
fn blend_rows(ring: &[u8], capacity: usize, row_len: usize, start: usize, weights: &[i16], out: &mut [u8]) {
    const BLOCK: usize = 64;
    let row = |tap: usize| &ring[(start + tap) % capacity * row_len..][..row_len];
    let whole = row_len - row_len % BLOCK;
    for at in (0..whole).step_by(BLOCK) {
        let mut sums = [HALF; BLOCK];
        for (tap, weight) in weights.iter().enumerate() {
            let weight = i32::from(*weight);
            for (sum, sample) in sums.iter_mut().zip(&row(tap)[at..at + BLOCK]) {
                *sum += weight * i32::from(*sample);
            }
        }
        for (out, sum) in out[at..at + BLOCK].iter_mut().zip(sums) {
            *out = to_u8(sum);
        }
    }
    for (at, out) in out.iter_mut().enumerate().take(row_len).skip(whole) {
        let sum = weights.iter().enumerate().map(|(tap, weight)| i32::from(*weight) * i32::from(row(tap)[at])).sum::<i32>();
        *out = to_u8(sum + HALF);
    }
}

fn across<const CHANNELS: usize>(kernel: &Kernel, row: &[u8], out: &mut [u8]) {
    for (index, out) in out.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
        let (start, weights) = kernel.at(index);
        let mut sums = [HALF; CHANNELS];
        let pixels = row[start * CHANNELS..][..weights.len() * CHANNELS].as_chunks::<CHANNELS>().0;
        for (pixel, weight) in pixels.iter().zip(weights) {
            for channel in 0..CHANNELS {
                sums[channel] += i32::from(*weight) * i32::from(pixel[channel]);
            }
        }
        *out = sums.map(to_u8);
    }
}

/// Colours must be weighed by what can be seen of them.
fn premultiply(row: &mut [u8], channels: usize) {
    if channels.is_multiple_of(2) {
        for pixel in row.chunks_exact_mut(channels) {
            let (alpha, colors) = pixel.split_last_mut().expect("a pixel has samples");
            for color in colors {
                *color = ((u32::from(*color) * u32::from(*alpha) + 127) / 255) as u8;
            }
        }
    }
}

fn unpremultiply(row: &mut [u8], channels: usize) {
    if channels.is_multiple_of(2) {
        for pixel in row.chunks_exact_mut(channels) {
            let (alpha, colors) = pixel.split_last_mut().expect("a pixel has samples");
            let alpha = u32::from(*alpha);
            for color in colors {
                *color = (u32::from(*color) * 255 + alpha / 2).checked_div(alpha).unwrap_or(0).min(255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resample(channels: usize, from: (u32, u32), data: &[u8], to: (u32, u32)) -> Vec<u8> {
        let whole = |(width, height)| Rect::new(0, 0, width, height).unwrap();
        let reach = (Reach::new(0.0, from.0.into(), from.0, to.0), Reach::new(0.0, from.1.into(), from.1, to.1));
        let mut resampler = Resampler::new(channels, reach, whole(from), whole(to));
        let mut out = Vec::new();
        for row in data.chunks(from.0 as usize * channels) {
            resampler.push(row, &mut out);
        }
        out
    }

    #[test]
    fn a_plain_area_keeps_its_color_at_every_size() {
        for (from, to) in [((1, 1), (7, 5)), ((7, 3), (3, 7)), ((100, 70), (9, 11)), ((13, 200), (64, 1)), ((67, 3), (66, 3))] {
            let data = [7_u8, 130, 255].repeat((from.0 * from.1) as usize);
            let out = resample(3, from, &data, to);
            assert_eq!(out, [7_u8, 130, 255].repeat((to.0 * to.1) as usize), "{from:?} to {to:?}");
        }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let data: Vec<u8> = (0..20 * 30).map(|i| (i * 37 % 251) as u8).collect();
        assert_eq!(resample(1, (20, 30), &data, (20, 30)), data);
    }

    #[test]
    fn hidden_colors_do_not_bleed() {
        let data = [[255, 255], [0, 0]].concat().repeat(50);
        let out = resample(2, (10, 10), &data, (5, 5));
        assert!(out.chunks(2).all(|pixel| pixel[1] == 0 || pixel[0] >= 254), "{out:?}");
    }
}
