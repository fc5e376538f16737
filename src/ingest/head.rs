//! The head of the file: all directories, then their tables (TIFF 6.0, BigTIFF), as GDAL lays out cloud-optimized files.

use std::sync::Arc;

use super::level::Entry;
use crate::codec::{TileCoder, TileCompression};
use crate::geometry::Dimensions;
use crate::profile::Profile;

/// One level as its directory tells it.
pub(super) struct Page<'a> {
    pub dimensions: Dimensions,
    pub jpeg_tables: Option<Vec<u8>>,
    /// Pixels for a sample of chroma, across and down.
    pub subsampling: Option<[u16; 2]>,
    pub entries: &'a [Entry],
    pub spooled: u64,
}

/// What is written.
pub(super) struct Head<'a> {
    pub coder: TileCoder,
    /// What colours are by, if they are not sRGB.
    pub profile: Option<Arc<Profile>>,
    /// The largest first.
    pub pages: Vec<Page<'a>>,
}

/// Types of values.
#[derive(Clone, Copy)]
enum Kind {
    Short = 3,
    Long = 4,
    /// A whole number.
    Rational = 5,
    Undefined = 7,
    Long8 = 16,
}

struct Field {
    tag: u16,
    kind: Kind,
    count: u64,
    value: Vec<u8>,
}

/// The fields of a directory, in the order of their tags.
#[derive(Default)]
struct Fields(Vec<Field>);

impl Fields {
    // As a function of its own it is not there once for each tag.
    #[inline(never)]
    fn add(&mut self, tag: u16, kind: Kind, values: &mut dyn Iterator<Item = u64>) {
        let (mut count, mut value) = (0, Vec::new());
        for number in values {
            // Numerator and denominator.
            let number = if let Kind::Rational = kind { number | 1 << 32 } else { number };
            let width = match kind {
                Kind::Undefined => 1,
                Kind::Short => 2,
                Kind::Long => 4,
                Kind::Rational | Kind::Long8 => 8,
            };
            value.extend_from_slice(&number.to_le_bytes()[..width]);
            count += 1;
        }
        self.0.push(Field { tag, kind, count, value });
    }

    fn number(&mut self, tag: u16, kind: Kind, value: u32) {
        self.add(tag, kind, &mut std::iter::once(value.into()));
    }
}

/// TileOffsets and TileByteCounts: they lie behind all directories. Other values lie behind their own, and are there once if later ones have the same.
const TABLES: std::ops::RangeInclusive<u16> = 324..=325;

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
        let mut out = header(big, self.pages.iter().all(|page| page.entries.is_sorted_by_key(|entry| entry.offset)));
        let mut tables = Vec::new();
        let mut shared: Vec<(u16, Vec<u8>, u64)> = Vec::new();
        // The smallest level's data come first.
        let mut starts: Vec<u64> = Vec::new();
        let mut at = data_at;
        for page in self.pages.iter().rev() {
            starts.push(at);
            at = at.saturating_add(page.spooled);
        }
        let width = if big { 8 } else { 4 };
        for (index, (page, start)) in self.pages.iter().zip(starts.into_iter().rev()).enumerate() {
            let Fields(fields) = self.fields(page, index > 0, big, start);
            out.extend_from_slice(&(fields.len() as u64).to_le_bytes()[..if big { 8 } else { 2 }]);
            let mut behind: Vec<u8> = Vec::new();
            let behind_at = out.len() + fields.len() * (4 + 2 * width) + width;
            for Field { tag, kind, count, mut value } in fields {
                out.extend_from_slice(&tag.to_le_bytes());
                out.extend_from_slice(&(kind as u16).to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes()[..width]);
                if value.len() > width {
                    let known = shared.iter().find(|(known, same, _)| *known == tag && *same == value).map(|(.., at)| *at);
                    let at = if TABLES.contains(&tag) {
                        let at = tables_at.saturating_add(tables.len() as u64);
                        append(&mut tables, &value);
                        at
                    } else if let Some(at) = known {
                        at
                    } else {
                        let at = (behind_at + behind.len()) as u64;
                        append(&mut behind, &value);
                        shared.push((tag, value, at));
                        at
                    };
                    value = at.to_le_bytes().to_vec();
                }
                value.resize(width, 0);
                out.extend_from_slice(&value);
            }
            let last = index + 1 == self.pages.len();
            let next = if last { 0 } else { (behind_at + behind.len()) as u64 };
            out.extend_from_slice(&next.to_le_bytes()[..width]);
            out.append(&mut behind);
        }
        (out, tables)
    }

    fn fields(&self, page: &Page<'_>, reduced: bool, big: bool, start: u64) -> Fields {
        let (coder, samples) = (&self.coder, self.coder.stored());
        let (compression, photometric) = match (coder.compression, samples) {
            (TileCompression::Jpeg, 3) => (7, 6),
            (TileCompression::Jpeg, _) => (7, 1),
            (TileCompression::Deflate, samples) => (8, if samples < 3 { 1 } else { 2 }),
            (TileCompression::WebP, _) => (50001, 2),
        };
        let mut fields = Fields::default();
        fields.number(254, Kind::Long, reduced.into());
        fields.number(256, Kind::Long, page.dimensions.width());
        fields.number(257, Kind::Long, page.dimensions.height());
        fields.add(258, Kind::Short, &mut std::iter::repeat_n(8, samples.into()));
        fields.number(259, Kind::Short, compression);
        fields.number(262, Kind::Short, photometric);
        fields.number(277, Kind::Short, samples.into());
        fields.number(284, Kind::Short, 1);
        if coder.compression == TileCompression::Deflate {
            fields.number(317, Kind::Short, 2);
        }
        fields.number(322, Kind::Long, coder.side);
        fields.number(323, Kind::Long, coder.side);
        let offset = if big { Kind::Long8 } else { Kind::Long };
        fields.add(*TABLES.start(), offset, &mut page.entries.iter().map(|entry| start.saturating_add(entry.offset)));
        fields.add(*TABLES.end(), Kind::Long, &mut page.entries.iter().map(|entry| entry.bytes.into()));
        if samples.is_multiple_of(2) {
            // Alpha, straight.
            fields.number(338, Kind::Short, 2);
        }
        if let Some(tables) = &page.jpeg_tables {
            fields.add(347, Kind::Undefined, &mut tables.iter().map(|byte| u64::from(*byte)));
        }
        if let Some(factors) = page.subsampling {
            fields.add(530, Kind::Short, &mut factors.into_iter().map(u64::from));
            // ReferenceBlackWhite: the whole range, and chroma around its middle, as in JFIF.
            fields.add(532, Kind::Rational, &mut [0, 255, 128, 255, 128, 255].into_iter());
        }
        if let Some(icc) = self.profile.as_ref().and_then(|profile| profile.bytes()) {
            fields.add(34675, Kind::Undefined, &mut icc.iter().map(|byte| u64::from(*byte)));
        }
        fields
    }
}

/// Byte order and version, the offset of the first directory, and the "ghost area" that tells GDAL and others that all directories come first, that tiles tell their
/// own lengths, and whether they lie row by row.
fn header(big: bool, in_order: bool) -> Vec<u8> {
    let order = if in_order { "BLOCK_ORDER=ROW_MAJOR\n" } else { "" };
    // The space is room for a YES.
    let says = format!("LAYOUT=IFDS_BEFORE_DATA\n{order}BLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n ");
    let mut ghost = format!("GDAL_STRUCTURAL_METADATA_SIZE={:06} bytes\n{says}", says.len()).into_bytes();
    even(&mut ghost);
    if big {
        let first = (16 + ghost.len() as u64).to_le_bytes();
        return [b"II\x2b\0\x08\0\0\0".as_slice(), &first, &ghost].concat();
    }
    let first = (8 + ghost.len() as u32).to_le_bytes();
    [b"II\x2a\0".as_slice(), &first, &ghost].concat()
}

fn append(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(value);
    even(out);
}

/// Values and directories begin at even offsets.
fn even(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(2), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{ByteStore, Step};
    use crate::job::Open;
    use crate::limits::Limits;
    use crate::pyramid::Body;

    /// A head of two levels whose tiles have `bytes` each.
    fn head(bytes: u32) -> Vec<u8> {
        let coder = TileCoder { compression: TileCompression::Deflate, quality: 88, side: 64, channels: 3 };
        let entries = |count: u64| (0..count).map(|index| Entry { offset: index * u64::from(bytes), bytes }).collect::<Vec<_>>();
        let (full, half) = (entries(4), entries(1));
        let page = |side: u32, entries| Page {
            dimensions: Dimensions::at_least_one(side, side),
            jpeg_tables: None,
            subsampling: None,
            entries,
            spooled: entries.len() as u64 * u64::from(bytes),
        };
        Head { coder, profile: None, pages: vec![page(128, &full), page(64, &half)] }.write()
    }

    #[test]
    fn a_file_beyond_four_gigabytes_is_a_bigtiff() {
        let exact = (u32::MAX - head(1).len() as u32) / 5;
        for (bytes, version) in [(1, 42), (exact, 42), (exact + 1, 43), (u32::MAX, 43)] {
            let head = head(bytes);
            assert_eq!(head[..4], [b'I', b'I', version, 0]);
            let (first, big) = if version == 42 { (u64::from(head[4]), false) } else { (u64::from(head[8]), true) };
            assert_eq!(first, header(big, true).len() as u64);
            assert!(first.is_multiple_of(2), "the first directory is at byte {first}");
            let mut job = Open::new(head.len() as u64 + 5 * u64::from(bytes), &Limits::default());
            let pyramid = loop {
                match job.step().unwrap() {
                    Step::Done(pyramid) => break pyramid,
                    Step::Piece(_) => panic!("opening has no pieces"),
                    // What is asked for beyond the head is only read ahead.
                    Step::Need(ranges) => ranges.into_iter().for_each(|range| {
                        let (start, end) = (range.start() as usize, range.end() as usize);
                        let mut part = head.get(start..end.min(head.len())).unwrap_or_default().to_vec();
                        part.resize(end - start, 0);
                        job.provide(range.start(), part).unwrap();
                    }),
                }
            };
            let Body::Levels(levels) = &pyramid.body else { panic!("not a TIFF") };
            let mut store = ByteStore::new(pyramid.file_size);
            store.provide(0, head.clone()).unwrap();
            let at = |level: usize, column, row| levels[level].locate(&store, column, row, 0, false).unwrap();
            // The smallest level first, behind the head.
            assert_eq!((at(1, 0, 0).offset, at(1, 0, 0).bytes), (head.len() as u64, bytes.into()));
            for index in 0..4_u32 {
                let found = at(0, index % 2, index / 2);
                assert_eq!((found.offset, found.bytes), (head.len() as u64 + u64::from(bytes) * u64::from(index + 1), bytes.into()));
            }
        }
    }
}
