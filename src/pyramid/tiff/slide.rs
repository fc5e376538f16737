//! Slides of known scanners. The tags of their directories do not state their roles; the name of the scanner and the text in ImageDescription do.
//!
//! | scanner | known by | levels of the scan | beside it |
//! |---|---|---|---|
//! | Aperio (SVS) | ImageDescription begins with `Aperio` | all tiled directories, of which the first is the scan | stripped directories: the second directory of the file is the thumbnail, the others are named in the second line of their ImageDescription |
//! | Leica (SCN) | ImageDescription is XML with the element `scn` | as the XML says (see [`super::leica`]) | as the XML says |
//! | Philips | Software begins with `Philips`, or ImageDescription contains an object `DPUfsImport` | all tiled directories, of which the first is the scan; their sizes are padded to whole tiles | stripped directories whose ImageDescription begins with `Label` or `Macro` |
//!
//! Only files with several directories, of which the first is tiled, are checked. Hamamatsu's NDPI is refused: its scan is one JPEG, whose restart intervals no
//! TIFF tag describes.

use super::ifd::{Directory, Header};
use super::leica;
use super::marks::Marks;
use super::pages::{self, Group};
use crate::api::Associated;
use crate::bytes::ByteStore;
use crate::error::{Error, SourceFormat, Stop};

pub(super) mod tag {
    pub const IMAGE_DESCRIPTION: u16 = 270;
    pub const MAKE: u16 = 271;
    pub const SOFTWARE: u16 = 305;
    /// NDPI's format flag.
    pub const HAMAMATSU: u16 = 65420;
}

/// Bytes of a text that are read: enough to name the scanner, or the image in the directory.
const LOOKED_AT: u64 = 256;

/// A slide: its scans, each of which is a page, and the images beside them (label, macro image, thumbnail).
pub(super) struct Slide {
    pub scans: Vec<Group>,
    pub beside: Vec<(Associated, Directory)>,
}

/// A scanner whose files are recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scanner {
    Aperio,
    Leica,
    Philips,
}

/// The slide whose first directory is `first`; `None` if the file is not a slide.
pub(super) fn read(store: &ByteStore, header: &Header, first: &Directory, marks: &Marks) -> Result<Option<Slide>, Stop> {
    refuse_hamamatsu(store, first)?;
    if marks.tile.is_none() || first.next == 0 {
        return Ok(None);
    }
    // The next directory is needed in any case, so it is fetched in the same round.
    let scanner = scanner(store, first).map_err(|stop| pages::with_next(stop, store, header, first))?;
    Ok(match scanner {
        None => None,
        Some(Scanner::Aperio) => Some(aperio(store, pages::all(store, header)?)?),
        Some(Scanner::Philips) => Some(philips(store, pages::all(store, header)?)?),
        Some(Scanner::Leica) => {
            let words = first.text(store, tag::IMAGE_DESCRIPTION, leica::LONGEST).map_err(|stop| pages::with_next(stop, store, header, first))?;
            leica::slide(&words, pages::all(store, header)?)
        }
    })
}

fn refuse_hamamatsu(store: &ByteStore, first: &Directory) -> Result<(), Stop> {
    const NAME: &[u8] = b"Hamamatsu\0";
    // The length of the name is checked first, so that the names of nearly all other makers need not be read.
    let named = first.array(tag::MAKE).is_some_and(|make| make.bytes() == NAME.len() as u64);
    let is_ndpi = first.array(tag::HAMAMATSU).is_some() || (named && first.text(store, tag::MAKE, LOOKED_AT)?.starts_with(NAME));
    if is_ndpi {
        let feature = "the slide format NDPI of Hamamatsu".to_owned();
        return Err(Stop::Fail(Error::SourceUnsupported { format: Some(SourceFormat::Tiff), feature }));
    }
    Ok(())
}

fn scanner(store: &ByteStore, first: &Directory) -> Result<Option<Scanner>, Stop> {
    let (description, software) = (first.text(store, tag::IMAGE_DESCRIPTION, LOOKED_AT), first.text(store, tag::SOFTWARE, LOOKED_AT));
    let (description, software) = match (description, software) {
        (Err(Stop::Need(mut ranges)), Err(Stop::Need(more))) => {
            ranges.extend(more);
            return Err(Stop::Need(ranges));
        }
        (description, software) => (description?, software?),
    };
    let holds = |words: &[u8]| description.windows(words.len()).any(|window| window == words);
    Ok(if description.starts_with(b"Aperio") {
        Some(Scanner::Aperio)
    } else if holds(b"<scn ") {
        Some(Scanner::Leica)
    } else if software.starts_with(b"Philips") || holds(b"DPUfsImport") {
        Some(Scanner::Philips)
    } else {
        None
    })
}

/// The first bytes of ImageDescription of all stripped directories; empty for tiled ones. All missing bytes are asked for at once.
fn descriptions(store: &ByteStore, directories: &[(Directory, Marks)]) -> Result<Vec<Vec<u8>>, Stop> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (directory, marks) in directories {
        match if marks.tile.is_some() { Ok(Vec::new()) } else { directory.text(store, tag::IMAGE_DESCRIPTION, LOOKED_AT) } {
            Ok(words) => found.push(words),
            Err(Stop::Need(ranges)) => missing.extend(ranges),
            Err(stop) => return Err(stop),
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(Stop::Need(missing)) }
}

/// The slide whose only scan has all tiled directories as its levels. The other directories are the images that `names` names.
fn scan_and_others(directories: Vec<(Directory, Marks)>, names: &[Option<Associated>], padded: bool) -> Slide {
    let (mut scans, mut beside): (Vec<Group>, Vec<(Associated, Directory)>) = (Vec::new(), Vec::new());
    for (index, (directory, marks)) in directories.into_iter().enumerate() {
        match (marks.tile, scans.first_mut(), names.get(index).copied().flatten()) {
            (Some(_), None, _) => scans.push(Group { padded, ..Group::of(directory) }),
            (Some(_), Some(scan), _) => scan.copies.push(directory),
            (None, _, Some(name)) if beside.iter().all(|(known, _)| *known != name) => beside.push((name, directory)),
            (None, ..) => {}
        }
    }
    Slide { scans, beside }
}

fn aperio(store: &ByteStore, directories: Vec<(Directory, Marks)>) -> Result<Slide, Stop> {
    let words = descriptions(store, &directories)?;
    let named = |index: usize, marks: &Marks| {
        let line = words.get(index)?.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty()).nth(1).unwrap_or_default();
        let word = line.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
        match word {
            b"label" => Some(Associated::Label),
            b"macro" => Some(Associated::Macro),
            _ if index == 1 => Some(Associated::Thumbnail),
            // Scanners that write neither word mark the images by these values of NewSubfileType.
            _ if marks.kind == 1 => Some(Associated::Label),
            _ if marks.kind == 9 => Some(Associated::Macro),
            _ => None,
        }
    };
    let names: Vec<_> = directories.iter().enumerate().map(|(index, (_, marks))| named(index, marks)).collect();
    Ok(scan_and_others(directories, &names, false))
}

fn philips(store: &ByteStore, directories: Vec<(Directory, Marks)>) -> Result<Slide, Stop> {
    let words = descriptions(store, &directories)?;
    let named = |words: &Vec<u8>| match words.as_slice() {
        [b'L', b'a', b'b', b'e', b'l', ..] => Some(Associated::Label),
        [b'M', b'a', b'c', b'r', b'o', ..] => Some(Associated::Macro),
        _ => None,
    };
    let names: Vec<_> = words.iter().map(named).collect();
    Ok(scan_and_others(directories, &names, true))
}
