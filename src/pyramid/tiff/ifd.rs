//! TIFF and BigTIFF directories (TIFF 6.0, section 2). All entries of a directory are read; their values are read only when they are asked for.

use crate::bytes::{ByteRange, ByteStore, Cursor, Endian};
use crate::error::{SourceFormat, Stop};

/// Most entries that a directory may have; GeoTIFFs with private tags have about 60.
const MOST_ENTRIES: u64 = 1024;
/// Bytes that are fetched for a directory that is not in the store. That is more than its entries, because their values mostly follow the directory.
pub(super) const READ: u64 = 16 << 10;

/// The file header: the byte order, and whether it is TIFF or BigTIFF.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub endian: Endian,
    pub big: bool,
    /// Offset of the first directory.
    pub first: u64,
}

impl Header {
    pub fn read(store: &ByteStore) -> Result<Self, Stop> {
        let mut cursor = Cursor::new(store, SourceFormat::Tiff, Endian::Little, 0);
        let endian = if cursor.take(2)?.as_ref() == b"MM" { Endian::Big } else { Endian::Little };
        let mut cursor = Cursor::new(store, SourceFormat::Tiff, endian, 2);
        let big = cursor.u16()? == 43;
        if big && (cursor.u16()? != 8 || cursor.u16()? != 0) {
            return Err(cursor.corrupt("a BigTIFF header with offsets of other than 8 bytes"));
        }
        let first = cursor.number(if big { 8 } else { 4 })?;
        Ok(Self { endian, big, first })
    }

    /// Whether the file declares that all directories lie before the image data.
    pub fn directories_first(&self, store: &ByteStore) -> bool {
        self.says(store, &[b"LAYOUT=IFDS_BEFORE_DATA"])
    }

    /// Whether it declares that chunks carry their own lengths (see [`leader`](crate::pyramid::level::leader)).
    pub fn blocks_are_led(&self, store: &ByteStore) -> bool {
        self.says(store, &[b"BLOCK_LEADER=SIZE_AS_UINT4", b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED"])
    }

    /// Whether the "ghost area" behind the header has all of these entries. GDAL describes the layout of its cloud-optimized files there.
    fn says(&self, store: &ByteStore, all: &[&[u8]]) -> bool {
        const LONGEST: u64 = 512;
        let at = if self.big { 16 } else { 8 };
        let range = ByteRange::new(at, at.saturating_add(LONGEST).min(store.size()));
        let Some(Ok(ghost)) = range.map(|range| store.read(range)) else { return false };
        let says = |what: &[u8]| ghost.windows(what.len()).any(|window| window == what);
        // If the file has been edited since it was written, its directories and chunks may lie elsewhere.
        ghost.starts_with(b"GDAL_STRUCTURAL_METADATA_SIZE=") && all.iter().all(|what| says(what)) && !says(b"KNOWN_INCOMPATIBLE_EDITION=YES")
    }

    pub fn cursor<'a>(&self, store: &'a ByteStore, at: u64) -> Cursor<'a> {
        Cursor::new(store, SourceFormat::Tiff, self.endian, at)
    }
}

/// One directory: what its entries are and where their values lie.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    pub at: u64,
    entries: Vec<(u16, Array)>,
    /// Offset of the next directory; 0 at the end.
    pub next: u64,
}

impl Directory {
    pub fn read(store: &ByteStore, header: &Header, at: u64) -> Result<Self, Stop> {
        let mut cursor = header.cursor(store, at);
        let (count_width, word, inline) = if header.big { (8, 8_u8, 8_u64) } else { (2, 4, 4) };
        let count = cursor.number(count_width).map_err(|stop| match stop {
            Stop::Need(_) => Stop::Need(ByteRange::new(at, at.saturating_add(READ).min(store.size())).map(|range| store.missing(range)).unwrap_or_default()),
            stop => stop,
        })?;
        if count == 0 || count > MOST_ENTRIES {
            return Err(cursor.corrupt(format!("a directory of {count} entries")));
        }
        // All entries are taken at once, so that a directory that is not in the store costs one round of fetching and not one per entry.
        let entry_size = inline.saturating_mul(2).saturating_add(4);
        let body_at = cursor.position();
        let body = cursor.take(count.saturating_mul(entry_size))?;
        // A file that is cut off right after its last directory is still readable.
        let next = if cursor.remaining() == 0 { 0 } else { cursor.number(word)? };
        let mut entries = Vec::new();
        for (index, raw) in body.chunks_exact(usize::try_from(entry_size).unwrap_or(usize::MAX)).enumerate() {
            let number = |from: usize, len: usize| header.endian.number(raw.get(from..from.saturating_add(len)).unwrap_or_default());
            let word = usize::from(word);
            let (tag, kind, count) = (number(0, 2), number(2, 2), number(4, word));
            let code = kind;
            let Some(kind) = Kind::from_code(code) else { continue };
            let Some(bytes) = count.checked_mul(kind.width().into()) else {
                return Err(cursor.corrupt(format!("tag {tag} has {count} values")));
            };
            let value_field = word.saturating_add(4);
            let at = if bytes <= inline {
                let before = entry_size.saturating_mul(index as u64);
                body_at.saturating_add(before).saturating_add(value_field as u64)
            } else {
                number(value_field, word)
            };
            entries.push((u16::try_from(tag).unwrap_or_default(), Array { kind, code, count, at }));
        }
        Ok(Self { at, entries, next })
    }

    /// Where the values of a tag lie; `None` if the tag is missing or has no values.
    pub fn array(&self, tag: u16) -> Option<Array> {
        self.entries.iter().find(|(found, array)| *found == tag && array.count > 0).map(|(_, array)| *array)
    }

    /// The byte ranges that `store` lacks of the values of `tags`. Arrays of more than `most` bytes are left out.
    pub fn missing(&self, store: &ByteStore, tags: &[u16], most: u64) -> Vec<ByteRange> {
        let arrays = self.entries.iter().filter(|(tag, array)| tags.contains(tag) && array.bytes() <= most);
        let ranges = arrays.filter_map(|(_, array)| array.range()).filter(|range| range.end() <= store.size());
        ranges.flat_map(|range| store.missing(range)).collect()
    }

    /// The first value of a tag.
    pub fn number(&self, store: &ByteStore, header: &Header, tag: u16) -> Result<Option<u64>, Stop> {
        self.array(tag).map(|array| array.get(store, header.endian, 0)).transpose()
    }

    /// The first value of a tag, or its default.
    pub fn number_or(&self, store: &ByteStore, header: &Header, tag: u16, default: u64) -> Result<u64, Stop> {
        Ok(self.number(store, header, tag)?.unwrap_or(default))
    }

    /// The first bytes of a text, at most `most`; empty if the tag is missing, or if its text lies outside the file.
    pub fn text(&self, store: &ByteStore, tag: u16, most: u64) -> Result<Vec<u8>, Stop> {
        let Some(array) = self.array(tag).filter(|array| array.kind == Kind::Byte) else { return Ok(Vec::new()) };
        let mut cursor = Cursor::new(store, SourceFormat::Tiff, Endian::Little, array.at);
        match cursor.take(array.bytes().min(most)) {
            Ok(bytes) => Ok(bytes.into_owned()),
            Err(Stop::Fail(_)) => Ok(Vec::new()),
            Err(stop) => Err(stop),
        }
    }

    /// The values of a tag, at most `most` of them; empty if the tag is missing.
    pub fn numbers(&self, store: &ByteStore, header: &Header, tag: u16, most: u64) -> Result<Vec<u64>, Stop> {
        let Some(array) = self.array(tag) else { return Ok(Vec::new()) };
        array.all(store, header.endian, most)
    }

    /// The values of a tag as real numbers, at most `most` of them; empty if the tag is missing.
    pub fn reals(&self, store: &ByteStore, header: &Header, tag: u16, most: u64) -> Result<Vec<f64>, Stop> {
        let Some(array) = self.array(tag) else { return Ok(Vec::new()) };
        Ok(array.all(store, header.endian, most)?.into_iter().map(|bits| array.real(bits, header.endian)).collect())
    }
}

/// Types of values (TIFF 6.0, section 2, and BigTIFF), grouped by their width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Byte,
    Short,
    Long,
    Long8,
    Rational,
}

impl Kind {
    fn from_code(code: u64) -> Option<Self> {
        match code {
            1 | 2 | 6 | 7 => Some(Self::Byte),
            3 | 8 => Some(Self::Short),
            4 | 9 | 11 | 13 => Some(Self::Long),
            16..=18 => Some(Self::Long8),
            5 | 10 | 12 => Some(Self::Rational),
            _ => None,
        }
    }

    fn width(self) -> u8 {
        match self {
            Self::Byte => 1,
            Self::Short => 2,
            Self::Long => 4,
            Self::Long8 | Self::Rational => 8,
        }
    }
}

/// Where an array of values lies in the file; the array itself is not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Array {
    kind: Kind,
    /// The code of the type of the values, as stored in the file.
    code: u64,
    pub count: u64,
    pub at: u64,
}

impl Array {
    /// Length in the file, bytes.
    pub fn bytes(&self) -> u64 {
        self.count.saturating_mul(self.kind.width().into())
    }

    /// Its byte range in the file.
    pub fn range(&self) -> Option<ByteRange> {
        ByteRange::at(self.at, self.bytes())
    }

    /// One value; of a rational, the numerator.
    pub fn get(&self, store: &ByteStore, endian: Endian, index: u64) -> Result<u64, Stop> {
        let width = self.kind.width();
        let at = self.at.saturating_add(index.saturating_mul(width.into()));
        let mut cursor = Cursor::new(store, SourceFormat::Tiff, endian, at);
        if index >= self.count {
            return Err(cursor.corrupt(format!("a table of {} entries is asked for entry {index}", self.count)));
        }
        cursor.number(if self.kind == Kind::Rational { 4 } else { width })
    }

    fn all(&self, store: &ByteStore, endian: Endian, most: u64) -> Result<Vec<u64>, Stop> {
        let width = self.kind.width();
        let mut cursor = Cursor::new(store, SourceFormat::Tiff, endian, self.at);
        let bytes = cursor.take(self.count.min(most).saturating_mul(width.into()))?;
        Ok(bytes.chunks_exact(width.into()).map(|value| endian.number(value)).collect())
    }

    /// A value that [`Self::all`] has read, as a real number; not finite for a rational with the denominator 0.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap, clippy::cast_possible_truncation, reason = "the value's own type decides")]
    fn real(&self, bits: u64, endian: Endian) -> f64 {
        // A rational was read as one number of 8 bytes: the numerator and the denominator.
        let (first, second) = match endian {
            Endian::Little => (bits as u32, (bits >> 32) as u32),
            Endian::Big => ((bits >> 32) as u32, bits as u32),
        };
        match self.code {
            5 => f64::from(first) / f64::from(second),
            6 => f64::from(bits as u8 as i8),
            8 => f64::from(bits as u16 as i16),
            9 => f64::from(bits as u32 as i32),
            10 => f64::from(first as i32) / f64::from(second as i32),
            11 => f64::from(f32::from_bits(bits as u32)),
            12 => f64::from_bits(bits),
            17 => bits as i64 as f64,
            _ => bits as f64,
        }
    }

    /// The bytes of the array. Corrupt if there are more than `most`.
    pub fn raw(&self, store: &ByteStore, most: u64) -> Result<Vec<u8>, Stop> {
        let mut cursor = Cursor::new(store, SourceFormat::Tiff, Endian::Little, self.at);
        if self.bytes() > most {
            return Err(cursor.corrupt(format!("a tag of {} bytes where at most {most} are sensible", self.bytes())));
        }
        Ok(cursor.take(self.bytes())?.into_owned())
    }
}
