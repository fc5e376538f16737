//! The transparency mask of a level on its way into the pixels: its chunks are found and fetched with those of the level, and decoded once for each row of chunks.

use std::borrow::Cow;

use super::chunks::Located;
use crate::bytes::ByteStore;
use crate::codec::chunks::{Block, decode_chunk};
use crate::error::{Error, Result, Stop};
use crate::geometry::Rect;
use crate::incomplete::Incomplete;
use crate::pyramid::level::Level;
use crate::render::Row;

/// Decoded chunks of a mask that pixels may still need.
#[derive(Default)]
pub(super) struct Mask {
    /// Where each lies in the level, and the number of its column and row.
    decoded: Vec<(Rect, (u32, u32), Block)>,
}

/// The chunks of a mask that cover a place of its level; names all table entries that are not here.
pub(super) fn locate(mask: &Level, store: &ByteStore, place: Rect) -> std::result::Result<Vec<Located>, Stop> {
    let (mut located, mut missing) = (Vec::new(), Vec::new());
    let columns = place.x() / mask.chunk.width()..place.right().div_ceil(mask.chunk.width());
    for row in mask.chunk_row_at(place.y())..=mask.chunk_row_at(place.bottom() - 1) {
        for column in columns.clone() {
            match mask.locate(store, column, row, 0, false) {
                Ok(location) => located.push(Located { column, row, planes: vec![location], mask: Vec::new() }),
                Err(Stop::Need(ranges)) => missing.extend(ranges),
                Err(stop) => return Err(stop),
            }
        }
    }
    if missing.is_empty() { Ok(located) } else { Err(Stop::Need(missing)) }
}

impl Mask {
    /// Adds alpha to the pixels of a block, which lie at `place` of the level. `stored` gives the bytes of a chunk, `None` if it was left out. Rows of the mask that cannot be decoded
    /// hide nothing, and are told.
    pub fn cover<'a>(
        &mut self,
        mask: &Level,
        located: &[Located],
        place: Rect,
        stored: impl Fn(&Located) -> Result<Option<Cow<'a, [u8]>>>,
        block: Block,
    ) -> Result<(Block, Option<Incomplete>)> {
        let mut damage = None;
        self.decoded.retain(|(rect, ..)| rect.y() < place.bottom() && rect.bottom() > place.y());
        for chunk in located.iter().filter(|chunk| !self.decoded.iter().any(|(_, known, _)| *known == (chunk.column, chunk.row))).collect::<Vec<_>>() {
            let location = chunk.location();
            let whole = Rect::new(0, 0, mask.chunk.width(), location.rows);
            let rect = Rect::new(chunk.column * mask.chunk.width(), mask.chunk_top(chunk.row), mask.chunk.width(), location.rows);
            let (Some(whole), Some(rect)) = (whole, rect) else { return Err(internal("a mask of no rows")) };
            let (decoded, found) = decode_chunk(mask, &[stored(chunk)?], location, whole)?;
            Incomplete::merge(&mut damage, found.map(|found| found.moved(rect.y())));
            self.decoded.push((rect, (chunk.column, chunk.row), decoded));
        }
        let mut alpha = vec![0; place.dimensions().area() as usize];
        for (rect, _, decoded) in &self.decoded {
            let Some(common) = rect.intersection(place) else { continue };
            for y in common.y()..common.bottom() {
                let Row::U8(row) = decoded.row(y - rect.y()) else { return Err(internal("a mask of 16 bits")) };
                let from = &row[(common.x() - rect.x()) as usize..(common.right() - rect.x()) as usize];
                let at = (y - place.y()) as usize * place.width() as usize + (common.x() - place.x()) as usize;
                alpha[at..at + from.len()].copy_from_slice(from);
            }
        }
        Ok((block.with_alpha(&alpha), damage))
    }
}

fn internal(what: &str) -> Error {
    Error::Internal { what: what.to_owned() }
}
