//! Striped TIFFs as scanners write them: pages of a few large strips, or of many small ones, in every coding.

use std::io::Write;

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

    fn pack(&self, mut strip: Vec<u8>) -> Vec<u8> {
        if self.predictor == 2 {
            let step = if self.planar { 1 } else { usize::from(self.channels) };
            strip.chunks_mut(self.stride()).for_each(|row| difference(row, step, self.bits / 8));
        }
        let mut packed = match self.compression {
            1 => strip,
            5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&strip).unwrap(),
            8 => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
                encoder.write_all(&strip).unwrap();
                encoder.finish().unwrap()
            }
            32773 => strip.chunks(self.stride()).flat_map(pack_bits).collect(),
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

/// A row (TIFF 6.0, section 9).
fn pack_bits(row: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut literal: Vec<u8> = Vec::new();
    let flush = |literal: &mut Vec<u8>, out: &mut Vec<u8>| {
        for part in literal.chunks(128) {
            out.push(part.len() as u8 - 1);
            out.extend_from_slice(part);
        }
        literal.clear();
    };
    for run in row.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(128)) {
        if run.len() < 3 {
            literal.extend_from_slice(run);
            continue;
        }
        flush(&mut literal, &mut out);
        out.extend([(257 - run.len()) as u8, run[0]]);
    }
    flush(&mut literal, &mut out);
    out
}

/// A document, each directory behind its strips as libtiff writes.
pub fn write(pages: &[Page<'_>]) -> Vec<u8> {
    let mut file = b"II\x2a\0\0\0\0\0".to_vec();
    let mut link = 4;
    for page in pages {
        let strips: Vec<(u32, u32)> = page
            .strips()
            .into_iter()
            .map(|strip| {
                let at = file.len() as u32;
                file.extend_from_slice(&strip);
                (at, strip.len() as u32)
            })
            .collect();
        if file.len() % 2 == 1 {
            file.push(0);
        }
        directory(&mut file, &mut link, page, &strips);
    }
    file
}

fn directory(file: &mut Vec<u8>, link: &mut usize, page: &Page<'_>, strips: &[(u32, u32)]) {
    let short = |values: &[u16]| (3_u16, values.len() as u32, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    let long = |values: &[u32]| (4_u16, values.len() as u32, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    let bytes = |values: &[u8]| (7_u16, values.len() as u32, values.to_vec());
    let mut entries = vec![
        (256, long(&[page.width])),
        (257, long(&[page.height])),
        (258, short(&vec![page.bits; page.channels.into()])),
        (259, short(&[page.compression])),
        (262, short(&[page.photometric])),
        (266, short(&[if page.reversed { 2 } else { 1 }])),
        (273, long(&strips.iter().map(|(at, _)| *at).collect::<Vec<_>>())),
        (274, short(&[page.orientation])),
        (277, short(&[page.channels])),
        (278, long(&[page.rows])),
        (279, long(&strips.iter().map(|(_, length)| *length).collect::<Vec<_>>())),
        (284, short(&[if page.planar { 2 } else { 1 }])),
        (317, short(&[page.predictor])),
    ];
    entries.extend(page.palette.map(|palette| (320, short(palette))));
    entries.extend((page.channels == 4).then(|| (338, short(&[2]))));
    entries.extend(page.jpeg_tables.map(|tables| (347, bytes(tables))));
    entries.extend(page.subsampling.map(|factors| (530, short(&factors))));
    entries.extend(page.icc.map(|icc| (34675, bytes(icc))));
    let mut values = Vec::new();
    let at = file.len();
    let values_at = at + 2 + entries.len() * 12 + 4;
    file[*link..*link + 4].copy_from_slice(&(at as u32).to_le_bytes());
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, (kind, count, value)) in entries {
        file.extend([(tag as u16).to_le_bytes(), kind.to_le_bytes()].concat());
        file.extend(count.to_le_bytes());
        if value.len() <= 4 {
            file.extend(value.iter().copied().chain([0; 4]).take(4));
        } else {
            file.extend(((values_at + values.len()) as u32).to_le_bytes());
            values.extend(value);
            values.resize(values.len().next_multiple_of(2), 0);
        }
    }
    *link = file.len();
    file.extend([0; 4]);
    file.extend(values);
}
