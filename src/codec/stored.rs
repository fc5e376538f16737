//! Stored chunks as files of their own: the markers around them are set in order, their coded pixels stay as they are, and everything else is left out.

use std::io::BufRead;

use crate::api::Format;
use crate::geometry::Dimensions;

/// Bytes of a profile in one APP2 segment of JPEG (ICC.1, B.4): the length field counts itself, the name and two numbers.
const PROFILE_PART: usize = 65_535 - 2 - 14;

/// Flags of an extended WebP file (RFC 9649, 2.7.1).
const PROFILE: u8 = 0x20;
const ALPHA: u8 = 0x10;
const ANIMATION: u8 = 0x02;

/// What the samples of a chunk are, as far as its own markers need not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colors {
    Gray,
    YCbCr,
    Rgb,
    /// Only in WebP.
    Rgba,
}

/// A chunk as a file of `format` with pixels of `dimensions`; `None` if its stream is not what was expected: then decoding it must show what it is.
///
/// The file holds the image alone. A TIFF may have anything in and behind a tile: metadata, scripts, other images. None of it is sent.
pub(crate) fn as_file(format: Format, tables: Option<&[u8]>, chunk: &[u8], dimensions: Dimensions, colors: Colors, icc: Option<&[u8]>) -> Option<Vec<u8>> {
    match format {
        Format::Jpg => jpeg(tables.unwrap_or_default(), chunk, dimensions, colors, icc),
        Format::WebP => webp(chunk, dimensions, colors == Colors::Rgba, icc),
        _ => None,
    }
}

/// An interchange stream (ITU T.81, B.2) from an abbreviated one and its tables (B.5; TIFF Technical Note 2).
fn jpeg(tables: &[u8], chunk: &[u8], dimensions: Dimensions, colors: Colors, icc: Option<&[u8]>) -> Option<Vec<u8>> {
    let parts = icc.map_or(0, |icc| icc.len().div_ceil(PROFILE_PART));
    if parts > 255 {
        return None;
    }
    let mut out = Vec::with_capacity(tables.len() + chunk.len() + icc.map_or(0, <[u8]>::len) + 18 * parts + 32);
    out.extend([0xFF, 0xD8]);
    let components = match colors {
        Colors::Gray => 1,
        Colors::YCbCr | Colors::Rgb => 3,
        Colors::Rgba => return None,
    };
    if colors == Colors::Rgb {
        // Adobe's marker, with the transform 0.
        segment(&mut out, 0xEE, &[b"Adobe\0\x64\0\0\0\0\0"]);
    } else {
        // JFIF: gray or YCbCr, whatever the components are called.
        segment(&mut out, 0xE0, &[b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"]);
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
        let &[8, h1, h0, w1, w0, found, ..] = frame else { return false };
        let size = (u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0])));
        size == (dimensions.width(), dimensions.height()) && found == components && frame.len() == 6 + 3 * usize::from(found)
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
    framed.then_some(())?;
    copy_scans(scans, &mut out)?;
    Some(out)
}

/// Copies one scan or several, with the tables between them, up to the end marker. What lies behind that is not part of the image. `None` for a stream that has
/// no end marker, or no scan before it.
fn copy_scans(mut bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut scanned = false;
    loop {
        match bytes {
            [0xFF, 0xDA, high, low, ..] => {
                let header = usize::from(u16::from_be_bytes([*high, *low])) + 2;
                // B.2.3: the number of components, two bytes for each, and three more.
                (header == 8 + 2 * usize::from(*bytes.get(4)?)).then_some(())?;
                let data = bytes.get(header..)?;
                let (scan, rest) = bytes.split_at(header + entropy_coded(data)?);
                out.extend_from_slice(scan);
                (scanned, bytes) = (true, rest);
            }
            [0xFF, 0xD9, ..] if scanned => {
                out.extend([0xFF, 0xD9]);
                return Some(());
            }
            [0xFF, 0xFF, ..] if scanned => bytes = &bytes[1..],
            _ if scanned => {
                let rest = copy_segments(bytes, out, |marker, _| matches!(marker, 0xDB | 0xC4 | 0xDD))?;
                (rest.len() < bytes.len()).then_some(())?;
                bytes = rest;
            }
            _ => return None,
        }
    }
}

/// Bytes of entropy-coded data up to the next marker. Stuffed zeros (B.1.1.5) and restart markers (B.2.1) are data. `None` if there is no marker.
fn entropy_coded(data: &[u8]) -> Option<usize> {
    let mut rest = data;
    loop {
        // The standard library looks for a byte as fast as memchr; an iterator goes byte by byte.
        rest.skip_until(0xFF).ok()?;
        let fill = rest.iter().take_while(|byte| **byte == 0xFF).count();
        match rest.get(fill)? {
            0 | 0xD0..=0xD7 => rest = &rest[fill + 1..],
            _ => return (data.len() - rest.len()).checked_sub(1),
        }
    }
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

/// The image of a WebP file (RFC 9649): its bitstream and its alpha, without the profile, the metadata and the unknown chunks that the file may have. A profile,
/// or alpha in a chunk of its own, makes the answer an extended file (2.7).
fn webp(chunk: &[u8], dimensions: Dimensions, with_alpha: bool, icc: Option<&[u8]>) -> Option<Vec<u8>> {
    let length = u32::from_le_bytes(*chunk.strip_prefix(b"RIFF")?.first_chunk()?) as usize;
    let mut rest = chunk.get(8..length.checked_add(8)?)?.strip_prefix(b"WEBP")?;
    let (mut image, mut alpha, mut flags): (Option<&[u8]>, Option<&[u8]>, Option<u8>) = (None, None, None);
    while image.is_none() {
        let [a, b, c, d, rest_of @ ..] = rest else { return None };
        let length = u32::from_le_bytes(*rest_of.first_chunk()?) as usize;
        let content = rest_of.get(4..length.checked_add(4)?)?;
        match &[*a, *b, *c, *d] {
            b"VP8 " | b"VP8L" => image = Some(&rest[..8 + length]),
            // Without the flag of the extended header it means nothing.
            b"ALPH" if flags.is_some_and(|flags| flags & ALPHA != 0) => alpha = Some(&rest[..8 + length]),
            // An animation: what it shows first is for the decoder to say.
            b"ANIM" | b"ANMF" => return None,
            b"VP8X" => flags = Some(*content.first().filter(|flags| *flags & ANIMATION == 0)?),
            _ => {}
        }
        rest = rest.get(8 + length + length % 2..).unwrap_or_default();
    }
    let image = image?;
    let number = |at: usize| Some(u32::from_le_bytes(*image.get(at..)?.first_chunk()?));
    let (signed, width, height, transparent) = if image.starts_with(b"VP8L") {
        // Its alpha is in the bitstream.
        alpha = None;
        let transparent = number(9)? >> 28 & 1 == 1;
        flags.is_none_or(|flags| (flags & ALPHA != 0) == transparent).then_some(())?;
        (image.get(8)? == &0x2F, (number(9)? & 0x3FFF) + 1, (number(9)? >> 14 & 0x3FFF) + 1, transparent)
    } else {
        (image.get(11..14)? == [0x9D, 0x01, 0x2A], number(14)? & 0x3FFF, number(14)? >> 16 & 0x3FFF, alpha.is_some())
    };
    if !signed || (width, height) != (dimensions.width(), dimensions.height()) || (transparent && !with_alpha) {
        return None;
    }
    let mut out = Vec::with_capacity(image.len() + alpha.map_or(0, <[u8]>::len) + icc.map_or(0, <[u8]>::len) + 48);
    out.extend(b"RIFF\0\0\0\0WEBP");
    if icc.is_some() || alpha.is_some() {
        out.extend(b"VP8X\x0A\0\0\0");
        out.extend([if icc.is_some() { PROFILE } else { 0 } | if transparent { ALPHA } else { 0 }, 0, 0, 0]);
        for side in [dimensions.width(), dimensions.height()] {
            out.extend(&(side - 1).to_le_bytes()[..3]);
        }
    }
    if let Some(icc) = icc {
        out.extend(b"ICCP");
        out.extend((icc.len() as u32).to_le_bytes());
        padded(&mut out, icc);
    }
    padded(&mut out, alpha.unwrap_or_default());
    padded(&mut out, image);
    let length = (out.len() - 8) as u32;
    out[4..8].copy_from_slice(&length.to_le_bytes());
    Some(out)
}

/// Chunks of RIFF begin at even bytes.
fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.extend(std::iter::repeat_n(0, bytes.len() % 2));
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
    }

    #[test]
    fn a_jpeg_ends_at_its_end_marker() {
        let plain = gray(&[]).1;
        let file = splice(&plain, None, 16).unwrap();
        for behind in [&b"<script>"[..], &[0xFF, 0xD9], &[0xFF, 0xD8, 0xFF, 0xD9], &[0; 5], &[7]] {
            assert_eq!(splice(&[&plain, behind].concat(), None, 16).unwrap(), file, "{behind:?}");
        }
        // Stuffed zeros, restart markers and fill bytes are no end.
        let scan = plain.len() - 3;
        let data = [1, 0xFF, 0, 0xFF, 0xD0, 2, 0xFF, 0xFF, 0, 0xFF, 0xD7, 0xFF, 0];
        let longer = [&plain[..scan], &data, &[0xFF, 0xFF, 0xFF, 0xD9, 3]].concat();
        assert_eq!(splice(&longer, None, 16).unwrap()[file.len() - 3..], [&data[..], &[0xFF, 0xD9]].concat());
    }

    #[test]
    fn between_scans_there_are_tables_only() {
        let plain = gray(&[]).1;
        let image = &plain[..plain.len() - 2];
        let tables = [0xFF, 0xC4, 0, 3, 9, 0xFF, 0xDD, 0, 4, 0, 8, 0xFF, 0xDB, 0, 3, 2];
        let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 5, 2, 0x99, 0xFF, 0xD9];
        let comment = [0xFF, 0xFE, 0, 4, b'h', b'i'];
        let file = splice(&[image, &tables, &comment, &scan].concat(), None, 16).unwrap();
        assert_eq!(file, splice(&[image, &tables, &scan].concat(), None, 16).unwrap());
        assert!(file.ends_with(&[&tables[..], &scan].concat()));
        assert_eq!(splice(&[image, &[0xFF, 0xDC, 0, 4, 0, 8], &scan].concat(), None, 16), None, "lines that are told later");
        assert_eq!(splice(&[image, &[0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 16, 1, 1, 0x11, 0], &scan].concat(), None, 16), None, "a second frame");
        assert_eq!(splice(&[image, &[0xFF, 0xDA, 0, 9, 1, 1, 0, 1, 5, 2, 7], &scan].concat(), None, 16), None, "a scan header that is too long");
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

    fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut body = b"WEBP".to_vec();
        for (name, content) in chunks {
            body.extend_from_slice(*name);
            body.extend((content.len() as u32).to_le_bytes());
            padded(&mut body, content);
        }
        [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
    }

    const LOSSY: (&[u8; 4], &[u8]) = (b"VP8 ", &[0, 0, 0, 0x9D, 0x01, 0x2A, 16, 0, 8, 0, 77]);
    /// 16 × 8, with alpha.
    const LOSSLESS: (&[u8; 4], &[u8]) = (b"VP8L", &[0x2F, 15, 0xC0, 0x01, 0x10, 1, 2, 3]);

    fn webp_of(chunk: &[u8], colors: Colors, icc: Option<&[u8]>) -> Option<Vec<u8>> {
        as_file(Format::WebP, None, chunk, Dimensions::new(16, 8).unwrap(), colors, icc)
    }

    #[test]
    fn a_webp_holds_its_image_only() {
        let plain = riff(&[LOSSY]);
        assert_eq!(webp_of(&plain, Colors::Rgb, None).unwrap(), plain);
        let foreign = [(b"EXIF", &b"MM\0*"[..]), (b"XMP ", b"<x>"), (b"ICCP", b"icc"), (b"evil", b"<script>")];
        let extended = |flags: u8| -> (&[u8; 4], Vec<u8>) { (b"VP8X", [&[flags, 0, 0, 0], &[15, 0, 0, 7, 0, 0][..]].concat()) };
        let with = |flags: u8, image: &[(&'static [u8; 4], &'static [u8])]| {
            let header = extended(flags);
            riff(&[&[(header.0, header.1.as_slice())], &foreign[..], image, &foreign[..]].concat())
        };
        let behind = [&with(0x2C, &[LOSSY])[..], b"<script>"].concat();
        assert_eq!(webp_of(&behind, Colors::Rgb, None).unwrap(), plain);
        let alpha: (&[u8; 4], &[u8]) = (b"ALPH", &[0, 9, 9]);
        let header = extended(ALPHA);
        let kept = riff(&[(header.0, header.1.as_slice()), alpha, LOSSY]);
        assert_eq!(webp_of(&with(0x3C, &[alpha, LOSSY]), Colors::Rgba, None).unwrap(), kept);
        assert_eq!(webp_of(&with(0x3C, &[LOSSLESS]), Colors::Rgba, None).unwrap(), riff(&[LOSSLESS]));
        let header = extended(ALPHA | PROFILE);
        let profiled = riff(&[(header.0, header.1.as_slice()), (b"ICCP", b"mine!"), alpha, LOSSY]);
        assert_eq!(webp_of(&with(0x3C, &[alpha, LOSSY]), Colors::Rgba, Some(b"mine!")).unwrap(), profiled);
    }

    #[test]
    fn a_webp_that_is_not_as_expected_is_left_to_the_decoder() {
        let lossless = riff(&[LOSSLESS]);
        assert_eq!(webp_of(&lossless, Colors::Rgb, None), None, "alpha where there is none");
        assert_eq!(webp_of(&riff(&[(b"VP8X", &[0; 10]), LOSSLESS]), Colors::Rgba, None), None, "alpha that the header denies");
        assert_eq!(webp_of(&riff(&[(b"VP8X", &[ANIMATION, 0, 0, 0, 15, 0, 0, 7, 0, 0]), LOSSY]), Colors::Rgb, None), None, "an animation");
        assert_eq!(webp_of(&riff(&[(b"EXIF", b"MM")]), Colors::Rgb, None), None, "no image");
        for len in 0..lossless.len() {
            assert_eq!(webp_of(&lossless[..len], Colors::Rgba, None), None, "{len}");
        }
    }
}
