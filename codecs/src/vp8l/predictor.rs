//! The predictor transform (RFC 9649, section 4.1): from each pixel, a prediction from its neighbours is subtracted. Each block has a mode of prediction.

use super::symbols::Pixel;

/// Bits of the side of a block, px.
pub(super) const BLOCK_BITS: u32 = 4;
/// Side of a block, px.
pub(super) const BLOCK: usize = 1 << BLOCK_BITS;
/// The modes of a row of blocks are chosen by one in this many of its rows.
const LOOKED_AT: usize = 4;
/// The prediction for the first pixel.
const BLACK: Pixel = [0, 0, 0, 255];

/// The modes that are used, of fourteen: none of the others is much better than the best of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Left = 1,
    Above = 2,
    Average = 7,
    Select = 11,
    ClampedGradient = 12,
}

const MODES: [Mode; 5] = [Mode::Above, Mode::Left, Mode::Average, Mode::Select, Mode::ClampedGradient];

/// Turns rows into differences from their predictions.
#[derive(Debug, Default)]
pub(super) struct Predictor {
    modes: Vec<Mode>,
    above: Vec<Pixel>,
    /// Number of rows that are done.
    rows: usize,
    differences: Vec<Pixel>,
}

impl Predictor {
    /// Chooses the modes of the next row of blocks, from all rows of these blocks.
    pub fn choose(&mut self, rows: &[Pixel], width: usize) {
        let mut costs = vec![[0; MODES.len()]; width.div_ceil(BLOCK)];
        self.differences.resize(width, BLACK);
        for pair in rows.chunks_exact(width).collect::<Vec<_>>().windows(2).step_by(LOOKED_AT) {
            for (index, mode) in MODES.into_iter().enumerate() {
                subtract(mode, 1, pair[1], pair[0], &mut self.differences);
                let blocks = self.differences.chunks(BLOCK);
                blocks.zip(&mut costs).for_each(|(block, costs)| costs[index] += cost(block));
            }
        }
        let best = |costs: &[u32; MODES.len()]| MODES.into_iter().zip(costs).min_by_key(|(_, cost)| **cost).map_or(Mode::Above, |(mode, _)| mode);
        self.modes.extend(costs.iter().map(best));
    }

    /// The differences of the next row, whose modes have been chosen before.
    pub fn differences(&mut self, row: &[Pixel]) -> &[Pixel] {
        self.differences.resize(row.len(), BLACK);
        let out = self.differences.as_mut_slice();
        if self.rows == 0 {
            out[0] = less(row[0], BLACK);
            subtract(Mode::Left, 1, row, row, out);
        } else {
            out[0] = less(row[0], self.above[0]);
            let modes = &self.modes[self.rows / BLOCK * row.len().div_ceil(BLOCK)..];
            // Adjacent blocks of the same mode are done together.
            let mut from = 1;
            for same in modes[..row.len().div_ceil(BLOCK)].chunk_by(|one, other| one == other) {
                let to = ((from / BLOCK + same.len()) * BLOCK).min(row.len());
                subtract(same[0], from, &row[..to], &self.above[..to], &mut out[..to]);
                from = to;
            }
        }
        self.rows += 1;
        self.above.clear();
        self.above.extend_from_slice(row);
        out
    }

    /// Goes back to the first row, and keeps the modes that were chosen.
    pub fn restart(&mut self) {
        self.rows = 0;
    }

    /// The modes as an image, in the form in which they are written.
    pub fn image(&self) -> Vec<Pixel> {
        self.modes.iter().map(|mode| [0, *mode as u8, 0, 0]).collect()
    }
}

/// Subtracts predictions from the pixels from `from` on. The first pixel of a row has no left neighbour, so `from` must be at least 1.
fn subtract(mode: Mode, from: usize, row: &[Pixel], above: &[Pixel], out: &mut [Pixel]) {
    if from >= row.len() {
        return;
    }
    let [left, corner] = [row, above].map(|pixels| pixels[from - 1..pixels.len() - 1].as_flattened());
    let [row, above] = [row, above].map(|pixels| pixels[from..].as_flattened());
    let out = out[from..].as_flattened_mut();
    let samples = out.iter_mut().zip(row).zip(left.iter().zip(above).zip(corner));
    match mode {
        Mode::Left => out.iter_mut().zip(row).zip(left).for_each(|((out, value), left)| *out = value.wrapping_sub(*left)),
        Mode::Above => out.iter_mut().zip(row).zip(above).for_each(|((out, value), above)| *out = value.wrapping_sub(*above)),
        Mode::Average => samples.for_each(|((out, value), ((left, above), _))| *out = value.wrapping_sub((left & above) + ((left ^ above) >> 1))),
        Mode::ClampedGradient => samples.for_each(|((out, value), ((left, above), corner))| {
            let gradient = i16::from(*left) + i16::from(*above) - i16::from(*corner);
            *out = value.wrapping_sub(gradient.clamp(0, 255) as u8);
        }),
        Mode::Select => {
            let pixels = |samples| <[u8]>::as_chunks::<4>(samples).0;
            let neighbours = pixels(left).iter().zip(pixels(above)).zip(pixels(corner));
            for ((out, value), ((left, above), corner)) in out.as_chunks_mut::<4>().0.iter_mut().zip(pixels(row)).zip(neighbours) {
                *out = less(*value, if distance(above, corner) < distance(left, corner) { *left } else { *above });
            }
        }
    }
}

fn less(one: Pixel, other: Pixel) -> Pixel {
    std::array::from_fn(|index| one[index].wrapping_sub(other[index]))
}

fn distance(one: &Pixel, other: &Pixel) -> u32 {
    one.iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(*other))).sum()
}

/// An estimate of how much is left to code.
fn cost(differences: &[Pixel]) -> u32 {
    differences.as_flattened().iter().map(|difference| u32::from(*difference.min(&difference.wrapping_neg()))).sum()
}
