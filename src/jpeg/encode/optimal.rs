//! Huffman tables made for the symbols of one image (T.81, K.2), as libjpeg's `jpeg_gen_optimal_table` does, ties included.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "every index is a symbol, of which there are 257"
)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::entropy::{Codes, Sink, Writing};
use crate::jpeg::huffman::HuffmanSpec;

/// The symbols of a scan, kept until their tables are known.
#[derive(Debug)]
pub(super) struct Listing {
    /// Bits that follow in the lower half, symbol above; then AC, chroma, and a restart instead of a symbol. In parts of one length: growing a single list
    /// would take up to three times its memory.
    full: Vec<Box<Part>>,
    part: Box<Part>,
    /// Symbols in the last part.
    length: usize,
    frequencies: Box<[[[u32; 257]; 2]; 2]>,
}

/// Symbols in a part of the list.
const PART: usize = 8 << 10;
type Part = [u32; PART];
const AC: u32 = 1 << 24;
const CHROMA: u32 = 1 << 25;
const RESTART: u32 = 1 << 26;

impl Listing {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { full: Vec::new(), part: Self::empty(), length: 0, frequencies: Box::new([[[0; 257]; 2]; 2]) }
    }

    fn empty() -> Box<Part> {
        // An array would be made on the stack.
        vec![0; PART].try_into().unwrap_or_else(|_| Box::new([0; PART]))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.full.len() * PART + self.length
    }

    #[inline(always)]
    fn push(&mut self, entry: u32) {
        // One comparison for each symbol: there are about three for each byte of a file.
        match self.part.get_mut(self.length) {
            Some(place) => {
                *place = entry;
                self.length += 1;
            }
            None => self.begin_part(entry),
        }
    }

    #[cold]
    #[inline(never)]
    fn begin_part(&mut self, entry: u32) {
        self.full.push(std::mem::replace(&mut self.part, Self::empty()));
        self.part[0] = entry;
        self.length = 1;
    }

    fn symbols(&self) -> impl Iterator<Item = &u32> {
        self.full.iter().flat_map(|part| part.iter()).chain(&self.part[..self.length])
    }

    /// About how many bytes they take in bits.
    pub fn coded_bytes(&self, codes: &Codes) -> usize {
        let bits = |chroma: bool, ac: bool| {
            let frequencies = &self.frequencies[usize::from(chroma)][usize::from(ac)];
            let of = |symbol: u8| frequencies[usize::from(symbol)] as usize * codes.length(chroma, ac, symbol);
            (0..if ac { 256 } else { 16 }).map(|symbol| of(symbol as u8)).sum::<usize>()
        };
        let bits = bits(false, false) + bits(false, true) + bits(true, false) + bits(true, true);
        // Zero bytes are stuffed behind bytes of ones.
        bits / 8 + bits / 8 / 64
    }

    /// A restart marker belongs here.
    pub fn restart(&mut self) {
        self.push(RESTART);
    }

    /// The best tables, for luminance and chrominance, DC and AC of each.
    pub fn specs(&self) -> [[HuffmanSpec; 2]; 2] {
        self.frequencies.each_ref().map(|class| class.each_ref().map(optimal))
    }

    /// Gives all symbols to `sink`, in their order; `restart` is called where one belongs.
    pub fn replay(&self, sink: &mut Writing<'_>, mut restart: impl FnMut(&mut Writing<'_>)) {
        for entry in self.symbols() {
            let (symbol, bits) = ((entry >> 16) as u8, entry & 0xFFFF);
            match (entry & RESTART != 0, entry & AC != 0) {
                (true, _) => restart(sink),
                (_, true) => sink.symbol::<true>(entry & CHROMA != 0, symbol, bits),
                (_, false) => sink.symbol::<false>(entry & CHROMA != 0, symbol, bits),
            }
        }
    }
}

impl Sink for Listing {
    #[inline(always)]
    fn symbol<const IS_AC: bool>(&mut self, chroma: bool, symbol: u8, bits: u32) {
        self.frequencies[usize::from(chroma)][usize::from(IS_AC)][usize::from(symbol)] += 1;
        self.push(bits | u32::from(symbol) << 16 | if IS_AC { AC } else { 0 } | if chroma { CHROMA } else { 0 });
    }
}

/// The best code of at most 16 bits in which no code is all ones.
fn optimal(frequencies: &[u32; 257]) -> HuffmanSpec {
    // The symbol that never comes takes the code of all ones.
    let weights = frequencies.iter().take(256).chain([&1]).zip(0_usize..).filter(|(weight, _)| **weight > 0);
    // The least weight first, the later symbol where they are equal.
    let mut trees: BinaryHeap<_> = weights.map(|(weight, symbol)| (Reverse(u64::from(*weight)), symbol)).collect();
    let mut lengths = [0_usize; 257];
    let mut next = [usize::MAX; 257];
    // Two least weights join until one tree is left.
    while let (Some((Reverse(weight), first)), Some((Reverse(other), second))) = (trees.pop(), trees.pop()) {
        trees.push((Reverse(weight + other), first));
        let last = lengthen(first, &mut lengths, &next);
        next[last] = second;
        lengthen(second, &mut lengths, &next);
    }
    let mut counts = [0_usize; 258];
    lengths.iter().filter(|length| **length > 0).for_each(|length| counts[*length] += 1);
    // Pairs of too long codes: one takes their prefix's place, the other goes beside the next shorter one (figure K.3).
    for length in (17..counts.len()).rev() {
        while counts[length] > 0 {
            let shorter = (1..length - 1).rev().find(|shorter| counts[*shorter] > 0).unwrap_or(1);
            counts[length] -= 2;
            counts[length - 1] += 1;
            counts[shorter + 1] += 2;
            counts[shorter] -= 1;
        }
    }
    // The one that never comes has the longest.
    if let Some(longest) = (1..=16).rev().find(|length| counts[*length] > 0) {
        counts[longest] -= 1;
    }
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let symbols = (1..=longest).flat_map(|length| (0..=255).filter(move |symbol| lengths[usize::from(*symbol)] == length)).collect();
    HuffmanSpec { counts: std::array::from_fn(|index| counts[index + 1] as u8), symbols }
}

/// One bit more for all symbols of a tree; its last one.
fn lengthen(mut symbol: usize, lengths: &mut [usize; 257], next: &[usize; 257]) -> usize {
    lengths[symbol] += 1;
    while next[symbol] != usize::MAX {
        symbol = next[symbol];
        lengths[symbol] += 1;
    }
    symbol
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_symbols_have_short_codes_and_none_is_all_ones() {
        let mut frequencies = [0; 257];
        frequencies[3] = 100;
        frequencies[7] = 50;
        frequencies[200] = 1;
        let spec = optimal(&frequencies);
        assert_eq!(spec.symbols, [3, 7, 200]);
        assert_eq!(spec.counts[..4], [1, 1, 1, 0]);
        frequencies = [0; 257];
        frequencies[9] = 5;
        assert_eq!(optimal(&frequencies).counts[0], 1);
    }

    #[test]
    fn no_code_is_longer_than_sixteen_bits() {
        let mut frequencies = [0; 257];
        let (mut a, mut b) = (1_u32, 1_u32);
        for frequency in frequencies.iter_mut().take(40) {
            *frequency = a;
            (a, b) = (b, a + b);
        }
        let spec = optimal(&frequencies);
        assert_eq!(spec.symbols.len(), 40);
        assert!(HuffmanSpec::new(spec.counts, &spec.symbols).is_some());
        let kraft: u32 = spec.counts.iter().zip(1..).map(|(count, length)| u32::from(*count) << (16 - length)).sum();
        assert!(kraft < 1 << 16);
    }

    #[test]
    fn no_symbols_make_an_empty_table() {
        let spec = optimal(&[0; 257]);
        assert!(spec.symbols.is_empty());
        assert_eq!(spec.counts, [0; 16]);
    }
}
