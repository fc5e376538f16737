//! Rotation by any angle, about the centre, onto the smallest box that holds the whole: row by row, so that neither the image nor the box need ever be whole.

use super::raster::Raster;
use crate::geometry::Dimensions;
use crate::plan::rows_to_rotate;

/// Fractional bits of a place in the source.
const BITS: i64 = 16;
/// Fractional bits of the weights of the four pixels around a place. The sum of four products of weight, alpha and colour fits 32 bits.
const WEIGHT: u32 = 8;

/// Turns rows that come from the top clockwise by an angle from -45 to 45 degrees. An alpha channel of the result is 0 where nothing was. Bilinear.
///
/// An output row needs source rows only from where it enters the image to where it leaves it. Only so many are held.
pub(crate) struct Rotator {
    source: Dimensions,
    channels: usize,
    size: Dimensions,
    /// One step to the right, and one step down, in the source.
    across: (i64, i64),
    /// Where the middle of the first output pixel lies in the source, as numbers: rows are placed without adding up rounding.
    turn: (f64, f64),
    /// The last rows, source row `y` at `y % capacity`.
    ring: Vec<u8>,
    capacity: usize,
    /// Source rows that have come.
    rows: usize,
    /// The next output row.
    next: u32,
}

/// The pixels of an output row that lie within the source, and where the first of them lies there.
struct Span {
    from: u32,
    to: u32,
    u: i64,
    v: i64,
}

impl Rotator {
    /// For rows of an image of these dimensions whose pixels have `channels` samples.
    pub fn new(source: Dimensions, channels: usize, degrees: f64) -> Self {
        let capacity = rows_to_rotate(source, degrees);
        let ring = vec![0; capacity as usize * source.width() as usize * channels];
        Self::over(source, channels, degrees, ring, capacity as usize, 0)
    }

    /// For an image that is all there, without a copy of it.
    pub fn of(raster: Raster, degrees: f64) -> Self {
        let height = raster.dimensions.height() as usize;
        Self::over(raster.dimensions, raster.channels, degrees, raster.data, height, height)
    }

    fn over(source: Dimensions, channels: usize, degrees: f64, ring: Vec<u8>, capacity: usize, rows: usize) -> Self {
        let turn = libm::sincos(degrees * (std::f64::consts::PI / 180.0));
        let across = (fixed(turn.1), fixed(-turn.0));
        Self { source, channels, size: source.rotated(degrees), across, turn, ring, capacity, rows, next: 0 }
    }

    /// Samples of a pixel of the result.
    pub fn channels(&self) -> usize {
        self.colors() + 1
    }

    fn colors(&self) -> usize {
        if self.channels <= 2 { 1 } else { 3 }
    }

    /// Begins again with the first output row, of an image that is all there.
    pub fn restart(&mut self) {
        self.next = 0;
    }

    /// Adds the next source row. [`Self::next`] must have given all rows before.
    pub fn push(&mut self, row: &[u8]) {
        let stride = self.source.width() as usize * self.channels;
        let slot = self.rows % self.capacity * stride;
        self.ring[slot..slot + stride].copy_from_slice(row);
        self.rows += 1;
    }

    /// Appends the next output row to `out`; `false` if rows that it needs are yet to come, or if there is none.
    pub fn next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.next >= self.size.height() {
            return false;
        }
        let span = self.span(self.next);
        if let Some(span) = &span {
            let end = span.v + self.across.1 * i64::from(span.to - span.from - 1);
            let last = ((span.v.max(end) >> BITS) + 1).clamp(0, i64::from(self.source.height()) - 1);
            if last as usize >= self.rows {
                return false;
            }
        }
        self.next += 1;
        let (begin, channels) = (out.len(), self.channels());
        out.resize(begin + self.size.width() as usize * channels, 0);
        let Some(span) = span else { return true };
        let row = &mut out[begin..][span.from as usize * channels..span.to as usize * channels];
        match self.channels {
            1 => self.fill::<1, 1, 2>(row, &span),
            2 => self.fill::<2, 1, 2>(row, &span),
            3 => self.fill::<3, 3, 4>(row, &span),
            _ => self.fill::<4, 3, 4>(row, &span),
        }
        true
    }

    /// Which pixels of an output row lie within the source.
    fn span(&self, y: u32) -> Option<Span> {
        let (sin, cos) = self.turn;
        let down = f64::from(y) + 0.5 - f64::from(self.size.height()) / 2.0;
        let across = 0.5 - f64::from(self.size.width()) / 2.0;
        // The inverse rotation takes a pixel's centre back to the source.
        let u = fixed(across * cos + down * sin + f64::from(self.source.width()) / 2.0 - 0.5);
        let v = fixed(down * cos - across * sin + f64::from(self.source.height()) / 2.0 - 0.5);
        let (left, right) = inside(u, self.across.0, self.source.width(), self.size.width());
        let (above, below) = inside(v, self.across.1, self.source.height(), self.size.width());
        let (from, to) = (left.max(above), right.min(below));
        (from < to).then(|| Span { from, to, u: u + self.across.0 * i64::from(from), v: v + self.across.1 * i64::from(from) })
    }

    /// `CHANNELS` samples of the source, `COLORS` of them colours, become colours and alpha: `MADE` samples.
    fn fill<const CHANNELS: usize, const COLORS: usize, const MADE: usize>(&self, row: &mut [u8], span: &Span) {
        const ONE: u32 = 1 << WEIGHT;
        let (width, height) = (i64::from(self.source.width()), i64::from(self.source.height()));
        let stride = self.source.width() as usize;
        let pixels = self.ring.as_chunks::<CHANNELS>().0;
        let (mut u, mut v) = (span.u, span.v);
        for made in row.as_chunks_mut::<MADE>().0 {
            let (x, y) = (u >> BITS, v >> BITS);
            let part = |place: i64| (place >> (BITS - i64::from(WEIGHT))) as u32 & (ONE - 1);
            let (right, low) = (part(u), part(v));
            u += self.across.0;
            v += self.across.1;
            let weights = [(ONE - right) * (ONE - low), right * (ONE - low), (ONE - right) * low, right * low];
            let places = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
            let whole = x >= 0 && y >= 0 && x + 1 < width && y + 1 < height;
            let (mut sums, mut cover) = ([0_u32; COLORS], 0_u32);
            if whole && CHANNELS == COLORS {
                let (first, second) = (y as usize % self.capacity * stride + x as usize, (y as usize + 1) % self.capacity * stride + x as usize);
                let around = [&pixels[first], &pixels[first + 1], &pixels[second], &pixels[second + 1]];
                for (pixel, weight) in around.into_iter().zip(weights) {
                    sums.iter_mut().zip(pixel).for_each(|(sum, color)| *sum += weight * u32::from(*color));
                }
                made.iter_mut().zip(sums).for_each(|(sample, sum)| *sample = ((sum + ONE * ONE / 2) / (ONE * ONE)) as u8);
                made[COLORS] = 255;
                continue;
            }
            // Weighed by nearness and alpha; beyond the edge all is transparent.
            for ((x, y), weight) in places.into_iter().zip(weights) {
                if x < 0 || y < 0 || x >= width || y >= height {
                    continue;
                }
                let pixel = &pixels[y as usize % self.capacity * stride + x as usize];
                let weight = weight * if CHANNELS == COLORS { 255 } else { u32::from(pixel[CHANNELS - 1]) };
                cover += weight;
                sums.iter_mut().zip(pixel).for_each(|(sum, color)| *sum += weight * u32::from(*color));
            }
            made.iter_mut().zip(sums).for_each(|(sample, sum)| *sample = (sum + cover / 2).checked_div(cover).unwrap_or(0) as u8);
            made[COLORS] = ((cover + ONE * ONE / 2) / (ONE * ONE)) as u8;
        }
    }
}

fn fixed(value: f64) -> i64 {
    libm::round(value * f64::from(1 << BITS)) as i64
}

/// The steps `from..to` of `count` at which `place + step × index` is less than a pixel away from `0..length`.
fn inside(place: i64, step: i64, length: u32, count: u32) -> (u32, u32) {
    // At more than -1 and less than `length`.
    let (low, high) = (1 - (1 << BITS), (i64::from(length) << BITS) - 1);
    let (low, high) = (low - place, high - place);
    let index = |value: i64| value.clamp(0, i64::from(count)) as u32;
    match step {
        0 if low <= 0 && high >= 0 => (0, count),
        0 => (0, 0),
        1.. => (index(ceil_div(low, step)), index(high.div_euclid(step) + 1)),
        _ => (index(ceil_div(-high, -step)), index((-low).div_euclid(-step) + 1)),
    }
}

/// `divisor` is more than 0.
fn ceil_div(value: i64, divisor: i64) -> i64 {
    -(-value).div_euclid(divisor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Dimensions;

    /// All rows at once.
    fn rotate(raster: &Raster, degrees: f64) -> Raster {
        let mut rotator = Rotator::of(raster.clone(), degrees);
        let mut data = Vec::new();
        while rotator.next(&mut data) {}
        Raster { dimensions: rotator.size, channels: rotator.channels(), data }
    }

    fn plain(width: u32, height: u32) -> Raster {
        let dimensions = Dimensions::new(width, height).unwrap();
        Raster { dimensions, channels: 3, data: [9, 100, 200].repeat(dimensions.area() as usize) }
    }

    #[test]
    fn the_box_holds_the_whole_and_its_corners_are_empty() {
        let turned = rotate(&plain(300, 200), 45.0);
        assert_eq!(turned.dimensions.to_string(), "354×354");
        let pixel = |x: usize, y: usize| &turned.data[(y * 354 + x) * 4..][..4];
        assert_eq!(pixel(0, 0), [0, 0, 0, 0]);
        assert_eq!(pixel(177, 177), [9, 100, 200, 255]);
        assert_eq!(rotate(&plain(100, 100), 30.0).dimensions.to_string(), "137×137");
    }

    #[test]
    fn a_turn_by_almost_nothing_keeps_the_pixels() {
        let turned = rotate(&plain(50, 40), 0.0001);
        let middle = (20 * turned.dimensions.width() as usize + 25) * 4;
        assert_eq!(turned.data[middle..][..4], [9, 100, 200, 255]);
    }

    #[test]
    fn pixels_are_what_they_are_by_the_definition() {
        let (width, height) = (37_u32, 23_u32);
        let dimensions = Dimensions::new(width, height).unwrap();
        for channels in 1..=4_usize {
            let data: Vec<u8> = (0..dimensions.area() as usize * channels).map(|at| (at * 89 % 251) as u8).collect();
            let raster = Raster { dimensions, channels, data };
            for degrees in [-45.0, -31.7, -3.0, 0.5, 12.0, 44.9, 45.0] {
                let turned = rotate(&raster, degrees);
                let (sin, cos) = (f64::to_radians(degrees).sin(), f64::to_radians(degrees).cos());
                let colors = turned.channels - 1;
                for y in 0..turned.dimensions.height() {
                    for x in 0..turned.dimensions.width() {
                        let (across, down) =
                            (f64::from(x) + 0.5 - f64::from(turned.dimensions.width()) / 2.0, f64::from(y) + 0.5 - f64::from(turned.dimensions.height()) / 2.0);
                        let (u, v) = (across * cos + down * sin + f64::from(width) / 2.0 - 0.5, down * cos - across * sin + f64::from(height) / 2.0 - 0.5);
                        let mut sums = [0.0; 4];
                        for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
                            let (px, py) = (u.floor() + dx, v.floor() + dy);
                            if px < 0.0 || py < 0.0 || px >= f64::from(width) || py >= f64::from(height) {
                                continue;
                            }
                            let pixel = &raster.data[(py as usize * width as usize + px as usize) * channels..][..channels];
                            let alpha = if raster.has_alpha() { f64::from(pixel[channels - 1]) } else { 255.0 };
                            let weight = (1.0 - (u - px).abs()) * (1.0 - (v - py).abs()) * alpha;
                            (0..colors).for_each(|color| sums[color] += weight * f64::from(pixel[color]));
                            sums[3] += weight;
                        }
                        let found = &turned.data[(y * turned.dimensions.width() + x) as usize * turned.channels..][..turned.channels];
                        assert!((f64::from(found[colors]) - sums[3]).abs() < 2.5, "alpha at {x},{y} of {degrees}: {found:?}, {sums:?}");
                        // Colours of what can hardly be seen have few bits.
                        let tolerance = 2.5 + 255.0 / sums[3].max(1.0);
                        (0..colors).filter(|_| sums[3] > 2.0).for_each(|color| {
                            let exact = sums[color] / sums[3];
                            assert!((f64::from(found[color]) - exact).abs() < tolerance, "{x},{y} of {degrees}: {found:?} where {exact} belongs");
                        });
                    }
                }
            }
        }
    }

    #[test]
    fn rows_that_come_one_by_one_make_the_same() {
        for (width, height) in [(1, 1), (1, 300), (300, 1), (7, 90), (90, 7), (64, 64), (200, 33)] {
            let dimensions = Dimensions::new(width, height).unwrap();
            let data: Vec<u8> = (0..dimensions.area() as usize * 3).map(|at| (at * 31 % 253) as u8).collect();
            let raster = Raster { dimensions, channels: 3, data };
            for degrees in [-45.0, -44.0, -20.0, -1.0, -0.01, 0.01, 1.0, 7.5, 22.5, 40.0, 45.0] {
                let whole = rotate(&raster, degrees);
                let mut rotator = Rotator::new(dimensions, 3, degrees);
                let mut rows = Vec::new();
                while rotator.next(&mut rows) {}
                for row in raster.data.chunks_exact(raster.stride()) {
                    rotator.push(row);
                    while rotator.next(&mut rows) {}
                }
                assert!(rows == whole.data, "{dimensions} by {degrees} with {} rows held", rotator.capacity);
            }
        }
    }
}
