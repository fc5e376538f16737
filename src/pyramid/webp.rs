//! WebP: the RIFF container (RFC 9649), its dimensions, and the orientation in its EXIF chunk.

use azulejo_codecs::{ALPHA_FLAG, ANIMATION_FLAG};

use super::{Body, Orientation, Single, Whole, WholeMode, dimensions, exif};
use crate::bytes::{ByteStore, Cursor, Endian};
use crate::error::{SourceFormat, Stop};
use crate::profile::{Model, most_memory};

/// Most chunks that are searched for EXIF; in an animation, the chunks of all frames come before it.
const MOST_CHUNKS: usize = 256;
const LONGEST_EXIF: u64 = 1 << 20;
/// More flags in VP8X (RFC 9649, 2.7.1.2): the file has an EXIF chunk, an ICC profile.
const EXIF_FLAG: u8 = 0x08;
const PROFILE_FLAG: u8 = 0x20;

/// Bytes of memory per pixel for decoding, including the RGBA pixels: lossy pixels need their YUV planes, and lossless ones a copy. The alpha of lossy pixels
/// is decoded as an image of its own. The first frame of an animation is drawn on a canvas.
const HELD: u8 = 8;
const HELD_OF_LOSSY: u8 = 6;
const HELD_WITH_ALPHA: u8 = 11;
const HELD_OF_ANIMATION: u8 = 14;

/// Estimated CPU time per sample, in tenths of a nanosecond. It is high because damaged files are decoded several times.
const WORK: u16 = 150;

/// Whether the first bytes of a file are the signature.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..])
}

pub(super) fn open(store: &ByteStore) -> Result<Single, Stop> {
    let mut cursor = Cursor::new(store, SourceFormat::WebP, Endian::Little, 12);
    let kind = cursor.take(4)?;
    let length = u64::from(cursor.u32()?);
    let start = cursor.position();
    let (mut orientation, mut held, mut colors) = (Orientation::NORMAL, HELD, 0);
    let (width, height) = match kind.as_ref() {
        b"VP8 " => {
            cursor.skip(3);
            if cursor.take(3)?.as_ref() != [0x9D, 0x01, 0x2A] {
                return Err(cursor.corrupt("its VP8 data does not begin with a key frame"));
            }
            held = HELD_OF_LOSSY;
            (u64::from(cursor.u16()? & 0x3FFF), u64::from(cursor.u16()? & 0x3FFF))
        }
        b"VP8L" => {
            if cursor.u8()? != 0x2F {
                return Err(cursor.corrupt("its VP8L data lacks the signature"));
            }
            let bits = u64::from(cursor.u32()?);
            ((bits & 0x3FFF).saturating_add(1), (bits >> 14 & 0x3FFF).saturating_add(1))
        }
        b"VP8X" => {
            let flags = cursor.u8()?;
            held = match (flags & ANIMATION_FLAG, flags & ALPHA_FLAG) {
                (0, 0) => HELD,
                (0, _) => HELD_WITH_ALPHA,
                _ => HELD_OF_ANIMATION,
            };
            cursor.skip(3);
            let size = (cursor.number(3)?.saturating_add(1), cursor.number(3)?.saturating_add(1));
            if flags & PROFILE_FLAG != 0 && cursor.remaining() >= 8 {
                // ICCP must follow here (section 2.7.1.4); a profile that comes later is not used.
                let begin = cursor.position();
                if cursor.take(4)?.as_ref() == b"ICCP" {
                    colors = most_memory(u64::from(cursor.u32()?).min(cursor.remaining()), Model::Rgb);
                }
                cursor.seek(begin);
            }
            if flags & EXIF_FLAG != 0 {
                cursor.seek(start.saturating_add(length.next_multiple_of(2)));
                orientation = find_exif(&mut cursor)?;
            }
            size
        }
        _ => return Err(cursor.corrupt("its first chunk is none of VP8, VP8L, VP8X")),
    };
    let size = dimensions(SourceFormat::WebP, start, width, height)?;
    Ok((size, orientation, Body::Whole(Whole { channels: 4, depth: 1, mode: WholeMode::Module { held, work: WORK }, colors })))
}

fn find_exif(cursor: &mut Cursor<'_>) -> Result<Orientation, Stop> {
    for _ in 0..MOST_CHUNKS {
        if cursor.remaining() < 8 {
            break;
        }
        let kind = cursor.take(4)?;
        let length = u64::from(cursor.u32()?);
        if kind.as_ref() == b"EXIF" && length <= LONGEST_EXIF.min(cursor.remaining()) {
            let block = cursor.take(length)?;
            // Some writers keep the identifier of JPEG's EXIF segment before the TIFF header.
            return Ok(exif::orientation(block.strip_prefix(b"Exif\0\0").unwrap_or(&block)));
        }
        cursor.skip(length.next_multiple_of(2));
    }
    Ok(Orientation::NORMAL)
}
