//! What is kept of the blocks of one component while its scans are read.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "sizes were compared with the memory that is allowed, what is put back was there")]

use std::ops::Range;

use super::grid::Grid;
use super::kept::Blocks;
use crate::jpeg::header::Header;
use crate::jpeg::quantization::QuantizationTable;

/// The blocks of one component.
#[derive(Debug)]
pub(super) struct Store {
    pub across: usize,
    pub down: usize,
    /// Blocks in a row of the whole component, filled up to whole MCUs.
    pub stride: usize,
    /// Blocks across and down in a scan of this component alone: not filled up to MCUs (T.81, A.2.2).
    pub own: (usize, usize),
    /// Columns and rows of the blocks that are kept.
    pub columns: Range<usize>,
    pub rows: Range<usize>,
    pub coefficients: Blocks,
    /// For each block of the component, kept or not, which coefficients are nonzero: a bit for each, in zigzag order. Empty if no scan needs it.
    pub present: Vec<u64>,
    pub wanted: bool,
    /// The quantization table in force when its first scan began.
    pub quantization: Option<QuantizationTable>,
}

impl Store {
    /// For a component with these sampling factors. Nothing is allocated for a component that is not wanted.
    pub fn new(grid: &Grid, header: &Header, (across, down): (usize, usize), wanted: bool, progressive: bool) -> Self {
        let (columns, rows) = (grid.columns.start * across..grid.columns.end * across, grid.rows.start * down..grid.rows.end * down);
        let share = |side: u32, factor: usize, most: usize| (side as usize * factor).div_ceil(most * 8);
        let own = (share(header.dimensions.width(), across, grid.most.0), share(header.dimensions.height(), down, grid.most.1));
        let stride = grid.mcus.0 * across;
        let kept = if wanted { columns.len() * rows.len() } else { 0 };
        let present = if wanted && progressive && grid.block > 1 { stride * grid.mcus.1 * down } else { 0 };
        Self { across, down, stride, own, columns, rows, coefficients: Blocks::new(kept, grid.block), present: vec![0; present], wanted, quantization: None }
    }

    /// The index at which a block's coefficients are kept; `None` if they are not kept.
    #[inline(always)]
    pub fn kept(&self, x: usize, y: usize) -> Option<usize> {
        let inside = self.wanted && self.columns.contains(&x) && self.rows.contains(&y);
        inside.then(|| (y - self.rows.start) * self.columns.len() + x - self.columns.start)
    }

    /// A copy of everything that is kept of a block.
    pub fn save(&self, (x, y): (usize, usize)) -> Saved {
        let kept = self.kept(x, y);
        Saved {
            coefficients: kept.and_then(|index| self.coefficients.get(index)).map(<[i16]>::to_vec),
            present: self.present.get(y * self.stride + x).copied(),
        }
    }

    /// Puts back what was saved of a block.
    pub fn restore(&mut self, (x, y): (usize, usize), saved: Saved) {
        let kept = self.kept(x, y);
        if let (Some(block), Some(coefficients)) = (kept.and_then(|index| self.coefficients.get_mut(index)), saved.coefficients) {
            block.copy_from_slice(&coefficients);
        }
        if let Some(present) = saved.present {
            self.present[y * self.stride + x] = present;
        }
    }
}

/// A copy of what is kept of a block; empty for a block that is not wanted.
#[derive(Debug)]
pub(super) struct Saved {
    coefficients: Option<Vec<i16>>,
    present: Option<u64>,
}
