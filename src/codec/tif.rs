//! TIFF row by row. Small files are compressed with Deflate. Large ones are not: then all offsets are known before the first pixel, and the file can leave while
//! it is made.

use flate2::{Compress, Compression, FlushCompress, Status};

use super::internal;
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::limits::PIECE;
use crate::plan::{TIF_STRIP, most_deflated};
use crate::render::Raster;

/// How many rows are in a strip, and how many strips there are.
#[derive(Debug, Clone, Copy)]
struct Strips {
    dimensions: Dimensions,
    /// Samples of a pixel.
    channels: usize,
    rows: u64,
    count: u64,
}

impl Strips {
    fn new(dimensions: Dimensions, channels: usize) -> Self {
        let rows = (TIF_STRIP / (u64::from(dimensions.width()) * channels as u64)).clamp(1, dimensions.height().into());
        Self { dimensions, channels, rows, count: u64::from(dimensions.height()).div_ceil(rows) }
    }

    /// Bytes of a row.
    fn stride(&self) -> u64 {
        u64::from(self.dimensions.width()) * self.channels as u64
    }

    /// The directory of pixels with 1 (gray), 2, 3 (RGB) or 4 samples of 8 bits; the second or fourth is alpha, not multiplied.
    fn entries(&self, compression: u64, word: usize, offsets: impl IntoIterator<Item = u64>, lengths: impl IntoIterator<Item = u64>) -> Vec<Entry> {
        let Self { dimensions, channels, rows, .. } = *self;
        let mut entries = vec![
            Entry::long(256, word, [dimensions.width().into()]),
            Entry::long(257, word, [dimensions.height().into()]),
            Entry::short(258, vec![8; channels]),
            Entry::short(259, [compression]),
            Entry::short(262, [if channels <= 2 { 1 } else { 2 }]),
            Entry::long(273, word, offsets),
            Entry::short(277, [channels as u64]),
            Entry::long(278, word, [rows]),
            Entry::long(279, word, lengths),
            Entry::short(284, [1]),
        ];
        if channels.is_multiple_of(2) {
            entries.push(Entry::short(338, [2]));
        }
        entries
    }
}

/// Rows of a TIFF 6.0 file, or of a BigTIFF if it needs 64 bits.
pub(super) struct Rows {
    file: Vec<u8>,
}

impl Rows {
    /// Of pixels with 1 (gray), 2, 3 (RGB) or 4 samples of 8 bits; the second or fourth is alpha, not multiplied.
    pub fn new(dimensions: Dimensions, channels: usize) -> Self {
        let strips = Strips::new(dimensions, channels);
        let (stride, height) = (strips.stride(), u64::from(dimensions.height()));
        let big = stride * height + strips.count * 16 + 1024 > u64::from(u32::MAX);
        let offsets = (0..strips.count).map(|strip| strip * strips.rows * stride);
        let lengths = (0..strips.count).map(|strip| strips.rows.min(height - strip * strips.rows) * stride);
        Self { file: head(strips.entries(1, if big { 8 } else { 4 }, offsets, lengths), big) }
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

/// Rows of a TIFF 6.0 file whose strips are compressed with Deflate. Its directory comes last.
pub(super) struct DeflatedRows {
    strips: Strips,
    coder: Compress,
    /// Pixels of a strip that is not complete.
    rest: Vec<u8>,
    /// Where the strips begin.
    offsets: Vec<u64>,
    file: Vec<u8>,
}

impl DeflatedRows {
    /// Of pixels with 1 (gray), 2, 3 (RGB) or 4 samples of 8 bits; the second or fourth is alpha, not multiplied.
    pub fn new(dimensions: Dimensions, channels: usize) -> Self {
        let strips = Strips::new(dimensions, channels);
        let pixels = strips.stride() * u64::from(dimensions.height());
        let mut file = Vec::with_capacity((most_deflated(pixels) + strips.count * (64 + 8) + 1024) as usize);
        file.extend_from_slice(b"II\x2a\0\0\0\0\0");
        let rest = Vec::with_capacity((strips.rows * strips.stride()) as usize);
        Self { strips, coder: Compress::new(Compression::fast(), true), rest, offsets: Vec::with_capacity(strips.count as usize), file }
    }

    pub fn push(&mut self, rows: &Raster) -> Result<()> {
        let strip = (self.strips.rows * self.strips.stride()) as usize;
        let mut data = rows.data.as_slice();
        while !data.is_empty() {
            let (now, later) = data.split_at(data.len().min(strip - self.rest.len()));
            data = later;
            if now.len() == strip {
                self.deflate(now)?;
                continue;
            }
            self.rest.extend_from_slice(now);
            if self.rest.len() == strip {
                self.finish_strip()?;
            }
        }
        Ok(())
    }

    fn finish_strip(&mut self) -> Result<()> {
        let mut rest = std::mem::take(&mut self.rest);
        self.deflate(&rest)?;
        rest.clear();
        self.rest = rest;
        Ok(())
    }

    fn deflate(&mut self, strip: &[u8]) -> Result<()> {
        self.offsets.push(self.file.len() as u64);
        self.coder.reset();
        // The room that was made is enough; if not, this makes some.
        self.file.reserve(most_deflated(strip.len() as u64) as usize);
        match self.coder.compress_vec(strip, &mut self.file, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => Ok(()),
            other => Err(internal(format!("Deflate of a strip: {other:?}"))),
        }
    }

    pub fn finish(mut self) -> Result<Vec<u8>> {
        if !self.rest.is_empty() {
            self.finish_strip()?;
        }
        let ends = self.offsets.iter().skip(1).copied().chain([self.file.len() as u64]);
        let lengths: Vec<u64> = self.offsets.iter().zip(ends).map(|(start, end)| end - start).collect();
        self.file.resize(self.file.len().next_multiple_of(2), 0);
        let at = self.file.len();
        if let Some(place) = self.file.get_mut(4..8) {
            place.copy_from_slice(&(at as u32).to_le_bytes());
        }
        let entries = self.strips.entries(8, 4, self.offsets, lengths);
        directory(&mut self.file, entries, false, 0);
        Ok(self.file)
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
    let mut file = if big { b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec() } else { b"II\x2a\0\x08\0\0\0".to_vec() };
    let (header, counter) = if big { (16, 8) } else { (8, 2) };
    let outside: usize = entries.iter().map(|entry| entry.values.len() * entry.width).filter(|bytes| *bytes > word).map(|bytes| bytes + bytes % 2).sum();
    let base = header + counter + entries.len() * (4 + 2 * word) + word + outside;
    directory(&mut file, entries, big, base as u64);
    file
}

/// Appends a directory and its values; `base` is added to the offsets of the strips.
fn directory(file: &mut Vec<u8>, entries: Vec<Entry>, big: bool, base: u64) {
    let (word, counter) = if big { (8, 8) } else { (4, 2) };
    let number = |value: u64, width: usize| value.to_le_bytes()[..width].to_vec();
    let behind = file.len() + counter + entries.len() * (4 + 2 * word) + word;
    file.extend(number(entries.len() as u64, counter));
    let mut values = Vec::new();
    for entry in &entries {
        file.extend(number(entry.tag.into(), 2));
        file.extend(number(entry.kind.into(), 2));
        file.extend(number(entry.values.len() as u64, word));
        let mut bytes = entry.bytes(base);
        if bytes.len() > word {
            file.extend(number((behind + values.len()) as u64, word));
            bytes.resize(bytes.len() + bytes.len() % 2, 0);
            values.append(&mut bytes);
        } else {
            bytes.resize(word, 0);
            file.append(&mut bytes);
        }
    }
    file.extend(number(0, word));
    file.append(&mut values);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &[u8]) -> Vec<u8> {
        let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(file)).unwrap();
        assert_eq!(decoder.dimensions().unwrap(), (301, 977));
        let tiff::decoder::DecodingResult::U8(found) = decoder.read_image().unwrap() else { panic!("samples of 8 bits") };
        found
    }

    #[test]
    fn every_kind_of_pixel_comes_back() {
        for channels in 1..=4 {
            let dimensions = Dimensions::new(301, 977).unwrap();
            let data: Vec<u8> = (0..301 * 977 * channels).map(|at| (at * 31 % 253) as u8).collect();
            let mut rows = Rows::new(dimensions, channels);
            rows.push(&Raster { dimensions, channels, data: data.clone() }).unwrap();
            assert_eq!(read(&rows.take()), data);
            // However many rows come at a time.
            for at_once in [1, 7, 300, 977] {
                let mut rows = DeflatedRows::new(dimensions, channels);
                for data in data.chunks(301 * channels * at_once) {
                    rows.push(&Raster { dimensions, channels, data: data.to_vec() }).unwrap();
                }
                assert_eq!(read(&rows.finish().unwrap()), data, "{channels} samples, {at_once} rows");
            }
        }
    }

    #[test]
    fn noise_fits_the_room_that_is_made_for_it() {
        let dimensions = Dimensions::new(5000, 300).unwrap();
        let mut state = 1_u64;
        let data: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(4_500_000)
        .collect();
        let mut rows = DeflatedRows::new(dimensions, 3);
        let room = rows.file.capacity();
        rows.push(&Raster { dimensions, channels: 3, data }).unwrap();
        let file = rows.finish().unwrap();
        assert_eq!(file.capacity(), room, "{} bytes", file.len());
    }

    #[test]
    fn beyond_four_gigabytes_it_is_a_bigtiff() {
        let rows = Rows::new(Dimensions::new(50_000, 40_000).unwrap(), 3);
        assert_eq!(&rows.file[..16], b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0");
        assert!(rows.file.len() < 1 << 20);
    }
}
