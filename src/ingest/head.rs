//! The head of the file: all directories, then their tables (TIFF 6.0, BigTIFF), as GDAL lays out cloud-optimized files.

use super::level::Entry;
use crate::codec::{TileCoder, TileCompression};
use crate::geometry::Dimensions;

/// One level as its directory tells it.
pub(super) struct Page<'a> {
    pub dimensions: Dimensions,
    pub entries: &'a [Entry],
    pub spooled: u64,
}

/// What is written.
pub(super) struct Head<'a> {
    pub coder: TileCoder,
    pub jpeg_tables: Option<Vec<u8>>,
    /// The largest first.
    pub pages: Vec<Page<'a>>,
}

/// Types of values.
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const UNDEFINED: u16 = 7;
const LONG8: u16 = 16;

/// Where a value goes that has no room in its entry.
enum Place {
    /// Behind its directory; the same in later ones is there once.
    Behind,
    /// Behind all directories.
    Table,
}

struct Field {
    tag: u16,
    kind: u16,
    count: u64,
    value: Vec<u8>,
    place: Place,
}

impl Head<'_> {
    /// The bytes in front of the spools, which follow from the last level to the first.
    pub fn write(&self) -> Vec<u8> {
        let data = self.pages.iter().fold(0_u64, |sum, page| sum.saturating_add(page.spooled));
        let classic = self.lay_out(false);
        if data.saturating_add(classic.len() as u64) <= u32::MAX.into() { classic } else { self.lay_out(true) }
    }

    fn lay_out(&self, big: bool) -> Vec<u8> {
        // Lengths do not depend on offsets: once to learn them, once to write.
        let (directories, tables) = self.build(big, 0, 0);
        let tables_at = directories.len() as u64;
        let (mut head, tables) = self.build(big, tables_at, tables_at.saturating_add(tables.len() as u64));
        head.extend(tables);
        head
    }

    fn build(&self, big: bool, tables_at: u64, data_at: u64) -> (Vec<u8>, Vec<u8>) {
        let mut out = header(big);
        let mut tables = Vec::new();
        let mut shared: Vec<(u16, u64)> = Vec::new();
        // The smallest level's data come first.
        let mut starts: Vec<u64> = Vec::new();
        let mut at = data_at;
        for page in self.pages.iter().rev() {
            starts.push(at);
            at = at.saturating_add(page.spooled);
        }
        let width = if big { 8 } else { 4 };
        for (index, (page, start)) in self.pages.iter().zip(starts.into_iter().rev()).enumerate() {
            let fields = self.fields(page, index > 0, big, start);
            out.extend(&(fields.len() as u64).to_le_bytes()[..if big { 8 } else { 2 }]);
            let mut behind: Vec<u8> = Vec::new();
            let behind_at = out.len() + fields.len() * (4 + 2 * width) + width;
            for Field { tag, kind, count, value, place } in fields {
                out.extend(tag.to_le_bytes());
                out.extend(kind.to_le_bytes());
                out.extend(&count.to_le_bytes()[..width]);
                if value.len() <= width {
                    out.extend(value.iter().copied().chain([0; 8]).take(width));
                    continue;
                }
                let known = shared.iter().find(|(known, _)| *known == tag).map(|(_, at)| *at);
                let offset = match (place, known) {
                    (Place::Behind, Some(at)) => at,
                    (Place::Behind, None) => {
                        let at = (behind_at + behind.len()) as u64;
                        shared.push((tag, at));
                        append(&mut behind, &value);
                        at
                    }
                    (Place::Table, _) => {
                        let at = tables_at.saturating_add(tables.len() as u64);
                        append(&mut tables, &value);
                        at
                    }
                };
                out.extend(&offset.to_le_bytes()[..width]);
            }
            let last = index + 1 == self.pages.len();
            let next = if last { 0 } else { (behind_at + behind.len()) as u64 };
            out.extend(&next.to_le_bytes()[..width]);
            out.extend(behind);
        }
        (out, tables)
    }

    /// In the order of their tags.
    fn fields(&self, page: &Page<'_>, reduced: bool, big: bool, start: u64) -> Vec<Field> {
        let (coder, samples) = (&self.coder, self.coder.stored());
        let mut fields = Vec::new();
        let mut add = |tag, kind, count: usize, value: Vec<u8>, place| fields.push(Field { tag, kind, count: count as u64, value, place });
        let short = |values: &[u16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let long = |value: u32| value.to_le_bytes().to_vec();
        let (compression, photometric) = match (coder.compression, samples) {
            (TileCompression::Jpeg, 3) => (7, 6),
            (TileCompression::Jpeg, _) => (7, 1),
            (TileCompression::Deflate, samples) => (8, if samples < 3 { 1 } else { 2 }),
            (TileCompression::WebP, _) => (50001, 2),
        };
        add(254, LONG, 1, long(reduced.into()), Place::Behind);
        add(256, LONG, 1, long(page.dimensions.width()), Place::Behind);
        add(257, LONG, 1, long(page.dimensions.height()), Place::Behind);
        add(258, SHORT, samples.into(), short(&vec![8; samples.into()]), Place::Behind);
        add(259, SHORT, 1, short(&[compression]), Place::Behind);
        add(262, SHORT, 1, short(&[photometric]), Place::Behind);
        add(277, SHORT, 1, short(&[samples]), Place::Behind);
        add(284, SHORT, 1, short(&[1]), Place::Behind);
        if coder.compression == TileCompression::Deflate {
            add(317, SHORT, 1, short(&[2]), Place::Behind);
        }
        add(322, LONG, 1, long(coder.side), Place::Behind);
        add(323, LONG, 1, long(coder.side), Place::Behind);
        let offsets = page.entries.iter().map(|entry| start.saturating_add(entry.offset));
        let offsets = if big { offsets.flat_map(u64::to_le_bytes).collect() } else { offsets.flat_map(|offset| (offset as u32).to_le_bytes()).collect() };
        add(324, if big { LONG8 } else { LONG }, page.entries.len(), offsets, Place::Table);
        add(325, LONG, page.entries.len(), page.entries.iter().flat_map(|entry| entry.bytes.to_le_bytes()).collect(), Place::Table);
        if samples.is_multiple_of(2) {
            // Alpha, straight.
            add(338, SHORT, 1, short(&[2]), Place::Behind);
        }
        if let Some(tables) = &self.jpeg_tables {
            add(347, UNDEFINED, tables.len(), tables.clone(), Place::Behind);
        }
        if let Some(factor) = coder.subsampling() {
            add(530, SHORT, 2, short(&[factor, factor]), Place::Behind);
            // ReferenceBlackWhite: the whole range, and chroma around its middle, as in JFIF.
            let range = [0, 255, 128, 255, 128, 255_u32].iter().flat_map(|value| [long(*value), long(1)].concat()).collect();
            add(532, RATIONAL, 6, range, Place::Behind);
        }
        fields
    }
}

/// Byte order and version, the offset of the first directory, and the "ghost area" that tells GDAL and others that all directories come first.
fn header(big: bool) -> Vec<u8> {
    // The space is room for a YES.
    const SAYS: &[u8] = b"LAYOUT=IFDS_BEFORE_DATA\nKNOWN_INCOMPATIBLE_EDITION=NO\n ";
    let mut ghost = format!("GDAL_STRUCTURAL_METADATA_SIZE={:06} bytes\n", SAYS.len()).into_bytes();
    append(&mut ghost, SAYS);
    if big {
        let first = (16 + ghost.len() as u64).to_le_bytes();
        return [b"II\x2b\0\x08\0\0\0".as_slice(), &first, &ghost].concat();
    }
    let first = (8 + ghost.len() as u32).to_le_bytes();
    [b"II\x2a\0".as_slice(), &first, &ghost].concat()
}

/// Values and directories begin at even offsets.
fn append(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(value);
    out.extend(std::iter::repeat_n(0, value.len() % 2));
}
