//! Where in the entropy-coded data MCUs begin, so that a region costs its own MCUs and a few before them.

use std::ops::Range;

use super::bits::BitPosition;
use super::grid::{Grid, Wanted};
use super::mcu::Predictions;
use crate::error::Result;
use crate::jpeg::header::Header;

/// The first byte of a stored index: another layout, or another choice of positions, has another.
const VERSION: u8 = 2;

/// Bytes of entropy-coded data between two positions, about. Measured: half as many save no time that could be told, twice as many cost a tile of a smooth map
/// seven per cent, four times as many one of a photograph five; the index is about 0.65 % of the file.
const SPACING: usize = 1 << 10;

/// Positions of a large file, about: more would take too much memory.
const MOST: usize = 1 << 16;

/// A place between two MCUs, and the DC coefficients before it.
pub(crate) type Entry = (BitPosition, Predictions);

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
    /// The first is the beginning of the scan.
    entries: Vec<Entry>,
}

impl Index {
    /// An index that knows where the scan begins; `step` is in MCUs.
    pub fn new(header: &Header, step: usize) -> Result<Self> {
        let mcus = Grid::new(header, &Wanted::whole(header))?.mcus;
        Ok(Self { step: step.max(1), mcus, entries: vec![(BitPosition { byte: header.scan.data, bit: 0 }, [0; 4])] })
    }

    /// One for a file of so many bytes, whose positions lie as far apart as is worth it: at restart markers, if there are enough of them.
    pub fn of_file(header: &Header, size: usize) -> Result<Self> {
        Self::of_part(header, 0..size)
    }

    /// The same for a stream that is a part of a file; places are those within the file.
    pub fn of_part(header: &Header, part: Range<usize>) -> Result<Self> {
        let mut index = Self::new(header, 1)?;
        let (across, down) = index.mcus;
        let bytes = part.end.saturating_sub(header.scan.data).checked_div(across.saturating_mul(down)).unwrap_or(0);
        let spacing = SPACING.max(part.len() / MOST);
        let step = spacing.checked_div(bytes).unwrap_or(spacing).clamp(1, across.max(1));
        let interval = usize::from(header.tables.restart_interval);
        let aligned = interval > 0 && interval < across && across.is_multiple_of(interval);
        index.step = if aligned { step.next_multiple_of(interval) } else { step };
        Ok(index)
    }

    /// How many positions are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the whole image is in it.
    pub fn is_complete(&self) -> bool {
        self.len() >= self.all()
    }

    /// How many positions there are.
    pub fn all(&self) -> usize {
        self.per_row().saturating_mul(self.mcus.1)
    }

    /// The MCU of a position, or one that there is not behind the last.
    pub fn mcu_of(&self, number: usize) -> usize {
        if number < self.all() { self.mcu(number).unwrap_or(usize::MAX) } else { usize::MAX }
    }

    /// Adds positions, the first of which has this number; those that are known are left out.
    pub fn learn(&mut self, first: usize, entries: &[Entry]) {
        if let Some(new) = self.len().checked_sub(first).and_then(|known| entries.get(known..)) {
            self.entries.extend_from_slice(new);
        }
    }

    /// The last position at or before an MCU.
    pub fn before(&self, row: usize, column: usize) -> Option<Position> {
        let number = self.number(row, column).min(self.entries.len().checked_sub(1)?);
        let (bits, predictions) = *self.entries.get(number)?;
        Some(Position { bits, mcu: self.mcu(number)?, predictions })
    }

    /// The last position.
    pub fn last(&self) -> Option<Position> {
        self.before(usize::MAX, 0)
    }

    /// How many MCUs the image has.
    pub fn mcus(&self) -> usize {
        self.mcus.0.saturating_mul(self.mcus.1)
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
            // The entry behind the last MCU; bits of its first byte may be of that MCU, and that byte may have a zero stuffed behind it.
            let after = self.number(row, grid.columns.end.saturating_sub(1)).saturating_add(1);
            let end = self.entries.get(after).map_or(usize::MAX, |(bits, _)| bits.byte.saturating_add(2));
            match ranges.last_mut() {
                Some(last) if last.end >= start.bits.byte => last.end = last.end.max(end),
                _ => ranges.push(start.bits.byte..end),
            }
            if end == usize::MAX {
                break;
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

    /// Bytes that it takes.
    pub fn weight(&self) -> usize {
        self.entries.capacity().saturating_mul(size_of::<Entry>())
    }

    /// To be kept beside the image: differences of a few bytes each, and a checksum over them and over what `seal` says of the file.
    pub fn to_bytes(&self, seal: &[u8]) -> Vec<u8> {
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
        out.extend_from_slice(&checksum(&[seal, &out]).to_be_bytes());
        out
    }

    /// What [`Index::to_bytes`] made under the same seal for an index like this one of a file of `size` bytes; nothing else will do.
    pub fn read_like(&self, bytes: &[u8], seal: &[u8], size: u64) -> Option<Self> {
        let (content, sum) = bytes.split_last_chunk::<8>()?;
        let (version, mut rest) = content.split_first()?;
        // A fuzzer would not come by it.
        let sound = cfg!(fuzzing) || checksum(&[seal, content]).to_be_bytes() == *sum;
        if *version != VERSION || !sound {
            return None;
        }
        let mut number = || take(&mut rest).and_then(|number| usize::try_from(number).ok());
        let (step, mcus, count) = (number()?, (number()?, number()?), number()?);
        // Each entry takes five bytes at least.
        if step != self.step || mcus != self.mcus || count > self.all() || count > rest.len() / 5 {
            return None;
        }
        let mut index = Self { step, mcus, entries: Vec::with_capacity(count) };
        let (mut place, mut predictions) = (0_u64, [0_i16; 4]);
        for _ in 0..count {
            let further = take(&mut rest).filter(|further| *further > 0)?;
            place = place.checked_add(further).filter(|place| place >> 3 < size)?;
            for prediction in &mut predictions {
                let difference = take(&mut rest)?;
                let difference = (difference >> 1).cast_signed() ^ (difference & 1).cast_signed().wrapping_neg();
                *prediction = i16::try_from(i64::from(*prediction).wrapping_add(difference)).ok()?;
            }
            let bit = u8::try_from(place & 7).unwrap_or(0);
            index.entries.push((BitPosition { byte: usize::try_from(place >> 3).ok()?, bit }, predictions));
        }
        (rest.is_empty() && index.entries.first() == self.entries.first()).then_some(index)
    }
}

/// What an index is sealed with: a short sum of what tells a file from others.
pub(crate) fn seal(parts: &[&[u8]]) -> Vec<u8> {
    checksum(parts).to_be_bytes().to_vec()
}

/// FNV-1a of 64 bits.
fn checksum(parts: &[&[u8]]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    parts.iter().copied().flatten().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
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
    use std::sync::Arc;

    use super::*;
    use crate::geometry::Dimensions;
    use crate::jpeg::testing::{Numbers, encode, picture};
    use crate::jpeg::{Decoder, Header, Input, Progress, Sampling, Sequential, Settings, Wanted};

    fn stream(restart_interval: u16) -> Vec<u8> {
        let mut numbers = Numbers(3);
        let samples = picture(&mut numbers, 150, 90, 3);
        encode(&Settings { restart_interval, ..Settings::new(Dimensions::new(150, 90).unwrap(), Sampling::S420, 85) }, &samples)
    }

    /// An index, and how many bytes were ever held, out of pieces of a stream: what is wanted is the last pixel.
    fn index(header: &Header, stream: &[u8], step: usize, piece: usize) -> (Index, usize) {
        let region = crate::geometry::Rect::new(header.dimensions.width() - 1, header.dimensions.height() - 1, 1, 1).unwrap();
        let mut scanner = Sequential::new(header, &Wanted { region, ..Wanted::whole(header) }).unwrap();
        let mut index = Index::new(header, step).unwrap();
        scanner.record(Arc::new(index.clone()));
        let (mut held, mut start, mut end, mut most) = (Vec::new(), 0, 0, 0);
        loop {
            let input = Input { bytes: &held, start, last: end == stream.len() };
            most = most.max(held.len());
            match scanner.next_band(&input).unwrap() {
                Progress::Done => break,
                Progress::Band(_) => {}
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
        let (first, entries) = scanner.recorded();
        index.learn(first, &entries);
        (index, most)
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
                // At a restart marker there are two ways to say where it is.
                assert!(found.is_complete() && (interval > 0 || found == whole));
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
                indexed.follow(Arc::new(index.clone()));
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
        let (empty, size) = (Index::new(&header, 2).unwrap(), stream.len() as u64);
        let bytes = index.to_bytes(b"seal");
        assert!(bytes.len() < index.entries.len() * 9, "{} bytes for {} entries", bytes.len(), index.entries.len());
        assert_eq!(empty.read_like(&bytes, b"seal", size).unwrap(), index);
        assert!(empty.read_like(&bytes, b"sea", size).is_none());
        assert!(empty.read_like(&bytes, b"seal", index.entries[9].0.byte as u64).is_none());
        assert!(Index::new(&header, 3).unwrap().read_like(&bytes, b"seal", size).is_none());
        for cut in 0..bytes.len() {
            assert!(empty.read_like(&bytes[..cut], b"seal", size).is_none());
        }
        let mut numbers = Numbers(8);
        let mut followed = 0;
        for _ in 0..2000 {
            let mut broken = bytes[..bytes.len() - 8].to_vec();
            broken[numbers.below(bytes.len() as u32 - 8) as usize] = numbers.below(256) as u8;
            if broken != bytes[..broken.len()] {
                let stale = [&broken, &bytes[broken.len()..]].concat();
                assert!(empty.read_like(&stale, b"seal", size).is_none());
            }
            // With a checksum of its own, what it leads to may be nonsense, but no harm.
            broken.extend(checksum(&[b"seal", &broken]).to_be_bytes());
            let Some(found) = empty.read_like(&broken, b"seal", size) else { continue };
            followed += 1;
            let region = crate::geometry::Rect::new(70, 40, 60, 40).unwrap();
            let mut decoder = Sequential::new(&header, &Wanted { region, ..Wanted::whole(&header) }).unwrap();
            decoder.follow(Arc::new(found));
            let input = Input { bytes: &stream, start: 0, last: true };
            while let Ok(Progress::Band(_)) = decoder.next_band(&input) {}
        }
        assert!(followed > 100);
    }
}
