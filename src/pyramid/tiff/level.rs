//! One TIFF directory as a level: what its chunks are and where the tables that find them lie.

use std::sync::Arc;

use super::ifd::{Array, Directory, Header};
use super::sample::{Association, Compression, Model, SampleKind, Samples, Storage};
use super::{Indexes, Values, leader};
use crate::bytes::{ByteRange, ByteStore, Endian};
use crate::error::{SourceFormat, Stop};
use crate::geometry::Dimensions;
use crate::pyramid::dimensions;
use crate::window::Window;

mod tag {
    pub const STRIP_OFFSETS: u16 = 273;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTE_COUNTS: u16 = 279;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_LENGTH: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTE_COUNTS: u16 = 325;
    pub const JPEG_TABLES: u16 = 347;
}

/// Longest ICC profile and JPEG tables that are read, bytes.
pub(super) const LONGEST_PROFILE: u64 = 4 << 20;
const LONGEST_TABLES: u64 = 64 << 10;
/// An uncompressed strip is read in slices of about this many bytes.
const SLICE: u64 = 64 << 10;
/// Entries in which the chunk that follows another in the file is looked for: some are left out, and some lie elsewhere.
const NEIGHBOURS: u64 = 64;

/// A level: one size of the image, cut into chunks (tiles or strips) in rows from the top left.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    pub dimensions: Dimensions,
    /// How many times smaller than the full image, each side; 1 for the full image.
    pub scale_factor: u32,
    /// Size of a chunk. Tiles are whole at the edges, strips are cut at the bottom.
    pub chunk: Dimensions,
    pub tiled: bool,
    pub compression: Compression,
    pub model: Model,
    pub samples: Samples,
    pub values: Values,
    pub jpeg_tables: Option<Arc<[u8]>>,
    pub icc: Option<Arc<[u8]>>,
    /// Of its JPEG chunks.
    pub indexes: Arc<Indexes>,
    /// Whether chunks tell their own lengths, see [`leader`].
    pub led: bool,
    offsets: Array,
    byte_counts: Option<Array>,
    /// Height of a stored strip or tile.
    strip_rows: u32,
    /// An uncompressed strip is shown as several chunks: how many.
    slices: u32,
}

impl Level {
    pub(super) fn read(store: &ByteStore, header: &Header, directory: &Directory) -> Result<Self, Stop> {
        let number = |tag, default| directory.number_or(store, header, tag, default);
        let corrupt = |what: String| header.cursor(store, directory.at).corrupt(what);
        let size = dimensions(SourceFormat::Tiff, directory.at, number(super::tag::IMAGE_WIDTH, 0)?, number(super::tag::IMAGE_LENGTH, 0)?)?;
        let Storage { compression, model, samples } = Storage::read(store, header, directory)?;
        let tiled = directory.array(tag::TILE_WIDTH).is_some();
        let (offsets, counts) = if tiled && directory.array(tag::TILE_OFFSETS).is_some() {
            (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        };
        let Some(offsets) = directory.array(offsets) else { return Err(corrupt("it has no table of strips or tiles".to_owned())) };
        let chunk = if tiled {
            dimensions(SourceFormat::Tiff, directory.at, number(tag::TILE_WIDTH, 0)?, number(tag::TILE_LENGTH, 0)?)?
        } else {
            let rows = number(tag::ROWS_PER_STRIP, u64::from(u32::MAX))?.clamp(1, size.height().into());
            Dimensions::at_least_one(size.width(), u32::try_from(rows).unwrap_or(u32::MAX))
        };
        let optional = |tag, most| directory.array(tag).map(|array: Array| array.raw(store, most)).transpose();
        let mut level = Self {
            dimensions: size,
            scale_factor: 1,
            chunk,
            tiled,
            compression,
            model,
            samples,
            values: Values::default(),
            jpeg_tables: optional(tag::JPEG_TABLES, LONGEST_TABLES)?.map(Arc::from),
            icc: None,
            indexes: Arc::default(),
            led: header.blocks_are_led(store),
            offsets,
            byte_counts: directory.array(counts),
            strip_rows: chunk.height(),
            slices: 1,
        };
        if level.offsets.count < level.chunks() {
            return Err(corrupt(format!("its table has {} strips or tiles where {} are needed", level.offsets.count, level.chunks())));
        }
        level.slice();
        Ok(level)
    }

    /// With the profile of its colours: that of the full image serves all levels.
    pub(super) fn with_profile(mut self, store: &ByteStore, directory: &Directory) -> Result<Self, Stop> {
        self.icc = directory.array(super::tag::ICC_PROFILE).map(|array| array.raw(store, LONGEST_PROFILE)).transpose()?.map(Arc::from);
        Ok(self)
    }

    /// With what its values mean: those of the full image serve all levels. Follows [`Self::with_profile`].
    pub(super) fn with_values(mut self, store: &ByteStore, header: &Header, directory: &Directory, window: Window) -> Result<Self, Stop> {
        self.values = Values::read(store, header, directory, &self, window)?;
        if self.values.nodata.is_some() {
            self.samples.alpha = Some(Association::Unassociated);
        }
        Ok(self)
    }

    /// Where its tables lie.
    pub(super) fn tables(&self) -> impl Iterator<Item = ByteRange> {
        [Some(self.offsets), self.byte_counts].into_iter().flatten().filter_map(|table| table.range())
    }

    /// Shows a large uncompressed strip as several chunks, so that a region of it can be read alone.
    fn slice(&mut self) {
        let contiguous = self.compression == Compression::None && !self.tiled && !self.is_subsampled();
        let rows = u32::try_from(SLICE.checked_div(self.row_bytes()).unwrap_or(1)).unwrap_or(u32::MAX).max(1);
        if contiguous && rows < self.chunk.height() {
            self.slices = self.chunk.height().div_ceil(rows);
            self.chunk = Dimensions::at_least_one(self.chunk.width(), rows);
        }
    }

    /// This directory as a smaller copy of `full`; `None` if it is something else.
    pub(super) fn into_copy_of(mut self, full: &Self) -> Option<Self> {
        let (from, to) = (full.dimensions, self.dimensions);
        // The longer side tells it best; a side of one pixel tells nothing.
        let (long, longer) = if from.width() >= from.height() { (to.width(), from.width()) } else { (to.height(), from.height()) };
        let factor = longer.checked_add(long / 2)?.checked_div(long)?;
        // Halved sides are rounded up by some writers and down by others, level by level.
        let matches = |from: u32, to: u32| to.checked_mul(factor).is_some_and(|scaled| scaled.abs_diff(from) < factor);
        let same = self.samples.count == full.samples.count && self.model == full.model;
        if self.samples.bits == full.samples.bits && self.samples.kind == SampleKind::Unsigned {
            // libvips says what its samples are (SampleFormat) of the full image only.
            self.samples.kind = full.samples.kind;
        }
        // A window and the value of nothing are of samples of one type.
        let alike = self.samples.bits == full.samples.bits && self.samples.kind == full.samples.kind;
        let same = same && (alike || (full.values.window.is_none() && full.values.nodata.is_none()));
        // Writers say what extra samples and values are of the full image only.
        (self.samples.alpha, self.values) = (full.samples.alpha, full.values);
        self.scale_factor = factor;
        (factor > 1 && matches(from.width(), to.width()) && matches(from.height(), to.height()) && same).then_some(self)
    }

    /// Whether its chunks are JPEGs of gray or YCbCr, whose planes and coefficients can be used as they are.
    pub fn has_planes(&self) -> bool {
        let colors = match self.model {
            Model::BlackIsZero => self.samples.count == 1,
            Model::YCbCr(..) => self.samples.count == 3 && !self.samples.planar,
            _ => false,
        };
        self.compression == Compression::Jpeg && colors && self.samples.alpha.is_none()
    }

    /// Whether its chunks are other than rows of pixels: several of these share their chroma. JPEG streams know by themselves.
    pub fn is_subsampled(&self) -> bool {
        matches!(self.model, Model::YCbCr(across, down) if (across, down) != (1, 1))
    }

    /// Samples of a decoded pixel while it is made, those that are not shown included.
    pub fn decoded_samples(&self) -> u64 {
        // A palette's index becomes three samples.
        let stored = u64::from(self.samples.count).saturating_add(if matches!(self.model, Model::Palette(_)) { 2 } else { 0 });
        match self.values.nodata {
            None => stored,
            // Each plane brings its own.
            Some(_) => stored.saturating_add(self.planes().into()),
        }
    }

    /// Whether a pixel has one colour sample.
    pub fn is_gray(&self) -> bool {
        matches!(self.model, Model::WhiteIsZero | Model::BlackIsZero)
    }

    /// Chunks in a row.
    pub fn columns(&self) -> u32 {
        self.dimensions.width().div_ceil(self.chunk.width())
    }

    /// Height of a stored strip or tile, and how many lie below each other.
    fn strip(&self) -> (u32, u32) {
        (self.strip_rows, self.dimensions.height().div_ceil(self.strip_rows.max(1)))
    }

    /// Stored chunks in one plane, or in all of them if they are not planar, times the planes.
    fn chunks(&self) -> u64 {
        let (_, strips) = self.strip();
        u64::from(self.columns()).saturating_mul(strips.into()).saturating_mul(self.planes().into())
    }

    /// Planes that are stored apart.
    pub fn planes(&self) -> u16 {
        if self.samples.planar { self.samples.count } else { 1 }
    }

    /// Bytes of one row of a decoded chunk, of one plane if they are stored apart.
    pub fn row_bytes(&self) -> u64 {
        let samples = if self.samples.planar { 1 } else { u64::from(self.samples.count) };
        u64::from(self.chunk.width()).saturating_mul(samples).saturating_mul(self.samples.bits.into()).div_ceil(8)
    }

    /// Bytes of `rows` rows of a chunk before they are compressed, of one plane if they are stored apart.
    pub fn plain_bytes(&self, rows: u32) -> u64 {
        match self.model {
            Model::YCbCr(across, down) if self.is_subsampled() => {
                let units = u64::from(self.chunk.width().div_ceil(across.into())).saturating_mul(rows.div_ceil(down.into()).into());
                units.saturating_mul(u64::from(across).saturating_mul(down.into()).saturating_add(2))
            }
            _ => self.row_bytes().saturating_mul(rows.into()),
        }
    }

    /// Bytes of a decoded chunk, all planes.
    pub fn chunk_bytes(&self) -> u64 {
        self.row_bytes().saturating_mul(self.chunk.height().into()).saturating_mul(self.planes().into())
    }

    /// Where a chunk lies: reads its entries of the tables, no others; if chunks may be `led`, that of its length only if it is here.
    pub fn locate(&self, store: &ByteStore, endian: Endian, column: u32, row: u32, plane: u16, led: bool) -> Result<Location, Stop> {
        let (_, strips) = self.strip();
        let (strip, slice) = (row.checked_div(self.slices).unwrap_or(0), row.checked_rem(self.slices).unwrap_or(0));
        let in_plane = u64::from(strip).saturating_mul(self.columns().into()).saturating_add(column.into());
        let index = u64::from(plane).saturating_mul(strips.into()).saturating_mul(self.columns().into()).saturating_add(in_plane);
        let counts = self.byte_counts.as_ref().filter(|counts| counts.count > index && self.compression != Compression::None);
        let (offset, count) = (self.offsets.get(store, endian, index), counts.map(|counts| counts.get(store, endian, index)).transpose());
        let rows = self.chunk_height(row);
        let (offset, count) = match (offset, count) {
            // All entries are named at once.
            (Err(Stop::Need(mut entries)), Err(Stop::Need(count))) => {
                match self.offsets.get(store, endian, index.saturating_add(1)) {
                    Err(Stop::Need(next)) if led => entries.extend(next),
                    _ if led => {}
                    _ => entries.extend(count),
                }
                return Err(Stop::Need(entries));
            }
            (Ok(offset), Err(Stop::Need(count))) => {
                let room = if led { self.room(store, endian, index, offset) } else { None };
                return room.map(|bytes| Location { offset, bytes, rows, led: bytes > 0 }).ok_or(Stop::Need(count));
            }
            (offset, count) => (offset?, count?),
        };
        let plain = self.plain_bytes(rows);
        if self.compression == Compression::None {
            let before = self.row_bytes().saturating_mul(self.chunk.height().into()).saturating_mul(slice.into());
            let offset = offset.saturating_add(before);
            return Ok(Location { offset, bytes: plain.min(store.size().saturating_sub(offset)), rows, led: false });
        }
        // A lone strip without a count runs to the end of the file (an old, common fault).
        let bytes = count.unwrap_or(store.size().saturating_sub(offset));
        Ok(Location { offset, bytes, rows, led: false })
    }

    /// Bytes from a chunk to the leader of the one that follows it in the file, or to the file's end; 0 for one that was left out. `None` if that is not to be
    /// known, or more than a chunk takes.
    fn room(&self, store: &ByteStore, endian: Endian, index: u64, offset: u64) -> Option<u64> {
        if offset == 0 {
            return Some(0);
        }
        let (next, count) = (index.saturating_add(1), self.offsets.count);
        let neighbours = next..count.min(next.saturating_add(NEIGHBOURS));
        let behind = neighbours.map_while(|index| self.offsets.get(store, endian, index).ok()).filter(|at| *at > offset).min();
        let end = match behind {
            Some(at) => at.checked_sub(leader::BYTES)?,
            None if next == count => store.size(),
            None => return None,
        };
        end.checked_sub(offset).filter(|room| *room <= self.chunk_bytes() && offset >= leader::BYTES && end <= store.size())
    }

    /// What of a chunk lies within the image.
    pub fn shown(&self, column: u32, row: u32) -> Option<Dimensions> {
        let left = column.checked_mul(self.chunk.width())?;
        let width = self.dimensions.width().checked_sub(left)?.min(self.chunk.width());
        Dimensions::new(width, self.chunk_bottom(row).checked_sub(self.chunk_top(row))?)
    }

    /// Rows of the chunks in a row of chunks: tiles are whole, strips end with the image.
    pub fn chunk_height(&self, row: u32) -> u32 {
        if self.tiled { self.chunk.height() } else { self.chunk_bottom(row).saturating_sub(self.chunk_top(row)) }
    }

    /// First image row of a row of chunks.
    pub fn chunk_top(&self, row: u32) -> u32 {
        let (strip, slice) = (row.checked_div(self.slices).unwrap_or(0), row.checked_rem(self.slices).unwrap_or(0));
        strip.saturating_mul(self.strip().0).saturating_add(slice.saturating_mul(self.chunk.height()))
    }

    /// One past the last image row of a row of chunks.
    pub fn chunk_bottom(&self, row: u32) -> u32 {
        self.chunk_top(row.saturating_add(1)).min(self.dimensions.height())
    }

    /// The row of chunks that holds an image row.
    pub fn chunk_row_at(&self, y: u32) -> u32 {
        let strip = self.strip().0.max(1);
        let (index, within) = (y.checked_div(strip).unwrap_or(0), y.checked_rem(strip).unwrap_or(0));
        index.saturating_mul(self.slices).saturating_add(within.checked_div(self.chunk.height()).unwrap_or(0))
    }

    pub(super) fn weight(&self) -> usize {
        let palette = if let Model::Palette(colors) = &self.model { colors.len().saturating_mul(2) } else { 0 };
        let held = |bytes: &Option<Arc<[u8]>>| bytes.as_ref().map_or(0, |bytes| bytes.len());
        let held = held(&self.jpeg_tables).saturating_add(held(&self.icc)).saturating_add(self.indexes.weight());
        size_of::<Self>().saturating_add(palette).saturating_add(held)
    }
}

/// Where the bytes of a chunk lie, and how many image rows it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub offset: u64,
    /// 0 for a chunk that was left out (sparse files): it is black, or transparent.
    pub bytes: u64,
    pub rows: u32,
    /// It has at most so many bytes: how many, its leader tells.
    pub led: bool,
}

impl Location {
    /// What is to be fetched of it; nothing of one that was left out.
    pub fn range(&self) -> Option<ByteRange> {
        let before = if self.led { leader::BYTES } else { 0 };
        ByteRange::at(self.offset.saturating_sub(before), self.bytes.saturating_add(before))
    }
}
