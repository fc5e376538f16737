//! A virtual file for an IIIF service of level 0 (static tiles), which the package presents to this crate: the service's levels, each cut into cells of decoded
//! pixels. When the bytes of a cell are read, the package fetches and decodes the static tiles that make it up. Such a file is never stored.
//!
//! All numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 12 | [`SIGNATURE`] |
//! | 4 | samples of 8 bits in a pixel: 3 for RGB, 4 with straight alpha |
//! | 4 | how many levels there are, 1 to [`MOST_LEVELS`], the largest first |
//! | 32 for each level | width and height, and those of its cells, px, 4 bytes each; where its first cell begins, and bytes from one cell to the next, 8 bytes each |
//!
//! Every cell has all its rows and columns, at the edges too. The cells of a level follow row by row.

use std::sync::Arc;

use super::level::{Association, Compression, Indexes, Level, Levels, Location, Model, Places, SampleKind, Samples, Values};
use super::{Body, Orientation, Single, dimensions};
use crate::bytes::{ByteRange, ByteStore, Cursor, Endian};
use crate::error::{SourceFormat, Stop};

/// Written by `src/js/level0/cells.ts`.
const SIGNATURE: &[u8; 12] = b"azu level 0\n";
const MOST_LEVELS: u32 = 48;

/// Whether the first bytes of a file are the signature.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

pub(super) fn open(store: &ByteStore) -> Result<Single, Stop> {
    let mut cursor = Cursor::new(store, SourceFormat::Level0, Endian::Little, SIGNATURE.len() as u64);
    let samples = cursor.u32()?;
    let count = cursor.u32()?;
    if !matches!(samples, 3 | 4) || !(1..=MOST_LEVELS).contains(&count) {
        return Err(cursor.corrupt(format!("{count} levels of {samples} samples")));
    }
    let mut levels = Vec::new();
    for _ in 0..count {
        levels.push(level(&mut cursor, samples == 4)?);
    }
    let mut levels = levels.into_iter();
    let Some(full) = levels.next() else { return Err(cursor.corrupt("it has no level")) };
    let stored = full.dimensions;
    let copies: Vec<Level> = levels.filter_map(|level| level.into_copy_of(&full)).collect();
    Ok((stored, Orientation::NORMAL, Body::Levels(Arc::new(Levels::of(full, copies)))))
}

fn level(cursor: &mut Cursor<'_>, has_alpha: bool) -> Result<Level, Stop> {
    let at = cursor.position();
    let mut pair = || Ok::<_, Stop>((u64::from(cursor.u32()?), u64::from(cursor.u32()?)));
    let ((width, height), (across, down)) = (pair()?, pair()?);
    let size = dimensions(SourceFormat::Level0, at, width, height)?;
    let cell = dimensions(SourceFormat::Level0, at, across, down)?;
    let (first, stride) = (cursor.number(8)?, cursor.number(8)?);
    let grid = (size.width().div_ceil(cell.width()), size.height().div_ceil(cell.height()));
    let alpha = has_alpha.then_some(Association::Unassociated);
    let count = if has_alpha { 4 } else { 3 };
    let samples = Samples { count, bits: 8, kind: SampleKind::Unsigned, planar: false, predictor: 1, endian: Endian::Little, reversed: false, alpha };
    Ok(Level {
        dimensions: size,
        scale_factor: 1,
        chunk: cell,
        tiled: true,
        compression: Compression::None,
        model: Model::Rgb,
        samples,
        values: Values::default(),
        jpeg_tables: None,
        profile: None,
        mask: None,
        indexes: Arc::new(Indexes::default()),
        led: false,
        places: Arc::new(Cells { first, stride, columns: grid.0 }),
        strip_rows: cell.height(),
        grid,
        slices: 1,
    })
}

/// Where the cells of a level begin.
#[derive(Debug)]
struct Cells {
    first: u64,
    stride: u64,
    columns: u32,
}

impl Places for Cells {
    fn locate(&self, level: &Level, _: &ByteStore, (column, row, _): (u32, u32, u16), _: bool) -> Result<Location, Stop> {
        let index = u64::from(row).saturating_mul(self.columns.into()).saturating_add(column.into());
        let offset = self.first.saturating_add(index.saturating_mul(self.stride));
        Ok(Location { offset, bytes: level.chunk_bytes(), rows: level.chunk.height(), led: false })
    }

    fn tables(&self) -> Vec<ByteRange> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Dimensions;

    fn file(samples: u32, levels: &[([u32; 4], [u64; 2])]) -> ByteStore {
        let mut bytes = [SIGNATURE.as_slice(), &samples.to_le_bytes(), &(levels.len() as u32).to_le_bytes()].concat();
        for (sides, places) in levels {
            sides.iter().for_each(|side| bytes.extend(side.to_le_bytes()));
            places.iter().for_each(|place| bytes.extend(place.to_le_bytes()));
        }
        let mut store = ByteStore::new(1 << 20);
        store.provide(0, bytes).unwrap();
        store
    }

    #[test]
    fn cells_lie_row_by_row() {
        let store = file(4, &[([1000, 700, 256, 256], [65_536, 300_000]), ([500, 350, 256, 256], [5_000_000, 300_000]), ([333, 7, 16, 16], [9, 9])]);
        let (size, _, Body::Levels(levels)) = open(&store).unwrap() else { panic!("no levels") };
        assert_eq!((size, levels.len()), (Dimensions::new(1000, 700).unwrap(), 2), "a level of another shape is left out");
        assert_eq!(levels.iter().map(|level| (level.scale_factor, level.has_alpha())).collect::<Vec<_>>(), [(1, true), (2, true)]);
        let found = levels[0].locate(&store, 3, 2, 0, false).unwrap();
        assert_eq!(found, Location { offset: 65_536 + 11 * 300_000, bytes: 256 * 256 * 4, rows: 256, led: false });
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let level = ([10, 10, 10, 10], [100, 400]);
        for (samples, levels) in
            [(2, vec![level]), (3, vec![]), (3, vec![level; 49]), (3, vec![([0, 10, 10, 10], [0, 0])]), (3, vec![([10, 10, 0, 10], [0, 0])])]
        {
            let error = open(&file(samples, &levels)).unwrap_err();
            assert!(matches!(error, Stop::Fail(crate::Error::SourceCorrupt { .. })), "{samples}, {levels:?}");
        }
    }
}
