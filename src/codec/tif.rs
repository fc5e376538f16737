//! TIFF row by row, uncompressed: only so are all offsets known before the first pixel, and the file can leave while it is made.

use crate::error::Result;
use crate::geometry::Dimensions;
use crate::limits::PIECE;
use crate::render::Raster;

/// Bytes in a strip, about.
const STRIP: u64 = 64 << 10;

/// Rows of a TIFF 6.0 file, or of a BigTIFF if it needs 64 bits.
pub(super) struct Rows {
    file: Vec<u8>,
}

impl Rows {
    /// Of pixels with 1 (gray), 2, 3 (RGB) or 4 samples of 8 bits; the second or fourth is alpha, not multiplied.
    pub fn new(dimensions: Dimensions, channels: usize) -> Self {
        let stride = u64::from(dimensions.width()) * channels as u64;
        let rows = (STRIP / stride).clamp(1, dimensions.height().into());
        let strips = u64::from(dimensions.height()).div_ceil(rows);
        let pixels = stride * u64::from(dimensions.height());
        let big = pixels + strips * 16 + 1024 > u64::from(u32::MAX);
        let word = if big { 8 } else { 4 };
        let mut entries = vec![
            Entry::long(256, word, [dimensions.width().into()]),
            Entry::long(257, word, [dimensions.height().into()]),
            Entry::short(258, vec![8; channels]),
            Entry::short(259, [1]),
            Entry::short(262, [if channels <= 2 { 1 } else { 2 }]),
            Entry::long(273, word, (0..strips).map(|strip| strip * rows * stride)),
            Entry::short(277, [channels as u64]),
            Entry::long(278, word, [rows]),
            Entry::long(279, word, (0..strips).map(|strip| rows.min(u64::from(dimensions.height()) - strip * rows) * stride)),
            Entry::short(284, [1]),
        ];
        if channels.is_multiple_of(2) {
            entries.push(Entry::short(338, [2]));
        }
        Self { file: head(entries, big) }
    }

    pub fn push(&mut self, rows: &Raster) -> Result<()> {
        if self.file.capacity() - self.file.len() < rows.data.len() {
            // For a piece of the file: growing by doubling would take three times as much.
            let room = (PIECE as usize).saturating_sub(self.file.len()).saturating_add(rows.data.len());
            self.file.reserve_exact(room);
        }
        self.file.extend_from_slice(&rows.data);
        Ok(())
    }

    pub fn held(&self) -> usize {
        self.file.len()
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.file)
    }
}

/// A directory's entry; of StripOffsets the values are counted from the first pixel.
struct Entry {
    tag: u16,
    kind: u16,
    width: usize,
    values: Vec<u64>,
}

impl Entry {
    fn short(tag: u16, values: impl IntoIterator<Item = u64>) -> Self {
        Self { tag, kind: 3, width: 2, values: values.into_iter().collect() }
    }

    fn long(tag: u16, width: usize, values: impl IntoIterator<Item = u64>) -> Self {
        Self { tag, kind: if width == 8 { 16 } else { 4 }, width, values: values.into_iter().collect() }
    }

    fn bytes(&self, base: u64) -> Vec<u8> {
        let base = if self.tag == 273 { base } else { 0 };
        self.values.iter().flat_map(|value| (value + base).to_le_bytes()[..self.width].to_vec()).collect()
    }
}

/// Header, directory and its values; the pixels follow.
fn head(entries: Vec<Entry>, big: bool) -> Vec<u8> {
    let word = if big { 8 } else { 4 };
    let number = |value: u64, width: usize| value.to_le_bytes()[..width].to_vec();
    let (header, counter) = if big { (16, 8) } else { (8, 2) };
    let directory = counter + entries.len() * (4 + 2 * word) + word;
    let outside: usize = entries.iter().map(|entry| entry.values.len() * entry.width).filter(|bytes| *bytes > word).map(|bytes| bytes + bytes % 2).sum();
    let base = (header + directory + outside) as u64;
    let mut file = if big { b"II\x2b\0\x08\0\0\0".to_vec() } else { b"II\x2a\0".to_vec() };
    file.extend(number(header as u64, word));
    file.extend(number(entries.len() as u64, counter));
    let mut values = Vec::new();
    for entry in &entries {
        file.extend(number(entry.tag.into(), 2));
        file.extend(number(entry.kind.into(), 2));
        file.extend(number(entry.values.len() as u64, word));
        let mut bytes = entry.bytes(base);
        if bytes.len() > word {
            file.extend(number((header + directory + values.len()) as u64, word));
            bytes.resize(bytes.len() + bytes.len() % 2, 0);
            values.append(&mut bytes);
        } else {
            bytes.resize(word, 0);
            file.append(&mut bytes);
        }
    }
    file.extend(number(0, word));
    file.append(&mut values);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_pixel_comes_back() {
        for channels in 1..=4 {
            let dimensions = Dimensions::new(301, 977).unwrap();
            let data: Vec<u8> = (0..301 * 977 * channels).map(|at| (at * 31 % 253) as u8).collect();
            let mut rows = Rows::new(dimensions, channels);
            rows.push(&Raster { dimensions, channels, data: data.clone() }).unwrap();
            let file = rows.take();
            let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(&file)).unwrap();
            assert_eq!(decoder.dimensions().unwrap(), (301, 977));
            let tiff::decoder::DecodingResult::U8(found) = decoder.read_image().unwrap() else { panic!("samples of 8 bits") };
            assert_eq!(found, data);
        }
    }

    #[test]
    fn beyond_four_gigabytes_it_is_a_bigtiff() {
        let rows = Rows::new(Dimensions::new(50_000, 40_000).unwrap(), 3);
        assert_eq!(&rows.file[..16], b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0");
        assert!(rows.file.len() < 1 << 20);
    }
}
