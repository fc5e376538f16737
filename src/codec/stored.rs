//! Stored chunks as files of their own: the markers around them are set in order, their coded pixels stay as they are.

use crate::api::Format;
use crate::geometry::Dimensions;

/// Bytes of a profile in one APP2 segment of JPEG (ICC.1, B.4): the length field counts itself, the name and two numbers.
const PROFILE_PART: usize = 65_535 - 2 - 14;

/// What the samples of a chunk are, as far as its own markers need not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colors {
    Gray,
    YCbCr,
    Rgb,
}

/// A chunk as a file of `format` with pixels of `dimensions`; `None` if its stream is not what was expected: then decoding it must show what it is.
pub(crate) fn as_file(format: Format, tables: Option<&[u8]>, chunk: &[u8], dimensions: Dimensions, colors: Colors, icc: Option<&[u8]>) -> Option<Vec<u8>> {
    match format {
        Format::Jpg => jpeg(tables.unwrap_or_default(), chunk, dimensions, colors, icc),
        Format::WebP => webp(chunk, dimensions, icc),
        _ => None,
    }
}

/// An interchange stream (ITU T.81, B.2) from an abbreviated one and its tables (B.5; TIFF Technical Note 2).
fn jpeg(tables: &[u8], chunk: &[u8], dimensions: Dimensions, colors: Colors, icc: Option<&[u8]>) -> Option<Vec<u8>> {
    // Strips and tiles may be padded behind their end.
    let end = chunk.iter().rposition(|byte| *byte != 0)? + 1;
    let chunk = chunk[..end].strip_suffix(&[0xFF, 0xD9])?;
    let parts = icc.map_or(0, |icc| icc.len().div_ceil(PROFILE_PART));
    if parts > 255 {
        return None;
    }
    let mut out = Vec::with_capacity(tables.len() + chunk.len() + icc.map_or(0, <[u8]>::len) + 18 * parts + 32);
    out.extend([0xFF, 0xD8]);
    match colors {
        // JFIF: gray or YCbCr, whatever the components are called.
        Colors::Gray | Colors::YCbCr => segment(&mut out, 0xE0, &[b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"]),
        // Adobe's marker, with the transform 0.
        Colors::Rgb => segment(&mut out, 0xEE, &[b"Adobe\0\x64\0\0\0\0\0"]),
    }
    for (index, part) in icc.unwrap_or_default().chunks(PROFILE_PART).enumerate() {
        segment(&mut out, 0xE2, &[b"ICC_PROFILE\0", &[index as u8 + 1, parts as u8], part]);
    }
    if !tables.is_empty() {
        let all = tables.strip_prefix(&[0xFF, 0xD8])?;
        let rest = copy_segments(all, &mut out, |marker, _| matches!(marker, 0xDB | 0xC4 | 0xDD))?;
        matches!(rest, [] | [0xFF, 0xD9, ..]).then_some(())?;
    }
    let mut framed = false;
    let expected = |frame: &[u8]| {
        let &[8, h1, h0, w1, w0, components, ..] = frame else { return false };
        let found = (u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0])));
        found == (dimensions.width(), dimensions.height()) && components == if colors == Colors::Gray { 1 } else { 3 }
    };
    let scans = copy_segments(chunk.strip_prefix(&[0xFF, 0xD8])?, &mut out, |marker, content| match marker {
        // Baseline, extended and progressive, with Huffman codes: what every browser shows.
        0xC0..=0xC2 if !framed && expected(content) => {
            framed = true;
            true
        }
        0xDB | 0xC4 | 0xDD => true,
        _ => false,
    })?;
    let complete = framed && scans.starts_with(&[0xFF, 0xDA]);
    out.extend_from_slice(scans);
    out.extend([0xFF, 0xD9]);
    complete.then_some(out)
}

fn segment(out: &mut Vec<u8>, marker: u8, content: &[&[u8]]) {
    let length = content.iter().map(|part| part.len()).sum::<usize>() + 2;
    out.extend([0xFF, marker]);
    out.extend((length as u16).to_be_bytes());
    content.iter().for_each(|part| out.extend_from_slice(part));
}

/// Copies the segments that `wanted` takes (marker, content), drops application data and comments, and returns what is left from the first SOS or EOI on.
/// `None` for a segment that is neither.
fn copy_segments<'a>(mut bytes: &'a [u8], out: &mut Vec<u8>, mut wanted: impl FnMut(u8, &[u8]) -> bool) -> Option<&'a [u8]> {
    loop {
        match bytes {
            [] | [0xFF, 0xDA | 0xD9, ..] => return Some(bytes),
            // Fill bytes (B.1.1.2).
            [0xFF, 0xFF, rest @ ..] => bytes = &bytes[bytes.len() - rest.len() - 1..],
            [0xFF, marker, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let content = bytes.get(4..2 + length)?;
                if wanted(*marker, content) {
                    out.extend_from_slice(&bytes[..2 + length]);
                } else if !matches!(marker, 0xE0..=0xEF | 0xFE) {
                    return None;
                }
                bytes = &bytes[2 + length..];
            }
            _ => return None,
        }
    }
}

/// A WebP file is stored whole; a profile makes it an extended one (RFC 9649, 2.7).
fn webp(chunk: &[u8], dimensions: Dimensions, icc: Option<&[u8]>) -> Option<Vec<u8>> {
    let number = |at: usize| Some(u32::from_le_bytes(*chunk.get(at..)?.first_chunk()?));
    let length = number(4)? as usize;
    let body = chunk.get(12..length.checked_add(8)?)?;
    let (signed, width, height, alpha) = match body.get(..4)? {
        b"VP8 " => (chunk.get(23..26)? == [0x9D, 0x01, 0x2A], number(26)? & 0x3FFF, number(26)? >> 16 & 0x3FFF, false),
        b"VP8L" => (chunk.get(20)? == &0x2F, (number(21)? & 0x3FFF) + 1, (number(21)? >> 14 & 0x3FFF) + 1, number(21)? >> 28 & 1 == 1),
        // An extended file may bring a profile, metadata or motion of its own.
        _ => return None,
    };
    let named = chunk.starts_with(b"RIFF") && chunk.get(8..12)? == b"WEBP";
    if !named || !signed || (width, height) != (dimensions.width(), dimensions.height()) {
        return None;
    }
    let Some(icc) = icc else { return Some(chunk[..8 + length].to_vec()) };
    let mut out = Vec::with_capacity(length + icc.len() + 48);
    out.extend(b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0");
    out.extend([0x20 | u8::from(alpha) << 4, 0, 0, 0]);
    for side in [dimensions.width(), dimensions.height()] {
        out.extend(&(side - 1).to_le_bytes()[..3]);
    }
    out.extend(b"ICCP");
    out.extend((icc.len() as u32).to_le_bytes());
    out.extend_from_slice(icc);
    out.extend(std::iter::repeat_n(0, icc.len() % 2));
    out.extend_from_slice(body);
    let length = (out.len() - 8) as u32;
    out[4..8].copy_from_slice(&length.to_le_bytes());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of one component, and a frame of 16 × 8 with `extra` segments before it.
    fn gray(extra: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let tables = [&[0xFF, 0xD8, 0xFF, 0xDB, 0, 3, 0, 0xFF, 0xC4, 0, 3, 1][..], &[0xFF, 0xD9]].concat();
        let frame = [0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 16, 1, 1, 0x11, 0];
        let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x55, 0xFF, 0xD9];
        (tables, [&[0xFF, 0xD8][..], extra, &frame, &scan].concat())
    }

    fn splice(chunk: &[u8], icc: Option<&[u8]>, width: u32) -> Option<Vec<u8>> {
        let dimensions = Dimensions::new(width, 8).unwrap();
        as_file(Format::Jpg, Some(&gray(&[]).0), chunk, dimensions, Colors::Gray, icc)
    }

    #[test]
    fn tables_come_before_the_frame_and_foreign_segments_go() {
        let (tables, plain) = gray(&[]);
        let commented = gray(&[0xFF, 0xFE, 0, 4, b'h', b'i', 0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, 1]).1;
        let file = splice(&plain, None, 16).unwrap();
        assert_eq!(splice(&commented, None, 16).unwrap(), file);
        assert_eq!(&file[..4], [0xFF, 0xD8, 0xFF, 0xE0]);
        assert_eq!(&file[20..30], &tables[2..12]);
        assert_eq!(&file[30..], &plain[2..]);
        assert_eq!(splice(&[&plain[..], &[0; 5]].concat(), None, 16).unwrap(), file, "what fills the chunk is cut");
    }

    #[test]
    fn what_is_not_as_expected_is_left_to_the_decoder() {
        let plain = gray(&[]).1;
        assert_eq!(splice(&plain, None, 15), None, "padded");
        assert_eq!(splice(&plain[..plain.len() - 2], None, 16), None, "cut");
        assert_eq!(splice(&gray(&[0xFF, 0xC9, 0, 3, 0]).1, None, 16), None, "arithmetic coding");
        for len in 0..plain.len() {
            assert_eq!(splice(&plain[..len], None, 16), None);
        }
    }

    #[test]
    fn a_long_profile_is_split() {
        let icc = vec![7; PROFILE_PART + 1];
        let file = splice(&gray(&[]).1, Some(&icc), 16).unwrap();
        let at = 20 + 2 + 2;
        assert_eq!(&file[20..24], [0xFF, 0xE2, 0xFF, 0xFF]);
        assert_eq!((&file[at..at + 12], &file[at + 12..at + 14]), (&b"ICC_PROFILE\0"[..], &[1, 2][..]));
        assert_eq!(&file[at + 14 + PROFILE_PART..][..4], [0xFF, 0xE2, 0, 17]);
    }
}
