//! The average of boxes of pixels: the cheap first step of a large reduction.

use super::row::{Alpha, Layout, Sample};

/// Averages boxes of `factor` × `factor` pixels; the last box of a row or column may be narrower. Colours are weighed by alpha.
pub(super) struct Shrink {
    factor: usize,
    layout: Layout,
    /// Pixels in a row that comes in.
    width: usize,
    rows: usize,
    sums: Vec<u64>,
}

impl Shrink {
    /// `layout` must not be premultiplied.
    pub fn new(factor: usize, layout: Layout, width: usize) -> Self {
        let samples = width.div_ceil(factor) * layout.channels();
        Self { factor, layout, width, rows: 0, sums: vec![0; samples] }
    }

    /// Adds a row of `width × channels` samples; `true` when a row of boxes is full.
    pub fn push<S: Sample>(&mut self, row: &[S]) -> bool {
        let channels = self.layout.channels();
        let boxes = row.chunks(self.factor * channels).zip(self.sums.chunks_exact_mut(channels));
        if self.layout.alpha == Alpha::None {
            for (pixels, sums) in boxes {
                for pixel in pixels.chunks_exact(channels) {
                    for (sum, sample) in sums.iter_mut().zip(pixel) {
                        *sum += u64::from(sample.to_u32());
                    }
                }
            }
        } else {
            for (pixels, sums) in boxes {
                for pixel in pixels.chunks_exact(channels) {
                    let alpha = u64::from(pixel[channels - 1].to_u32());
                    for (sum, sample) in sums.iter_mut().zip(&pixel[..channels - 1]) {
                        *sum += u64::from(sample.to_u32()) * alpha;
                    }
                    sums[channels - 1] += alpha;
                }
            }
        }
        self.rows += 1;
        self.rows == self.factor
    }

    /// Whether rows have come in since the last row of boxes was taken.
    pub fn is_begun(&self) -> bool {
        self.rows > 0
    }

    /// The averages of the rows so far, and a fresh start.
    pub fn take<S: Sample>(&mut self, out: &mut Vec<S>) {
        let channels = self.layout.channels();
        out.clear();
        for (index, sums) in self.sums.chunks_exact_mut(channels).enumerate() {
            let across = self.factor.min(self.width - index * self.factor);
            let count = (across * self.rows) as u64;
            let average = |sum: u64, weight: u64| S::from_u32(((sum + weight / 2) / weight.max(1)) as u32);
            if self.layout.alpha == Alpha::None {
                out.extend(sums.iter().map(|sum| average(*sum, count)));
            } else {
                let alpha = sums[channels - 1];
                out.extend(sums[..channels - 1].iter().map(|sum| average(*sum, alpha)));
                out.push(average(alpha, count));
            }
            sums.fill(0);
        }
        self.rows = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::row::Model;

    #[test]
    fn the_last_boxes_are_narrower() {
        let mut shrink = Shrink::new(2, Layout { model: Model::Gray, alpha: Alpha::None }, 3);
        assert!(!shrink.push(&[10_u8, 20, 100]));
        assert!(shrink.push(&[30_u8, 40, 101]));
        let mut out: Vec<u8> = Vec::new();
        shrink.take(&mut out);
        assert_eq!(out, [25, 101]);
        shrink.push(&[1_u8, 2, 3]);
        shrink.take(&mut out);
        assert_eq!(out, [2, 3]);
    }

    #[test]
    fn what_cannot_be_seen_has_no_weight() {
        let mut shrink = Shrink::new(2, Layout { model: Model::Gray, alpha: Alpha::Straight }, 2);
        shrink.push(&[200_u8, 255, 0, 0]);
        shrink.push(&[0_u8, 0, 0, 0]);
        let mut out: Vec<u8> = Vec::new();
        shrink.take(&mut out);
        assert_eq!(out, [200, 64]);
    }
}
