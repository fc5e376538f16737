//! Where in the entropy-coded data MCUs begin, so that a region costs its own MCUs and a few before them.

use std::ops::Range;

use super::bits::BitPosition;
use super::grid::Grid;
use super::mcu::Predictions;
use crate::error::{Error, Result};

/// The first byte of a stored index: another layout has another.
const VERSION: u8 = 1;

/// A place between two MCUs from which decoding can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub bits: BitPosition,
    /// The MCU that comes next, counted row by row.
    pub mcu: usize,
    /// The DC coefficients before it.
    pub predictions: Predictions,
}

/// The positions of the first MCU of each row and of every `step`th after it, as far as the stream was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    step: usize,
    /// MCUs in a row, and rows.
    mcus: (usize, usize),
    entries: Vec<(BitPosition, Predictions)>,
}

impl Index {
    /// An index of nothing yet; `step` is in MCUs.
    pub fn new(grid: &Grid, step: usize) -> Self {
        Self { step: step.max(1), mcus: grid.mcus, entries: Vec::new() }
    }

    /// Whether the whole image is in it.
    pub fn is_complete(&self) -> bool {
        self.entries.len() >= self.per_row().saturating_mul(self.mcus.1)
    }

    /// The MCU whose position is the next to be recorded.
    pub fn next_record(&self) -> usize {
        self.mcu(self.entries.len()).unwrap_or(usize::MAX)
    }

    /// Records the position of that one.
    pub fn record(&mut self, bits: BitPosition, predictions: Predictions) {
        self.entries.push((bits, predictions));
    }

    /// The last position at or before an MCU.
    pub fn before(&self, row: usize, column: usize) -> Option<Position> {
        let number = self.number(row, column).min(self.entries.len().checked_sub(1)?);
        let (bits, predictions) = *self.entries.get(number)?;
        Some(Position { bits, mcu: self.mcu(number)?, predictions })
    }

    /// The MCU of an entry.
    fn mcu(&self, number: usize) -> Option<usize> {
        let per_row = self.per_row();
        let (row, place) = (number.checked_div(per_row)?, number.checked_rem(per_row)?);
        Some(row.saturating_mul(self.mcus.0).saturating_add(place.saturating_mul(self.step)))
    }

    /// The bytes of the stream that a region's MCUs lie in, in order and apart from each other; the last may be open (up to `usize::MAX`).
    pub fn ranges(&self, grid: &Grid) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for row in grid.rows.clone() {
            let Some(start) = self.before(row, grid.columns.start) else { continue };
            // The entry behind the last MCU; bits of its first byte may be of that MCU, and if it is 0xFF, the zero behind it says so.
            let after = self.number(row, grid.columns.end.saturating_sub(1)).saturating_add(1);
            let end = self.entries.get(after).map_or(usize::MAX, |(bits, _)| bits.byte.saturating_add(2));
            match ranges.last_mut() {
                Some(last) if last.end >= start.bits.byte => last.end = last.end.max(end),
                _ => ranges.push(start.bits.byte..end),
            }
        }
        ranges
    }

    fn per_row(&self) -> usize {
        self.mcus.0.div_ceil(self.step)
    }

    fn number(&self, row: usize, column: usize) -> usize {
        row.saturating_mul(self.per_row()).saturating_add(column.checked_div(self.step).unwrap_or(0))
    }

    /// To be kept beside the image: differences of a few bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        for number in [self.step, self.mcus.0, self.mcus.1, self.entries.len()] {
            put(&mut out, number as u64);
        }
        let (mut place, mut before) = (0, [0; 4]);
        for (bits, predictions) in &self.entries {
            let next = (bits.byte as u64).saturating_mul(8).saturating_add(bits.bit.into());
            put(&mut out, next.wrapping_sub(place));
            for (prediction, before) in predictions.iter().zip(before) {
                let difference = i64::from(*prediction).saturating_sub(before);
                // The sign goes to the lowest bit.
                put(&mut out, (difference.wrapping_mul(2) ^ (difference >> 63)).cast_unsigned());
            }
            (place, before) = (next, predictions.map(i64::from));
        }
        out
    }

    /// What [`Index::to_bytes`] made for an image of this grid; [`Error::Internal`] for anything else.
    pub fn from_bytes(bytes: &[u8], grid: &Grid) -> Result<Self> {
        let broken = || Error::Internal { what: "a JPEG index that is not of this image".to_owned() };
        let (version, mut rest) = bytes.split_first().ok_or_else(broken)?;
        let mut number = || take(&mut rest).and_then(|number| usize::try_from(number).ok()).ok_or_else(broken);
        let (step, mcus, count) = (number()?, (number()?, number()?), number()?);
        let mut index = Self { step, mcus, entries: Vec::new() };
        // Each entry takes five bytes at least.
        if *version != VERSION || step == 0 || mcus != grid.mcus || count > index.per_row().saturating_mul(mcus.1) || count > rest.len() / 5 {
            return Err(broken());
        }
        index.entries.reserve_exact(count);
        let (mut place, mut predictions) = (0_u64, [0_i16; 4]);
        for _ in 0..count {
            // Positions only ever go on.
            place = take(&mut rest).and_then(|difference| place.checked_add(difference)).ok_or_else(broken)?;
            for prediction in &mut predictions {
                let difference = take(&mut rest).ok_or_else(broken)?;
                let difference = (difference >> 1).cast_signed() ^ (difference & 1).cast_signed().wrapping_neg();
                *prediction = i16::try_from(i64::from(*prediction).wrapping_add(difference)).map_err(|_| broken())?;
            }
            let byte = usize::try_from(place >> 3).map_err(|_| broken())?;
            let bit = u8::try_from(place & 7).unwrap_or(0);
            index.entries.push((BitPosition { byte, bit }, predictions));
        }
        if rest.is_empty() { Ok(index) } else { Err(broken()) }
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn put(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 127).unwrap_or(0);
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 128);
    }
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64_u32).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Dimensions;
    use crate::jpeg::testing::{Numbers, encode, picture};
    use crate::jpeg::{Decoder, Header, Input, Progress, Sampling, Sequential, Settings, Wanted};

    fn stream(restart_interval: u16) -> Vec<u8> {
        let mut numbers = Numbers(3);
        let samples = picture(&mut numbers, 150, 90, 3);
        encode(&Settings { restart_interval, ..Settings::new(Dimensions::new(150, 90).unwrap(), Sampling::S420, 85) }, &samples)
    }

    /// An index, and how many bytes were ever held, out of pieces of a stream.
    fn index(header: &Header, stream: &[u8], step: usize, piece: usize) -> (Index, usize) {
        let mut scanner = Sequential::scanner(header, step).unwrap();
        let (mut held, mut start, mut end, mut most) = (Vec::new(), 0, 0, 0);
        loop {
            let input = Input { bytes: &held, start, last: end == stream.len() };
            most = most.max(held.len());
            match scanner.next_band(&input).unwrap() {
                Progress::Done => break,
                Progress::Band(_) => panic!("a scanner decodes nothing"),
                Progress::Need { from } => {
                    // What lies before is not needed any more; the first piece may lie behind the beginning.
                    held.drain(..(from - start).min(held.len()));
                    start = from;
                    end = end.max(start);
                    let next = (end + piece).min(stream.len());
                    held.extend_from_slice(&stream[end..next]);
                    end = next;
                }
            }
        }
        (scanner.into_index().unwrap(), most)
    }

    #[test]
    fn an_index_is_the_same_however_the_bytes_come() {
        for interval in [0, 7] {
            let stream = stream(interval);
            let header = Header::read(None, &stream).unwrap();
            let (whole, _) = index(&header, &stream, 4, stream.len());
            assert!(whole.is_complete());
            assert_eq!(whole.entries.len(), 6 * 3);
            for piece in [1, 7, 100, 1000] {
                let (found, most) = index(&header, &stream, 4, piece);
                assert_eq!(found, whole);
                assert!(most <= 2000, "{most} bytes were held");
            }
        }
    }

    #[test]
    fn with_an_index_a_region_is_what_it_is_without() {
        for interval in [0, 7] {
            let stream = stream(interval);
            let header = Header::read(None, &stream).unwrap();
            let (index, _) = index(&header, &stream, 4, 500);
            let mut numbers = Numbers(4);
            for _ in 0..60 {
                let (x, y) = (numbers.below(150), numbers.below(90));
                let region = crate::geometry::Rect::new(x, y, 1 + numbers.below(150 - x), 1 + numbers.below(90 - y)).unwrap();
                let wanted = Wanted { region, ..Wanted::whole(&header) };
                let mut plain = Decoder::new(&header, &stream, &wanted).unwrap();
                let mut indexed = Sequential::new(&header, &wanted).unwrap();
                indexed.follow(index.clone());
                // Only the bytes that the index says, one range after the other.
                let ranges = index.ranges(plain.grid());
                let mut inputs = ranges.iter().map(|range| Input { bytes: &stream[range.start..range.end.min(stream.len())], start: range.start, last: false });
                let mut input = inputs.next().unwrap();
                let mut bands = 0;
                loop {
                    match indexed.next_band(&input).unwrap() {
                        Progress::Band(band) => {
                            let other = plain.next_band().unwrap().unwrap();
                            assert_eq!((band.mcu_row, band.planes), (other.mcu_row, other.planes));
                            bands += 1;
                        }
                        Progress::Need { from } => {
                            input = inputs.next().unwrap();
                            assert_eq!(from, input.start);
                        }
                        Progress::Done => break,
                    }
                }
                assert_eq!(bands, plain.grid().rows.len());
                assert!(plain.next_band().unwrap().is_none());
            }
        }
    }

    #[test]
    fn an_index_can_be_kept() {
        let stream = stream(0);
        let header = Header::read(None, &stream).unwrap();
        let (index, _) = index(&header, &stream, 2, 500);
        let grid = Grid::new(&header, &Wanted::whole(&header)).unwrap();
        let bytes = index.to_bytes();
        assert!(bytes.len() < index.entries.len() * 9, "{} bytes for {} entries", bytes.len(), index.entries.len());
        assert_eq!(Index::from_bytes(&bytes, &grid).unwrap(), index);
        for cut in 0..bytes.len() {
            assert!(Index::from_bytes(&bytes[..cut], &grid).is_err());
        }
        let mut backwards = index.clone();
        backwards.entries.swap(1, 2);
        assert!(Index::from_bytes(&backwards.to_bytes(), &grid).is_err());
        let other = Grid { mcus: (9, 9), ..grid.clone() };
        assert!(Index::from_bytes(&bytes, &other).is_err());
        let mut numbers = Numbers(8);
        for _ in 0..500 {
            let mut broken = bytes.clone();
            broken[numbers.below(bytes.len() as u32) as usize] = numbers.below(256) as u8;
            // What it leads to may be nonsense, but no harm.
            let Ok(found) = Index::from_bytes(&broken, &grid) else { continue };
            let mut decoder =
                Sequential::new(&header, &Wanted { region: crate::geometry::Rect::new(70, 40, 60, 40).unwrap(), ..Wanted::whole(&header) }).unwrap();
            decoder.follow(found);
            let input = Input { bytes: &stream, start: 0, last: true };
            while let Ok(Progress::Band(_)) = decoder.next_band(&input) {}
        }
    }
}
