//! Prefix codes (RFC 9649, section 3.7.2): canonical codes, made from counts of symbols and stored as code lengths.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bits::Bits;

/// The longest code of a symbol, and of a code length, in bits.
const LONGEST: [u32; 2] = [15, 7];
/// The order in which the lengths of the code length code are written.
const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// A canonical prefix code.
#[derive(Debug)]
pub(super) struct PrefixCode {
    /// For each symbol, the length of its code in the lowest byte, and above it the bits of the code, the first one lowest.
    codes: Vec<u32>,
    /// The symbols that occur.
    used: Vec<u32>,
}

impl PrefixCode {
    /// The best code for symbols with these counts.
    pub fn new(counts: &[u32]) -> Self {
        Self::limited(counts, LONGEST[0])
    }

    #[inline(never)]
    fn limited(counts: &[u32], longest: u32) -> Self {
        let mut counts = counts.to_vec();
        let used: Vec<u32> = (0..).zip(&counts).filter(|(_, count)| **count > 0).map(|(symbol, _)| symbol).collect();
        // Only a symbol that fits into a byte can be the only one of a code. Any other gets a second symbol beside it.
        if let [symbol] = used.as_slice()
            && *symbol > 255
        {
            counts[0] = 1;
        }
        let lengths = lengths(&counts, longest);
        let (mut codes, mut next) = (vec![0; counts.len()], 0_u16);
        for length in 1..=longest {
            for (code, _) in codes.iter_mut().zip(&lengths).filter(|(_, of)| **of == length) {
                *code = u32::from(next.reverse_bits() >> (16 - length)) << 8 | length;
                next += 1;
            }
            next <<= 1;
        }
        Self { codes, used }
    }

    /// The bits of a symbol's code, and their number.
    #[inline(always)]
    pub fn of(&self, symbol: usize) -> (u64, u32) {
        let code = self.codes[symbol];
        (u64::from(code >> 8), code & 0xFF)
    }

    fn lengths(&self) -> impl Iterator<Item = u8> {
        self.codes.iter().map(|code| *code as u8)
    }

    /// Bits that all symbols take, if they occur as often as counted.
    pub fn cost(&self, counts: &[u32]) -> u64 {
        self.lengths().zip(counts).map(|(length, count)| u64::from(length) * u64::from(*count)).sum()
    }

    /// Writes the code lengths.
    #[inline(never)]
    pub fn write(&self, bits: &mut Bits) {
        match self.used.as_slice() {
            [] => simple(&[0], bits),
            [one] if *one < 256 => simple(&[*one], bits),
            [one, other] if *other < 256 => simple(&[*one, *other], bits),
            _ => self.write_normal(bits),
        }
    }

    fn write_normal(&self, bits: &mut Bits) {
        let runs = runs(self.lengths());
        let mut counts = [0; 19];
        runs.iter().for_each(|(symbol, ..)| counts[*symbol] += 1);
        // A symbol that is the only one would have a code of no bits, and a length of 0 cannot be written.
        if counts.iter().filter(|count| **count > 0).count() == 1 {
            counts.iter_mut().take(2).for_each(|count| *count += 1);
        }
        let code = Self::limited(&counts, LONGEST[1]);
        bits.put(0, 1);
        bits.put(19 - 4, 4);
        ORDER.iter().for_each(|symbol| bits.put(code.of(*symbol).1.into(), 3));
        // The lengths of all symbols are written.
        bits.put(0, 1);
        for (symbol, extra, width) in runs {
            let (value, count) = code.of(symbol);
            bits.put(value, count);
            bits.put(extra, width);
        }
    }
}

/// A simple code length code: one symbol, which takes no bits, or two symbols of one bit each.
fn simple(symbols: &[u32], bits: &mut Bits) {
    bits.put(1, 1);
    bits.put(symbols.len() as u64 - 1, 1);
    bits.put(1, 1);
    symbols.iter().for_each(|symbol| bits.put((*symbol).into(), 8));
}

/// Lengths in the alphabet of code lengths: a length, or 16 for repeating the last one, or 17 and 18 for zeros. Each comes with its extra bits, and their
/// number.
fn runs(lengths: impl Iterator<Item = u8>) -> Vec<(usize, u64, u32)> {
    let lengths: Vec<u8> = lengths.collect();
    let mut runs = Vec::new();
    // The length that 16 repeats if no length has come before it.
    let mut last = 8;
    for run in lengths.chunk_by(|one, other| one == other) {
        let (length, mut left) = (run[0], run.len());
        if length > 0 && length != last {
            runs.push((length.into(), 0, 0));
            (last, left) = (length, left - 1);
        }
        while left > 0 {
            let (symbol, least, most, width) = match (length, left) {
                (_, ..3) => (usize::from(length), 1, 1, 0),
                (1.., _) => (16, 3, 6, 2),
                (0, ..11) => (17, 3, 10, 3),
                (0, _) => (18, 11, 138, 7),
            };
            let taken = left.min(most);
            runs.push((symbol, (taken - least) as u64, width));
            left -= taken;
        }
    }
    runs
}

/// Huffman code lengths, none above `longest`. The length of a single symbol is 0.
fn lengths(counts: &[u32], longest: u32) -> Vec<u32> {
    // Symbols so rare that their codes would have more than 16 bits need not be distinguished by their counts.
    let all: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let mut floor = (all >> 16).max(1);
    loop {
        let lengths = depths(counts, floor);
        if lengths.iter().all(|length| *length <= longest) {
            return lengths;
        }
        // Rare symbols are counted as more frequent, until no code is too long.
        floor *= 2;
    }
}

/// Depths in Huffman's tree. Counts below `floor` are raised to it.
fn depths(counts: &[u32], floor: u64) -> Vec<u32> {
    let symbols = counts.iter().zip(0_usize..).filter(|(count, _)| **count > 0);
    let mut trees: BinaryHeap<_> = symbols.map(|(count, symbol)| (Reverse(u64::from(*count).max(floor)), symbol)).collect();
    let mut parents = vec![usize::MAX; counts.len()];
    while let (Some((Reverse(one), left)), Some((Reverse(other), right))) = (trees.pop(), trees.pop()) {
        let node = parents.len();
        (parents[left], parents[right]) = (node, node);
        parents.push(usize::MAX);
        trees.push((Reverse(one + other), node));
        if trees.len() == 1 {
            break;
        }
    }
    // A parent has a higher number than its children.
    let mut depths = vec![0; parents.len()];
    for node in (0..parents.len()).rev() {
        if let Some(above) = depths.get(parents[node]) {
            depths[node] = above + 1;
        }
    }
    depths.truncate(counts.len());
    depths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_complete_and_none_is_too_long() {
        let fibonacci: Vec<u32> = (0..40)
            .scan((1, 1), |(one, other), _| {
                (*one, *other) = (*other, *one + *other);
                Some(*one)
            })
            .collect();
        let cases = [fibonacci, vec![1; 280], vec![1, 0, 0, u32::MAX], (0..256).map(|symbol| 1 << (symbol % 32)).collect()];
        for counts in &cases {
            for longest in LONGEST {
                if counts.len() > 1 << longest {
                    continue;
                }
                let lengths = lengths(counts, longest);
                assert!(lengths.iter().all(|length| *length <= longest));
                assert!(lengths.iter().zip(counts).all(|(length, count)| (*length > 0) == (*count > 0)));
                let kraft: u32 = lengths.iter().filter(|length| **length > 0).map(|length| 1 << (longest - length)).sum();
                assert_eq!(kraft, 1 << longest, "{lengths:?}");
            }
        }
    }

    #[test]
    fn frequent_symbols_have_short_codes() {
        let code = PrefixCode::new(&[100, 50, 0, 20, 10]);
        let of = |symbol| code.of(symbol);
        assert_eq!([of(0), of(1), of(3), of(4)], [(0b0, 1), (0b01, 2), (0b011, 3), (0b111, 3)]);
        assert_eq!(code.cost(&[100, 50, 0, 20, 10]), 100 + 100 + 60 + 30);
    }

    #[test]
    fn lengths_are_told_in_runs() {
        let lengths = [vec![8; 3], vec![0; 12], vec![5; 9], vec![0; 2], vec![5; 3]].concat();
        let told = [(16, 0, 2), (18, 1, 7), (5, 0, 0), (16, 3, 2), (5, 0, 0), (5, 0, 0), (0, 0, 0), (0, 0, 0), (16, 0, 2)];
        assert_eq!(runs(lengths.into_iter()), told);
    }
}
