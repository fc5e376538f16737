//! One TIFF directory as a level: what its chunks are, and where the tables of their offsets and lengths lie.

use std::sync::Arc;

use super::ifd::{Array, Directory, Header};
use super::places::Tables;
use super::sample::Storage;
use super::values;
use crate::bytes::ByteStore;
use crate::error::{SourceFormat, Stop};
use crate::geometry::Dimensions;
use crate::profile::Profile;
use crate::pyramid::dimensions;
use crate::pyramid::level::{Association, Compression, Level, Values};
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

impl Level {
    pub(super) fn read(store: &ByteStore, header: &Header, directory: &Directory) -> Result<Self, Stop> {
        Self::of_storage(store, header, directory, Storage::read(store, header, directory)?)
    }

    pub(super) fn of_storage(store: &ByteStore, header: &Header, directory: &Directory, storage: Storage) -> Result<Self, Stop> {
        let number = |tag, default| directory.number_or(store, header, tag, default);
        let corrupt = |what: String| header.cursor(store, directory.at).corrupt(what);
        let size = dimensions(SourceFormat::Tiff, directory.at, number(super::tag::IMAGE_WIDTH, 0)?, number(super::tag::IMAGE_LENGTH, 0)?)?;
        let Storage { compression, model, samples } = storage;
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
            profile: None,
            mask: None,
            indexes: Arc::default(),
            led: header.blocks_are_led(store),
            places: Arc::new(Tables { endian: header.endian, offsets, byte_counts: directory.array(counts) }),
            strip_rows: chunk.height(),
            grid: (size.width().div_ceil(chunk.width()), size.height().div_ceil(chunk.height())),
            slices: 1,
        };
        if offsets.count < level.chunks() {
            return Err(corrupt(format!("its table has {} strips or tiles where {} are needed", offsets.count, level.chunks())));
        }
        level.slice();
        Ok(level)
    }

    /// Adds the ICC profile. The profile of the full image applies to all levels.
    pub(super) fn with_profile(mut self, store: &ByteStore, directory: &Directory) -> Result<Self, Stop> {
        self.profile = match directory.array(super::tag::ICC_PROFILE) {
            None => None,
            Some(array) if array.bytes() > LONGEST_PROFILE => Some(Arc::new(Profile::broken("is larger than 4 MiB"))),
            Some(array) => Some(Arc::new(Profile::icc(array.raw(store, LONGEST_PROFILE)?))),
        };
        Ok(self)
    }

    /// Adds the meaning of sample values. That of the full image applies to all levels. It depends on the profile, so call [`Self::with_profile`] first.
    pub(super) fn with_values(mut self, store: &ByteStore, header: &Header, directory: &Directory, window: Window) -> Result<Self, Stop> {
        self.values = values::read(store, header, directory, &self, window)?;
        if self.values.nodata.is_some() {
            self.samples.alpha = Some(Association::Unassociated);
        }
        Ok(self)
    }

    /// Splits a large uncompressed strip into several chunks, so that a region of it can be read without the rest.
    fn slice(&mut self) {
        let contiguous = self.compression == Compression::None && !self.tiled && !self.is_subsampled();
        let rows = u32::try_from(SLICE.checked_div(self.row_bytes()).unwrap_or(1)).unwrap_or(u32::MAX).max(1);
        if contiguous && rows < self.chunk.height() {
            self.slices = self.chunk.height().div_ceil(rows);
            self.chunk = Dimensions::at_least_one(self.chunk.width(), rows);
        }
    }

    /// This directory as a smaller copy of `full` whose sides were padded to whole tiles; `None` if it is something else. The padded sides can fit several
    /// powers of two, and only the pixels could tell which is right: the smallest one above `before` is taken. `before` is the scale factor of the next larger
    /// copy.
    pub(super) fn into_padded_copy_of(mut self, full: &Self, before: u32) -> Option<Self> {
        let (from, to, tile) = (full.dimensions, self.dimensions, self.chunk);
        let fits = |from: u32, to: u32, tile: u32, factor: u32| {
            let filled = from.div_ceil(factor).checked_next_multiple_of(tile).unwrap_or(u32::MAX);
            (from.checked_div(factor).unwrap_or(0)..=filled).contains(&to)
        };
        let mut factors = std::iter::successors(before.checked_mul(2), |factor| factor.checked_mul(2));
        let factor =
            factors.find(|factor| fits(from.width(), to.width(), tile.width(), *factor) && fits(from.height(), to.height(), tile.height(), *factor))?;
        let side = |from: u32, to: u32| from.checked_div(factor).unwrap_or(0).min(to);
        self.dimensions = Dimensions::at_least_one(side(from.width(), to.width()), side(from.height(), to.height()));
        self.scaled(full, factor)
    }
}
