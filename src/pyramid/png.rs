//! PNG: IHDR, and the orientation in an eXIf chunk (PNG 3rd edition, 11.2.2 and 11.3.4.5).
//!
//! eXIf may come before the image data (IDAT) or after them, where some writers append it. It cannot be reached after them by following chunk headers, because
//! image data come in thousands of small chunks. So if there is no eXIf before the image data, the end of the file is read as well. If the file is so small
//! that its beginning is all of it, that costs nothing; otherwise it costs one read of [`TAIL`] bytes when the file is opened.

use super::{Body, Orientation, Single, Whole, WholeMode, dimensions, exif};
use crate::bytes::{ByteRange, ByteStore, Cursor, Endian};
use crate::error::{SourceFormat, Stop};
use crate::profile::{FIELDS_MEMORY, Model, most_memory};

/// Most chunks that are read before the first IDAT.
const MOST_CHUNKS: usize = 1024;
/// Longest eXIf chunk that is read, bytes; a longer one is skipped.
const LONGEST_EXIF: u64 = 1 << 20;
/// Bytes at the end of a file that are searched for eXIf. Orientation and camera settings take a few hundred bytes. A chunk that begins earlier contains a
/// thumbnail and is not found.
const TAIL: u64 = 16 << 10;

/// Whether the first bytes of a file are the signature.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..])
}

pub(super) fn open(store: &ByteStore) -> Result<Single, Stop> {
    let mut cursor = Cursor::new(store, SourceFormat::Png, Endian::Big, 8);
    if cursor.u32()? != 13 || cursor.take(4)?.as_ref() != b"IHDR" {
        return Err(cursor.corrupt("it does not begin with an IHDR chunk"));
    }
    let (width, height) = (cursor.u32()?, cursor.u32()?);
    let size = dimensions(SourceFormat::Png, 16, width.into(), height.into())?;
    let (bits, color, _, _, interlace) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    cursor.skip(4);
    let colors: u8 = match color {
        0 | 4 => 1,
        2 | 3 | 6 => 3,
        _ => return Err(cursor.corrupt("an unknown colour type")),
    };
    let Before { transparent, orientation, profile, described } = before_pixels(store, &mut cursor)?;
    let channels = if transparent || matches!(color, 4 | 6) { colors.saturating_add(1) } else { colors };
    let depth = if bits == 16 { 2 } else { 1 };
    // Twice the bytes of the pixel's samples.
    let mode = if interlace == 0 { WholeMode::Rows } else { WholeMode::Image { held: channels.saturating_mul(depth).saturating_mul(2) } };
    let model = if colors == 1 { Model::Gray } else { Model::Rgb };
    let colors = match profile {
        Some(packed) => most_memory(unpacked_profile(packed), model),
        None => 0,
    };
    let body = Body::Whole(Whole { channels, depth, mode, colors: colors.max(if described { FIELDS_MEMORY } else { 0 }) });
    Ok((size, orientation, body))
}

/// Most bytes that an ICC profile may decompress to, if its iCCP chunk has `chunk` bytes. Real profiles do not exceed it.
pub(crate) fn unpacked_profile(chunk: u64) -> u64 {
    const LONGEST: u64 = 8 << 20;
    chunk.saturating_mul(16).saturating_add(4096).min(LONGEST)
}

/// What is found in the chunks before the image data.
struct Before {
    /// A tRNS chunk gives alpha to pixels that have none.
    transparent: bool,
    orientation: Orientation,
    /// Length of the iCCP chunk, bytes.
    profile: Option<u64>,
    /// Whether gAMA or cICP describes the colours by numbers.
    described: bool,
}

fn before_pixels(store: &ByteStore, cursor: &mut Cursor<'_>) -> Result<Before, Stop> {
    let (mut transparent, mut orientation, mut profile, mut described) = (false, None, None, false);
    for _ in 0..MOST_CHUNKS {
        let length = u64::from(cursor.u32()?);
        match cursor.take(4)?.as_ref() {
            b"eXIf" if length <= LONGEST_EXIF && orientation.is_none() => {
                orientation = Some(exif::orientation(&cursor.take(length)?));
                cursor.skip(4);
            }
            b"IDAT" => {
                let orientation = orientation.map_or_else(|| behind_pixels(store), Ok)?;
                return Ok(Before { transparent, orientation, profile, described });
            }
            b"IEND" => break,
            name => {
                transparent |= name == b"tRNS";
                described |= matches!(name, b"gAMA" | b"cICP");
                profile = profile.or((name == b"iCCP").then_some(length));
                cursor.skip(length.saturating_add(4));
            }
        }
    }
    // A tRNS chunk may follow after so many chunks, so alpha is assumed.
    Ok(Before { transparent: true, orientation: orientation.unwrap_or(Orientation::NORMAL), profile, described })
}

fn behind_pixels(store: &ByteStore) -> Result<Orientation, Stop> {
    let Some(tail) = ByteRange::new(store.size().saturating_sub(TAIL), store.size()) else { return Ok(Orientation::NORMAL) };
    let tail = store.read(tail).map_err(Stop::Need)?;
    let exif = tail.windows(4).enumerate().filter(|(_, name)| name == b"eXIf").find_map(|(at, _)| {
        let chunk = tail.get(at.checked_sub(4)?..)?;
        // Four bytes of image data may spell "eXIf" by chance. In that case no chain of chunks leads from there to the end of the file.
        ends_well(chunk).then(|| content(chunk))?
    });
    Ok(exif.map_or(Orientation::NORMAL, |(exif, _)| exif::orientation(exif)))
}

/// The content of the chunk that begins here, and the bytes after the chunk.
fn content(chunk: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u32::from_be_bytes(*chunk.first_chunk()?);
    let (content, rest) = chunk.get(8..)?.split_at_checked(usize::try_from(length).ok()?)?;
    // Without the checksum.
    Some((content, rest.get(4..)?))
}

/// Whether a chain of chunks leads from here to IEND, and the file ends there.
fn ends_well(mut chunks: &[u8]) -> bool {
    while let Some((_, rest)) = content(chunks) {
        if chunks.get(4..8) == Some(b"IEND") {
            return rest.is_empty();
        }
        chunks = rest;
    }
    false
}
