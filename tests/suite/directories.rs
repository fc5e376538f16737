//! A writer of TIFF files directory by directory, for the layouts of scanners and of GDAL: each image is of one tint, so that an answer tells which it was made from.

use std::collections::BTreeMap;

/// Values of a tag.
#[derive(Clone)]
pub enum Values {
    Short(Vec<u16>),
    Long(Vec<u32>),
    Text(String),
    /// Offsets of the directory's children, to be filled in.
    Children,
}

/// How chunks are compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    None,
    Deflate,
}

/// An image of one tint, or a mask, and what its directory says.
#[derive(Clone)]
pub struct Image {
    size: (u32, u32),
    /// As stored, if it is filled up to whole tiles.
    filled: (u32, u32),
    tile: Option<u32>,
    tags: BTreeMap<u16, Values>,
    coding: Coding,
    content: Content,
    children: Vec<Image>,
}

#[derive(Clone)]
enum Content {
    Tint([u8; 3]),
    /// The left part is shown, so many pixels.
    Mask(u32),
}

/// The pixels beyond the image in a filled-up level.
pub const FILLING: [u8; 3] = [255, 0, 255];

impl Image {
    /// In tiles.
    pub fn tiled(width: u32, height: u32, tile: u32, tint: [u8; 3]) -> Self {
        let mut image = Self::stripped(width, height, tint);
        image.tile = Some(tile);
        image
    }

    /// In one strip.
    pub fn stripped(width: u32, height: u32, tint: [u8; 3]) -> Self {
        let size = (width, height);
        Self { size, filled: size, tile: None, tags: BTreeMap::new(), coding: Coding::Deflate, content: Content::Tint(tint), children: Vec::new() }
    }

    /// A transparency mask of one bit for an image: the left `shown` pixels are shown.
    pub fn mask_of(image: &Self, shown: u32) -> Self {
        let mask = Self { tags: BTreeMap::new(), children: Vec::new(), content: Content::Mask(shown), ..image.clone() };
        mask.kind(4)
    }

    /// NewSubfileType.
    pub fn kind(self, kind: u32) -> Self {
        self.with(254, Values::Long(vec![kind]))
    }

    /// ImageDescription.
    pub fn described(self, words: &str) -> Self {
        self.with(270, Values::Text(words.to_owned()))
    }

    pub fn with(mut self, tag: u16, values: Values) -> Self {
        self.tags.insert(tag, values);
        self
    }

    pub fn coded(self, coding: Coding) -> Self {
        Self { coding, ..self }
    }

    /// In strips of so many rows.
    pub fn rows(self, rows: u32) -> Self {
        self.with(278, Values::Long(vec![rows]))
    }

    /// Told to be as large as its tiles.
    pub fn filled_up(mut self) -> Self {
        let tile = self.tile.unwrap();
        self.filled = (self.size.0.next_multiple_of(tile), self.size.1.next_multiple_of(tile));
        self
    }

    /// With SubIFDs.
    pub fn over(mut self, children: Vec<Self>) -> Self {
        self.children = children;
        self.with(330, Values::Children)
    }

    fn chunk(&self) -> (u32, u32) {
        let rows = if let Some(Values::Long(rows)) = self.tags.get(&278) { rows[0] } else { self.filled.1 };
        self.tile.map_or((self.filled.0, rows), |tile| (tile, tile))
    }

    /// Columns and rows of chunks.
    fn grid(&self) -> (u32, u32) {
        let (width, height) = self.chunk();
        (self.filled.0.div_ceil(width), self.filled.1.div_ceil(height))
    }

    /// Whether the predictor makes of a tint what compresses well.
    fn has_differences(&self) -> bool {
        self.coding == Coding::Deflate && matches!(self.content, Content::Tint(_))
    }

    /// The coded bytes of a chunk.
    fn coded_chunk(&self, column: u32, row: u32) -> Vec<u8> {
        let (width, mut height) = self.chunk();
        if self.tile.is_none() {
            height = height.min(self.filled.1 - row * height);
        }
        let (left, top) = (column * width, row * self.chunk().1);
        let mut plain = Vec::new();
        for y in top..top + height {
            match self.content {
                Content::Tint(tint) => (left..left + width).for_each(|x| plain.extend(if x < self.size.0 && y < self.size.1 { tint } else { FILLING })),
                Content::Mask(shown) => {
                    let bit = |x: u32| u8::from(x < left + width && x < shown) << (7 - (x - left) % 8);
                    plain.extend((left..left + width).step_by(8).map(|start| (start..start + 8).map(bit).sum::<u8>()));
                }
            }
        }
        if self.has_differences() {
            for row in plain.chunks_exact_mut(width as usize * 3) {
                (3..row.len()).rev().for_each(|at| row[at] = row[at].wrapping_sub(row[at - 3]));
            }
        }
        match self.coding {
            Coding::None => plain,
            Coding::Deflate => fdeflate::compress_to_vec(&plain),
        }
    }

    /// The values of all tags but the tables of chunks and the children.
    fn all_tags(&self) -> BTreeMap<u16, Values> {
        let (bits, photometric, samples) = if let Content::Mask(_) = self.content { (vec![1], 4, 1) } else { (vec![8; 3], 2, 3) };
        let mut tags = BTreeMap::from([
            (256, Values::Long(vec![self.filled.0])),
            (257, Values::Long(vec![self.filled.1])),
            (258, Values::Short(bits)),
            (259, Values::Short(vec![if self.coding == Coding::None { 1 } else { 8 }])),
            (262, Values::Short(vec![photometric])),
            (277, Values::Short(vec![samples])),
            (284, Values::Short(vec![1])),
            (317, Values::Short(vec![if self.has_differences() { 2 } else { 1 }])),
        ]);
        match self.tile {
            Some(tile) => tags.extend([(322, Values::Long(vec![tile])), (323, Values::Long(vec![tile]))]),
            None => tags.extend([(278, Values::Long(vec![self.filled.1]))]),
        }
        tags.extend(self.tags.clone());
        tags
    }
}

/// A file of directories in one chain, each behind its pixels. Chunks that are alike are stored once.
pub struct File {
    pub big: bool,
    pub images: Vec<Image>,
}

impl File {
    pub fn of(images: Vec<Image>) -> Vec<u8> {
        Self { big: false, images }.write()
    }

    pub fn write(&self) -> Vec<u8> {
        let mut out = if self.big { b"II\x2b\0\x08\0\0\0".to_vec() } else { b"II\x2a\0".to_vec() };
        let mut link = out.len();
        self.number(&mut out, 0, self.word());
        for image in &self.images {
            let (at, next) = self.image(&mut out, image);
            let word = self.word();
            out[link..link + word].copy_from_slice(&at.to_le_bytes()[..word]);
            link = next;
        }
        out
    }

    fn word(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    fn number(&self, out: &mut Vec<u8>, value: u64, width: usize) {
        out.extend(&value.to_le_bytes()[..width]);
    }

    /// Writes the children, the chunks and the directory of an image; where the directory lies, and its link to the next.
    fn image(&self, out: &mut Vec<u8>, image: &Image) -> (u64, usize) {
        let children: Vec<u64> = image.children.iter().map(|child| self.image(out, child).0).collect();
        let (columns, rows) = image.grid();
        let (mut places, mut offsets, mut counts) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let chunk = image.coded_chunk(column, row);
            counts.push(chunk.len() as u64);
            offsets.push(*places.entry(chunk).or_insert_with_key(|chunk| {
                let at = out.len() as u64;
                out.extend(chunk);
                out.resize(out.len().next_multiple_of(2), 0);
                at
            }));
        }
        let mut entries: BTreeMap<u16, (u16, u64, Vec<u8>)> = BTreeMap::new();
        let numbers = |width: usize, values: &[u64]| values.iter().flat_map(|value| value.to_le_bytes()[..width].to_vec()).collect::<Vec<u8>>();
        let offset = |values: &[u64]| (if self.big { 16 } else { 4 }, values.len() as u64, numbers(self.word(), values));
        for (tag, values) in image.all_tags() {
            let wide = |values: &[u16]| values.iter().map(|value| u64::from(*value)).collect::<Vec<_>>();
            let entry = match values {
                Values::Short(values) => (3, values.len() as u64, numbers(2, &wide(&values))),
                Values::Long(values) => (4, values.len() as u64, numbers(4, &values.iter().map(|value| u64::from(*value)).collect::<Vec<_>>())),
                Values::Text(text) => (2, text.len() as u64 + 1, [text.as_bytes(), &[0]].concat()),
                Values::Children => offset(&children),
            };
            entries.insert(tag, entry);
        }
        let (offsets_tag, counts_tag) = if image.tile.is_some() { (324, 325) } else { (273, 279) };
        entries.extend([(offsets_tag, offset(&offsets)), (counts_tag, (4, counts.len() as u64, numbers(4, &counts)))]);
        self.directory(out, &entries)
    }

    fn directory(&self, out: &mut Vec<u8>, entries: &BTreeMap<u16, (u16, u64, Vec<u8>)>) -> (u64, usize) {
        let (at, word) = (out.len() as u64, self.word());
        self.number(out, entries.len() as u64, if self.big { 8 } else { 2 });
        let mut values_at = out.len() + entries.len() * (4 + 2 * word) + word;
        let mut values = Vec::new();
        for (tag, (kind, count, bytes)) in entries {
            self.number(out, (*tag).into(), 2);
            self.number(out, (*kind).into(), 2);
            self.number(out, *count, word);
            if bytes.len() <= word {
                out.extend(bytes.iter().copied().chain([0; 8]).take(word));
            } else {
                self.number(out, values_at as u64, word);
                values.extend(bytes);
                values.resize(values.len().next_multiple_of(2), 0);
                values_at += bytes.len().next_multiple_of(2);
            }
        }
        let link = out.len();
        self.number(out, 0, word);
        out.extend(values);
        (at, link)
    }
}
