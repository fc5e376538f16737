//! Marker codes (T.81, table B.1), and the walk from one marker segment to the next (B.1.1).

use super::corrupt;
use crate::error::Result;

/// Frame header of the baseline process; the others follow up to 0xCF.
pub(super) const SOF0: u8 = 0xC0;
/// Frame header of the extended sequential process.
pub(super) const SOF1: u8 = 0xC1;
/// Frame header of the progressive process.
pub(super) const SOF2: u8 = 0xC2;
/// Frame header of the lossless process.
pub(crate) const SOF3: u8 = 0xC3;
/// Huffman tables.
pub(super) const DHT: u8 = 0xC4;
/// Reserved for extensions; no frame header.
pub(super) const JPG: u8 = 0xC8;
/// Conditioning of arithmetic coding.
pub(super) const DAC: u8 = 0xCC;
/// The last frame header.
pub(super) const SOF15: u8 = 0xCF;
/// First of the eight restart markers.
pub(super) const RST0: u8 = 0xD0;
/// Last of them.
pub(super) const RST7: u8 = 0xD7;
/// Start of image.
pub(super) const SOI: u8 = 0xD8;
/// End of image.
pub(super) const EOI: u8 = 0xD9;
/// Start of scan.
pub(super) const SOS: u8 = 0xDA;
/// Quantization tables.
pub(super) const DQT: u8 = 0xDB;
/// Number of lines, where the frame header does not tell it.
pub(super) const DNL: u8 = 0xDC;
/// Restart interval.
pub(super) const DRI: u8 = 0xDD;
/// First of the sixteen application segments.
pub(super) const APP0: u8 = 0xE0;
/// For private use in arithmetic coding; has no length.
pub(super) const TEM: u8 = 0x01;

/// What an ICC profile's segments begin with (ICC.1, annex B.4); number and count of the part follow.
pub(super) const ICC_NAME: &[u8] = b"ICC_PROFILE\0";

/// A marker segment: its payload is what follows the two bytes of length. Markers that stand alone have none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    pub marker: u8,
    /// Where the payload begins.
    pub at: usize,
    pub payload: &'a [u8],
}

impl Segment<'_> {
    /// Where the segment ends.
    pub fn end(&self) -> usize {
        self.at.saturating_add(self.payload.len())
    }
}

/// The next marker segment at or behind `at`; `None` where the data end. Bytes that belong to none are passed over, as other readers do.
pub(super) fn next_segment(bytes: &[u8], at: usize) -> Result<Option<Segment<'_>>> {
    let Some((marker, at)) = next_marker(bytes, at) else { return Ok(None) };
    if matches!(marker, TEM | RST0..=EOI) {
        return Ok(Some(Segment { marker, at, payload: &[] }));
    }
    let payload = bytes.get(at..).and_then(|rest| {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        rest.get(..usize::from(u16::from_be_bytes(*length)).checked_sub(2)?)
    });
    match payload {
        Some(payload) => Ok(Some(Segment { marker, at: at.saturating_add(2), payload })),
        None => Err(corrupt(at, format!("the segment of marker {marker:02X} does not fit the data, which end at byte {}", bytes.len()))),
    }
}

/// The next marker at or behind `at`, and where it ends; 0xFF may be repeated before it (B.1.1.2), and one before a zero is none.
pub(super) fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        let found = bytes.get(at..)?.iter().position(|byte| *byte == 0xFF)?;
        at = at.saturating_add(found).saturating_add(1);
        while bytes.get(at) == Some(&0xFF) {
            at = at.saturating_add(1);
        }
        let marker = *bytes.get(at)?;
        at = at.saturating_add(1);
        if marker != 0 {
            return Some((marker, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_bytes_and_strays_are_passed_over() {
        let bytes = [0x12, 0xFF, 0x00, 0xFF, 0xFF, 0xFF, DRI, 0, 4, 1, 2, 7, 0xFF, EOI];
        let segment = next_segment(&bytes, 0).unwrap().unwrap();
        assert_eq!((segment.marker, segment.at, segment.payload, segment.end()), (DRI, 9, &[1, 2][..], 11));
        assert_eq!(next_segment(&bytes, 11).unwrap().unwrap().marker, EOI);
        assert!(next_segment(&bytes, 14).unwrap().is_none());
        assert!(next_segment(&[0xFF], 0).unwrap().is_none());
    }

    #[test]
    fn a_segment_that_is_cut_says_where() {
        for cut in [3, 4, 5] {
            assert!(next_segment(&[0xFF, DQT, 0, 4, 1, 2][..cut], 0).is_err());
        }
        assert!(next_segment(&[0xFF, DQT, 0, 1, 1, 2], 0).is_err());
    }
}
