//! GIF: the logical screen (GIF89a, section 18) and the first frame (section 20). The image that is served is the first frame, drawn on the screen.

use azulejo_codecs::gif_canvas;

use super::{Body, Orientation, Single, Whole, WholeMode, dimensions};
use crate::bytes::{ByteStore, Cursor, Endian};
use crate::error::{SourceFormat, Stop};
use crate::profile::{Model, most_memory};

/// Most blocks and data sub-blocks that are read before the first frame: metadata of up to a megabyte.
const MOST_PARTS: u32 = 4096;
/// This bit is set in the flags of the screen and of a frame if a palette (colour table) follows.
const PALETTE: u8 = 0x80;

/// The label of an application extension, and the identifier of the application extension that holds an ICC profile.
const APPLICATION: u8 = 0xFF;
const PROFILE: &[u8] = b"ICCRGBG1012";

/// Bytes of memory per pixel for decoding: the canvas (RGBA) and the palette indexes of the frame.
const HELD: u8 = 5;

/// Estimated CPU time per sample, in tenths of a nanosecond.
const WORK: u16 = 60;

/// Whether the first bytes of a file are the signature.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..])
}

pub(super) fn open(store: &ByteStore) -> Result<Single, Stop> {
    let mut cursor = Cursor::new(store, SourceFormat::Gif, Endian::Little, 6);
    let screen = (cursor.u16()?, cursor.u16()?);
    let flags = cursor.u8()?;
    cursor.skip(2);
    skip_palette(&mut cursor, flags);
    let mut profile = 0;
    let canvas = match first_frame(&mut cursor, &mut profile) {
        Ok(Some(Frame { size, has_palette })) if has_palette || flags & PALETTE != 0 => gif_canvas(screen, size),
        Ok(Some(_)) => return Err(cursor.corrupt("its first frame has no palette, and there is none for all frames")),
        Err(Stop::Need(ranges)) => return Err(Stop::Need(ranges)),
        // The file has no frame, or none was found. The decoder fails later, and its error says why.
        Ok(None) | Err(Stop::Fail(_)) => screen,
    };
    let colors = if profile > 0 { most_memory(profile, Model::Rgb) } else { 0 };
    let size = dimensions(SourceFormat::Gif, 6, canvas.0.into(), canvas.1.into())?;
    Ok((size, Orientation::NORMAL, Body::Whole(Whole { channels: 4, depth: 1, mode: WholeMode::Module { held: HELD, work: WORK }, colors })))
}

/// What is read of a frame's image descriptor.
struct Frame {
    size: (u16, u16),
    /// Whether it has a palette of its own.
    has_palette: bool,
}

/// The first frame; `None` if there is none, or none among the first blocks. Adds the bytes of ICC profiles that come before it to `profile`.
fn first_frame(cursor: &mut Cursor<'_>, profile: &mut u64) -> Result<Option<Frame>, Stop> {
    let mut left = MOST_PARTS;
    while left > 0 {
        match cursor.u8()? {
            0x2C => {
                cursor.skip(4);
                let size = (cursor.u16()?, cursor.u16()?);
                return Ok(Some(Frame { size, has_palette: cursor.u8()? & PALETTE != 0 }));
            }
            0x3B => return Ok(None),
            // An extension of any kind: its label, then data sub-blocks. The first sub-block of an application extension is the application's identifier.
            0x21 => {
                let is_profile = cursor.u8()? == APPLICATION && is_named(cursor, PROFILE)?;
                let bytes = skip_parts(cursor, &mut left)?;
                *profile = profile.saturating_add(if is_profile { bytes } else { 0 });
                continue;
            }
            // An unknown block: it is treated as an extension without a label, as the decoder does.
            _ => {}
        }
        skip_parts(cursor, &mut left)?;
    }
    Ok(None)
}

/// Whether the next sub-block is `name`. The cursor stays before that sub-block.
fn is_named(cursor: &mut Cursor<'_>, name: &[u8]) -> Result<bool, Stop> {
    let start = cursor.position();
    let is_named = usize::from(cursor.u8()?) == name.len() && cursor.take(name.len() as u64)?.as_ref() == name;
    cursor.seek(start);
    Ok(is_named)
}

/// Skips data sub-blocks, each of which begins with its length, up to and including an empty one, or until `left` are used up. Returns how many bytes of data
/// were skipped.
fn skip_parts(cursor: &mut Cursor<'_>, left: &mut u32) -> Result<u64, Stop> {
    let mut bytes = 0_u64;
    while *left > 0 {
        *left = left.saturating_sub(1);
        match cursor.u8()? {
            0 => break,
            length => {
                bytes = bytes.saturating_add(length.into());
                cursor.skip(length.into());
            }
        }
    }
    Ok(bytes)
}

/// Skips the global palette, if `flags` announce one. It has 2 to 256 colours.
fn skip_palette(cursor: &mut Cursor<'_>, flags: u8) {
    if flags & PALETTE != 0 {
        cursor.skip(3_u64 << ((flags & 7).saturating_add(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_all(file: &[u8]) -> Result<(u32, u32), Stop> {
        let mut store = ByteStore::new(file.len() as u64);
        store.provide(0, file.to_vec()).unwrap();
        open(&store).map(|(size, ..)| (size.width(), size.height()))
    }

    fn file(screen: (u8, u8), palette: bool, blocks: &[&[u8]]) -> Vec<u8> {
        let flags = if palette { 0x81 } else { 0 };
        let colors: &[u8] = if palette { &[0; 12] } else { &[] };
        [b"GIF89a", &[screen.0, 0, screen.1, 0, flags, 0, 0][..], colors, &blocks.concat()].concat()
    }

    const FRAME: &[u8] = &[0x2C, 1, 0, 2, 0, 7, 0, 9, 0, 0x80];

    #[test]
    fn extensions_without_end_are_given_up() {
        // Two empty extensions: a comment, and an application extension.
        for extension in [&[0x21, 0xFE, 0][..], &[0x21, 0xFF, 0]] {
            let many = file((3, 4), true, &[&extension.repeat(MOST_PARTS as usize + 1), FRAME]);
            let mut store = ByteStore::new(many.len() as u64 + 1);
            store.provide(0, many).unwrap();
            // Neither the frame behind them is read, nor the last byte, which is missing from the store.
            assert!(matches!(open(&store), Ok((size, ..)) if (size.width(), size.height()) == (3, 4)));
        }
    }

    #[test]
    fn the_first_frame_is_found_behind_extensions_of_any_kind() {
        let application = [&[0x21, 0xFF, 11][..], &[7; 11], &[2, 1, 1, 0]].concat();
        let unknown = [0x21, 0x33, 3, 0x2C, 0, 0, 1, 9, 0];
        for blocks in [&[FRAME][..], &[&application, FRAME], &[&unknown, &[0x21, 0xFE, 0], FRAME], &[&[0, 0], FRAME], &[&[9, 5, 1, 2, 3, 4, 5, 0], FRAME]] {
            assert_eq!(open_all(&file((0, 0), true, blocks)).unwrap(), (7, 9), "{blocks:?}");
            assert_eq!(open_all(&file((0, 0), false, blocks)).unwrap(), (7, 9), "{blocks:?}");
        }
    }

    #[test]
    fn a_screen_that_does_not_hold_the_frame_is_not_the_canvas() {
        for (screen, expected) in [((7, 9), (7, 9)), ((8, 10), (8, 10)), ((6, 10), (7, 9)), ((8, 8), (7, 9)), ((0, 20), (7, 9))] {
            assert_eq!(open_all(&file(screen, false, &[FRAME])).unwrap(), expected, "{screen:?}");
        }
        // A frame without area is ignored. Without a frame, only the size of the screen is known.
        assert_eq!(open_all(&file((6, 5), false, &[&[0x2C, 0, 0, 0, 0, 0, 0, 9, 0, 0x80]])).unwrap(), (6, 5));
        assert_eq!(open_all(&file((6, 5), false, &[&[0x3B]])).unwrap(), (6, 5));
        assert!(matches!(open_all(&file((0, 5), false, &[&[0x3B]])), Err(Stop::Fail(_))));
    }

    #[test]
    fn a_frame_without_a_palette_is_refused() {
        let bare: &[u8] = &[0x2C, 1, 0, 2, 0, 7, 0, 9, 0, 0];
        assert_eq!(open_all(&file((7, 9), true, &[bare])).unwrap(), (7, 9));
        let Err(Stop::Fail(error)) = open_all(&file((7, 9), false, &[bare])) else { panic!("not refused") };
        assert!(error.to_string().contains("no palette"), "{error}");
    }

    #[test]
    fn endless_extensions_end_the_search() {
        let parts = [1, 7].repeat(MOST_PARTS as usize + 1);
        assert_eq!(open_all(&file((6, 5), false, &[&[0x21, 0xFE], &parts, &[0], FRAME])).unwrap(), (6, 5));
    }
}
