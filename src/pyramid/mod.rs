//! What a source file offers, format by format: dimensions, levels, chunks. Only headers are read, and of tables only where they are.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::arithmetic_side_effects)
)]

mod exif;
mod gif;
mod jpeg;
mod orientation;
mod png;
mod probe;
pub(crate) mod tiff;
mod webp;

use std::sync::Arc;

pub use orientation::Orientation;

use crate::api::{Info, Service};
use crate::bytes::ByteStore;
use crate::error::{Error, SourceFormat, Stop};
use crate::geometry::Dimensions;

/// An opened image: what is needed to plan a request, and none of its pixels. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pyramid {
    pub(crate) format: SourceFormat,
    pub(crate) file_size: u64,
    /// As stored, before the orientation is applied.
    pub(crate) stored: Dimensions,
    pub(crate) orientation: Orientation,
    pub(crate) body: Body,
    /// What was fetched to read the headers: tables that lie near them need not be fetched again.
    pub(crate) headers: ByteStore,
}

/// How the pixels can be reached.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Levels of chunks, each reachable by itself; the first is the full image.
    Tiff(Arc<tiff::Tiff>),
    /// One stream that is read from its beginning.
    Whole(Whole),
}

/// What the headers of a whole-image format say about the cost of decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Samples per pixel after decoding.
    pub channels: u8,
    /// Bytes per sample after decoding, 1 or 2.
    pub depth: u8,
    pub mode: WholeMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WholeMode {
    /// Rows come one after the other: the decoder holds a few.
    Rows,
    /// The decoder holds the whole image.
    Image,
    /// JPEG: whole, or at 1/2, 1/4, 1/8 of its size.
    Jpeg {
        process: jpeg::Process,
        /// Stored samples per hundred pixels.
        density: u32,
    },
}

pub(crate) use jpeg::Process as JpegProcess;

impl Pyramid {
    /// Reads the headers. [`Stop::Need`] until they are all in the store.
    pub(crate) fn open(store: &ByteStore) -> Result<Self, Stop> {
        let format = probe::probe(store)?;
        let (stored, orientation, body) = match format {
            SourceFormat::Jpeg => jpeg::open(store)?,
            SourceFormat::Png => png::open(store)?,
            SourceFormat::WebP => webp::open(store)?,
            SourceFormat::Gif => gif::open(store)?,
            SourceFormat::Tiff => tiff::open(store)?,
        };
        Ok(Self { format, file_size: store.size(), stored, orientation, body, headers: store.clone() })
    }

    /// Width and height as seen, the orientation applied, px.
    pub fn dimensions(&self) -> Dimensions {
        self.orientation.apply(self.stored)
    }

    /// What the file is.
    pub fn format(&self) -> SourceFormat {
        self.format
    }

    /// The information document of this image under a service.
    pub fn info(&self, service: &Service) -> Info {
        Info::new(self.dimensions(), self.tile(), service)
    }

    /// The size of the image's own tiles as seen, if it has tiles that suit a viewer.
    fn tile(&self) -> Option<Dimensions> {
        const SUITABLE: std::ops::RangeInclusive<u32> = 128..=2048;
        let Body::Tiff(tiff) = &self.body else { return None };
        let first = tiff.levels.first()?;
        let tile = self.orientation.apply(first.chunk);
        (first.tiled && SUITABLE.contains(&tile.width()) && SUITABLE.contains(&tile.height())).then_some(tile)
    }

    /// Bytes this value holds, for a cache that counts.
    pub fn weight(&self) -> usize {
        let tables = match &self.body {
            Body::Tiff(tiff) => tiff.weight(),
            Body::Whole(_) => 0,
        };
        let fetched = usize::try_from(self.headers.held()).unwrap_or(usize::MAX);
        tables.saturating_add(fetched).saturating_add(size_of::<Self>())
    }
}

/// Dimensions from two header fields of up to 32 bits; 0 is corrupt.
pub(crate) fn dimensions(format: SourceFormat, at: u64, width: u64, height: u64) -> Result<Dimensions, Stop> {
    let side = |value: u64| u32::try_from(value).ok();
    side(width)
        .zip(side(height))
        .and_then(|(width, height)| Dimensions::new(width, height))
        .ok_or_else(|| Stop::Fail(Error::SourceCorrupt { format, at, what: format!("the header says {width} × {height} pixels") }))
}
