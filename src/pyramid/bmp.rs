//! BMP (Windows bitmap): a file header of 14 bytes, then one of several headers that describe the pixels (BITMAPCOREHEADER, BITMAPINFOHEADER, V2 to V5).

use azulejo_codecs::bmp_header::{COLOR_SPACE, EMBEDDED, HEADER, PROFILE, V5};

use super::{Body, Orientation, Single, Whole, WholeMode, dimensions};
use crate::bytes::{ByteStore, Cursor, Endian};
use crate::error::{Error, SourceFormat, Stop};
use crate::profile::{Model, most_memory};

/// Lengths of that header in bytes, which tell its version. BITMAPCOREHEADER has sides of 16 bits, the others of 32. V2 and later have colour masks; V3 and
/// later have a mask of alpha as well. V5 may embed an ICC profile.
const CORE: u32 = 12;
const V3: u32 = 56;
const LENGTHS: [u32; 6] = [CORE, 40, 52, V3, 108, V5];
/// Offset of the mask of alpha in that header.
const ALPHA_MASK: u64 = 52;
/// BI_BITFIELDS.
const BIT_FIELDS: u32 = 3;

/// Estimated CPU time per sample, in tenths of a nanosecond.
const WORK: u16 = 60;

/// Whether the first bytes of a file are the signature.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM")
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
    Ok((size, Orientation::NORMAL, Body::Whole(Whole { channels, depth: 1, mode: WholeMode::Module { held: channels, work: WORK }, colors })))
}
