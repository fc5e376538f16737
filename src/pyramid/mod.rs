//! What a source file offers, with one module per format: dimensions, levels, chunks. Only headers are read. The tables of chunks are located, but not read.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::arithmetic_side_effects)
)]

mod bmp;
mod exif;
mod gif;
mod jpeg;
mod kept;
pub(crate) mod level;
mod level0;
mod orientation;
mod png;
mod probe;
mod scan;
mod tiff;
mod webp;

use std::sync::Arc;

pub(crate) use kept::Kept;
use level::Levels;
pub use orientation::Orientation;
pub(crate) use png::unpacked_profile;
pub(crate) use scan::{OneScan, meaning};

use crate::api::{AssociatedSet, Info, Page, Service, Stored};
use crate::bytes::ByteStore;
use crate::error::{Error, SourceFormat, Stop};
use crate::geometry::Dimensions;
use crate::profile::{Model, Profile, Stored as StoredProfile};
use crate::window::Window;

/// An opened image: what is needed to plan a request, and none of its pixels. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pyramid {
    pub(crate) format: SourceFormat,
    pub(crate) file_size: u64,
    /// Size as stored, before the orientation is applied, px.
    pub(crate) stored: Dimensions,
    pub(crate) orientation: Orientation,
    pub(crate) body: Body,
    pub(crate) pages: Pages,
    /// Bytes of the file that further requests need not fetch.
    pub(crate) kept: Kept,
}

/// Which page of a document this is, or which of the images beside the scan of a slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// The page that is open.
    pub page: Page,
    /// Number of pages that were found while this one was opened.
    pub known: u32,
    /// Whether `known` counts all pages of the file.
    pub all: bool,
    /// The images beside the scan of a slide, such as its label.
    pub associated: AssociatedSet,
}

impl Pages {
    /// The value for a file of one page.
    pub const ONE: Self = Self { page: Page::FIRST, known: 1, all: true, associated: AssociatedSet::NONE };

    /// How many pages the file has, if that is known.
    pub fn count(&self) -> Option<u32> {
        self.all.then_some(self.known)
    }

    /// The page after this one, if there is one.
    pub fn next(&self) -> Option<u32> {
        self.page.number().filter(|number| *number < self.known).map(|number| number.saturating_add(1))
    }

    /// The page before this one, if there is one.
    pub fn previous(&self) -> Option<u32> {
        self.page.number().filter(|number| *number > 1).map(|number| number.saturating_sub(1))
    }
}

/// What a reader finds in the headers.
struct Opened {
    stored: Dimensions,
    orientation: Orientation,
    body: Body,
    pages: Pages,
}

/// How the pixels can be reached.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Levels of chunks, each reachable by itself; the first is the full image.
    Levels(Arc<Levels>),
    /// One stream that is read from its beginning.
    Whole(Whole),
    /// A JPEG of one sequential scan, whose rows are decoded one after another or reached by an index: a whole file, or the only strip of a TIFF page.
    Scan(Arc<OneScan>),
}

/// What the headers of a whole-image format say about the cost of decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Samples per pixel after decoding.
    pub channels: u8,
    /// Bytes per sample after decoding, 1 or 2.
    pub depth: u8,
    pub mode: WholeMode,
    /// Bytes of memory for building the conversion from the file's colours, by its ICC profile or another description.
    pub colors: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WholeMode {
    /// The decoder gives rows one after another and holds only a few.
    Rows,
    /// The decoder decodes the whole image before it gives its rows.
    Image {
        /// Bytes of memory per pixel for decoding, including the decoded pixels.
        held: u8,
    },
    /// A codec of a module decodes the whole image before it gives its rows.
    Module {
        /// Bytes of memory per pixel for decoding, including the decoded pixels.
        held: u8,
        /// Estimated CPU time per sample, in tenths of a nanosecond.
        work: u16,
    },
    /// A JPEG of DCT blocks, decoded in full or at 1/2, 1/4 or 1/8 of its size. All coefficients are held in memory, unless it is a [`Body::Scan`].
    Jpeg {
        /// Stored samples per hundred pixels: 300 for 4:4:4, 150 for 4:2:0.
        density: u32,
    },
}

/// What is read of a file with one image: its size as stored, its orientation, and how its pixels are reached.
type Single = (Dimensions, Orientation, Body);

/// The reader of one format's headers.
struct Reader {
    format: SourceFormat,
    /// Whether the first bytes of a file are the signature of the format.
    begins: fn(&[u8]) -> bool,
    open: Open,
}

enum Open {
    /// For files of one image.
    One(fn(&ByteStore) -> Result<Single, Stop>),
    /// For files of several images, whose sample values may need a window.
    Pages(fn(&ByteStore, Page, Window) -> Result<Opened, Stop>),
}

/// The readers of all formats.
const READERS: [Reader; SourceFormat::FILES.len() + 1] = [
    Reader { format: SourceFormat::Jpeg, begins: jpeg::begins, open: Open::One(jpeg::open) },
    Reader { format: SourceFormat::Png, begins: png::begins, open: Open::One(png::open) },
    Reader { format: SourceFormat::WebP, begins: webp::begins, open: Open::One(webp::open) },
    Reader { format: SourceFormat::Gif, begins: gif::begins, open: Open::One(gif::open) },
    Reader { format: SourceFormat::Tiff, begins: tiff::begins, open: Open::Pages(tiff::open) },
    Reader { format: SourceFormat::Bmp, begins: bmp::begins, open: Open::One(bmp::open) },
    Reader { format: SourceFormat::Level0, begins: level0::begins, open: Open::One(level0::open) },
];

impl Pyramid {
    /// Reads the headers. [`Stop::Need`] until the store holds all of them.
    ///
    /// Only TIFF files have pages other than the first. [`Error::PageNotFound`] if the file does not have `page`. `window` says which sample values are shown
    /// as black and white.
    pub(crate) fn open(store: &ByteStore, page: Page, window: Window) -> Result<Self, Stop> {
        let reader = probe::probe(store)?;
        let Opened { stored, orientation, body, pages } = match reader.open {
            Open::Pages(open) => open(store, page, window)?,
            Open::One(_) if page != Page::FIRST => return Err(Stop::Fail(Error::PageNotFound { page, pages: 1 })),
            Open::One(open) => {
                let (stored, orientation, body) = open(store)?;
                Opened { stored, orientation, body, pages: Pages::ONE }
            }
        };
        let kept = Kept::of(store, &body);
        Ok(Self { format: reader.format, file_size: store.size(), stored, orientation, body, pages, kept })
    }

    /// Whether it is a JPEG file whose coefficients are all held while it is decoded, because it has several scans.
    pub(crate) fn is_buffered_jpeg(&self) -> bool {
        matches!(&self.body, Body::Whole(Whole { mode: WholeMode::Jpeg { .. }, .. }))
    }

    /// Whether its pixels are decoded as planes of JPEG components, which may be subsampled.
    pub(crate) fn has_planes(&self) -> bool {
        match &self.body {
            Body::Levels(levels) => levels.first().is_some_and(level::Level::has_planes),
            Body::Whole(whole) => matches!(whole.mode, WholeMode::Jpeg { .. }),
            Body::Scan(_) => true,
        }
    }

    /// Whether pixels may have alpha.
    pub(crate) fn has_alpha(&self) -> bool {
        match &self.body {
            Body::Levels(levels) => levels.first().is_none_or(level::Level::has_alpha),
            // Four samples of a JPEG are inks (CMYK), not colours with alpha.
            Body::Whole(whole) => self.format != SourceFormat::Jpeg && whole.channels.is_multiple_of(2),
            Body::Scan(_) => false,
        }
    }

    /// Whether a pixel has one colour sample.
    pub(crate) fn is_gray(&self) -> bool {
        match &self.body {
            Body::Levels(levels) => levels.first().is_some_and(level::Level::is_gray),
            Body::Whole(whole) => whole.channels <= 2,
            Body::Scan(scan) => scan.whole.channels <= 2,
        }
    }

    /// The ICC profile and the colour model of its pixels, as far as the headers tell. For files that are decoded whole, the decoder finds the profile.
    pub(crate) fn profile(&self) -> Option<(&Arc<Profile>, Model)> {
        match &self.body {
            Body::Levels(levels) => levels.first().and_then(|first| Some((first.profile.as_ref()?, first.colors()))),
            Body::Scan(scan) => Some((scan.profile.as_ref()?, scan.colors())),
            Body::Whole(_) => None,
        }
    }

    /// Bytes of memory for building the conversion from the file's colours, by its ICC profile or another description.
    pub(crate) fn colors_memory(&self) -> u64 {
        match &self.body {
            Body::Whole(whole) => whole.colors,
            Body::Levels(_) | Body::Scan(_) => self.profile().map_or(0, |(profile, model)| profile.memory(model)),
        }
    }

    /// What is done with that profile where stored samples are sent without conversion.
    pub(crate) fn stored_profile(&self) -> StoredProfile<'_> {
        self.profile().map_or(StoredProfile::Plain, |(profile, model)| profile.stored(model))
    }

    /// The index of MCU positions in a JPEG file, if it has grown much since this was last called; `None` otherwise. It can be stored under the version of the
    /// file, and passed to [`Self::take_index`] when the file is opened again. The index grows as the image is rendered, and clones share it.
    pub fn index(&self) -> Option<Vec<u8>> {
        match &self.body {
            // The index is stored under the name of the file, which all its pages share. So only the first page has one.
            Body::Scan(scan) if self.pages.page == Page::FIRST => scan.grown(),
            _ => None,
        }
    }

    /// Whether a stored index would help: no positions have been learnt yet.
    pub fn wants_index(&self) -> bool {
        self.pages.page == Page::FIRST && matches!(&self.body, Body::Scan(scan) if scan.wants_index())
    }

    /// Takes an index that [`Self::index`] gave for the same version of the file. Returns whether it is one: other bytes and damaged ones change nothing.
    pub fn take_index(&self, bytes: &[u8]) -> bool {
        matches!(&self.body, Body::Scan(scan) if scan.take_index(bytes))
    }

    /// The parts of the file's chunk tables that have been fetched and kept, each with its offset in the file. A reader that has these and
    /// [`crate::Open::headers`] can locate the same chunks without fetching tables.
    pub fn tables(&self) -> Vec<(u64, Vec<u8>)> {
        self.kept.parts()
    }

    /// Which page of the file this is, and what is known of the others.
    pub fn pages(&self) -> Pages {
        self.pages
    }

    /// Width and height as seen, with the orientation applied, px.
    pub fn dimensions(&self) -> Dimensions {
        self.orientation.apply(self.stored)
    }

    /// The format of the file.
    pub fn format(&self) -> SourceFormat {
        self.format
    }

    /// The IIIF image information (info.json) of this image in a service.
    pub fn info(&self, service: &Service) -> Info {
        let info = match self.tiles() {
            Some(stored) => Info::tiled(self.dimensions(), &stored, service),
            None => Info::new(self.dimensions(), service),
        };
        info.of_pages(self.pages.count(), self.pages.associated)
    }

    /// The image's own tiles and levels as seen, if it has tiles of a size that suits a viewer.
    fn tiles(&self) -> Option<Stored> {
        const SUITABLE: std::ops::RangeInclusive<u32> = 128..=2048;
        let Body::Levels(levels) = &self.body else { return None };
        let first = levels.first()?;
        let tile = self.orientation.apply(first.chunk);
        let levels = levels.iter().map(|level| (level.scale_factor, self.orientation.apply(level.dimensions))).collect();
        (first.tiled && SUITABLE.contains(&tile.width()) && SUITABLE.contains(&tile.height())).then_some(Stored { tile, levels })
    }

    /// Bytes of memory this value takes, for a cache that counts them.
    pub fn weight(&self) -> usize {
        let tables = match &self.body {
            Body::Levels(levels) => levels.weight(),
            Body::Whole(_) => 0,
            Body::Scan(scan) => scan.weight(),
        };
        let fetched = usize::try_from(self.kept.held()).unwrap_or(usize::MAX);
        tables.saturating_add(fetched).saturating_add(size_of::<Self>())
    }
}

/// Dimensions from two fields of a header, px. [`Error::SourceCorrupt`] if one of them is 0, or if they are too large.
pub(crate) fn dimensions(format: SourceFormat, at: u64, width: u64, height: u64) -> Result<Dimensions, Stop> {
    let side = |value: u64| u32::try_from(value).ok();
    side(width)
        .zip(side(height))
        .and_then(|(width, height)| Dimensions::new(width, height))
        .ok_or_else(|| Stop::Fail(Error::SourceCorrupt { format, at, what: format!("the header says {width} × {height} pixels") }))
}
