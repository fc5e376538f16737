//! TIFF 6.0 and BigTIFF: a page, and its smaller copies and masks, which lie in further directories of the chain or in SubIFDs.

mod ifd;
mod leica;
mod level;
mod marks;
mod mask;
mod pages;
mod places;
mod sample;
mod slide;
mod values;

use std::sync::Arc;

use self::ifd::{Directory, Header};
use self::marks::Marks;
use super::level::{Level, Levels};
use super::scan::{Contained, OneScan};
use super::{Body, Opened, Orientation, Pages};
use crate::api::Page;
use crate::bytes::{ByteRange, ByteStore};
use crate::error::Stop;
use crate::window::Window;

/// Most SubIFDs that are searched for levels: a gigapixel image has about 12.
const MOST_CHILDREN: u64 = 48;

mod tag {
    pub const IMAGE_WIDTH: u16 = 256;
    pub const IMAGE_LENGTH: u16 = 257;
    pub const ORIENTATION: u16 = 274;
    pub const SUB_IFDS: u16 = 330;
    pub const ICC_PROFILE: u16 = 34675;
    /// Tags that describe pixels and whose values may not fit into the directory entry: BitsPerSample, MinSampleValue, MaxSampleValue, ColorMap, SubIFDs,
    /// ExtraSamples, SampleFormat, SMinSampleValue, SMaxSampleValue, JPEGTables, YCbCrCoefficients, YCbCrSubSampling, ReferenceBlackWhite, GDAL_NODATA. Their
    /// values are fetched together.
    pub const VALUES: [u16; 14] = [258, 280, 281, 320, SUB_IFDS, 338, 339, 340, 341, 347, 529, 530, 532, 42113];
    /// Longest sensible array of values of these tags, bytes: a ColorMap for 16 bits.
    pub const LONGEST_VALUE: u64 = 3 << 17;
}

/// Whether the first bytes of a file are the signature of TIFF or BigTIFF.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..])
}

/// Opens a page. `window` says which sample values are shown as black and white. If values of several levels are missing from the store, [`Stop::Need`] lists
/// all of them, so that they are fetched in one round.
pub(super) fn open(store: &ByteStore, page: Page, window: Window) -> Result<Opened, Stop> {
    let header = Header::read(store)?;
    let found = pages::find(store, &header, page)?;
    let mut missing = found.group.missing(store);
    missing.extend(found.group.main.missing(store, &[tag::ICC_PROFILE], level::LONGEST_PROFILE));
    let children = children(store, &header, &found.group.main, &mut missing)?;
    let mut copies: Vec<Level> = Vec::new();
    for directory in found.group.copies.iter().chain(children.iter().filter(|(_, marks)| !marks.mask).map(|(child, _)| child)) {
        copies.extend(take(Level::read(store, &header, directory), &mut missing));
    }
    let mut masks: Vec<Level> = Vec::new();
    for directory in found.group.masks.iter().chain(children.iter().filter(|(_, marks)| marks.mask).map(|(child, _)| child)) {
        match Level::read_mask(store, &header, directory) {
            // Without the mask of the full image, pixels that it hides would be shown.
            Err(Stop::Fail(error)) if is_as_large(store, &header, directory, &found.group.main)? => return Err(error.into()),
            mask => masks.extend(take(mask, &mut missing)),
        }
    }
    if !missing.is_empty() {
        return Err(Stop::Need(missing));
    }
    let thumbnail = &found.group.main;
    let main = image_among(store, &header, thumbnail, &children)?.unwrap_or(thumbnail);
    // A tag that is missing from the directory of the image is taken from the directory of its thumbnail.
    let saying = |tag| if main.array(tag).is_some() { main } else { thumbnail };
    let orientation = Orientation::from_tag(saying(tag::ORIENTATION).number_or(store, &header, tag::ORIENTATION, 1)?);
    let full = Level::read(store, &header, main)?.with_profile(store, saying(tag::ICC_PROFILE))?.with_values(store, &header, main, window)?;
    if main.at != thumbnail.at {
        copies.extend(take(Level::read(store, &header, thumbnail), &mut missing));
    }
    let stored = full.dimensions;
    let scan = if masks.is_empty() { one_scan(store, &full)? } else { None };
    let body = match scan {
        // Decoding this JPEG at a reduced size gives better results than the smaller copies in the file.
        Some(scan) => Body::Scan(Arc::new(scan)),
        None => Body::Levels(Arc::new(mask::attach(arrange(full, copies, found.group.padded), masks))),
    };
    let pages = Pages { page, known: found.known, all: found.all, associated: found.associated };
    Ok(Opened { stored, orientation, body, pages })
}

/// Opens a page that consists of one large JPEG strip, so that it is read like a JPEG file. `None` for other pages.
fn one_scan(store: &ByteStore, full: &Level) -> Result<Option<OneScan>, Stop> {
    let Some(model) = full.is_one_jpeg() else { return Ok(None) };
    let location = full.locate(store, 0, 0, 0, false)?;
    let Some(strip) = location.range().filter(|range| range.end() <= store.size()) else { return Ok(None) };
    let tables = full.jpeg_tables.as_deref().filter(|tables| tables.len() > 4);
    let contained = Contained { tables, model, dimensions: full.dimensions, profile: full.profile.clone() };
    super::jpeg::within(store, strip.start()..strip.end(), full.samples.count, contained)
}

/// A smaller copy or a mask, if it can be used. One that cannot be used is skipped, and the full image serves in its place. The byte ranges that are needed to
/// read it are added to `missing`.
fn take(level: Result<Level, Stop>, missing: &mut Vec<ByteRange>) -> Option<Level> {
    match level {
        Ok(level) => return Some(level),
        Err(Stop::Need(ranges)) => missing.extend(ranges),
        Err(Stop::Fail(_)) => {}
    }
    None
}

fn is_as_large(store: &ByteStore, header: &Header, one: &Directory, other: &Directory) -> Result<bool, Stop> {
    Ok(Marks::read(store, header, one)?.size == Marks::read(store, header, other)?.size)
}

/// The directories that SubIFDs points to; damaged ones are left out. The byte ranges that are needed to read them are added to `missing`.
fn children(store: &ByteStore, header: &Header, parent: &Directory, missing: &mut Vec<ByteRange>) -> Result<Vec<(Directory, Marks)>, Stop> {
    let offsets = match parent.numbers(store, header, tag::SUB_IFDS, MOST_CHILDREN) {
        Ok(offsets) => offsets,
        Err(Stop::Need(ranges)) => {
            missing.extend(ranges);
            return Ok(Vec::new());
        }
        Err(Stop::Fail(_)) => return Ok(Vec::new()),
    };
    let mut children = Vec::new();
    for at in offsets {
        match Directory::read(store, header, at).and_then(|child| Ok((Marks::read(store, header, &child)?, child))) {
            Ok((marks, child)) => children.push((child, marks)),
            Err(Stop::Need(ranges)) => missing.extend(ranges),
            Err(Stop::Fail(_)) => {}
        }
    }
    Ok(children)
}

/// The image of which `parent` is a thumbnail (TIFF/EP): the largest SubIFD that is neither a reduced image nor a mask, if it is larger than the parent.
fn image_among<'a>(store: &ByteStore, header: &Header, parent: &Directory, children: &'a [(Directory, Marks)]) -> Result<Option<&'a Directory>, Stop> {
    let (width, height) = Marks::read(store, header, parent)?.size;
    let larger = |marks: &Marks| marks.size.0 > width && marks.size.1 > height;
    let images = children.iter().filter(|(_, marks)| !marks.reduced && !marks.mask && larger(marks));
    Ok(images.max_by_key(|(_, marks)| marks.size.0.saturating_mul(marks.size.1)).map(|(child, _)| child))
}

/// The levels of an image: `full`, and those of `directories` that are smaller copies of it.
fn arrange(full: Level, directories: Vec<Level>, padded: bool) -> Levels {
    let (mut copies, mut before) = (Vec::new(), 1);
    for directory in directories {
        if let Some(copy) = if padded { directory.into_padded_copy_of(&full, before) } else { directory.into_copy_of(&full) } {
            before = copy.scale_factor;
            copies.push(copy);
        }
    }
    Levels::of(full, copies)
}
