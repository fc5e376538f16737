//! A level of a pyramid, whatever its container is: its size, its chunks, how their pixels are stored, and where they lie. The readers of formats fill it in;
//! planning and rendering read it.

mod factor;
mod indexes;
pub(crate) mod leader;
mod location;
mod samples;
mod values;

use std::sync::Arc;

pub(in crate::pyramid) use factor::factor;
pub(crate) use indexes::Indexes;
pub(crate) use location::{Location, Places};
pub(crate) use samples::{Association, Compression, FAX_TIMES, Fax, Model, SampleKind, Samples};
pub(crate) use values::{Range, Values, YCbCr};

use crate::bytes::{ByteRange, ByteStore};
use crate::error::Stop;
use crate::geometry::{Dimensions, Rect};
use crate::jpeg::ColorModel;
use crate::profile::{Model as Colors, Profile};

/// If the samples of a chunk take more bytes than this, it is decoded row by row, up to the last wanted row, instead of being held whole.
const LARGE: u64 = 1 << 20;

/// The levels of an image, largest first.
#[derive(Debug)]
pub(crate) struct Levels(pub Vec<Level>);

impl Levels {
    /// Makes levels of an image and its smaller copies. Of two with the same scale factor, the first is kept.
    pub(in crate::pyramid) fn of(full: Level, copies: Vec<Level>) -> Self {
        let mut levels = vec![full];
        levels.extend(copies);
        levels.sort_by_key(|level| level.scale_factor);
        levels.dedup_by_key(|level| level.scale_factor);
        Self(levels)
    }

    /// Bytes of memory they take.
    pub fn weight(&self) -> usize {
        self.0.iter().fold(size_of::<Self>(), |sum, level| sum.saturating_add(level.weight()))
    }

    /// The byte ranges of the tables that say where chunks lie, of all levels and their masks, smallest level first.
    pub fn tables(&self) -> impl Iterator<Item = ByteRange> {
        self.0.iter().rev().flat_map(|level| level.places.tables().into_iter().chain(level.mask.iter().flat_map(|mask| mask.places.tables())))
    }
}

impl std::ops::Deref for Levels {
    type Target = [Level];

    fn deref(&self) -> &[Level] {
        &self.0
    }
}

/// A level: one size of the image, cut into chunks (tiles or strips) in rows from the top left.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    pub dimensions: Dimensions,
    /// How many times smaller than the full image each side is; 1 for the full image.
    pub scale_factor: u32,
    /// Size of a chunk, px. Tiles at the right and bottom edges have this size too; a strip ends at the bottom of the image.
    pub chunk: Dimensions,
    pub tiled: bool,
    pub compression: Compression,
    pub model: Model,
    pub samples: Samples,
    pub values: Values,
    /// Tables that all JPEG chunks share (JPEGTables, TIFF Technical Note 2).
    pub jpeg_tables: Option<Arc<[u8]>>,
    pub profile: Option<Arc<Profile>>,
    /// A transparency mask of the same size, which serves as the alpha channel.
    pub mask: Option<Box<Self>>,
    /// Known positions of MCUs in its JPEG chunks.
    pub indexes: Arc<Indexes>,
    /// Whether chunks carry their own lengths, see [`leader`].
    pub led: bool,
    /// Where its chunks lie.
    pub(super) places: Arc<dyn Places>,
    /// Height of a stored strip or tile, px.
    pub(super) strip_rows: u32,
    /// Columns and rows of stored strips or tiles: more than are shown if the writer padded the level to whole tiles.
    pub(super) grid: (u32, u32),
    /// How many chunks each stored strip is split into: more than 1 only for uncompressed strips.
    pub(super) slices: u32,
}

impl Level {
    /// This level as a smaller copy of `full`; `None` if its size or its pixels show that it is not one.
    pub(in crate::pyramid) fn into_copy_of(self, full: &Self) -> Option<Self> {
        let sides = |size: Dimensions| (u64::from(size.width()), u64::from(size.height()));
        let factor = factor(sides(full.dimensions), sides(self.dimensions))?;
        self.scaled(full, u32::try_from(factor).ok()?)
    }

    /// The same, if the scale factor is known already.
    pub(in crate::pyramid) fn scaled(mut self, full: &Self, factor: u32) -> Option<Self> {
        let same = self.samples.count == full.samples.count && self.model == full.model;
        if self.samples.bits == full.samples.bits && self.samples.kind == SampleKind::Unsigned {
            // libvips writes SampleFormat only in the directory of the full image.
            self.samples.kind = full.samples.kind;
        }
        // A window and a nodata value apply only to samples of the same type.
        let alike = self.samples.bits == full.samples.bits && self.samples.kind == full.samples.kind;
        let same = same && (alike || (full.values.window.is_none() && full.values.nodata.is_none()));
        // Writers describe extra samples and the meaning of values only in the directory of the full image.
        (self.samples.alpha, self.values) = (full.samples.alpha, full.values);
        self.scale_factor = factor;
        same.then_some(self)
    }

    /// Where a chunk lies, of one plane if planes are stored apart. [`Stop::Need`] with the table entries that are missing from the store. If `led`, the caller
    /// can take the length of a chunk from its leader, so the entry of its length is not asked for.
    pub fn locate(&self, store: &ByteStore, column: u32, row: u32, plane: u16, led: bool) -> Result<Location, Stop> {
        self.places.locate(self, store, (column, row, plane), led)
    }

    /// The colour model of its decoded samples.
    pub fn colors(&self) -> Colors {
        match self.model {
            Model::WhiteIsZero | Model::BlackIsZero => Colors::Gray,
            Model::Rgb | Model::Palette(_) | Model::YCbCr(..) => Colors::Rgb,
            Model::Cmyk => Colors::Cmyk,
            Model::CieLab | Model::IccLab => Colors::Lab,
        }
    }

    /// Whether its chunks are JPEGs of gray or YCbCr without alpha, whose component planes and DCT coefficients can be used as they are.
    pub fn has_planes(&self) -> bool {
        let colors = match self.model {
            Model::BlackIsZero => self.samples.count == 1,
            Model::YCbCr(..) => self.samples.count == 3 && !self.samples.planar,
            _ => false,
        };
        self.compression == Compression::Jpeg && colors && !self.has_alpha()
    }

    /// Whether its chunks are stored in units of several pixels that share their chroma samples, and not in rows of pixels (TIFF 6.0, section 21). For JPEG
    /// chunks, the sampling factors of the stream count.
    pub fn is_subsampled(&self) -> bool {
        matches!(self.model, Model::YCbCr(across, down) if (across, down) != (1, 1))
    }

    /// Whether a chunk can be decoded row by row from the top, so that the rows below the wanted ones need not be decoded.
    pub fn is_by_rows(&self) -> bool {
        let is_coded_whole = matches!(self.compression, Compression::Jpeg | Compression::WebP);
        !is_coded_whole && !self.is_subsampled()
    }

    /// Whether the decompressed bytes of a chunk are already the samples of the pixels that are shown.
    pub fn is_unpacked_to_pixels(&self) -> bool {
        let stays = self.samples.bits == 8 && self.samples.kind == SampleKind::Unsigned && self.values.window.is_none();
        stays && self.is_unpacked_to_samples() && !matches!(self.model, Model::Palette(_))
    }

    /// Whether a single step turns the decompressed bytes into pixels: no planes are interleaved, and no samples are added or dropped.
    pub fn is_unpacked_to_samples(&self) -> bool {
        let plain = !self.is_subsampled() && (self.samples.bits <= 8 || !matches!(self.model, Model::Palette(_)));
        let all = u64::from(self.samples.count) == u64::from(self.model.colors()).saturating_add(self.samples.alpha.is_some().into());
        plain && all && !self.samples.planar && self.values.nodata.is_none()
    }

    /// Samples per pixel while a chunk is decoded, including those that are not shown.
    pub fn decoded_samples(&self) -> u64 {
        // A palette index becomes three samples.
        let stored = u64::from(self.samples.count).saturating_add(if matches!(self.model, Model::Palette(_)) { 2 } else { 0 });
        match self.values.nodata {
            None => stored,
            // Each plane is decoded with an alpha sample of its own.
            Some(_) => stored.saturating_add(self.planes().into()),
        }
    }

    /// Whether a pixel has one colour sample.
    pub fn is_gray(&self) -> bool {
        matches!(self.model, Model::WhiteIsZero | Model::BlackIsZero)
    }

    /// Whether its chunks are large, as wide as the image, and coded so that their rows can be decoded one after another. Not so with a mask, which is decoded
    /// together with whole chunks.
    pub fn is_sequential(&self) -> bool {
        use Compression::{Deflate, Fax, Lzw, None, PackBits, Zstandard};
        let coded = matches!(self.compression, None | Lzw | Deflate | PackBits | Zstandard | Fax(_));
        let bytes = self.chunk.area().saturating_mul(self.decoded_samples()).saturating_mul(if self.samples.bits > 8 { 2 } else { 1 });
        coded && self.columns() == 1 && self.slices == 1 && self.mask.is_none() && bytes > LARGE
    }

    /// Rows of pixels that are stored together in one unit: more than one if chroma is subsampled vertically.
    pub fn rows_together(&self) -> u32 {
        match self.model {
            Model::YCbCr(_, down) if self.is_subsampled() => down.into(),
            _ => 1,
        }
    }

    /// The colour model of the level's only strip, if that is a large JPEG that can be decoded like a JPEG file.
    pub(in crate::pyramid) fn is_one_jpeg(&self) -> Option<ColorModel> {
        let model = match (&self.model, self.samples.count) {
            (Model::BlackIsZero, 1) => ColorModel::Gray,
            (Model::Rgb, 3) => ColorModel::Rgb,
            (Model::YCbCr(..), 3) => ColorModel::YCbCr,
            (Model::Cmyk, 4) => ColorModel::Cmyk { inverted: false },
            _ => return None,
        };
        let alone = !self.tiled && !self.samples.planar && !self.has_alpha() && self.grid == (1, 1);
        (alone && self.compression == Compression::Jpeg && self.chunk_bytes() > LARGE).then_some(model)
    }

    /// Chunks in a row.
    pub fn columns(&self) -> u32 {
        self.dimensions.width().div_ceil(self.chunk.width())
    }

    /// Height of a stored strip or tile, px; at least 1.
    pub(in crate::pyramid) fn strip_rows(&self) -> u32 {
        self.strip_rows.max(1)
    }

    /// Number of stored chunks, in all planes together.
    pub(in crate::pyramid) fn chunks(&self) -> u64 {
        let (across, down) = self.grid;
        u64::from(across).saturating_mul(down.into()).saturating_mul(self.planes().into())
    }

    /// Number of planes that are stored apart; 1 if samples are interleaved.
    pub fn planes(&self) -> u16 {
        if self.samples.planar { self.samples.count } else { 1 }
    }

    /// Bytes of one row of a decoded chunk, of one plane if they are stored apart.
    pub fn row_bytes(&self) -> u64 {
        let samples = if self.samples.planar { 1 } else { u64::from(self.samples.count) };
        u64::from(self.chunk.width()).saturating_mul(samples).saturating_mul(self.samples.bits.into()).div_ceil(8)
    }

    /// Bytes of `rows` rows of a chunk without compression, of one plane if planes are stored apart.
    pub fn plain_bytes(&self, rows: u32) -> u64 {
        match self.model {
            Model::YCbCr(across, down) if self.is_subsampled() => {
                let units = u64::from(self.chunk.width().div_ceil(across.into())).saturating_mul(rows.div_ceil(down.into()).into());
                units.saturating_mul(u64::from(across).saturating_mul(down.into()).saturating_add(2))
            }
            _ => self.row_bytes().saturating_mul(rows.into()),
        }
    }

    /// How many rows are complete in the first `bytes` bytes of a decompressed chunk, of one plane if planes are stored apart.
    pub fn rows_of(&self, bytes: u64) -> u32 {
        let together = self.rows_together();
        let groups = bytes.checked_div(self.plain_bytes(together)).unwrap_or(0);
        u32::try_from(groups.saturating_mul(together.into())).unwrap_or(u32::MAX)
    }

    /// Bytes of a decoded chunk, all planes.
    pub fn chunk_bytes(&self) -> u64 {
        self.row_bytes().saturating_mul(self.chunk.height().into()).saturating_mul(self.planes().into())
    }

    /// Size of the part of a chunk that lies within the image, px.
    pub fn shown(&self, column: u32, row: u32) -> Option<Dimensions> {
        let left = column.checked_mul(self.chunk.width())?;
        let width = self.dimensions.width().checked_sub(left)?.min(self.chunk.width());
        Dimensions::new(width, self.chunk_bottom(row).checked_sub(self.chunk_top(row))?)
    }

    /// Where that part of a chunk lies in the image, px.
    pub fn place(&self, column: u32, row: u32) -> Option<Rect> {
        let shown = self.shown(column, row)?;
        Rect::new(column.checked_mul(self.chunk.width())?, self.chunk_top(row), shown.width(), shown.height())
    }

    /// Height of the chunks in a row of chunks, px: tiles have their full height, strips end with the image.
    pub fn chunk_height(&self, row: u32) -> u32 {
        if self.tiled { self.chunk.height() } else { self.chunk_bottom(row).saturating_sub(self.chunk_top(row)) }
    }

    /// First image row of a row of chunks.
    pub fn chunk_top(&self, row: u32) -> u32 {
        let (strip, slice) = (row.checked_div(self.slices).unwrap_or(0), row.checked_rem(self.slices).unwrap_or(0));
        strip.saturating_mul(self.strip_rows()).saturating_add(slice.saturating_mul(self.chunk.height()))
    }

    /// One past the last image row of a row of chunks.
    pub fn chunk_bottom(&self, row: u32) -> u32 {
        self.chunk_top(row.saturating_add(1)).min(self.dimensions.height())
    }

    /// The row of chunks that holds an image row.
    pub fn chunk_row_at(&self, y: u32) -> u32 {
        let strip = self.strip_rows();
        let (index, within) = (y.checked_div(strip).unwrap_or(0), y.checked_rem(strip).unwrap_or(0));
        index.saturating_mul(self.slices).saturating_add(within.checked_div(self.chunk.height()).unwrap_or(0))
    }

    pub(in crate::pyramid) fn weight(&self) -> usize {
        let palette = if let Model::Palette(colors) = &self.model { colors.len().saturating_mul(2) } else { 0 };
        let tables = self.jpeg_tables.as_ref().map_or(0, |tables| tables.len());
        let profile = self.profile.as_ref().map_or(0, |profile| profile.weight());
        let mask = self.mask.as_ref().map_or(0, |mask| mask.weight());
        let held = tables.saturating_add(profile).saturating_add(self.indexes.weight()).saturating_add(mask);
        size_of::<Self>().saturating_add(palette).saturating_add(held)
    }

    /// Whether its pixels have alpha, by a sample of their own or by a mask.
    pub fn has_alpha(&self) -> bool {
        self.samples.alpha.is_some() || self.mask.is_some()
    }

    /// Bytes of memory that a row of chunks takes in addition because of the mask: for the decoded chunks of the mask, and for pixels with alpha beside those
    /// without.
    pub fn mask_memory(&self, columns: u64) -> u64 {
        let Some(mask) = &self.mask else { return 0 };
        let width = columns.saturating_mul(self.chunk.width().into()).saturating_add(mask.chunk.width().into());
        let depth = if self.samples.bits > 8 { 2 } else { 1 };
        let pixels = self.chunk.area().saturating_mul(u64::from(self.samples.count.max(3)).saturating_add(1)).saturating_mul(depth);
        // The height of all chunks of the mask that a row of chunks can overlap.
        let rows = u64::from(self.chunk.height()).saturating_add(u64::from(mask.chunk.height()).saturating_mul(2));
        width.saturating_mul(rows).saturating_add(mask.chunk_bytes().saturating_mul(2)).saturating_add(pixels)
    }
}
