//! Rows of pixels become one MCU row of planes, padded as libjpeg pads: columns before chroma is downsampled, rows after it.

use super::color;
use super::layout::Layout;
use crate::jpeg::plane::Planes;

/// The planes of the MCU row that is being filled.
#[derive(Debug)]
pub(super) struct Intake {
    width: usize,
    /// Luma rows in an MCU row.
    height: usize,
    /// Luma rows that were taken.
    filled: usize,
    /// Chroma at full width, of the row before and of this one.
    chroma: [[Vec<u8>; 2]; 2],
    factors: (usize, usize),
    pub planes: Planes,
}

impl Intake {
    /// Room for an MCU row.
    pub fn new(layout: &Layout) -> Self {
        let planes = layout.padded_planes();
        let (across, down) = layout.most();
        let wide = planes.first().map_or(0, |plane| plane.width).next_multiple_of(2 * 8);
        let room = if planes.len() > 1 && across > 1 { wide } else { 0 };
        Self {
            width: layout.dimensions.width() as usize,
            height: planes.first().map_or(0, |plane| plane.height),
            filled: 0,
            chroma: [(); 2].map(|()| [vec![0; room], vec![0; room]]),
            factors: (across, down),
            planes,
        }
    }

    /// Samples that a row must have.
    pub fn row_length(&self) -> usize {
        self.width.saturating_mul(self.planes.len())
    }

    /// Takes a row; whether the MCU row is full now.
    pub fn push(&mut self, row: &[u8]) -> bool {
        let y = self.filled;
        self.filled = y.saturating_add(1);
        match self.planes.as_mut_slice() {
            [gray] => {
                let out = row_mut(gray, y);
                if let Some((start, rest)) = out.split_at_mut_checked(self.width) {
                    start.copy_from_slice(row);
                    replicate(start, rest);
                }
            }
            [luma, blue, red] => {
                let luma = row_mut(luma, y);
                if self.factors.0 == 1 {
                    let (blue, red) = (row_mut(blue, y), row_mut(red, y));
                    convert(row, self.width, luma, blue, red);
                } else {
                    let turn = y.checked_rem(self.factors.1).unwrap_or(0);
                    let [first, second] = &mut self.chroma;
                    let [full_blue, full_red] = if turn == 0 { &mut *first } else { &mut *second };
                    convert(row, self.width, luma, full_blue, full_red);
                    if self.factors.1 == 1 {
                        color::halve_width(full_blue, row_mut(blue, y));
                        color::halve_width(full_red, row_mut(red, y));
                    } else if turn == 1 {
                        color::halve_both(&first[0], &second[0], row_mut(blue, y / 2));
                        color::halve_both(&first[1], &second[1], row_mut(red, y / 2));
                    }
                }
            }
            _ => {}
        }
        self.filled >= self.height
    }

    /// Repeats the last rows until the MCU row is full; whether there were any.
    pub fn pad(&mut self) -> bool {
        if self.filled == 0 {
            return false;
        }
        let mut rows = self.filled;
        if let ([first, second], 2, [_, blue, red]) = (&mut self.chroma, self.factors.1, self.planes.as_mut_slice())
            && !rows.is_multiple_of(2)
        {
            // A single row counts for both of its pair.
            second.clone_from(first);
            color::halve_both(&first[0], &second[0], row_mut(blue, rows / 2));
            color::halve_both(&first[1], &second[1], row_mut(red, rows / 2));
        }
        for (index, plane) in self.planes.iter_mut().enumerate() {
            if index == 1 {
                rows = rows.div_ceil(self.factors.1.max(1));
            }
            let end = rows.saturating_mul(plane.stride);
            if let Some((done, rest)) = plane.data.split_at_mut_checked(end)
                && let Some(last) = done.len().checked_sub(plane.stride).and_then(|start| done.get(start..))
            {
                rest.chunks_exact_mut(last.len().max(1)).for_each(|row| row.copy_from_slice(last));
            }
        }
        true
    }

    /// Begins the next MCU row.
    pub fn clear(&mut self) {
        self.filled = 0;
    }
}

fn row_mut(plane: &mut crate::jpeg::Plane, y: usize) -> &mut [u8] {
    let start = y.saturating_mul(plane.stride);
    plane.data.get_mut(start..start.saturating_add(plane.width)).unwrap_or_default()
}

fn convert(rgb: &[u8], width: usize, luma: &mut [u8], blue: &mut [u8], red: &mut [u8]) {
    let (Some(luma), Some(blue), Some(red)) = (luma.split_at_mut_checked(width), blue.split_at_mut_checked(width), red.split_at_mut_checked(width)) else {
        return;
    };
    color::convert(rgb, luma.0, blue.0, red.0);
    replicate(luma.0, luma.1);
    replicate(blue.0, blue.1);
    replicate(red.0, red.1);
}

fn replicate(start: &[u8], rest: &mut [u8]) {
    rest.fill(start.last().copied().unwrap_or(0));
}
