//! JPEG: the marker segments up to the frame header (ITU T.81, Annex B), and the orientation in EXIF; in a sequential file, also the segments up to the first
//! scan.

use std::ops::Range;
use std::sync::Arc;

use super::scan::Contained;
use super::{Body, OneScan, Orientation, Single, Whole, WholeMode, dimensions, exif};
use crate::bytes::{ByteStore, Cursor, Endian};
use crate::error::{Error, SourceFormat, Stop};
use crate::geometry::Dimensions;
use crate::jpeg::SOF3;
use crate::profile::{Model, most_memory};

/// Most segments that are read before the frame header; real files have a few dozen.
const MOST_SEGMENTS: usize = 4096;

/// Whether the first bytes of a file are the signature.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [0xFF, 0xD8, 0xFF, ..])
}

pub(super) fn open(store: &ByteStore) -> Result<Single, Stop> {
    let Found { size, whole, orientation, scan } = read(store, 0)?;
    let body = match scan.and_then(|(head, data)| OneScan::new(&head, data, store.size(), whole)) {
        Some(scan) => Body::Scan(Arc::new(scan)),
        None => Body::Whole(whole),
    };
    Ok((size, orientation.unwrap_or_default(), body))
}

/// Reads the byte range `part` of a file as a JPEG of `channels` components and one sequential scan. `None` if it is something else: it is then decoded in
/// another way, and that decoder reports what is wrong.
pub(super) fn within(store: &ByteStore, part: Range<u64>, channels: u16, contained: Contained<'_>) -> Result<Option<OneScan>, Stop> {
    let mut cursor = Cursor::new(store, SourceFormat::Jpeg, Endian::Big, part.start);
    let found = cursor.u16().and_then(|marker| if marker == 0xFFD8 { read(store, part.start) } else { Err(cursor.corrupt("no JPEG")) });
    match found {
        Ok(Found { whole, scan: Some((head, data)), .. }) if u16::from(whole.channels) == channels => Ok(OneScan::within(&head, data, part, whole, contained)),
        Ok(_) | Err(Stop::Fail(_)) => Ok(None),
        Err(need) => Err(need),
    }
}

/// The segments that decoding needs, and the offset in the file at which the entropy-coded data of the first scan begin.
type Start = (Vec<u8>, u64);

/// What is found in the segments before the first scan.
struct Found {
    size: Dimensions,
    whole: Whole,
    orientation: Option<Orientation>,
    /// Where the first scan begins; only for a sequential process (SOF0 and SOF1), and only if the scan was found.
    scan: Option<Start>,
}

/// Reads the segments of the stream whose SOI marker is at byte `begin`.
fn read(store: &ByteStore, begin: u64) -> Result<Found, Stop> {
    let mut cursor = Cursor::new(store, SourceFormat::Jpeg, Endian::Big, begin.saturating_add(2));
    let mut orientation = None;
    let mut head = Head::default();
    for _ in 0..MOST_SEGMENTS {
        let marker = next_marker(&mut cursor)?;
        match marker {
            // A repeated SOI, TEM and RST have no length field.
            0xD8 | 0x01 | 0xD0..=0xD7 => continue,
            0xD9 => return Err(cursor.corrupt("the image ends before its frame header")),
            0xDA => return Err(cursor.corrupt("a scan comes before the frame header")),
            _ => {}
        }
        let start = cursor.position();
        let length = u64::from(cursor.u16()?);
        if length < 2 {
            return Err(cursor.corrupt("a segment is shorter than its own length field"));
        }
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let (size, mut whole) = frame(&mut cursor, marker)?;
                cursor.seek(start);
                head.keep(&mut cursor, marker, usize::MAX)?;
                let (scan, profile) = head.up_to_scan(&mut cursor)?;
                if profile > 0 {
                    whole.colors = most_memory(profile, if whole.channels == 4 { Model::Cmyk } else { Model::Rgb });
                }
                return Ok(Found { size, whole, orientation, scan: scan.filter(|_| marker <= 0xC1) });
            }
            // The segment may have been fetched only in part. Its identifier is read first, so that the rest is asked for only if it is EXIF.
            0xE1 if orientation.is_none() && length >= 8 && cursor.take(6)?.as_ref() == b"Exif\0\0" => {
                orientation = Some(exif::orientation(&cursor.take(length.saturating_sub(8))?));
            }
            _ => {
                cursor.seek(start);
                head.take(&mut cursor, marker)?;
            }
        }
        cursor.seek(start.saturating_add(length));
    }
    Err(cursor.corrupt("no frame header among the first segments"))
}

/// The segments that decoding needs, joined to one stream. The segments between them are left out.
struct Head {
    bytes: Vec<u8>,
    /// Bytes of the segments seen so far that hold an ICC profile.
    profile: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self { bytes: vec![0xFF, 0xD8], profile: 0 }
    }
}

impl Head {
    /// Keeps a segment if decoding needs it. The cursor is at the segment's length field.
    fn take(&mut self, cursor: &mut Cursor<'_>, marker: u8) -> Result<(), Stop> {
        let start = cursor.position();
        let length = cursor.u16()?;
        let mut name = |count: u64| if u64::from(length) < count.saturating_add(2) { Ok(Vec::new()) } else { cursor.take(count).map(|name| name.to_vec()) };
        let most = match marker {
            // DHT, DQT, DRI.
            0xC4 | 0xDB | 0xDD => usize::MAX,
            // Of JFIF (APP0), only the presence matters. Of Adobe (APP14), the defined fields are kept.
            0xE0 if name(5)? == b"JFIF\0" => 5,
            0xEE => 12,
            0xE2 if name(12)? == b"ICC_PROFILE\0" => {
                self.profile = self.profile.saturating_add(length.into());
                usize::MAX
            }
            _ => return Ok(()),
        };
        cursor.seek(start);
        self.keep(cursor, marker, most)
    }

    /// Keeps a segment with at most `most` bytes of its payload. The cursor is at the segment's length field.
    fn keep(&mut self, cursor: &mut Cursor<'_>, marker: u8, most: usize) -> Result<(), Stop> {
        let length = cursor.u16()?;
        let payload = cursor.take(u64::from(length.saturating_sub(2)))?;
        let kept = payload.get(..most).unwrap_or(&payload);
        self.bytes.extend([0xFF, marker]);
        self.bytes.extend(u16::try_from(kept.len().saturating_add(2)).unwrap_or(length).to_be_bytes());
        self.bytes.extend_from_slice(kept);
        Ok(())
    }

    /// Goes on from the frame header to the first scan. Returns all segments that were kept, with the offset of the scan's data, and the number of bytes of ICC
    /// profile segments. `None` in place of the segments if no scan is found: decoding fails later, and that error says why.
    fn up_to_scan(mut self, cursor: &mut Cursor<'_>) -> Result<(Option<Start>, u64), Stop> {
        let mut look = || {
            for _ in 0..MOST_SEGMENTS {
                let marker = next_marker(cursor)?;
                let start = cursor.position();
                match marker {
                    0xD8 | 0x01 | 0xD0..=0xD7 => continue,
                    0xDA => {
                        self.keep(cursor, marker, usize::MAX)?;
                        return Ok(Some(cursor.position()));
                    }
                    // The end of the image, another frame, or DNL (the number of lines, which comes after the first scan).
                    0xD9 | 0xDC | 0xC0..=0xC3 | 0xC5..=0xCF => return Ok(None),
                    _ => self.take(cursor, marker)?,
                }
                cursor.seek(start);
                let length = u64::from(cursor.u16()?);
                cursor.seek(start.saturating_add(length.max(2)));
            }
            Ok(None)
        };
        match look() {
            Ok(data) => Ok((data.map(|data| (self.bytes, data)), self.profile)),
            Err(Stop::Need(ranges)) => Err(Stop::Need(ranges)),
            Err(Stop::Fail(_)) => Ok((None, self.profile)),
        }
    }
}

/// Skips to the next marker, over fill bytes (B.1.1.2) and stray bytes that writers leave between segments.
fn next_marker(cursor: &mut Cursor<'_>) -> Result<u8, Stop> {
    const MOST_STRAY: u32 = 65_536;
    let mut seen_ff = false;
    for _ in 0..MOST_STRAY {
        match cursor.u8()? {
            0xFF => seen_ff = true,
            0 => seen_ff = false,
            marker if seen_ff => return Ok(marker),
            _ => {}
        }
    }
    Err(cursor.corrupt("no marker where one should be"))
}

/// Reads the frame header (B.2.2). A height of 0 is refused: it means that a DNL segment after the first scan gives the height.
fn frame(cursor: &mut Cursor<'_>, marker: u8) -> Result<(Dimensions, Whole), Stop> {
    let unsupported = |feature: &str| Stop::Fail(Error::SourceUnsupported { format: Some(SourceFormat::Jpeg), feature: feature.to_owned() });
    let at = cursor.position();
    let precision = cursor.u8()?;
    let height = cursor.u16()?;
    let width = cursor.u16()?;
    let channels = cursor.u8()?;
    match marker {
        0xC0..=0xC3 => {}
        0xC5..=0xC7 | 0xCD..=0xCF => return Err(unsupported("hierarchical coding")),
        _ => return Err(unsupported("arithmetic coding")),
    }
    if height == 0 && width > 0 {
        return Err(unsupported("a height that is told only after the first scan (DNL)"));
    }
    let size = dimensions(SourceFormat::Jpeg, at, width.into(), height.into())?;
    let is_lossless = marker == SOF3;
    let depth = match precision {
        8 => 1,
        2..=7 if is_lossless => 1,
        9..=16 if is_lossless => 2,
        _ => return Err(unsupported(&format!("{precision} bits per sample"))),
    };
    if !matches!(channels, 1 | 3 | 4) {
        return Err(unsupported(&format!("{channels} components")));
    }
    let density = density(cursor, channels)?;
    // In the lossless process, decoding a row needs only the row before it.
    let mode = if is_lossless { WholeMode::Rows } else { WholeMode::Jpeg { density } };
    Ok((size, Whole { channels, depth, mode, colors: 0 }))
}

/// Stored samples per hundred pixels, from the sampling factors (B.2.2): 300 for 4:4:4, 150 for 4:2:0.
fn density(cursor: &mut Cursor<'_>, channels: u8) -> Result<u32, Stop> {
    let (mut sum, mut across, mut down) = (0_u32, 1_u32, 1_u32);
    for _ in 0..channels {
        let factors = cursor.number(3)? >> 8 & 0xFF;
        let (h, v) = (u32::try_from(factors >> 4).unwrap_or(0), u32::try_from(factors & 15).unwrap_or(0));
        if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
            return Err(cursor.corrupt("a sampling factor outside 1 to 4"));
        }
        sum = sum.saturating_add(h.saturating_mul(v));
        (across, down) = (across.max(h), down.max(v));
    }
    Ok(sum.saturating_mul(100).checked_div(across.saturating_mul(down)).unwrap_or(0))
}
