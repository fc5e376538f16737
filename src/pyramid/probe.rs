//! Which format a file is, by its first bytes.

use crate::bytes::{ByteRange, ByteStore};
use crate::error::{Error, SourceFormat, Stop};

/// Longest signature, bytes: `RIFF....WEBP`.
const SIGNATURE: u64 = 12;

/// The format of the file in `store`; [`Error::SourceUnsupported`] with a word on what it is instead, where it can be told.
pub(super) fn probe(store: &ByteStore) -> Result<SourceFormat, Stop> {
    let unknown = |what: &str| Stop::Fail(Error::SourceUnsupported { format: None, feature: what.to_owned() });
    let Some(range) = ByteRange::new(0, store.size().min(SIGNATURE)) else { return Err(unknown("it is empty")) };
    let bytes = store.read(range).map_err(Stop::Need)?;
    match bytes.as_ref() {
        [0xFF, 0xD8, 0xFF, ..] => Ok(SourceFormat::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Ok(SourceFormat::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Ok(SourceFormat::WebP),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(SourceFormat::Gif),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Ok(SourceFormat::Tiff),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => Err(unknown("JPEG 2000 is not built in")),
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Err(unknown("JPEG XL is not built in")),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Err(unknown("AVIF and HEIF are not built in")),
        [b'%', b'P', b'D', b'F', ..] => Err(unknown("PDF is not built in")),
        _ => Err(unknown("its first bytes belong to none of JPEG, PNG, WebP, GIF, TIFF")),
    }
}
