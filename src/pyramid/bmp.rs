//! BMP (Windows bitmap): a file header of 14 bytes, then one of several headers that describe the pixels (BITMAPCOREHEADER, BITMAPINFOHEADER, V2 to V5).

use super::{Body, Orientation, Single, Whole, WholeMode, dimensions};
use crate::bytes::{ByteStore, Cursor, Endian};
use crate::error::{Error, SourceFormat, Stop};
use crate::profile::{Model, most_memory};

/// Offset of the header of the pixels in the file, bytes.
const HEADER: u64 = 14;
/// Lengths of that header in bytes, which tell its version. BITMAPCOREHEADER has sides of 16 bits, the others of 32. V2 and later have colour masks; V3 and
/// later have a mask of alpha as well. V5 may embed an ICC profile.
const CORE: u32 = 12;
const V3: u32 = 56;
const V5: u32 = 124;
const LENGTHS: [u32; 6] = [CORE, 40, 52, V3, 108, V5];
/// Offsets of fields in that header: the mask of alpha, the type of colour space, and the offset of the ICC profile, which is followed by its length.
const ALPHA_MASK: u64 = 52;
const COLOR_SPACE: u64 = 56;
const PROFILE: u64 = 112;
/// PROFILE_EMBEDDED: "MBED".
const EMBEDDED: u32 = 0x4D42_4544;
/// BI_BITFIELDS.
const BIT_FIELDS: u32 = 3;

/// Estimated CPU time per sample, in tenths of a nanosecond.
const WORK: u16 = 60;

/// Whether the first bytes of a file are the signature.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM")
}

/// The embedded ICC profile of a file, of which all bytes are given.
#[cfg(feature = "extra")]
pub(crate) fn profile(bytes: &[u8]) -> Option<&[u8]> {
    let header = bytes.get(usize::try_from(HEADER).ok()?..)?;
    let number = |place: u64| header.get(usize::try_from(place).ok()?..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let is_embedded = number(0)? == V5 && number(COLOR_SPACE)? == EMBEDDED;
    let (start, length) = (number(PROFILE)? as usize, number(PROFILE.saturating_add(4))? as usize);
    header.get(start..start.checked_add(length)?).filter(|profile| is_embedded && !profile.is_empty())
}

pub(super) fn open(store: &ByteStore) -> Result<Single, Stop> {
    let unsupported = |feature: String| Stop::Fail(Error::SourceUnsupported { format: Some(SourceFormat::Bmp), feature });
    let mut cursor = Cursor::new(store, SourceFormat::Bmp, Endian::Little, HEADER);
    let length = cursor.u32()?;
    if !LENGTHS.contains(&length) {
        return Err(unsupported(format!("a header of {length} bytes: {LENGTHS:?} are read")));
    }
    // A negative height means that the top row is stored first; here only its absolute value matters.
    let (width, height) = if length == CORE {
        (u64::from(cursor.u16()?), u64::from(cursor.u16()?))
    } else {
        (u64::from(cursor.u32()?), u64::from(cursor.u32()?.cast_signed().unsigned_abs()))
    };
    cursor.skip(4);
    let compression = if length == CORE { 0 } else { cursor.u32()? };
    if compression > BIT_FIELDS {
        return Err(unsupported(format!("compression {compression}: 0 (none), 1 and 2 (run lengths) and 3 (bit fields) are read")));
    }
    let mut at = |place: u64| {
        cursor.seek(HEADER.saturating_add(place));
        cursor.u32()
    };
    let has_alpha = compression == BIT_FIELDS && length >= V3 && at(ALPHA_MASK)? != 0;
    let colors =
        if length == V5 && at(COLOR_SPACE)? == EMBEDDED { most_memory(u64::from(at(PROFILE.saturating_add(4))?).min(store.size()), Model::Rgb) } else { 0 };
    let size = dimensions(SourceFormat::Bmp, HEADER, width, height)?;
    let channels = if has_alpha { 4 } else { 3 };
    Ok((size, Orientation::NORMAL, Body::Whole(Whole { channels, depth: 1, mode: WholeMode::AtOnce { held: channels, work: WORK }, colors })))
}
