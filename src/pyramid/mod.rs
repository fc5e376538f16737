//! What a source file offers, format by format: dimensions, levels, chunks. Only headers are read, and of tables only where they are.

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

#[cfg(feature = "extra")]
pub(crate) use bmp::profile as bmp_profile;
#[cfg(feature = "extra")]
pub(crate) use gif::canvas as gif_canvas;
pub(crate) use kept::Kept;
use level::Levels;
pub use orientation::Orientation;
pub(crate) use png::unpacked_profile;
pub(crate) use scan::{OneScan, meaning};
#[cfg(feature = "extra")]
pub(crate) use webp::{ALPHA_FLAG, ANIMATION_FLAG};

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
    /// As stored, before the orientation is applied.
    pub(crate) stored: Dimensions,
    pub(crate) orientation: Orientation,
    pub(crate) body: Body,
    pub(crate) pages: Pages,
    /// Bytes of the file that further requests need not fetch.
    pub(crate) kept: Kept,
}

/// Which page of a document this is, or which image beside the scan of a slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// This one.
    pub page: Page,
    /// Pages that were come by while it was opened.
    pub known: u32,
    /// Whether there are no others.
    pub all: bool,
    /// What there is beside the scan of a slide.
    pub associated: AssociatedSet,
}

impl Pages {
    /// The only one.
    pub const ONE: Self = Self { page: Page::FIRST, known: 1, all: true, associated: AssociatedSet::NONE };

    /// How many there are, if that is known.
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

/// What the headers say.
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
    /// A JPEG whose rows come one after the other, or by an index: a file, or the only strip of a page of a TIFF.
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
    /// Bytes of memory that it takes to make a conversion of how the file describes its colours.
    pub colors: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WholeMode {
    /// Rows come one after the other: the decoder holds a few.
    Rows,
    /// The decoder holds the whole image, and then gives its rows.
    Image {
        /// Bytes per pixel that it takes, those of its result included.
        held: u8,
    },
    /// The module of extra codecs gives all pixels at once.
    AtOnce {
        /// Bytes per pixel that it takes, those of its result included.
        held: u8,
        /// CPU time for a sample, tenths of a nanosecond.
        work: u16,
    },
    /// JPEG in blocks: whole, or at 1/2, 1/4, 1/8 of its size. All coefficients are held, unless it is a [`Body::Scan`].
    Jpeg {
        /// Stored samples per hundred pixels.
        density: u32,
    },
}

/// What a file of one image has: the size as it is stored, how it is turned to be seen, and its pixels.
type Single = (Dimensions, Orientation, Body);

/// What reads the headers of a format.
struct Reader {
    format: SourceFormat,
    /// Whether the first bytes of a file are those of the format.
    begins: fn(&[u8]) -> bool,
    open: Open,
}

enum Open {
    /// Files of one image.
    One(fn(&ByteStore) -> Result<Single, Stop>),
    /// Files of several, whose values may need a window.
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
    /// Reads the headers. [`Stop::Need`] until they are all in the store.
    ///
    /// Only TIFF has other pages than the first. [`Error::PageNotFound`] if it is not there. `window` tells which values are black and white.
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

    /// Whether its pixels are coded in a way that only `codec::extra` reads.
    #[cfg(feature = "web")]
    pub(crate) fn needs_extra(&self) -> bool {
        match &self.body {
            Body::Levels(levels) => {
                use level::Compression::{Lzw, WebP, Zstandard};
                let mut all = levels.iter().flat_map(|level| std::iter::once(level).chain(level.mask.as_deref()));
                all.any(|level| matches!(level.compression, WebP | Lzw | Zstandard))
            }
            Body::Whole(whole) => matches!(whole.mode, WholeMode::AtOnce { .. }),
            Body::Scan(_) => false,
        }
    }

    /// Whether it is a JPEG file of several scans, whose coefficients are held.
    pub(crate) fn is_buffered_jpeg(&self) -> bool {
        matches!(&self.body, Body::Whole(Whole { mode: WholeMode::Jpeg { .. }, .. }))
    }

    /// Whether its pixels come as planes of JPEG, of which one may have a sample for two pixels.
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
            // Of JPEG four samples are inks.
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

    /// The profile of its colours, and what they are, as far as headers tell: of files that are decoded whole the decoder will.
    pub(crate) fn profile(&self) -> Option<(&Arc<Profile>, Model)> {
        match &self.body {
            Body::Levels(levels) => levels.first().and_then(|first| Some((first.profile.as_ref()?, first.colors()))),
            Body::Scan(scan) => Some((scan.profile.as_ref()?, scan.colors())),
            Body::Whole(_) => None,
        }
    }

    /// Bytes of memory that it takes to make a conversion of how the file describes its colours.
    pub(crate) fn colors_memory(&self) -> u64 {
        match &self.body {
            Body::Whole(whole) => whole.colors,
            Body::Levels(_) | Body::Scan(_) => self.profile().map_or(0, |(profile, model)| profile.memory(model)),
        }
    }

    /// What becomes of that profile where stored samples are sent as they are.
    pub(crate) fn stored_profile(&self) -> StoredProfile<'_> {
        self.profile().map_or(StoredProfile::Plain, |(profile, model)| profile.stored(model))
    }

    /// What has been learnt of where the MCUs of a JPEG file lie, if that is much more than when it was last asked for: to be kept, by the version of the
    /// file, for when it is opened anew. It grows with what is rendered, and clones share it.
    pub fn index(&self) -> Option<Vec<u8>> {
        match &self.body {
            // It is kept by the name of the file, which pages share.
            Body::Scan(scan) if self.pages.page == Page::FIRST => scan.grown(),
            _ => None,
        }
    }

    /// Whether an index that was kept would be of use: nothing has been learnt yet.
    pub fn wants_index(&self) -> bool {
        self.pages.page == Page::FIRST && matches!(&self.body, Body::Scan(scan) if scan.wants_index())
    }

    /// Takes what [`Self::index`] gave for the same version of the file. Whether it is one: other bytes, and broken ones, change nothing.
    pub fn take_index(&self, bytes: &[u8]) -> bool {
        matches!(&self.body, Body::Scan(scan) if scan.take_index(bytes))
    }

    /// What is kept of the file's tables of chunks, as far as these have been fetched, and where each run of bytes begins: together with
    /// [`crate::Open::headers`] it tells where these chunks lie as well.
    pub fn tables(&self) -> Vec<(u64, Vec<u8>)> {
        self.kept.parts()
    }

    /// Which page of the file this is, and what is known of the others.
    pub fn pages(&self) -> Pages {
        self.pages
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
        let info = match self.tiles() {
            Some(stored) => Info::tiled(self.dimensions(), &stored, service),
            None => Info::new(self.dimensions(), service),
        };
        info.of_pages(self.pages.count(), self.pages.associated)
    }

    /// The image's own tiles and levels as seen, if it has tiles that suit a viewer.
    fn tiles(&self) -> Option<Stored> {
        const SUITABLE: std::ops::RangeInclusive<u32> = 128..=2048;
        let Body::Levels(levels) = &self.body else { return None };
        let first = levels.first()?;
        let tile = self.orientation.apply(first.chunk);
        let levels = levels.iter().map(|level| (level.scale_factor, self.orientation.apply(level.dimensions))).collect();
        (first.tiled && SUITABLE.contains(&tile.width()) && SUITABLE.contains(&tile.height())).then_some(Stored { tile, levels })
    }

    /// Bytes this value holds, for a cache that counts.
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

/// Dimensions from two header fields of up to 32 bits; 0 is corrupt.
pub(crate) fn dimensions(format: SourceFormat, at: u64, width: u64, height: u64) -> Result<Dimensions, Stop> {
    let side = |value: u64| u32::try_from(value).ok();
    side(width)
        .zip(side(height))
        .and_then(|(width, height)| Dimensions::new(width, height))
        .ok_or_else(|| Stop::Fail(Error::SourceCorrupt { format, at, what: format!("the header says {width} × {height} pixels") }))
}
