//! Recognizes the format of a file by its first bytes.

use super::{READERS, Reader};
use crate::bytes::{ByteRange, ByteStore};
use crate::error::{Error, SourceFormat, Stop};

/// Longest signature, bytes: `RIFF....WEBP`.
const SIGNATURE: u64 = 12;

/// The reader for the file in `store`. [`Error::SourceUnsupported`] if there is none; the error names the format that the file has instead, if its first bytes
/// show it.
pub(super) fn probe(store: &ByteStore) -> Result<&'static Reader, Stop> {
    let unknown = |what: &str| Stop::Fail(Error::SourceUnsupported { format: None, feature: what.to_owned() });
    let Some(range) = ByteRange::new(0, store.size().min(SIGNATURE)) else { return Err(unknown("it is empty")) };
    let bytes = store.read(range).map_err(Stop::Need)?;
    if let Some(reader) = READERS.iter().find(|reader| (reader.begins)(&bytes)) {
        return Ok(reader);
    }
    match bytes.as_ref() {
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => Err(unknown("JPEG 2000 is not built in")),
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Err(unknown("JPEG XL is not built in")),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Err(unknown("AVIF and HEIF are not built in")),
        [b'%', b'P', b'D', b'F', ..] => Err(unknown("PDF is not built in")),
        _ => {
            let names = SourceFormat::FILES.map(SourceFormat::name).join(", ");
            Err(unknown(&format!("its first bytes belong to none of {names}")))
        }
    }
}
