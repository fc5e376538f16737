//! Striped TIFFs as scanners write them: pages of a few large strips, or of many small ones, in every coding.

use std::io::Write;

use super::tiffs::{self, Packing};

/// A page of a document, little-endian.
#[derive(Clone)]
pub struct Page<'a> {
    pub width: u32,
    pub height: u32,
    /// Of a strip.
    pub rows: u32,
    pub bits: u16,
    pub channels: u16,
    pub photometric: u16,
    pub compression: u16,
    pub predictor: u16,
    /// FillOrder 2.
    pub reversed: bool,
    /// PlanarConfiguration 2.
    pub planar: bool,
    pub orientation: u16,
    pub palette: Option<&'a [u16]>,
    /// Horizontal and vertical subsampling of chroma.
    pub subsampling: Option<[u16; 2]>,
    pub jpeg_tables: Option<&'a [u8]>,
    pub icc: Option<&'a [u8]>,
    /// Unpacked rows, from a new byte each; of planes one after the other. Of JPEG and CCITT the data of the only strip.
    pub data: &'a [u8],
}

impl<'a> Page<'a> {
    /// A pixel of gray, in one strip, to be changed.
    pub fn of(data: &'a [u8]) -> Self {
        Self {
            width: 1,
            height: 1,
            rows: 1,
            bits: 8,
            channels: 1,
            photometric: 1,
            compression: 1,
            predictor: 1,
            reversed: false,
            planar: false,
            orientation: 1,
            palette: None,
            subsampling: None,
            jpeg_tables: None,
            icc: None,
            data,
        }
    }

    /// Bytes of a row of one plane.
    fn stride(&self) -> usize {
        let samples = if self.planar { 1 } else { u32::from(self.channels) };
        (self.width * samples * u32::from(self.bits)).div_ceil(8) as usize
    }

    /// Rows that are stored together, and their bytes.
    fn unit(&self) -> (usize, usize) {
        match self.subsampling {
            Some([across, down]) => (down.into(), self.width.div_ceil(across.into()) as usize * usize::from(across * down + 2)),
            None => (1, self.stride()),
        }
    }

    fn strips(&self) -> Vec<Vec<u8>> {
        // What is coded already.
        if matches!(self.compression, 2..=4 | 7) {
            return vec![self.data.to_vec()];
        }
        let (unit, bytes) = self.unit();
        let plane = (self.height as usize).div_ceil(unit) * bytes;
        let strip = (self.rows as usize).div_ceil(unit) * bytes;
        self.data.chunks(plane).flat_map(|plane| plane.chunks(strip)).map(|strip| self.pack(strip.to_vec())).collect()
    }

    fn directory(&self) -> tiffs::Page {
        let mut page = tiffs::Page::new(false)
            .longs(256, &[self.width])
            .longs(257, &[self.height])
            .shorts(258, &vec![self.bits; self.channels.into()])
            .shorts(259, &[self.compression])
            .shorts(262, &[self.photometric])
            .shorts(266, &[if self.reversed { 2 } else { 1 }])
            .shorts(274, &[self.orientation])
            .shorts(277, &[self.channels])
            .longs(278, &[self.rows])
            .shorts(284, &[if self.planar { 2 } else { 1 }])
            .shorts(317, &[self.predictor])
            .strips(self.strips());
        if let Some(palette) = self.palette {
            page = page.shorts(320, palette);
        }
        if self.channels == 4 && self.photometric == 2 {
            page = page.shorts(338, &[2]);
        }
        if let Some(tables) = self.jpeg_tables {
            page = page.undefined(347, tables);
        }
        if let Some(factors) = self.subsampling {
            page = page.shorts(530, &factors);
        }
        if let Some(icc) = self.icc {
            page = page.undefined(34675, icc);
        }
        page
    }

    fn pack(&self, mut strip: Vec<u8>) -> Vec<u8> {
        if self.predictor == 2 {
            let step = if self.planar { 1 } else { usize::from(self.channels) };
            strip.chunks_mut(self.stride()).for_each(|row| difference(row, step, self.bits / 8));
        }
        let mut packed = match self.compression {
            1 => strip,
            5 => Packing::Lzw.pack(&strip),
            // Matches of zlib reach back over its whole window.
            8 => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
                encoder.write_all(&strip).unwrap();
                encoder.finish().unwrap()
            }
            32773 => strip.chunks(self.stride()).flat_map(|row| Packing::PackBits.pack(row)).collect(),
            50000 => ruzstd::encoding::compress_to_vec(strip.as_slice(), ruzstd::encoding::CompressionLevel::Fastest),
            other => panic!("compression {other}"),
        };
        if self.reversed {
            packed.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        packed
    }
}

/// TIFF 6.0, section 14.
fn difference(row: &mut [u8], step: usize, width: u16) {
    match width {
        1 => (step..row.len()).rev().for_each(|index| row[index] = row[index].wrapping_sub(row[index - step])),
        2 => {
            let pairs = row.as_chunks_mut::<2>().0;
            for index in (step..pairs.len()).rev() {
                pairs[index] = u16::from_le_bytes(pairs[index]).wrapping_sub(u16::from_le_bytes(pairs[index - step])).to_le_bytes();
            }
        }
        other => panic!("differences of {other} bytes"),
    }
}

/// A document of these pages.
pub fn write(pages: &[Page<'_>]) -> Vec<u8> {
    tiffs::file(pages.iter().map(Page::directory).collect())
}
