//! The orientation in an EXIF block: tag 274 (Orientation) in the first directory. An EXIF block is a small TIFF file.

use super::Orientation;
use crate::bytes::Endian;

/// The orientation in `exif`, which begins with the TIFF header; the raster as stored if the tag is missing or the block is broken.
pub(super) fn orientation(exif: &[u8]) -> Orientation {
    find(exif).map_or(Orientation::NORMAL, Orientation::from_tag)
}

fn find(exif: &[u8]) -> Option<u64> {
    const ORIENTATION: u64 = 274;
    let endian = match exif.get(..4)? {
        [b'I', b'I', 42, 0] => Endian::Little,
        [b'M', b'M', 0, 42] => Endian::Big,
        _ => return None,
    };
    let number = |at: usize, width: usize| exif.get(at..at.checked_add(width)?).map(|bytes| endian.number(bytes));
    let directory = usize::try_from(number(4, 4)?).ok()?;
    let count = usize::try_from(number(directory, 2)?).ok()?;
    (0..count).find_map(|index| {
        let entry = directory.checked_add(2)?.checked_add(index.checked_mul(12)?)?;
        let width = if number(entry.checked_add(2)?, 2)? == 4 { 4 } else { 2 };
        (number(entry, 2)? == ORIENTATION).then(|| number(entry.checked_add(8)?, width))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_tag_in_either_byte_order_and_survives_nonsense() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
        assert_eq!(orientation(little), Orientation::from_tag(6));
        assert_eq!(orientation(big), Orientation::from_tag(6));
        for len in 0..little.len() {
            orientation(&little[..len]);
        }
        assert_eq!(orientation(b"II*\0\xff\xff\xff\xff"), Orientation::NORMAL);
    }
}
