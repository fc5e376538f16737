//! A JPEG of one sequential scan: a whole file, or the only strip of a TIFF page. Its rows of MCUs can be decoded one after another, or reached by an index of
//! MCU positions. The index grows as rows are decoded.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Whole;
use crate::bytes::ByteRange;
use crate::geometry::Dimensions;
use crate::jpeg::{ColorModel, Entry, Grid, Header, Index, seal};
use crate::profile::{Model, Profile};

/// A file of up to this many bytes can be read as fast as a stored index of it, so its index is not stored.
const SMALL: u64 = 128 << 10;

/// What is known of such a JPEG before its pixels are decoded. Clones of a pyramid share it, including the index.
#[derive(Debug)]
pub(crate) struct OneScan {
    pub header: Header,
    pub profile: Option<Arc<Profile>>,
    pub whole: Whole,
    /// The byte range of the file that holds the JPEG.
    part: Range<u64>,
    /// Identifies the stream that an index belongs to. A stored index with another seal is refused.
    seal: Vec<u8>,
    shared: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    index: Arc<Index>,
    /// Number of positions in the index when it was last given out to be stored.
    told: usize,
}

/// The byte ranges of the scan that hold a region, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub ranges: Vec<ByteRange>,
    /// Whether the end of the last range is an estimate.
    pub open: bool,
}

impl Reading {
    /// Total bytes of all ranges.
    pub fn bytes(&self) -> u64 {
        self.ranges.iter().fold(0, |sum, range| sum.saturating_add(range.len()))
    }
}

/// The colour model of decoded rows, from the colours of a JPEG and its number of components.
pub(crate) fn meaning(colors: ColorModel, components: usize) -> Model {
    match (colors, components) {
        (ColorModel::Gray, _) => Model::Gray,
        (ColorModel::YCbCr | ColorModel::Rgb, _) => Model::Rgb,
        (ColorModel::Cmyk { .. } | ColorModel::Ycck { .. }, _) | (ColorModel::Stored, 4) => Model::Cmyk,
        (ColorModel::Stored, 3) => Model::Rgb,
        (ColorModel::Stored, _) => Model::Gray,
    }
}

/// What the container of a JPEG says about it.
pub(super) struct Contained<'a> {
    /// The tables that the stream itself leaves out (JPEGTables, TIFF Technical Note 2).
    pub tables: Option<&'a [u8]>,
    pub model: ColorModel,
    /// Size of the image, px. The JPEG may be larger: padded to whole MCUs.
    pub dimensions: Dimensions,
    pub profile: Option<Arc<Profile>>,
}

impl OneScan {
    /// From the segments (`head`) of a file of `size` bytes, where the data of the scan begin at byte `data`. `None` if the file has to be decoded in another
    /// way.
    pub fn new(head: &[u8], data: u64, size: u64, whole: Whole) -> Option<Self> {
        let header = Header::read(None, head).ok()?;
        let profile = Profile::of_jpeg(header.has_broken_profile, header.icc_profile(head));
        Self::of(header, profile, data, 0..size, whole, seal(&[head, &data.to_be_bytes(), &size.to_be_bytes()]))
    }

    /// The same for a JPEG in the byte range `part` of a file. `None` if it has to be decoded in another way, or does not match what its container says.
    pub(super) fn within(head: &[u8], data: u64, part: Range<u64>, whole: Whole, contained: Contained<'_>) -> Option<Self> {
        const PADDING: u32 = 15;
        let Contained { tables, model, dimensions, profile } = contained;
        let mut header = Header::read(tables, head).ok()?;
        let across = u32::from(header.most().0).saturating_mul(8);
        let found = header.dimensions;
        let padded = |found: u32, stated: u32| (stated..=stated.saturating_add(PADDING)).contains(&found);
        let fits = padded(found.width(), dimensions.width()) && padded(found.height(), dimensions.height());
        // The columns that are cut off at the right edge must not contain a whole MCU. Otherwise the next row of MCUs would be looked for at a wrong position.
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

    /// Offset in the file of the first byte after the JPEG.
    pub fn end(&self) -> u64 {
        self.part.end
    }

    /// Length of the JPEG, bytes.
    pub fn size(&self) -> u64 {
        self.part.end.saturating_sub(self.part.start)
    }

    /// The colour model of its decoded samples.
    pub fn colors(&self) -> Model {
        meaning(self.header.color_model(), self.header.components.len())
    }

    /// The index as it is now.
    pub fn index(&self) -> Arc<Index> {
        self.lock().index.clone()
    }

    /// Adds MCU positions that were found while decoding to the index. `first` is the number of the first of them.
    pub fn learn(&self, first: usize, entries: &[Entry]) {
        if !entries.is_empty() {
            Arc::make_mut(&mut self.lock().index).learn(first, entries);
        }
    }

    /// Whether the JPEG is large enough for its index to be stored, and no positions have been learnt yet.
    pub fn wants_index(&self) -> bool {
        self.size() > SMALL && self.lock().index.len() <= 1
    }

    /// The index in the form in which it is stored, if it has grown much since it was last given out. That happens at most `TIMES` times per file.
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

    /// Takes a stored index. Returns whether it belongs to this JPEG.
    pub fn take_index(&self, bytes: &[u8]) -> bool {
        let Some(index) = self.index().read_like(bytes, &self.seal, self.part.end) else { return false };
        let mut shared = self.lock();
        if index.len() > shared.index.len() {
            *shared = Shared { told: index.len(), index: Arc::new(index) };
        }
        true
    }

    /// The bytes that hold the MCUs of `rows` of `grid`. They begin at or after `from`: the byte at which an MCU begins, and the number of that MCU. If the
    /// positions of the last MCUs are not known, the last range ends at an estimate.
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

    /// Estimates the byte at which MCU `mcu` ends. It assumes that the remaining MCUs all take the same number of bytes.
    fn guess(&self, index: &Index, from: (usize, usize), mcu: usize) -> u64 {
        let last = index.last().map_or((0, 0), |last| (last.bits.byte, last.mcu));
        let (byte, next) = if last.0 > from.0 { last } else { from };
        let left = u128::from(self.part.end.saturating_sub(byte as u64));
        let (wanted, all) = (mcu.saturating_sub(next) as u128, index.mcus().saturating_sub(next) as u128);
        let share = left.saturating_mul(wanted).checked_div(all).unwrap_or(left);
        (byte as u64).saturating_add(u64::try_from(share).unwrap_or(u64::MAX)).saturating_add(1)
    }

    /// Bytes of memory it takes.
    pub fn weight(&self) -> usize {
        const TABLES: usize = 4 << 10;
        let profile = self.profile.as_ref().map_or(0, |profile| profile.weight());
        self.lock().index.weight().saturating_add(profile).saturating_add(TABLES)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A poisoned lock can be used: a thread that panicked while it held the lock left no half-done change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
