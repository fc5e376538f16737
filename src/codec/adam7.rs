//! Interlaced PNG: seven passes, each of which has the pixels of a coarser grid (PNG, third edition, 8.1).

use png::Adam7Info;

use super::png::failure;
use super::png_chunks::File;
use crate::error::Result;

/// The first column and row of each pass, and how far its columns and rows are apart.
const PASSES: [[u32; 4]; 7] = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/// How far an image has been read.
pub(super) struct Adam7 {
    width: u32,
    height: u32,
    /// Rows of each pass that are here.
    here: [u32; 7],
}

impl Adam7 {
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, here: [0; 7] }
    }

    /// Reads all passes into `image`, whose rows take `stride` bytes.
    pub fn read(&mut self, reader: &mut png::Reader<File>, image: &mut [u8], stride: usize) -> Result<()> {
        let (color, depth) = reader.output_color_type();
        let bits = color.samples() as u8 * depth as u8;
        for (pass, [left, top, _, down]) in (1_u8..).zip(PASSES) {
            if left >= self.width || top >= self.height {
                continue;
            }
            for line in 0..(self.height - top).div_ceil(down) {
                let Some(row) = reader.next_interlaced_row().map_err(failure)? else { return Ok(()) };
                png::expand_interlaced_row(image, stride, row.data(), &Adam7Info::new(pass, line, self.width), bits);
                self.here[usize::from(pass) - 1] = line + 1;
            }
        }
        // The end of the data is looked at.
        reader.next_interlaced_row().map(|_| ()).map_err(failure)
    }

    /// Gives pixels that are not here the value of the nearest one above or to the left in the passes before, or else of `filler`. How many rows from the top
    /// show something of the image.
    pub fn fill(&self, image: &mut [u8], stride: usize, filler: &[u8]) -> u32 {
        let size = filler.len();
        for y in 0..self.height {
            for x in 0..self.width {
                let at = |x: u32, y: u32| y as usize * stride + x as usize * size;
                if !self.is_here(x, y) {
                    match coarser(x, y) {
                        Some((from_x, from_y)) => image.copy_within(at(from_x, from_y)..at(from_x, from_y) + size, at(x, y)),
                        None => image[at(x, y)..at(x, y) + size].copy_from_slice(filler),
                    }
                }
            }
        }
        self.here[0].saturating_mul(PASSES[0][3]).min(self.height)
    }

    fn is_here(&self, x: u32, y: u32) -> bool {
        let pass = pass_of(x, y);
        let [_, top, _, down] = PASSES[pass];
        (y - top) / down < self.here[pass]
    }
}

/// The index of the pass of a pixel.
fn pass_of(x: u32, y: u32) -> usize {
    let is_of = |[left, top, across, down]: &[u32; 4]| x % across == *left && y % down == *top;
    PASSES.iter().position(is_of).unwrap_or(0)
}

/// The pixel of an earlier pass that stands for a pixel until it comes.
fn coarser(x: u32, y: u32) -> Option<(u32, u32)> {
    match PASSES[pass_of(x, y)] {
        [0, 0, ..] => None,
        // A pass begins half a step of the passes before it to the right, or below.
        [left, 0, ..] => Some((x - left, y)),
        [_, top, ..] => Some((x, y - top)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_that_did_not_come_are_those_of_passes_before() {
        assert_eq!((coarser(0, 0), coarser(8, 16), coarser(12, 8), coarser(4, 4), coarser(8, 12)), (None, None, Some((8, 8)), Some((4, 0)), Some((8, 8))));
        assert_eq!((coarser(6, 4), coarser(5, 2), coarser(5, 3)), (Some((4, 4)), Some((4, 2)), Some((5, 2))));
        // The first pass alone: squares of 8 pixels, and below its rows the filler.
        let adam7 = Adam7 { width: 10, height: 17, here: [2, 0, 0, 0, 0, 0, 0] };
        let mut image = vec![0; 170];
        (image[0], image[8], image[80], image[88]) = (1, 2, 3, 4);
        assert_eq!(adam7.fill(&mut image, 10, &[9]), 16);
        for (index, value) in image.iter().enumerate() {
            let (x, y) = (index % 10, index / 10);
            let expected = if y == 16 { 9 } else { 1 + x as u8 / 8 + y as u8 / 8 * 2 };
            assert_eq!(*value, expected, "{x}, {y}");
        }
    }
}
