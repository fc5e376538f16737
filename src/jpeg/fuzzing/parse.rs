//! Headers.

use super::{expect_fair, recipe};
use crate::jpeg::Header;

/// A header is read, or refused with a place; what it says is within the stream, and the stream may end behind it.
pub fn parse(data: &[u8]) {
    let (stream, mut choices) = recipe::split(data);
    let cut = choices.below(stream.len().max(1) as u32) as usize;
    // Any bytes may be taken for tables, and any for the stream that they belong to.
    let _ = Header::read(Some(&stream[..cut]), &stream[cut..]);
    let _ = Header::read(Some(&stream), &stream);
    let header = match Header::read(None, &stream) {
        Ok(header) => header,
        Err(error) => return expect_fair(&error, &stream),
    };
    assert!(header.scan.data <= stream.len());
    assert!(!header.components.is_empty() && (1..=4).contains(&header.scan.components.len()));
    assert!(header.scan.components.iter().all(|(index, ..)| *index < header.components.len()));
    let parts = header.icc.iter().chain(&header.exif);
    assert!(parts.clone().all(|part| part.start <= part.end && part.end <= header.scan.data));
    let profile = header.icc_profile(&stream);
    assert_eq!(profile.map_or(0, |profile| profile.len()), header.icc.iter().map(ExactSizeIterator::len).sum::<usize>());
    assert!(header.most() <= (4, 4));
    let _ = header.color_model();
    // Where the frame header tells the size, nothing behind the scan header matters.
    if let Ok(again) = Header::read(None, &stream[..header.scan.data]) {
        assert_eq!((again.dimensions, &again.components, &again.scan), (header.dimensions, &header.components, &header.scan));
    }
}
