//! The average of boxes of pixels: all of a reduction by a whole number, and the first step of other large ones.
//!
//! Without alpha, rows are added up column by column, which vectors of processors do many at a time; once a row of boxes is full, the columns of each box are.

use super::row::{Alpha, Layout, Sample};

/// Averages boxes of `across` × `down` pixels; the last box of a row or column may be narrower. Colours are weighed by alpha.
pub(super) struct Shrink {
    across: Boxes,
    down: Boxes,
    layout: Layout,
    /// Pixels in a row that comes in.
    width: usize,
    /// Rows that the next row of boxes is made of.
    wanted: usize,
    /// Rows of the boxes that have come.
    rows: usize,
    /// Without alpha: sums of columns, of 8- or 16-bit samples, over the last `summed` rows.
    columns: (Vec<u16>, Vec<u32>),
    summed: usize,
    /// Sums of boxes: of all rows but those in `columns`.
    boxes: Vec<u64>,
}

/// The boxes along one side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boxes {
    /// Pixels of a box.
    pub side: usize,
    /// Pixels of the first one.
    pub first: usize,
}

impl Boxes {
    /// How many begin within `length` px.
    fn count(self, length: usize) -> usize {
        (length + self.side - self.first).div_ceil(self.side)
    }
}

impl Shrink {
    /// `layout` must not be premultiplied.
    pub fn new(across: Boxes, down: Boxes, layout: Layout, width: usize) -> Self {
        let boxes = vec![0; across.count(width) * layout.channels()];
        Self { across, down, layout, width, wanted: down.first, rows: 0, columns: Default::default(), summed: 0, boxes }
    }

    /// Adds a row of `width × channels` samples; `true` when a row of boxes is full.
    pub fn push<S: Sample>(&mut self, row: &[S]) -> bool {
        if self.layout.alpha == Alpha::None {
            self.push_opaque(row);
        } else {
            self.push_weighed(row);
        }
        self.rows += 1;
        self.rows == self.wanted
    }

    fn push_opaque<S: Sample>(&mut self, row: &[S]) {
        if self.summed == S::SUMMED {
            self.gather::<S>();
        }
        let columns = S::sums(&mut self.columns);
        if columns.is_empty() {
            columns.resize(row.len(), S::Sum::default());
        }
        if self.summed == 0 {
            columns.iter_mut().zip(row).for_each(|(sum, sample)| *sum = S::Sum::from(*sample));
        } else {
            columns.iter_mut().zip(row).for_each(|(sum, sample)| *sum += S::Sum::from(*sample));
        }
        self.summed += 1;
    }

    fn push_weighed<S: Sample>(&mut self, row: &[S]) {
        let channels = self.layout.channels();
        let (first, others) = row.split_at((self.across.first * channels).min(row.len()));
        let (first_box, boxes) = self.boxes.split_at_mut(channels);
        let all = std::iter::once((first, first_box)).chain(others.chunks(self.across.side * channels).zip(boxes.chunks_exact_mut(channels)));
        for (pixels, sums) in all {
            for pixel in pixels.chunks_exact(channels) {
                let alpha = u64::from(pixel[channels - 1].to_u32());
                for (sum, sample) in sums.iter_mut().zip(&pixel[..channels - 1]) {
                    *sum += u64::from(sample.to_u32()) * alpha;
                }
                sums[channels - 1] += alpha;
            }
        }
    }

    /// Adds the columns of each box to its sum.
    fn gather<S: Sample>(&mut self) {
        let (columns, boxes) = (S::sums(&mut self.columns), &mut self.boxes);
        match self.layout.channels() {
            1 => gather::<1, S>(columns, self.across, boxes),
            3 => gather::<3, S>(columns, self.across, boxes),
            // Inks.
            _ => gather::<4, S>(columns, self.across, boxes),
        }
        self.summed = 0;
    }

    /// Whether rows have come in since the last row of boxes was taken.
    pub fn is_begun(&self) -> bool {
        self.rows > 0
    }

    /// The averages of the rows so far, and a fresh start.
    pub fn take<S: Sample>(&mut self, out: &mut Vec<S>) {
        let channels = self.layout.channels();
        out.clear();
        out.reserve(self.boxes.len());
        let (count, first) = (self.boxes.len() / channels, self.across.first.min(self.width));
        let last = self.width.saturating_sub(first + count.saturating_sub(2) * self.across.side);
        let divisor = |pixels: usize| Divisor::new(pixels * self.rows);
        let sides = [divisor(first), divisor(self.across.side), divisor(last)];
        let opaque = self.layout.alpha == Alpha::None;
        if opaque && self.summed == self.rows && self.across.side.saturating_mul(self.rows) <= Divisor::SMALL {
            self.average(&sides, out);
            return self.begin();
        }
        if opaque {
            self.gather::<S>();
        }
        let of = |index: usize| match index {
            0 => &sides[0],
            _ if index + 1 == count => &sides[2],
            _ => &sides[1],
        };
        for (index, sums) in self.boxes.chunks_exact(channels).enumerate() {
            let divisor = of(index);
            if opaque {
                out.extend(sums.iter().map(|sum| S::from_u32(divisor.average(*sum))));
            } else {
                let alpha = sums[channels - 1];
                out.extend(sums[..channels - 1].iter().map(|sum| S::from_u32(((sum + alpha / 2) / alpha.max(1)) as u32)));
                out.push(S::from_u32(divisor.average(alpha)));
            }
        }
        self.boxes.fill(0);
        self.begin();
    }

    /// Begins the next row of boxes.
    fn begin(&mut self) {
        (self.rows, self.summed) = (0, 0);
        self.wanted = self.down.side;
    }

    /// The averages of small boxes, all of whose rows are in `columns`. `sides` are for the first box, those in the middle, and the last one.
    fn average<S: Sample>(&mut self, sides: &[Divisor; 3], out: &mut Vec<S>) {
        let columns = S::sums(&mut self.columns);
        match self.layout.channels() {
            1 => average_all::<1, S>(columns, self.across, sides, out),
            3 => average_all::<3, S>(columns, self.across, sides, out),
            // Inks.
            _ => average_all::<4, S>(columns, self.across, sides, out),
        }
    }
}

fn average_all<const CHANNELS: usize, S: Sample>(columns: &[S::Sum], across: Boxes, [first, middle, last]: &[Divisor; 3], out: &mut Vec<S>) {
    let columns = columns.as_chunks::<CHANNELS>().0;
    let (first_box, others) = columns.split_at(across.first.min(columns.len()));
    let (whole, last_box) = others.split_at(others.len() / across.side * across.side);
    out.resize((1 + others.len().div_ceil(across.side)) * CHANNELS, S::default());
    let (first_place, places) = out.split_at_mut(CHANNELS);
    let (middle_places, last_place) = places.split_at_mut(whole.len() / across.side * CHANNELS);
    average_boxes([first_box], first, first_place.as_chunks_mut().0);
    let middle_places = middle_places.as_chunks_mut().0;
    // The side is known to the compiler where it is a usual one.
    match across.side {
        2 => average_boxes(whole.as_chunks::<2>().0, middle, middle_places),
        4 => average_boxes(whole.as_chunks::<4>().0, middle, middle_places),
        side => average_boxes(whole.chunks_exact(side), middle, middle_places),
    }
    average_boxes([last_box], last, last_place.as_chunks_mut().0);
}

/// The averages of boxes of columns of pixels.
fn average_boxes<const CHANNELS: usize, S: Sample>(
    boxes: impl IntoIterator<Item = impl AsRef<[[S::Sum; CHANNELS]]>>,
    divisor: &Divisor,
    places: &mut [[S; CHANNELS]],
) {
    for (pixels, place) in boxes.into_iter().zip(places) {
        for (channel, place) in place.iter_mut().enumerate() {
            let sum: u32 = pixels.as_ref().iter().map(|pixel| -> u32 { pixel[channel].into() }).sum();
            *place = S::from_u32(divisor.average(sum.into()));
        }
    }
}

/// Adds the sums of columns of pixels of `CHANNELS` samples to that of their box.
fn gather<const CHANNELS: usize, S: Sample>(columns: &[S::Sum], across: Boxes, boxes: &mut [u64]) {
    let (first, others) = columns.split_at((across.first * CHANNELS).min(columns.len()));
    let boxes = boxes.as_chunks_mut::<CHANNELS>().0;
    for (columns, sums) in std::iter::once(first).chain(others.chunks(across.side * CHANNELS)).zip(boxes) {
        for pixel in columns.as_chunks::<CHANNELS>().0 {
            for (sum, column) in sums.iter_mut().zip(pixel) {
                *sum += u64::from((*column).into());
            }
        }
    }
}

/// Division by the same number many times over, rounded to the nearest.
struct Divisor {
    count: u64,
    /// 2^32 / `count`, rounded up, where that is exact for all sums of 16-bit samples.
    inverse: Option<u64>,
}

impl Divisor {
    /// Pixels of a box up to which there is an inverse.
    const SMALL: usize = 256;

    fn new(count: usize) -> Self {
        // The product is more than the quotient by at most sum / 2^32, and the sum at most 65536 × count: less than 1 / count while count² is at most 2^16.
        Self { count: count as u64, inverse: (count <= Self::SMALL).then(|| (1_u64 << 32).div_ceil(count.max(1) as u64)) }
    }

    fn average(&self, sum: u64) -> u32 {
        let sum = sum + self.count / 2;
        match self.inverse {
            Some(inverse) => ((sum * inverse) >> 32) as u32,
            None => (sum / self.count.max(1)) as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::row::Model;

    fn shrink((across, down): (usize, usize), layout: Layout, width: usize) -> Shrink {
        let boxes = |side| Boxes { side, first: side };
        Shrink::new(boxes(across), boxes(down), layout, width)
    }

    #[test]
    fn the_last_boxes_are_narrower() {
        let mut shrink = self::shrink((2, 2), Layout { model: Model::Gray, alpha: Alpha::None }, 3);
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
        let mut shrink = self::shrink((2, 2), Layout { model: Model::Gray, alpha: Alpha::Straight }, 2);
        shrink.push(&[200_u8, 255, 0, 0]);
        shrink.push(&[0_u8, 0, 0, 0]);
        let mut out: Vec<u8> = Vec::new();
        shrink.take(&mut out);
        assert_eq!(out, [200, 64]);
    }

    #[test]
    fn averages_are_rounded_to_the_nearest() {
        for count in [1_usize, 2, 3, 7, 64, 81, 255, 256, 257, 10_000] {
            let divisor = Divisor::new(count);
            let most = 65_535 * count as u64;
            let sums = (0..2000.min(most)).chain((most.saturating_sub(2000))..=most).chain((0..500).map(|index| most / 500 * index));
            for sum in sums {
                let exact = (sum + count as u64 / 2) / count as u64;
                assert_eq!(u64::from(divisor.average(sum)), exact, "{sum} / {count}");
            }
        }
    }

    #[test]
    fn many_white_rows_stay_white() {
        for rows in [256, 257, 258, 600] {
            let mut shrink = self::shrink((3, rows), Layout { model: Model::Rgb, alpha: Alpha::None }, 4);
            for row in 1..=rows {
                assert_eq!(shrink.push(&[255_u8; 12]), row == rows);
            }
            let mut out: Vec<u8> = Vec::new();
            shrink.take(&mut out);
            assert_eq!(out, [255; 6]);
        }
        let mut shrink = self::shrink((1, 70_000), Layout { model: Model::Gray, alpha: Alpha::None }, 1);
        let full = (0..70_000).filter(|_| shrink.push(&[65_535_u16])).count();
        assert_eq!(full, 1);
        let mut out: Vec<u16> = Vec::new();
        shrink.take(&mut out);
        assert_eq!(out, [65_535]);
    }

    #[test]
    fn boxes_may_be_wider_than_high() {
        let mut shrink = self::shrink((3, 1), Layout { model: Model::Gray, alpha: Alpha::None }, 5);
        assert!(shrink.push(&[1_u8, 2, 3, 10, 20]));
        let mut out: Vec<u8> = Vec::new();
        shrink.take(&mut out);
        assert_eq!(out, [2, 15]);
    }

    #[test]
    fn the_first_boxes_may_be_narrower() {
        let layout = Layout { model: Model::Gray, alpha: Alpha::None };
        let mut shrink = super::Shrink::new(Boxes { side: 2, first: 1 }, Boxes { side: 3, first: 1 }, layout, 4);
        let mut out: Vec<u8> = Vec::new();
        assert!(shrink.push(&[1_u8, 2, 4, 9]));
        shrink.take(&mut out);
        assert_eq!(out, [1, 3, 9]);
        assert!(!shrink.push(&[1_u8, 2, 4, 9]) && !shrink.push(&[1_u8, 2, 4, 9]) && shrink.push(&[1_u8, 2, 4, 9]));
        shrink.take(&mut out);
        assert_eq!(out, [1, 3, 9]);
    }

    #[test]
    fn small_boxes_of_any_place_are_averaged_exactly() {
        fn check<const CHANNELS: usize, S: Sample + PartialEq + std::fmt::Debug>(model: Model, of: impl Fn(u32) -> S) {
            let mut random = 1_u32;
            for (side, first, down, width) in
                [(2, 1, 2, 9), (2, 2, 2, 8), (3, 2, 4, 11), (4, 4, 4, 16), (5, 3, 3, 14), (16, 16, 16, 40), (17, 4, 16, 40), (2, 2, 2, 1), (3, 1, 1, 1)]
            {
                let layout = Layout { model, alpha: Alpha::None };
                let mut shrink = Shrink::new(Boxes { side, first }, Boxes { side: down, first: down }, layout, width);
                let rows: Vec<Vec<S>> = (0..down)
                    .map(|_| {
                        let sample = |_| {
                            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                            of(random >> 15)
                        };
                        (0..width * CHANNELS).map(sample).collect()
                    })
                    .collect();
                let full = rows.iter().filter(|row| shrink.push(row.as_slice())).count();
                assert_eq!(full, 1);
                let mut out: Vec<S> = Vec::new();
                shrink.take(&mut out);
                let ends = std::iter::once(first.min(width)).chain((first + side..).step_by(side)).map(|end| end.min(width));
                let mut expected = Vec::new();
                let mut from = 0;
                for to in ends {
                    if from == width {
                        break;
                    }
                    for channel in 0..CHANNELS {
                        let sum: u64 = rows.iter().flat_map(|row| (from..to).map(move |x| u64::from(row[x * CHANNELS + channel].to_u32()))).sum();
                        let count = ((to - from) * down) as u64;
                        expected.push(S::from_u32(((sum + count / 2) / count) as u32));
                    }
                    from = to;
                }
                assert_eq!(out, expected, "{side} {first} {down} {width}");
            }
        }
        check::<1, u8>(Model::Gray, |random| random as u8);
        check::<3, u8>(Model::Rgb, |random| (random as u8) | 0xC0);
        check::<4, u8>(Model::Cmyk, |random| random as u8);
        check::<1, u16>(Model::Gray, |random| random as u16);
        check::<3, u16>(Model::Rgb, |random| (random as u16) | 0xF000);
    }
}
