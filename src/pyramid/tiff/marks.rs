//! What a directory says of its own part in the file, as far as its entries alone tell it.

use super::ifd::{Directory, Header};
use crate::bytes::ByteStore;
use crate::error::Stop;

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

/// The part of a directory in the file, and what must agree with the image that it may be a smaller copy of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    /// NewSubfileType.
    pub kind: u64,
    /// Width and height, px.
    pub size: (u64, u64),
    /// It calls itself a smaller copy of another image.
    pub reduced: bool,
    /// It calls itself a page of a document.
    pub page: bool,
    /// It is a transparency mask.
    pub mask: bool,
    /// It calls itself an image at full resolution, with the SubfileType of TIFF 5.0.
    pub full: bool,
    /// Width and height of its tiles, if it has any.
    pub tile: Option<(u64, u64)>,
    /// PageNumber, if the document has several pages by it.
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
            // 1 full resolution, 2 reduced, 3 a page.
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

    /// Whether both say that they belong to the same page of a document.
    pub fn is_of_page(&self, other: &Self) -> bool {
        self.number.is_some() && self.number == other.number
    }

    /// Whether both tell the number of their page, and it is not the same.
    pub fn is_of_another_page(&self, other: &Self) -> bool {
        self.number.is_some() && other.number.is_some() && self.number != other.number
    }

    /// Whether its samples are those of `full`, and its sides are those of `full` divided by the same number.
    pub fn resembles(&self, full: &Self) -> bool {
        self.model == full.model && factor(full.size, self.size).is_some()
    }
}

/// Bits of the first sample. They mostly lie outside the entry, so that they are read only where they matter.
pub(super) fn bits(store: &ByteStore, header: &Header, directory: &Directory) -> Result<u64, Stop> {
    directory.number_or(store, header, tag::BITS_PER_SAMPLE, 1)
}

/// The whole number from 2 by which both sides of `full` are divided in `copy`. Writers round each side up or down, some of them at each level anew, so that a side
/// differs from the exact quotient by less than a pixel of the copy. Where several numbers do, as for copies of few pixels, it is the exact quotient, or a power of
/// two, or the nearest number.
pub(super) fn factor(full: (u64, u64), copy: (u64, u64)) -> Option<u64> {
    // The longer side tells it best; a side of one pixel tells nothing.
    let (long, longer) = if full.0 >= full.1 { (copy.0, full.0) } else { (copy.1, full.1) };
    let nearest = longer.checked_add(long / 2)?.checked_div(long)?;
    let below = 1_u64.checked_shl(longer.checked_div(long)?.checked_ilog2()?)?;
    let close = |full: u64, copy: u64, factor: u64| copy.checked_mul(factor).is_some_and(|scaled| scaled.abs_diff(full) < factor);
    let fits = |factor: &u64| *factor > 1 && close(full.0, copy.0, *factor) && close(full.1, copy.1, *factor);
    // Of two powers of two the nearer one.
    let above = below.saturating_mul(2);
    let powers = if nearest.saturating_sub(below) <= above.saturating_sub(nearest) { [below, above] } else { [above, below] };
    let exact = |factor: &u64| copy.0.checked_mul(*factor) == Some(full.0) && copy.1.checked_mul(*factor) == Some(full.1);
    Some(nearest).filter(exact).into_iter().chain(powers).chain([nearest]).find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_that_were_rounded_level_by_level_have_one_factor() {
        // Of slides: their sides are cut off at each level.
        for (full, levels) in [
            ((46_000, 32_914), &[((11_500, 8228), 4), ((2875, 2057), 16)][..]),
            ((46_920, 33_014), &[((11_730, 8253), 4), ((2932, 2063), 16)]),
            ((143_431, 79_672), &[((35_857, 19_918), 4), ((8964, 4979), 16), ((4482, 2489), 32)]),
            ((100, 70), &[((50, 35), 2), ((12, 8), 8), ((6, 4), 16), ((3, 2), 32)]),
            ((6001, 4001), &[((2000, 1334), 3), ((3001, 2000), 2), ((1201, 801), 5)]),
            ((729, 2187), &[((243, 729), 3), ((3, 9), 243), ((1, 3), 729)]),
        ] {
            for (copy, expected) in levels {
                assert_eq!(factor(full, *copy), Some(*expected), "{full:?} {copy:?}");
                assert_eq!(factor((full.1, full.0), (copy.1, copy.0)), Some(*expected), "{full:?} {copy:?} turned");
            }
        }
    }

    #[test]
    fn other_sizes_have_none() {
        for (full, other) in [
            ((640, 480), (640, 480)),
            ((640, 480), (320, 200)),
            ((640, 480), (240, 320)),
            ((640, 480), (500, 375)),
            ((46_080, 38_400), (1024, 840)),
            ((640, 480), (0, 0)),
            ((0, 0), (1, 1)),
            ((u64::MAX, u64::MAX), (1, 2)),
            ((1, 1), (u64::MAX, u64::MAX)),
        ] {
            assert_eq!(factor(full, other), None, "{full:?} {other:?}");
        }
    }
}
