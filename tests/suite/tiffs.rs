//! Writes small TIFFs of any kind, as TIFF 6.0 and its technical notes define them.

use std::collections::BTreeMap;

/// One directory: its tags, and the strips it will have.
#[derive(Clone, Default)]
pub struct Page {
    pub big_endian: bool,
    fields: BTreeMap<u16, (u16, u32, Vec<u8>)>,
    pub strips: Vec<Vec<u8>>,
}

impl Page {
    pub fn new(big_endian: bool) -> Self {
        Self { big_endian, ..Self::default() }
    }

    fn bytes<const N: usize>(&self, mut little: [u8; N]) -> [u8; N] {
        if self.big_endian {
            little.reverse();
        }
        little
    }

    fn field(mut self, tag: u16, kind: u16, count: usize, bytes: Vec<u8>) -> Self {
        self.fields.insert(tag, (kind, count as u32, bytes));
        self
    }

    pub fn shorts(self, tag: u16, values: &[u16]) -> Self {
        let bytes = values.iter().flat_map(|value| self.bytes(value.to_le_bytes())).collect();
        self.field(tag, 3, values.len(), bytes)
    }

    pub fn longs(self, tag: u16, values: &[u32]) -> Self {
        let bytes = values.iter().flat_map(|value| self.bytes(value.to_le_bytes())).collect();
        self.field(tag, 4, values.len(), bytes)
    }

    pub fn signed_shorts(self, tag: u16, values: &[i16]) -> Self {
        let bytes = values.iter().flat_map(|value| self.bytes(value.to_le_bytes())).collect();
        self.field(tag, 8, values.len(), bytes)
    }

    pub fn rationals(self, tag: u16, values: &[(u32, u32)]) -> Self {
        let bytes = values.iter().flat_map(|(over, under)| [self.bytes(over.to_le_bytes()), self.bytes(under.to_le_bytes())].concat()).collect();
        self.field(tag, 5, values.len(), bytes)
    }

    pub fn floats(self, tag: u16, values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| self.bytes(value.to_le_bytes())).collect();
        self.field(tag, 11, values.len(), bytes)
    }

    pub fn doubles(self, tag: u16, values: &[f64]) -> Self {
        let bytes = values.iter().flat_map(|value| self.bytes(value.to_le_bytes())).collect();
        self.field(tag, 12, values.len(), bytes)
    }

    pub fn text(self, tag: u16, text: &str) -> Self {
        self.field(tag, 2, text.len() + 1, [text.as_bytes(), b"\0"].concat())
    }

    pub fn undefined(self, tag: u16, bytes: &[u8]) -> Self {
        self.field(tag, 7, bytes.len(), bytes.to_vec())
    }

    pub fn without(mut self, tag: u16) -> Self {
        self.fields.remove(&tag);
        self
    }

    pub fn strips(mut self, strips: Vec<Vec<u8>>) -> Self {
        self.strips = strips;
        self
    }

    /// Its bytes at an offset, followed by another directory or none.
    fn write(self, at: u32, last: bool) -> Vec<u8> {
        let lengths: Vec<u32> = self.strips.iter().map(|strip| strip.len() as u32).collect();
        let strips = self.strips.concat();
        // The strips come first, then the directory, then its values.
        let mut next = at;
        let offsets: Vec<u32> = lengths
            .iter()
            .map(|length| {
                next += length;
                next - length
            })
            .collect();
        let page = self.longs(273, &offsets).longs(279, &lengths);
        let pad = strips.len() % 2;
        let values_at = at as usize + strips.len() + pad + 2 + 12 * page.fields.len() + 4;
        let (mut entries, mut values) = (Vec::new(), Vec::new());
        for (tag, (kind, count, bytes)) in &page.fields {
            entries.extend(page.bytes(tag.to_le_bytes()));
            entries.extend(page.bytes(kind.to_le_bytes()));
            entries.extend(page.bytes(count.to_le_bytes()));
            if bytes.len() <= 4 {
                entries.extend(bytes);
                entries.resize(entries.len() + 4 - bytes.len(), 0);
            } else {
                entries.extend(page.bytes(((values_at + values.len()) as u32).to_le_bytes()));
                values.extend(bytes);
                values.resize(values.len().next_multiple_of(2), 0);
            }
        }
        let end = (values_at + values.len()) as u32;
        let mut out = strips;
        out.resize(out.len() + pad, 0);
        out.extend(page.bytes((page.fields.len() as u16).to_le_bytes()));
        out.extend(entries);
        // Where the directory of the page behind it will be, its strips known.
        out.extend(page.bytes((if last { 0 } else { end }).to_le_bytes()));
        out.extend(values);
        out
    }

    fn strips_len(&self) -> u32 {
        self.strips.iter().map(Vec::len).sum::<usize>().next_multiple_of(2) as u32
    }
}

/// A file of these pages, all in one byte order.
pub fn file(pages: Vec<Page>) -> Vec<u8> {
    let big_endian = pages[0].big_endian;
    let number = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut out = if big_endian { b"MM\0\x2a".to_vec() } else { b"II\x2a\0".to_vec() };
    out.extend(number(8 + pages[0].strips_len()));
    let count = pages.len();
    let mut link = None;
    for (index, page) in pages.into_iter().enumerate() {
        let (at, length, entries) = (out.len(), page.strips_len(), page.fields.len());
        if let Some(link) = link {
            let directory = number(at as u32 + length);
            let range: std::ops::Range<usize> = link;
            out[range].copy_from_slice(&directory);
        }
        let counted = entries + [273, 279].iter().filter(|tag| !page.fields.contains_key(*tag)).count();
        out.extend(page.write(at as u32, index + 1 == count));
        let end = at + length as usize + 2 + 12 * counted;
        link = Some(end..end + 4);
    }
    out
}

/// How the bytes of a strip are packed; the numbers are those of the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    None = 1,
    Lzw = 5,
    Deflate = 8,
    PackBits = 32773,
}

impl Packing {
    pub fn pack(self, plain: &[u8]) -> Vec<u8> {
        match self {
            Self::None => plain.to_vec(),
            Self::Lzw => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(plain).unwrap(),
            Self::Deflate => fdeflate::compress_to_vec(plain),
            Self::PackBits => {
                let mut out = Vec::new();
                let mut rest = plain;
                while let Some(first) = rest.first() {
                    let run = rest.iter().take(128).take_while(|byte| *byte == first).count();
                    let count = if run > 2 { run } else { rest.len().min(5) };
                    if run > 2 {
                        out.extend([(257 - run) as u8, *first]);
                    } else {
                        out.push(count as u8 - 1);
                        out.extend(&rest[..count]);
                    }
                    rest = &rest[count..];
                }
                out
            }
        }
    }
}

/// A row of samples of `bits` bits as bytes: whole bytes in the file's order, others packed from the highest bit.
pub fn pack_row(samples: &[u64], bits: usize, big_endian: bool) -> Vec<u8> {
    if bits.is_multiple_of(8) {
        let bytes = |sample: &u64| {
            let mut bytes = sample.to_le_bytes()[..bits / 8].to_vec();
            if big_endian {
                bytes.reverse();
            }
            bytes
        };
        return samples.iter().flat_map(bytes).collect();
    }
    let mut out = vec![0; (samples.len() * bits).div_ceil(8)];
    for (index, sample) in samples.iter().enumerate() {
        for bit in 0..bits {
            let at = index * bits + bit;
            out[at / 8] |= ((sample >> (bits - 1 - bit) & 1) as u8) << (7 - at % 8);
        }
    }
    out
}

/// A row of samples as their differences (predictor 2), in pixels of `step` samples.
pub fn differences(samples: &[u64], bits: usize, step: usize) -> Vec<u64> {
    let mask = u64::MAX >> (64 - bits);
    let before = |index: usize| if index < step { 0 } else { samples[index - step] };
    samples.iter().enumerate().map(|(index, sample)| sample.wrapping_sub(before(index)) & mask).collect()
}

/// A row of floating-point samples by predictor 3: planes of bytes, the most significant first, as differences.
pub fn float_differences(samples: &[u64], bits: usize, step: usize) -> Vec<u8> {
    let planes: Vec<u8> = (0..bits / 8).rev().flat_map(|byte| samples.iter().map(move |sample| (sample >> (8 * byte)) as u8)).collect();
    let before = |index: usize| if index < step { 0 } else { planes[index - step] };
    planes.iter().enumerate().map(|(index, byte)| byte.wrapping_sub(before(index))).collect()
}
