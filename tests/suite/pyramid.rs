//! Tiled pyramids of any size in any layout, without their weight: a virtual file in which every chunk of a level is the same few bytes.

use std::collections::BTreeMap;

use azulejo::native::Source;
use azulejo::{ByteRange, Error, Result};

/// Where the directories lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// All before the pixels, as in a COG.
    First,
    /// Each behind the pixels of its level, in one chain, as libtiff writes.
    Chain,
    /// The first behind its pixels, the others its SubIFDs.
    SubIfds,
}

/// What is written.
pub struct Recipe<'a> {
    pub width: u32,
    pub height: u32,
    pub tile: u32,
    pub layout: Layout,
    pub big_endian: bool,
    /// Compression, PhotometricInterpretation, samples per pixel.
    pub storage: (u16, u16, u16),
    pub jpeg_tables: Option<&'a [u8]>,
    pub icc: Option<&'a [u8]>,
    /// The one chunk of all levels.
    pub chunk: &'a [u8],
    /// It is there for each tile, with its length before it and its last four bytes again behind it, as GDAL writes COGs; only of [`Layout::First`].
    pub led: bool,
    /// Bytes that each chunk takes in the file, as far as its layout goes.
    pub spread: u64,
    /// Pages, each a pyramid.
    pub pages: u32,
}

/// A file that is mostly not there: zero wherever nothing was written.
pub struct Virtual {
    size: u64,
    pieces: BTreeMap<u64, Vec<u8>>,
    /// What the file repeats from a byte on, to its end.
    repeated: (u64, Vec<u8>),
    /// Rounds are counted by the driver; these are reads and bytes.
    pub reads: u32,
    pub bytes: u64,
}

impl Source for Virtual {
    fn size(&mut self) -> Result<u64> {
        Ok(self.size)
    }

    fn read(&mut self, range: ByteRange) -> Result<Vec<u8>> {
        if range.end() > self.size {
            return Err(Error::SourceRead { what: format!("{range} of {}", self.size) });
        }
        self.reads += 1;
        self.bytes += range.len();
        let (from, block) = &self.repeated;
        let repeated = |at: u64| at.checked_sub(*from).filter(|_| !block.is_empty()).map_or(0, |at| block[(at % block.len() as u64) as usize]);
        let mut out: Vec<u8> = (range.start()..range.end()).map(repeated).collect();
        for (start, piece) in self.pieces.range(..range.end()) {
            let (from, to) = ((*start).max(range.start()), (start + piece.len() as u64).min(range.end()));
            if from < to {
                out[(from - range.start()) as usize..(to - range.start()) as usize].copy_from_slice(&piece[(from - start) as usize..(to - start) as usize]);
            }
        }
        Ok(out)
    }
}

/// Where the tables of a COG begin: with the offsets of the largest level.
const TABLES: u64 = 1 << 20;

impl Virtual {
    /// Puts other offsets into the table of the largest level, from an entry on; only of [`Layout::First`].
    pub fn displace(&mut self, entry: u64, offsets: &[u64]) {
        let table = self.pieces.get_mut(&TABLES).unwrap();
        let bytes: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        table[8 * entry as usize..][..bytes.len()].copy_from_slice(&bytes);
    }

    /// Changes a byte of what is repeated.
    pub fn damage(&mut self, at: usize) {
        self.repeated.1[at] ^= 0x55;
    }
}

impl Recipe<'_> {
    /// BigTIFF, always.
    pub fn write(&self) -> Virtual {
        let mut file = Writer { big_endian: self.big_endian, at: 16, tables: TABLES, pieces: BTreeMap::new() };
        let mut header = if self.big_endian { b"MM\0\x2b\0\x08\0\0".to_vec() } else { b"II\x2b\0\x08\0\0\0".to_vec() };
        // The pointer to the next directory, to be filled in.
        let mut link = 8;
        let mut links: Vec<(u64, u64)> = Vec::new();
        if self.layout == Layout::First {
            file.put(if self.led {
                b"GDAL_STRUCTURAL_METADATA_SIZE=000118 bytes\nLAYOUT=IFDS_BEFORE_DATA\nBLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n ".as_slice()
            } else {
                b"GDAL_STRUCTURAL_METADATA_SIZE=000025 bytes\nLAYOUT=IFDS_BEFORE_DATA\n "
            });
        }
        let tile = if self.layout == Layout::First { 64 << 20 } else { 256 };
        let mut repeated = (0, Vec::new());
        if self.led {
            let leader = (self.chunk.len() as u32).to_le_bytes();
            repeated = (tile - 4, [&leader, self.chunk, &self.chunk[self.chunk.len() - 4..]].concat());
        } else if self.layout == Layout::First {
            file.pieces.insert(tile, self.chunk.to_vec());
        } else {
            file.at = tile;
            file.put(self.chunk);
        }
        for _ in 0..self.pages {
            let levels = self.levels();
            let mut children = Vec::new();
            let order: Vec<usize> = if self.layout == Layout::SubIfds { (1..levels.len()).chain([0]).collect() } else { (0..levels.len()).collect() };
            for index in order {
                let (width, height) = levels[index];
                let count = u64::from(width.div_ceil(self.tile)) * u64::from(height.div_ceil(self.tile));
                if self.layout != Layout::First {
                    file.at += count * self.spread;
                }
                let child = self.layout == Layout::SubIfds && index > 0;
                let kind = if index > 0 { 1 } else { 0 };
                let (at, next) = self.directory(&mut file, (width, height), count, kind, if child { &[] } else { &children }, tile);
                if child {
                    children.push(at);
                } else {
                    links.push((link, at));
                    link = next;
                }
            }
        }
        for (link, at) in links {
            let bytes = file.number(at, 8);
            if link == 8 { header.extend(bytes) } else { file.patch(link, &bytes) }
        }
        file.pieces.insert(0, header);
        let tiles = u64::from(self.width.div_ceil(self.tile)) * u64::from(self.height.div_ceil(self.tile));
        let size = match self.layout {
            Layout::First if self.led => tile - 4 + tiles * repeated.1.len() as u64,
            Layout::First => file.tables.max(file.at) + (100 << 20),
            _ => file.at,
        };
        Virtual { size, pieces: file.pieces, repeated, reads: 0, bytes: 0 }
    }

    pub fn levels(&self) -> Vec<(u32, u32)> {
        let mut levels = vec![(self.width, self.height)];
        while let Some(&(width, height)) = levels.last().filter(|(width, height)| *width > self.tile || *height > self.tile) {
            levels.push((width.div_ceil(2), height.div_ceil(2)));
        }
        levels
    }

    /// Writes a directory and its values, returns where it is and where its link to the next lies.
    fn directory(&self, file: &mut Writer, (width, height): (u32, u32), count: u64, kind: u64, children: &[u64], tile: u64) -> (u64, u64) {
        let samples = u64::from(self.storage.2);
        let mut entries: Vec<(u16, u16, u64, Vec<u8>)> = Vec::new();
        let mut add = |tag: u16, kind: u16, values: &[u64], width: usize| {
            entries.push((tag, kind, values.len() as u64, values.iter().flat_map(|value| file.number(*value, width)).collect()));
        };
        add(254, 4, &[kind], 4);
        add(256, 4, &[width.into()], 4);
        add(257, 4, &[height.into()], 4);
        add(258, 3, &vec![8; samples as usize], 2);
        add(259, 3, &[self.storage.0.into()], 2);
        add(262, 3, &[self.storage.1.into()], 2);
        add(277, 3, &[samples], 2);
        add(322, 3, &[self.tile.into()], 2);
        add(323, 3, &[self.tile.into()], 2);
        let step = if self.led { self.chunk.len() as u64 + 8 } else { 0 };
        add(324, 16, &(0..count).map(|index| tile + step * index).collect::<Vec<_>>(), 8);
        add(325, 4, &vec![self.chunk.len() as u64; count as usize], 4);
        if !children.is_empty() {
            add(330, 16, children, 8);
        }
        if let Some(tables) = self.jpeg_tables {
            entries.push((347, 7, tables.len() as u64, tables.to_vec()));
        }
        if let Some(icc) = self.icc.filter(|_| kind == 0) {
            entries.push((34675, 7, icc.len() as u64, icc.to_vec()));
        }
        let at = file.at;
        let mut values_at = at + 8 + entries.len() as u64 * 20 + 8;
        let mut bytes = file.number(entries.len() as u64, 8);
        let mut values: Vec<u8> = Vec::new();
        entries.sort_by_key(|entry| entry.0);
        for (tag, kind, count, value) in &entries {
            bytes.extend(file.number((*tag).into(), 2));
            bytes.extend(file.number((*kind).into(), 2));
            bytes.extend(file.number(*count, 8));
            if value.len() <= 8 {
                bytes.extend(value.iter().copied().chain([0; 8]).take(8));
            } else if self.layout == Layout::First && matches!(tag, 324 | 325) {
                // A COG's tables lie behind all directories.
                bytes.extend(file.number(file.tables, 8));
                file.pieces.insert(file.tables, value.clone());
                file.tables += value.len() as u64;
            } else {
                bytes.extend(file.number(values_at, 8));
                values_at += value.len() as u64;
                values.extend(value);
            }
        }
        let next = at + bytes.len() as u64;
        bytes.extend([0; 8]);
        bytes.extend(values);
        file.put(&bytes);
        (at, next)
    }
}

struct Writer {
    big_endian: bool,
    at: u64,
    /// Where the tables of a COG go on.
    tables: u64,
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl Writer {
    fn number(&self, value: u64, width: usize) -> Vec<u8> {
        if self.big_endian { value.to_be_bytes()[8 - width..].to_vec() } else { value.to_le_bytes()[..width].to_vec() }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.pieces.insert(self.at, bytes.to_vec());
        self.at += bytes.len() as u64;
        self.at += self.at % 2;
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) {
        let (start, piece) = self.pieces.range_mut(..=at).next_back().unwrap();
        piece[(at - start) as usize..][..bytes.len()].copy_from_slice(bytes);
    }
}
