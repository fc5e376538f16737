//! Huffman coding of a block (T.81, F.1.2): the difference of its DC coefficient, then the runs of its AC coefficients.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel on tables of fixed size")]

use super::bits::BitWriter;
use super::fdct::Block;
use crate::jpeg::huffman::HuffmanSpec;
use crate::jpeg::zigzag::{NATURAL, ZIGZAG};

/// Where the symbols of a scan go: into bits, or into a list that tables are made from first.
pub(super) trait Sink {
    /// A symbol of the component's DC or AC table with the `size` bits that follow its code.
    fn symbol<const AC: bool>(&mut self, chroma: bool, symbol: u8, bits: u32);
}

/// The codes of the four tables of a scan, each shifted left by the size of the bits that follow, the length of both in the five lowest bits.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    dc: [[u32; 16]; 2],
    ac: [[u32; 256]; 2],
}

impl Codes {
    /// From the tables for luminance and chrominance, DC and AC of each.
    pub fn new(specs: &[[HuffmanSpec; 2]; 2]) -> Self {
        let mut codes = Self { dc: [[0; 16]; 2], ac: [[0; 256]; 2] };
        for (class, [dc, ac]) in specs.iter().enumerate() {
            for (symbol, code) in dc.codes() {
                codes.dc[class][usize::from(symbol & 15)] = entry(symbol, code);
            }
            for (symbol, code) in ac.codes() {
                codes.ac[class][usize::from(symbol)] = entry(symbol & 15, code);
            }
        }
        codes
    }
}

impl Codes {
    /// Bits of a symbol and of what follows it.
    pub fn length(&self, chroma: bool, ac: bool, symbol: u8) -> usize {
        let class = usize::from(chroma);
        let entry = if ac { self.ac[class][usize::from(symbol)] } else { self.dc[class][usize::from(symbol & 15)] };
        (entry & 31) as usize
    }
}

fn entry(size: u8, code: crate::jpeg::huffman::Code) -> u32 {
    let size = u32::from(size & 15);
    // Sizes are 11 at most, of DC coefficients: even the longest codes leave room for the length.
    ((u32::from(code.code) << size) << 5) | (u32::from(code.length) + size)
}

/// Codes go straight into bits.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    pub bits: &'a mut BitWriter,
    pub codes: &'a Codes,
}

impl Sink for Writing<'_> {
    #[inline(always)]
    fn symbol<const AC: bool>(&mut self, chroma: bool, symbol: u8, bits: u32) {
        let class = usize::from(chroma);
        let entry = if AC { self.codes.ac[class][usize::from(symbol)] } else { self.codes.dc[class][usize::from(symbol & 15)] };
        self.bits.put((entry >> 5) | bits, entry & 31);
    }
}

/// For each row of a block and each set of places in it, the zigzag positions of these places.
pub(super) type Positions = [[u64; 256]; 8];

/// Sixteen kilobytes that save the reordering of every block.
pub(super) fn positions() -> Box<Positions> {
    let mut positions = Box::new([[0; 256]; 8]);
    for (y, row) in positions.iter_mut().enumerate() {
        for set in 1..256_usize {
            row[set] = row[set & (set - 1)] | 1 << ZIGZAG[y * 8 + set.trailing_zeros() as usize];
        }
    }
    positions
}

/// Codes a block whose nonzero coefficients are `present` (bits in row-major order); `prediction` is the DC coefficient before it and becomes its own.
#[inline(never)]
pub(super) fn code_block(sink: &mut impl Sink, chroma: bool, block: &Block, present: u64, positions: &Positions, prediction: &mut i16) {
    let difference = i32::from(block[0]) - i32::from(*prediction);
    *prediction = block[0];
    let (size, bits) = magnitude(difference);
    sink.symbol::<false>(chroma, size as u8, bits);
    let mut rest = 0;
    for (y, sets) in positions.iter().enumerate() {
        rest |= sets[(present >> (y * 8)) as usize & 255];
    }
    rest &= !1;
    let mut last = 0;
    while rest != 0 {
        let k = rest.trailing_zeros();
        rest &= rest - 1;
        let mut run = k - last - 1;
        last = k;
        while run > 15 {
            sink.symbol::<true>(chroma, 0xF0, 0);
            run -= 16;
        }
        let (size, bits) = magnitude(block[usize::from(NATURAL[k as usize]) & 63].into());
        sink.symbol::<true>(chroma, (run << 4 | size) as u8, bits);
    }
    if last < 63 {
        sink.symbol::<true>(chroma, 0, 0);
    }
}

/// A block of the padding: the DC coefficient before it again, and nothing else.
pub(super) fn code_padding(sink: &mut impl Sink, chroma: bool) {
    sink.symbol::<false>(chroma, 0, 0);
    sink.symbol::<true>(chroma, 0, 0);
}

/// The size category of a value, and the bits that tell it from others of that size (tables F.1 and F.2).
#[inline(always)]
pub(super) fn magnitude(value: i32) -> (u32, u32) {
    let size = 32 - value.unsigned_abs().leading_zeros();
    (size, (value - i32::from(value < 0)) as u32 & ((1 << size) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_bits_are_those_of_the_tables() {
        let expected = [(0, (0, 0)), (1, (1, 1)), (-1, (1, 0)), (2, (2, 2)), (-3, (2, 0)), (-2, (2, 1)), (1023, (10, 1023)), (-1024, (11, 1023))];
        for (value, found) in expected {
            assert_eq!(magnitude(value), found, "{value}");
        }
    }

    /// Symbols as they come.
    struct Listing(Vec<(bool, u8, u32)>);

    impl Sink for Listing {
        fn symbol<const AC: bool>(&mut self, _: bool, symbol: u8, bits: u32) {
            self.0.push((AC, symbol, bits));
        }
    }

    #[test]
    fn runs_are_counted_in_zigzag_order() {
        let mut block = [0; 64];
        block[0] = 5;
        block[8] = -1;
        block[usize::from(NATURAL[20])] = 3;
        let present = 1 | 1 << 8 | 1 << NATURAL[20];
        let mut list = Listing(Vec::new());
        let mut prediction = 7;
        code_block(&mut list, false, &block, present, &positions(), &mut prediction);
        assert_eq!(list.0, [(false, 2, 1), (true, 0x11, 0), (true, 0xF0, 0), (true, 0x12, 3), (true, 0, 0)]);
        assert_eq!(prediction, 5);
        block[63] = 1;
        list.0.clear();
        code_block(&mut list, false, &block, present | 1 << 63, &positions(), &mut prediction);
        assert_eq!(list.0[list.0.len() - 3..], [(true, 0xF0, 0), (true, 0xF0, 0), (true, 0xA1, 1)]);
    }
}
