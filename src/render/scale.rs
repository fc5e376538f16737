//! Resampling by rows with a Lanczos kernel, in integers, so that every platform gives the same bytes.
//!
//! Rows come in; as soon as the rows under the kernel of an output row are there, they are blended (down), and the blend is resampled (across).

use std::ops::Range;

use super::convolve::{self, LANES};
use crate::geometry::Rect;
use crate::plan::{LOBES, Reach};

/// Kernel weights have this many fractional bits.
pub(super) const BITS: u32 = 14;

/// Resamples rows of `channels` samples of 8 bits; a second or fourth channel is alpha.
pub(crate) struct Resampler {
    channels: usize,
    across: Kernel,
    down: Down,
    /// The last rows, the one of image row `y` at `y % capacity`, with room behind each that kernels may look at.
    ring: Vec<u8>,
    capacity: usize,
    row_len: usize,
    stride: usize,
    rows: usize,
    blend: Vec<u8>,
    /// The channels of the blend, and of what is made of it.
    planes: Vec<u8>,
    lines: Vec<u8>,
    line: Vec<u8>,
}

impl Resampler {
    /// From the rows of `source` (px of the averaged crop) to `window` of the answer.
    pub fn new(channels: usize, (across, down): (Reach, Reach), source: Rect, window: Rect) -> Self {
        let across = Kernel::new(across, window.x()..window.right(), source.x());
        let down = Down::new(down, window.y()..window.bottom(), source.y());
        let (width, made) = (source.width() as usize, window.width() as usize);
        let row_len = width * channels;
        let stride = convolve::stride(row_len);
        let capacity = down.reach.taps as usize;
        let apart = if channels > 1 { channels } else { 0 };
        Self {
            channels,
            row_len,
            stride,
            capacity,
            ring: vec![0; capacity * stride],
            rows: 0,
            blend: vec![0; stride],
            planes: vec![0; convolve::stride(width) * apart],
            lines: vec![0; made * apart],
            line: vec![0; made * channels],
            across,
            down,
        }
    }

    /// Adds the next row, alpha straight. Then [`Self::next`] gives the rows that it completes.
    pub fn push(&mut self, row: &[u8]) {
        let slot = self.rows % self.capacity * self.stride;
        let place = &mut self.ring[slot..slot + self.row_len];
        place.copy_from_slice(row);
        premultiply(place, self.channels);
        self.rows += 1;
    }

    /// Appends the next output row to `out`; `false` if rows that it needs are yet to come, or if there is none.
    pub fn next(&mut self, out: &mut Vec<u8>) -> bool {
        let Some((start, weights)) = self.down.next(self.rows) else { return false };
        let blend = if let [_] = weights {
            // A kernel with one weight copies the row.
            &self.ring[start % self.capacity * self.stride..][..self.stride]
        } else {
            let rows: Vec<&[u8]> = (start..start + weights.len()).map(|row| &self.ring[row % self.capacity * self.stride..][..self.stride]).collect();
            convolve::down(&rows, weights, &mut self.blend);
            &self.blend
        };
        if self.across.is_identity {
            self.line.copy_from_slice(&blend[..self.row_len]);
        } else if self.channels == 1 {
            convolve::across(&self.across, blend, &mut self.line);
        } else {
            convolve::part(&blend[..self.row_len], &mut self.planes, self.channels);
            let planes = self.planes.chunks_exact(self.planes.len() / self.channels);
            for (plane, line) in planes.zip(self.lines.chunks_exact_mut(self.across.len())) {
                convolve::across(&self.across, plane, line);
            }
            convolve::join(&self.lines, &mut self.line, self.channels);
        }
        unpremultiply(&mut self.line, self.channels);
        out.extend_from_slice(&self.line);
        true
    }
}

/// The kernels of output rows, one after the other. Each is made when its row is: a table of all would take memory for as many rows as an answer has.
struct Down {
    reach: Reach,
    shapes: Shapes,
    /// Output rows that are yet to be made.
    rows: Range<u32>,
    /// Input row that rows are counted from.
    base: u32,
    /// First input row of the next output row and its weights, once they are known.
    kernel: Option<(usize, Vec<i16>)>,
    /// The kernel that was used last.
    used: Vec<i16>,
}

impl Down {
    fn new(reach: Reach, rows: Range<u32>, base: u32) -> Self {
        Self { shapes: Shapes::new(reach.taps as usize, reach.stretch()), reach, rows, base, kernel: None, used: Vec::new() }
    }

    /// First input row and weights of the next output row, if the first `rows` input rows are enough for it.
    fn next(&mut self, rows: usize) -> Option<(usize, &[i16])> {
        let (start, weights) = match self.kernel.take() {
            Some(kernel) => kernel,
            None => {
                let index = self.rows.next()?;
                let own = self.shapes.of(&self.reach, index);
                let (first, last) = present(own);
                ((self.reach.start(index) - self.base) as usize + first, own[first..=last].to_vec())
            }
        };
        if start + weights.len() > rows {
            self.kernel = Some((start, weights));
            return None;
        }
        self.used = weights;
        Some((start, &self.used))
    }
}

/// The first and the last weight that rounding has left of a kernel.
fn present(weights: &[i16]) -> (usize, usize) {
    let present = |weight: &i16| *weight != 0;
    (weights.iter().position(present).unwrap_or(0), weights.iter().rposition(present).unwrap_or(0))
}

/// For each output position, where its kernel begins and its weights; the weights sum to 1.
pub(super) struct Kernel {
    pub starts: Vec<usize>,
    /// `lanes` groups for each output; behind its taps there are zeros.
    pub weights: Vec<[i16; LANES]>,
    /// Groups of weights for an output.
    pub lanes: usize,
    /// Every output is the input at its own place.
    is_identity: bool,
}

impl Kernel {
    /// Of the outputs in `range`; starts are counted from input `base`.
    pub fn new(reach: Reach, range: Range<u32>, base: u32) -> Self {
        let count = reach.taps as usize;
        let mut shapes = Shapes::new(count, reach.stretch());
        // What rounding leaves of a kernel, as often all of it is not needed.
        let mut taps = 1;
        let mut starts = Vec::with_capacity(range.len());
        for index in range.clone() {
            let (first, last) = present(shapes.of(&reach, index));
            taps = taps.max(last - first + 1);
            starts.push(first);
        }
        let lanes = taps.div_ceil(LANES);
        let mut weights = vec![[0; LANES]; range.len() * lanes];
        for ((index, start), into) in range.zip(&mut starts).zip(weights.chunks_exact_mut(lanes)) {
            let first = (*start).min(count - taps);
            into.as_flattened_mut()[..taps].copy_from_slice(&shapes.of(&reach, index)[first..first + taps]);
            *start = (reach.start(index) - base) as usize + first;
        }
        let is_identity = taps == 1 && starts.iter().enumerate().all(|(index, start)| index == *start);
        Self { starts, weights, lanes, is_identity }
    }

    fn len(&self) -> usize {
        self.starts.len()
    }
}

/// Rounded kernels. Most ratios of sizes have few of them, which come by turns.
struct Shapes {
    stretch: f64,
    /// Sine and cosine of the angle from one input to the next.
    turn: (f64, f64),
    exact: Vec<f64>,
    /// The last ones, and how far their middle lies behind their first input.
    known: Vec<(f64, Vec<i16>)>,
    next: usize,
}

impl Shapes {
    /// Of `taps` inputs, each 1/`stretch` wide.
    fn new(taps: usize, stretch: f64) -> Self {
        Self { stretch, turn: libm::sincos(std::f64::consts::PI / LOBES / stretch), exact: vec![0.0; taps], known: Vec::new(), next: 0 }
    }

    /// The kernel of an output; its weights sum to 1.
    fn of(&mut self, reach: &Reach, index: u32) -> &[i16] {
        // One that is of no kernel has a single weight.
        if reach.is_identity() { &[1 << BITS] } else { self.at(reach.center(index) - f64::from(reach.start(index))) }
    }

    /// The kernel whose middle lies `offset` behind its first input; its weights sum to 1.
    fn at(&mut self, offset: f64) -> &[i16] {
        const KNOWN: usize = 8;
        let place = match self.known.iter().position(|(known, _)| *known == offset) {
            Some(place) => place,
            None => {
                let shape = (offset, self.make(offset));
                let place = self.next % KNOWN;
                self.next += 1;
                if place == self.known.len() {
                    self.known.push(shape);
                } else {
                    self.known[place] = shape;
                }
                place
            }
        };
        &self.known[place].1
    }

    fn make(&mut self, offset: f64) -> Vec<i16> {
        lanczos(&mut self.exact, offset, self.stretch, self.turn);
        let sum: f64 = self.exact.iter().sum();
        let unit = f64::from(1 << BITS) / sum;
        let mut weights: Vec<i16> = self.exact.iter().map(|weight| (weight * unit + 0.5).floor() as i16).collect();
        // Rounding must not change the brightness of a plain area: the largest weight takes what is left.
        let rest = (1 << BITS) - weights.iter().map(|weight| i32::from(*weight)).sum::<i32>();
        if let Some(largest) = weights.iter_mut().max_by_key(|weight| **weight) {
            *largest += rest as i16;
        }
        weights
    }
}

/// sinc(x) · sinc(x / 3) at inputs 1/`stretch` wide, of which the first begins `offset` before the middle; `turn` is from one to the next.
fn lanczos(weights: &mut [f64], offset: f64, stretch: f64, turn: (f64, f64)) {
    // With a = πx/3, sin(πx) is 3 sin(a) − 4 sin³(a).
    let place = |tap: usize| (tap as f64 + 0.5 - offset) / stretch;
    let angle = std::f64::consts::PI / LOBES;
    let (mut sin, mut cos) = libm::sincos(place(0) * angle);
    for (tap, weight) in weights.iter_mut().enumerate() {
        let x = place(tap);
        let a = x * angle;
        *weight = match x.abs() {
            ..1e-6 => 1.0,
            LOBES.. => 0.0,
            _ => (3.0 - 4.0 * sin * sin) * sin * sin / (LOBES * a * a),
        };
        (sin, cos) = (sin * turn.1 + cos * turn.0, cos * turn.1 - sin * turn.0);
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
            resampler.push(row);
            while resampler.next(&mut out) {}
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

    /// Rings that grow finer outwards, up to the finest that there can be, and the grain of a sensor.
    fn zone_plate(width: u32, height: u32) -> Vec<u8> {
        let reach = f64::from(width * width + height * height).sqrt();
        let pixel = |index: u32| {
            let (x, y) = (f64::from(index % width), f64::from(index / width));
            let rings = (std::f64::consts::PI * (x * x + y * y) / (2.0 * reach)).cos();
            let grain = f64::from(index.wrapping_mul(2_654_435_761) >> 24) / 255.0 - 0.5;
            (127.5 + 100.0 * rings + 50.0 * grain) as u8
        };
        (0..width * height).map(pixel).collect()
    }

    /// Lanczos3 by its definition, with nothing rounded before the end.
    fn exactly(from: (u32, u32), data: &[u8], to: (u32, u32)) -> Vec<f64> {
        let weights = |from: u32, to: u32| {
            let scale = f64::from(from) / f64::from(to);
            let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
            let weight = move |index: u32, at: u32| {
                let x = (f64::from(at) + 0.5 - (f64::from(index) + 0.5) * scale) / scale.max(1.0);
                if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
            };
            let of = move |index: u32| {
                let weights: Vec<f64> = (0..from).map(|at| weight(index, at)).collect();
                let sum: f64 = weights.iter().sum();
                weights.iter().map(|weight| weight / sum).collect::<Vec<f64>>()
            };
            (0..to).map(of).collect::<Vec<_>>()
        };
        let (across, down) = (weights(from.0, to.0), weights(from.1, to.1));
        let dot = |values: &[f64], weights: &[f64]| values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>();
        let plain: Vec<f64> = data.iter().map(|sample| f64::from(*sample)).collect();
        let rows: Vec<Vec<f64>> = plain.chunks(from.0 as usize).map(|row| across.iter().map(|weights| dot(row, weights)).collect()).collect();
        let column = |x: usize| rows.iter().map(|row| row[x]).collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = (0..to.0 as usize).map(column).collect();
        down.iter().flat_map(|weights| columns.iter().map(|column| dot(column, weights).clamp(0.0, 255.0))).collect()
    }

    #[test]
    fn it_comes_close_to_the_definition() {
        // Both passes round to eight bits: 1/6 of a level between them, or 56 dB.
        for (from, to) in [((250, 187), (200, 150)), ((201, 150), (67, 49)), ((100, 80), (133, 99)), ((211, 97), (210, 97))] {
            let data = zone_plate(from.0, from.1);
            let (found, exact) = (resample(1, from, &data, to), exactly(from, &data, to));
            let error = found.iter().zip(&exact).map(|(found, exact)| (f64::from(*found) - exact).powi(2)).sum::<f64>() / exact.len() as f64;
            let psnr = 10.0 * (255.0 * 255.0 / error).log10();
            assert!(psnr > 54.0, "{from:?} to {to:?}: {psnr} dB");
        }
    }

    #[test]
    fn hidden_colors_do_not_bleed() {
        let data = [[255, 255], [0, 0]].concat().repeat(50);
        let out = resample(2, (10, 10), &data, (5, 5));
        assert!(out.chunks(2).all(|pixel| pixel[1] == 0 || pixel[0] >= 254), "{out:?}");
    }
}
