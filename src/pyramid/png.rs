//! PNG: IHDR, and the orientation in an eXIf chunk that comes before the pixels (PNG 3rd edition, 11.2.2 and 11.3.4.5).

use super::{Body, Orientation, Whole, WholeMode, dimensions, exif};
use crate::bytes::{ByteStore, Cursor, Endian};
use crate::error::{SourceFormat, Stop};
use crate::geometry::Dimensions;

/// Chunks before the first IDAT that are looked at.
const MOST_CHUNKS: usize = 1024;
/// Longest eXIf chunk that is read; a longer one is passed over.
const LONGEST_EXIF: u64 = 1 << 20;

pub(super) fn open(store: &ByteStore) -> Result<(Dimensions, Orientation, Body), Stop> {
    let mut cursor = Cursor::new(store, SourceFormat::Png, Endian::Big, 8);
    if cursor.u32()? != 13 || cursor.take(4)?.as_ref() != b"IHDR" {
        return Err(cursor.corrupt("it does not begin with an IHDR chunk"));
    }
    let (width, height) = (cursor.u32()?, cursor.u32()?);
    let size = dimensions(SourceFormat::Png, 16, width.into(), height.into())?;
    let (bits, color, _, _, interlace) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    cursor.skip(4);
    // A palette or a gray may gain an alpha channel by a tRNS chunk: the most is counted.
    let channels = match color {
        0 | 4 => 2,
        2 | 3 | 6 => 4,
        _ => return Err(cursor.corrupt("an unknown colour type")),
    };
    let mode = if interlace == 0 { WholeMode::Rows } else { WholeMode::Image };
    let body = Body::Whole(Whole { channels, depth: if bits == 16 { 2 } else { 1 }, mode });
    Ok((size, orientation(&mut cursor)?, body))
}

fn orientation(cursor: &mut Cursor<'_>) -> Result<Orientation, Stop> {
    for _ in 0..MOST_CHUNKS {
        let length = u64::from(cursor.u32()?);
        match cursor.take(4)?.as_ref() {
            b"eXIf" if length <= LONGEST_EXIF => return Ok(exif::orientation(&cursor.take(length)?)),
            b"IDAT" | b"IEND" => break,
            _ => cursor.skip(length.saturating_add(4)),
        }
    }
    Ok(Orientation::NORMAL)
}
