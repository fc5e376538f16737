//! The role of a directory in the file (image, smaller copy, page, mask), as far as its own entries state it.

use super::ifd::{Directory, Header};
use crate::bytes::ByteStore;
use crate::error::Stop;
use crate::pyramid::level::factor;

mod tag {
    pub const NEW_SUBFILE_TYPE: u16 = 254;
    pub const SUBFILE_TYPE: u16 = 255;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const PHOTOMETRIC: u16 = 262;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const PAGE_NUMBER: u16 = 297;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_LENGTH: u16 = 323;
}

/// Bits of NewSubfileType.
const REDUCED: u64 = 1;
const PAGE: u64 = 2;
const MASK: u64 = 4;
/// PhotometricInterpretation of a mask.
const TRANSPARENCY: u64 = 4;

/// The role that a directory states, and the fields that must match those of an image if the directory is a smaller copy of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    /// NewSubfileType.
    pub kind: u64,
    /// Width and height, px.
    pub size: (u64, u64),
    /// It is marked as a smaller copy of another image.
    pub reduced: bool,
    /// It is marked as a page of a document.
    pub page: bool,
    /// It is a transparency mask.
    pub mask: bool,
    /// It is marked as an image at full resolution, by SubfileType of TIFF 5.0.
    pub full: bool,
    /// Width and height of its tiles, px, if it has any.
    pub tile: Option<(u64, u64)>,
    /// The page's number in PageNumber, if that tag also says that the document has more than one page.
    number: Option<u64>,
    /// PhotometricInterpretation and SamplesPerPixel.
    model: (Option<u64>, u64),
}

impl Marks {
    pub fn read(store: &ByteStore, header: &Header, directory: &Directory) -> Result<Self, Stop> {
        let number = |tag| directory.number(store, header, tag);
        let side = |tag| directory.number_or(store, header, tag, 0);
        let (kind, old) = match number(tag::NEW_SUBFILE_TYPE)? {
            Some(kind) => (kind, 0),
            // SubfileType: 1 full resolution, 2 reduced, 3 a page.
            None => (0, number(tag::SUBFILE_TYPE)?.unwrap_or(0)),
        };
        let tile = match number(tag::TILE_WIDTH)? {
            Some(width) => Some((width, side(tag::TILE_LENGTH)?)),
            None => None,
        };
        let photometric = number(tag::PHOTOMETRIC)?;
        let pages = directory.numbers(store, header, tag::PAGE_NUMBER, 2)?;
        Ok(Self {
            kind,
            size: (side(super::tag::IMAGE_WIDTH)?, side(super::tag::IMAGE_LENGTH)?),
            reduced: kind & REDUCED != 0 || old == 2,
            page: kind & PAGE != 0 || old == 3,
            mask: kind & MASK != 0 || photometric == Some(TRANSPARENCY),
            full: old == 1,
            tile,
            number: pages.first().copied().filter(|_| pages.get(1).is_some_and(|all| *all > 1)),
            model: (photometric, number(tag::SAMPLES_PER_PIXEL)?.unwrap_or(1)),
        })
    }

    /// Whether both have the same number in PageNumber.
    pub fn is_of_page(&self, other: &Self) -> bool {
        self.number.is_some() && self.number == other.number
    }

    /// Whether both have a number in PageNumber, and the numbers differ.
    pub fn is_of_another_page(&self, other: &Self) -> bool {
        self.number.is_some() && other.number.is_some() && self.number != other.number
    }

    /// Whether it has the colour model and the number of samples of `full`, and both its sides are those of `full` divided by one whole number.
    pub fn resembles(&self, full: &Self) -> bool {
        self.model == full.model && factor(full.size, self.size).is_some()
    }
}

/// Bits of the first sample (BitsPerSample). The values mostly lie outside the entry, so they are read only where they matter.
pub(super) fn bits(store: &ByteStore, header: &Header, directory: &Directory) -> Result<u64, Stop> {
    directory.number_or(store, header, tag::BITS_PER_SAMPLE, 1)
}
