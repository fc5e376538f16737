//! A JPEG of one sequential scan, a file or the only strip of a page of a TIFF: its MCU rows can be made one after the other, and reached by an index that grows as they are.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Whole;
use crate::bytes::ByteRange;
use crate::geometry::Dimensions;
use crate::jpeg::{ColorModel, Entry, Grid, Header, Index, seal};
use crate::profile::{Model, Profile};

/// Bytes of a file that is read as fast as its index.
const SMALL: u64 = 128 << 10;

/// What is known of such a file before its pixels. Clones of a pyramid share it, and so the index.
#[derive(Debug)]
pub(crate) struct OneScan {
    pub header: Header,
    pub profile: Option<Arc<Profile>>,
    pub whole: Whole,
    /// The bytes of the file that it is.
    part: Range<u64>,
    /// What an index must have been made for.
    seal: Vec<u8>,
    shared: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    index: Arc<Index>,
    /// Positions that were told to the driver.
    told: usize,
}

/// Which bytes of a scan a region lies in, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub ranges: Vec<ByteRange>,
    /// Whether the end of the last one is guessed.
    pub open: bool,
}

impl Reading {
    /// Bytes in all.
    pub fn bytes(&self) -> u64 {
        self.ranges.iter().fold(0, |sum, range| sum.saturating_add(range.len()))
    }
}

/// What the samples of so many components mean, once they are rows.
pub(crate) fn meaning(colors: ColorModel, components: usize) -> Model {
    match (colors, components) {
        (ColorModel::Gray, _) => Model::Gray,
        (ColorModel::YCbCr | ColorModel::Rgb, _) => Model::Rgb,
        (ColorModel::Cmyk { .. } | ColorModel::Ycck { .. }, _) | (ColorModel::Stored, 4) => Model::Cmyk,
        (ColorModel::Stored, 3) => Model::Rgb,
        (ColorModel::Stored, _) => Model::Gray,
    }
}

/// What the container of a JPEG says of it.
pub(super) struct Contained<'a> {
    /// The tables that its streams leave out (TIFF Technical Note 2).
    pub tables: Option<&'a [u8]>,
    pub model: ColorModel,
    /// It may be coded in whole MCUs.
    pub dimensions: Dimensions,
    pub profile: Option<Arc<Profile>>,
}

impl OneScan {
    /// Out of the segments of a file of `size` bytes whose scan's data begin at `data`. None if it needs another way.
    pub fn new(head: &[u8], data: u64, size: u64, whole: Whole) -> Option<Self> {
        let header = Header::read(None, head).ok()?;
        let profile = Profile::of_jpeg(header.has_broken_profile, header.icc_profile(head));
        Self::of(header, profile, data, 0..size, whole, seal(&[head, &data.to_be_bytes(), &size.to_be_bytes()]))
    }

    /// Out of the segments of a part of a file. None if it needs another way, or is not what its container says.
    pub(super) fn within(head: &[u8], data: u64, part: Range<u64>, whole: Whole, contained: Contained<'_>) -> Option<Self> {
        const PADDING: u32 = 15;
        let Contained { tables, model, dimensions, profile } = contained;
        let mut header = Header::read(tables, head).ok()?;
        let across = u32::from(header.most().0).saturating_mul(8);
        let found = header.dimensions;
        let padded = |found: u32, stated: u32| (stated..=stated.saturating_add(PADDING)).contains(&found);
        let fits = padded(found.width(), dimensions.width()) && padded(found.height(), dimensions.height());
        // What is left out beyond the right edge must be no MCU, or the next row of them would be found at a wrong place.
        if !fits || found.width().div_ceil(across) != dimensions.width().div_ceil(across) || data >= part.end {
            return None;
        }
        header.dimensions = dimensions;
        header.declare(model);
        let seal = seal(&[head, tables.unwrap_or_default(), &data.to_be_bytes(), &part.end.to_be_bytes()]);
        Self::of(header, profile, data, part, whole, seal)
    }

    fn of(mut header: Header, profile: Option<Arc<Profile>>, data: u64, part: Range<u64>, whole: Whole, seal: Vec<u8>) -> Option<Self> {
        if !header.is_streamable() {
            return None;
        }
        header.scan.data = usize::try_from(data).ok()?;
        let index = Index::of_part(&header, usize::try_from(part.start).ok()?..usize::try_from(part.end).ok()?).ok()?;
        Some(Self { profile, whole, part, seal, shared: Mutex::new(Shared { told: index.len(), index: Arc::new(index) }), header })
    }

    /// The byte of the file behind its last.
    pub fn end(&self) -> u64 {
        self.part.end
    }

    /// Its length, bytes.
    pub fn size(&self) -> u64 {
        self.part.end.saturating_sub(self.part.start)
    }

    /// What its decoded samples mean.
    pub fn colors(&self) -> Model {
        meaning(self.header.color_model(), self.header.components.len())
    }

    /// The index as it is now.
    pub fn index(&self) -> Arc<Index> {
        self.lock().index.clone()
    }

    /// Adds positions that were come by, the first of which has this number.
    pub fn learn(&self, first: usize, entries: &[Entry]) {
        if !entries.is_empty() {
            Arc::make_mut(&mut self.lock().index).learn(first, entries);
        }
    }

    /// Whether an index is worth keeping, and nothing has been learnt of it yet.
    pub fn wants_index(&self) -> bool {
        self.size() > SMALL && self.lock().index.len() <= 1
    }

    /// The index to be kept, if it has grown much since it was last told: at most so many times for a file.
    pub fn grown(&self) -> Option<Vec<u8>> {
        const TIMES: usize = 8;
        if self.size() <= SMALL {
            return None;
        }
        let mut shared = self.lock();
        let (known, all) = (shared.index.len(), shared.index.all());
        let enough = shared.index.is_complete() || known.saturating_sub(shared.told) > all.checked_div(TIMES).unwrap_or(all);
        if known <= shared.told || !enough {
            return None;
        }
        shared.told = known;
        let index = shared.index.clone();
        drop(shared);
        Some(index.to_bytes(&self.seal))
    }

    /// Takes an index that was kept; whether it is of this file.
    pub fn take_index(&self, bytes: &[u8]) -> bool {
        let Some(index) = self.index().read_like(bytes, &self.seal, self.part.end) else { return false };
        let mut shared = self.lock();
        if index.len() > shared.index.len() {
            *shared = Shared { told: index.len(), index: Arc::new(index) };
        }
        true
    }

    /// Where the MCUs of some rows of a grid lie, from byte `from` on, at which an MCU begins. Reading goes on to the last of them where their place is not known.
    pub fn reading(&self, index: &Index, grid: &Grid, rows: Range<usize>, from: (usize, usize)) -> Reading {
        let end_mcu = rows.end.saturating_sub(1).saturating_mul(grid.mcus.0).saturating_add(grid.columns.end);
        let grid = Grid { rows, ..grid.clone() };
        let mut ranges: Vec<ByteRange> = Vec::new();
        let mut open = false;
        for range in index.ranges(&grid) {
            open = range.end == usize::MAX;
            let end = if open { self.guess(index, from, end_mcu) } else { range.end as u64 };
            ranges.extend(ByteRange::new((range.start.max(from.0)) as u64, end.min(self.part.end)));
        }
        Reading { ranges, open }
    }

    /// The byte at which an MCU may end: what is left of the file is as dense as any of it.
    fn guess(&self, index: &Index, from: (usize, usize), mcu: usize) -> u64 {
        let last = index.last().map_or((0, 0), |last| (last.bits.byte, last.mcu));
        let (byte, next) = if last.0 > from.0 { last } else { from };
        let left = u128::from(self.part.end.saturating_sub(byte as u64));
        let (wanted, all) = (mcu.saturating_sub(next) as u128, index.mcus().saturating_sub(next) as u128);
        let share = left.saturating_mul(wanted).checked_div(all).unwrap_or(left);
        (byte as u64).saturating_add(u64::try_from(share).unwrap_or(u64::MAX)).saturating_add(1)
    }

    /// Bytes it takes.
    pub fn weight(&self) -> usize {
        const TABLES: usize = 4 << 10;
        let profile = self.profile.as_ref().map_or(0, |profile| profile.weight());
        self.lock().index.weight().saturating_add(profile).saturating_add(TABLES)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Whoever panicked while holding it had no part of it half done.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
