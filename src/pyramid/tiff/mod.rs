//! TIFF 6.0 and BigTIFF: a page, and the smaller copies of it in further directories of the chain or in SubIFDs.

mod ifd;
mod indexes;
pub(crate) mod leader;
mod level;
mod pages;
mod sample;
mod values;

use std::sync::{Arc, OnceLock};

pub(crate) use indexes::Indexes;
pub(crate) use level::{Level, Location};
pub(crate) use sample::{Association, Compression, Fax, Model, SampleKind, ZSTANDARD_WINDOW, zstandard_window};
pub(crate) use values::{Range, Values, YCbCr};

use self::ifd::{Directory, Header};
use super::{Body, Opened, Orientation, Pages};
use crate::bytes::{ByteRange, ByteStore, Endian};
use crate::error::Stop;
use crate::window::Window;

/// SubIFDs that are looked at for levels: a gigapixel image has about 12.
const MOST_CHILDREN: u64 = 48;

mod tag {
    pub const NEW_SUBFILE_TYPE: u16 = 254;
    pub const IMAGE_WIDTH: u16 = 256;
    pub const IMAGE_LENGTH: u16 = 257;
    pub const ORIENTATION: u16 = 274;
    pub const SUB_IFDS: u16 = 330;
    pub const ICC_PROFILE: u16 = 34675;
    /// What a directory says of its pixels where its entry has no room for it: BitsPerSample, MinSampleValue, MaxSampleValue, ColorMap, SubIFDs, ExtraSamples,
    /// SampleFormat, SMinSampleValue, SMaxSampleValue, JPEGTables, YCbCrCoefficients, YCbCrSubSampling, ReferenceBlackWhite, GDAL_NODATA. Fetched together.
    pub const VALUES: [u16; 14] = [258, 280, 281, 320, SUB_IFDS, 338, 339, 340, 341, 347, 529, 530, 532, 42113];
    /// Longest of them that is sensible: a palette of 16 bits.
    pub const LONGEST_VALUE: u64 = 3 << 17;
}

/// The levels of a page, largest first, all in one byte order.
#[derive(Debug)]
pub(crate) struct Tiff {
    pub endian: Endian,
    pub levels: Vec<Level>,
    /// Whether the embedded profile changes anything, once somebody has looked.
    pub profiled: OnceLock<bool>,
}

impl Tiff {
    pub fn weight(&self) -> usize {
        self.levels.iter().fold(size_of::<Self>(), |sum, level| sum.saturating_add(level.weight()))
    }

    /// Where the tables of all levels lie, the smaller ones first.
    pub fn tables(&self) -> impl Iterator<Item = ByteRange> {
        self.levels.iter().rev().flat_map(Level::tables)
    }
}

/// Page `page`, from 1, with the values that are black and white by `window`.
pub(super) fn open(store: &ByteStore, page: u32, window: Window) -> Result<Opened, Stop> {
    let header = Header::read(store)?;
    let found = pages::find(store, &header, page)?;
    let (main, mut copies) = (&found.page.main, Vec::new());
    let mut missing = found.page.missing(store);
    missing.extend(main.missing(store, &[tag::ICC_PROFILE], level::LONGEST_PROFILE));
    // A smaller copy that cannot be used is passed over: the full image serves in its place.
    let mut read_copy = |copy: Result<Level, Stop>| match copy {
        Ok(level) => copies.push(level),
        // All levels name what they lack before any of it is fetched.
        Err(Stop::Need(ranges)) => missing.extend(ranges),
        Err(Stop::Fail(_)) => {}
    };
    for directory in &found.page.copies {
        read_copy(Level::read(store, &header, directory));
    }
    match main.numbers(store, &header, tag::SUB_IFDS, MOST_CHILDREN) {
        Ok(children) => {
            children.into_iter().for_each(|at| read_copy(Directory::read(store, &header, at).and_then(|child| Level::read(store, &header, &child))))
        }
        Err(stop) => read_copy(Err(stop)),
    }
    if !missing.is_empty() {
        return Err(Stop::Need(missing));
    }
    let orientation = Orientation::from_tag(main.number_or(store, &header, tag::ORIENTATION, 1)?);
    let full = Level::read(store, &header, main)?.with_profile(store, main)?.with_values(store, &header, main, window)?;
    let stored = full.dimensions;
    let mut levels = vec![full];
    for copy in copies {
        levels.extend(levels.first().and_then(|full| copy.into_copy_of(full)));
    }
    levels.sort_by_key(|level| level.scale_factor);
    levels.dedup_by_key(|level| level.scale_factor);
    let body = Body::Tiff(Arc::new(Tiff { endian: header.endian, levels, profiled: OnceLock::new() }));
    Ok(Opened { stored, orientation, body, pages: Pages { page, known: found.known, all: found.all } })
}
