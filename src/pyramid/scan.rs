//! A JPEG file of one sequential scan: its MCU rows can be made one after the other, and reached by an index that grows as they are.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Whole;
use crate::bytes::ByteRange;
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
    /// Size of the file, bytes.
    size: u64,
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

impl OneScan {
    /// Out of the segments of a file of `size` bytes whose scan's data begin at `data`. None if it needs another way.
    pub fn new(head: &[u8], data: u64, size: u64, whole: Whole) -> Option<Self> {
        let mut header = Header::read(None, head).ok().filter(Header::is_streamable)?;
        let profile = Profile::of_jpeg(header.has_broken_profile, header.icc_profile(head));
        header.scan.data = usize::try_from(data).ok()?;
        let index = Index::of_file(&header, usize::try_from(size).ok()?).ok()?;
        let seal = seal(&[head, &data.to_be_bytes(), &size.to_be_bytes()]);
        Some(Self { profile, whole, size, seal, shared: Mutex::new(Shared { told: index.len(), index: Arc::new(index) }), header })
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
        self.size > SMALL && self.lock().index.len() <= 1
    }

    /// The index to be kept, if it has grown much since it was last told: at most so many times for a file.
    pub fn grown(&self) -> Option<Vec<u8>> {
        const TIMES: usize = 8;
        if self.size <= SMALL {
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
        let Some(index) = self.index().read_like(bytes, &self.seal, self.size) else { return false };
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
            ranges.extend(ByteRange::new((range.start.max(from.0)) as u64, end.min(self.size)));
        }
        Reading { ranges, open }
    }

    /// The byte at which an MCU may end: what is left of the file is as dense as any of it.
    fn guess(&self, index: &Index, from: (usize, usize), mcu: usize) -> u64 {
        let last = index.last().map_or((0, 0), |last| (last.bits.byte, last.mcu));
        let (byte, next) = if last.0 > from.0 { last } else { from };
        let left = u128::from(self.size.saturating_sub(byte as u64));
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
