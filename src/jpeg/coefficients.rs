//! Quantized coefficients of a region, and what can be done with them without loss: turns and mirrors of whole blocks (as `jpegtran` does).

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "places are within what the sizes say")]

use std::ops::Range;

use super::quantization::QuantizationTable;

/// The blocks of one component, whole MCUs of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    /// Sampling factors.
    pub across: usize,
    pub down: usize,
    /// Blocks in a row.
    pub columns: usize,
    /// Row by row, coefficients in row-major order.
    pub blocks: Vec<[i16; 64]>,
    pub quantization: QuantizationTable,
}

/// A turn by right angles or a mirror image: rows and columns are exchanged first, then the result is flipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Turn {
    /// Rows become columns.
    pub transposed: bool,
    /// Left and right change places.
    pub flipped_across: bool,
    /// Top and bottom change places.
    pub flipped_down: bool,
}

impl Turn {
    /// Whether what was left and right, and what was above and below, change places.
    pub fn flips(self) -> (bool, bool) {
        if self.transposed { (self.flipped_down, self.flipped_across) } else { (self.flipped_across, self.flipped_down) }
    }
}

/// Those of 8-bit samples are within these (F.1.2.1.1, F.1.2.2.1); the standard tables have no codes for others.
const DC: (i16, i16) = (-1024, 1023);
const AC: (i16, i16) = (-1023, 1023);

impl Component {
    /// Makes coefficients that no samples have, as in damaged files, the nearest that some have.
    pub fn make_sound(&mut self) {
        self.blocks.iter_mut().for_each(|block| *block = sound(block));
    }

    /// The blocks of some columns.
    pub fn cut(&self, columns: Range<usize>) -> Self {
        let blocks = self.blocks.chunks_exact(self.columns.max(1)).flat_map(|row| &row[columns.clone()]).copied().collect();
        Self { columns: columns.len(), blocks, ..*self }
    }

    /// So many blocks, across and down, from column `left` on, of which only the first `real` are of the image: others become the mean of the nearest one that is.
    /// All are [made sound](Self::make_sound).
    pub fn padded(&self, left: usize, (columns, rows): (usize, usize), real: (usize, usize)) -> Self {
        let last = (real.0.max(1) - 1, real.1.max(1) - 1);
        let mut blocks = Vec::with_capacity(columns * rows);
        for y in 0..rows {
            let row = &self.blocks[y.min(last.1) * self.columns + left..];
            for x in 0..columns {
                let block = &row[x.min(last.0)];
                blocks.push(if x > last.0 || y > last.1 { mean(block) } else { sound(block) });
            }
        }
        Self { columns, blocks, ..*self }
    }

    /// Room for so many MCUs, across and down, of the same kind.
    pub fn room(&self, mcus: (usize, usize)) -> Self {
        let columns = mcus.0 * self.across;
        Self { columns, blocks: vec![[0; 64]; columns * mcus.1 * self.down], ..*self }
    }

    /// Takes all blocks away.
    pub fn take(&mut self) -> Self {
        Self { blocks: std::mem::take(&mut self.blocks), ..*self }
    }

    /// Nothing of the same kind, with room for so many rows of MCUs.
    pub fn with_capacity(&self, mcu_rows: usize) -> Self {
        Self { blocks: Vec::with_capacity(self.columns * self.down * mcu_rows), ..*self }
    }

    /// Lays the blocks of a part where they belong, its first MCU at the given one; what reaches beyond is cut.
    pub fn lay(&mut self, part: &Self, mcu: (usize, usize)) {
        let left = mcu.0 * self.across;
        let width = part.columns.min(self.columns.saturating_sub(left));
        let rows = self.blocks.chunks_exact_mut(self.columns.max(1)).skip(mcu.1 * self.down);
        for (into, from) in rows.zip(part.blocks.chunks_exact(part.columns.max(1))) {
            into[left..left + width].copy_from_slice(&from[..width]);
        }
    }

    /// The same samples turned.
    pub fn turned(self, turn: Turn) -> Self {
        if turn == Turn::default() {
            return self;
        }
        let rows = self.blocks.len().checked_div(self.columns).unwrap_or(0);
        let (columns, rows) = if turn.transposed { (rows, self.columns) } else { (self.columns, rows) };
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for y in 0..rows {
            for x in 0..columns {
                let (x, y) = (if turn.flipped_across { columns - 1 - x } else { x }, if turn.flipped_down { rows - 1 - y } else { y });
                let place = if turn.transposed { x * self.columns + y } else { y * self.columns + x };
                blocks.push(turned(&self.blocks[place], turn));
            }
        }
        let (across, down) = if turn.transposed { (self.down, self.across) } else { (self.across, self.down) };
        let mut quantization = self.quantization;
        if turn.transposed {
            (0..64).for_each(|place| quantization[place] = self.quantization[transposed(place)]);
        }
        Self { across, down, columns, blocks, quantization }
    }
}

/// Each coefficient as near as samples allow.
#[inline(never)]
fn sound(block: &[i16; 64]) -> [i16; 64] {
    let mut out = block.map(|value| value.clamp(AC.0, AC.1));
    out[0] = block[0].clamp(DC.0, DC.1);
    out
}

/// A block of nothing but the mean of another.
fn mean(block: &[i16; 64]) -> [i16; 64] {
    let mut out = [0; 64];
    out[0] = block[0].clamp(DC.0, DC.1);
    out
}

fn transposed(place: usize) -> usize {
    place % 8 * 8 + place / 8
}

/// A flip changes the sign of the odd frequencies along its side.
fn turned(block: &[i16; 64], turn: Turn) -> [i16; 64] {
    let mut out = [0; 64];
    for (place, out) in out.iter_mut().enumerate() {
        let value = block[if turn.transposed { transposed(place) } else { place }];
        let odd = (turn.flipped_across && place % 2 == 1) != (turn.flipped_down && place / 8 % 2 == 1);
        *out = if odd { value.wrapping_neg() } else { value };
    }
    out
}
