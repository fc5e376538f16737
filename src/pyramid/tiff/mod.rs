//! TIFF 6.0 and BigTIFF: the full image, and the smaller copies of it in further pages or SubIFDs.

mod ifd;
mod level;
mod sample;

use std::sync::Arc;

pub(crate) use level::{Level, Location};
pub(crate) use sample::{Association, Compression, Fax, Model, SampleKind, ZSTANDARD_WINDOW};

use self::ifd::{Directory, Header};
use super::{Body, Orientation};
use crate::bytes::{ByteStore, Endian};
use crate::error::{Error, Stop};
use crate::geometry::Dimensions;

/// Directories that are looked at for levels: a gigapixel image has about 12.
const MOST_DIRECTORIES: usize = 48;

mod tag {
    pub const NEW_SUBFILE_TYPE: u16 = 254;
    pub const ORIENTATION: u16 = 274;
    pub const SUB_IFDS: u16 = 330;
}
const REDUCED: u64 = 1;
const MASK: u64 = 4;

/// The levels of a file, largest first, all in one byte order.
#[derive(Debug)]
pub(crate) struct Tiff {
    pub endian: Endian,
    pub levels: Vec<Level>,
}

impl Tiff {
    pub fn weight(&self) -> usize {
        self.levels.iter().fold(size_of::<Self>(), |sum, level| sum.saturating_add(level.weight()))
    }
}

pub(super) fn open(store: &ByteStore) -> Result<(Dimensions, Orientation, Body), Stop> {
    let header = Header::read(store)?;
    let directories = directories(store, &header)?;
    let mut main = None;
    for directory in &directories {
        let kind = directory.number_or(store, &header, tag::NEW_SUBFILE_TYPE, 0)?;
        if kind & (REDUCED | MASK) == 0 {
            main = Some(directory);
            break;
        }
    }
    // A file of reduced images alone shows its first.
    let Some(main) = main.or(directories.first()) else {
        return Err(header.cursor(store, 4).corrupt("it has no directory"));
    };
    let orientation = Orientation::from_tag(main.number_or(store, &header, tag::ORIENTATION, 1)?);
    let full = Level::read(store, &header, main)?;
    let size = full.dimensions;
    let mut levels = vec![full];
    let mut missing = Vec::new();
    for directory in &directories {
        if directory.at == main.at {
            continue;
        }
        // A smaller copy that cannot be used is passed over: the full image serves in its place.
        match Level::read(store, &header, directory) {
            Ok(level) => levels.extend(levels.first().and_then(|full| level.into_copy_of(full))),
            // All levels name what they lack before any of it is fetched.
            Err(Stop::Need(ranges)) => missing.extend(ranges),
            Err(Stop::Fail(_)) => {}
        }
    }
    if !missing.is_empty() {
        return Err(Stop::Need(missing));
    }
    levels.sort_by_key(|level| level.scale_factor);
    levels.dedup_by_key(|level| level.scale_factor);
    Ok((size, orientation, Body::Tiff(Arc::new(Tiff { endian: header.endian, levels }))))
}

/// The chain of pages, and the SubIFDs of the first.
fn directories(store: &ByteStore, header: &Header) -> Result<Vec<Directory>, Stop> {
    let mut found: Vec<Directory> = Vec::new();
    let mut at = header.first;
    while at != 0 && found.len() < MOST_DIRECTORIES && !found.iter().any(|directory| directory.at == at) {
        match Directory::read(store, header, at) {
            Ok(directory) => {
                at = directory.next;
                found.push(directory);
            }
            Err(Stop::Need(ranges)) => return Err(Stop::Need(ranges)),
            Err(stop) if found.is_empty() => return Err(stop),
            // The first page is whole; what follows it in a damaged file is not needed to show it.
            Err(Stop::Fail(Error::SourceCorrupt { .. })) => break,
            Err(stop) => return Err(stop),
        }
    }
    let Some(first) = found.first() else {
        return Err(header.cursor(store, 4).corrupt("it has no directory"));
    };
    let children = first.numbers(store, header, tag::SUB_IFDS, MOST_DIRECTORIES as u64)?;
    for at in children {
        match Directory::read(store, header, at) {
            Ok(directory) => found.push(directory),
            Err(Stop::Need(ranges)) => return Err(Stop::Need(ranges)),
            Err(Stop::Fail(_)) => {}
        }
    }
    Ok(found)
}
