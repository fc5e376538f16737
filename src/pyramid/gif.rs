//! GIF: the logical screen (GIF89a, section 18). The image served is the first frame on that screen.

use super::{Body, Orientation, Whole, WholeMode, dimensions};
use crate::bytes::{ByteStore, Cursor, Endian};
use crate::error::{SourceFormat, Stop};
use crate::geometry::Dimensions;

pub(super) fn open(store: &ByteStore) -> Result<(Dimensions, Orientation, Body), Stop> {
    let mut cursor = Cursor::new(store, SourceFormat::Gif, Endian::Little, 6);
    let (width, height) = (cursor.u16()?, cursor.u16()?);
    let size = dimensions(SourceFormat::Gif, 6, width.into(), height.into())?;
    Ok((size, Orientation::NORMAL, Body::Whole(Whole { channels: 4, depth: 1, mode: WholeMode::Image })))
}
