//! The look-up tables of a pair of Huffman tables. The chunks of a TIFF share theirs, and most files have the standard's: the last ones are kept.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::bits::BitReader;
use super::lookup::Lookup;
use super::skip::SkipLookup;
use crate::jpeg::huffman::HuffmanSpec;

/// Blocks from which on a table that skips many symbols at once is worth its making.
const MANY: usize = 1024;

/// Pairs that are kept, of 33 kB each.
const KEPT: usize = 8;

thread_local! {
    /// The one that was used last is the first.
    static LAST: RefCell<Vec<Arc<Coding>>> = const { RefCell::new(Vec::new()) };
}

/// The tables that blocks are coded by.
#[derive(Debug)]
pub(super) struct Coding {
    /// Of DC and AC.
    specs: (HuffmanSpec, HuffmanSpec),
    pub dc: Lookup,
    pub ac: Lookup,
    /// Blocks that were passed over.
    passed: AtomicUsize,
    /// Only once they were many.
    skip: OnceLock<SkipLookup>,
}

impl Coding {
    /// That of tables of DC and AC symbols: if it is not kept it is made.
    pub fn of(specs: (HuffmanSpec, HuffmanSpec)) -> Arc<Self> {
        LAST.with_borrow_mut(|last| {
            let known = last.iter().position(|coding| coding.specs == specs).map(|place| last.remove(place));
            let coding = known.unwrap_or_else(|| {
                let (dc, ac) = (Lookup::new(&specs.0, false), Lookup::new(&specs.1, true));
                Arc::new(Self { specs, dc, ac, passed: AtomicUsize::new(0), skip: OnceLock::new() })
            });
            last.insert(0, coding.clone());
            last.truncate(KEPT);
            coding
        })
    }

    /// So many blocks are going to be passed over.
    pub fn expect(&self, blocks: usize) {
        if self.skip.get().is_none() && self.passed.fetch_add(blocks.min(MANY), Ordering::Relaxed).saturating_add(blocks) >= MANY {
            self.skip.get_or_init(|| SkipLookup::new(&self.specs.0, &self.specs.1));
        }
    }

    /// Takes the DC difference of a block.
    #[inline(always)]
    pub fn difference(&self, bits: &mut BitReader<'_>) -> i16 {
        bits.ensure();
        wrapped(self.dc.difference(bits))
    }

    /// Passes over a block; its DC difference.
    #[inline(always)]
    pub fn pass_over(&self, bits: &mut BitReader<'_>) -> i16 {
        match self.skip.get() {
            Some(skip) => wrapped(skip.block(bits, &self.dc, &self.ac)),
            None => self.pass_over_slowly(bits, 1),
        }
    }

    /// Passes over so many blocks; the sum of their DC differences.
    #[inline(always)]
    pub fn pass_over_all(&self, bits: &mut BitReader<'_>, count: usize) -> i16 {
        match self.skip.get() {
            Some(skip) => wrapped(skip.blocks(bits, &self.dc, &self.ac, count)),
            None => self.pass_over_slowly(bits, count),
        }
    }

    /// The same without the table for it.
    #[inline(never)]
    pub fn pass_over_slowly(&self, bits: &mut BitReader<'_>, count: usize) -> i16 {
        (0..count).fold(0, |sum: i16, _| {
            let difference = self.difference(bits);
            self.ac.skip(bits);
            sum.wrapping_add(difference)
        })
    }
}

/// DC coefficients wrap at 16 bits.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "it is what wraps")]
fn wrapped(difference: i32) -> i16 {
    difference as i16
}

#[cfg(test)]
mod tests {
    use super::super::bits::BitPosition;
    use super::super::skip::tests::noise;
    use super::*;

    #[test]
    fn tables_are_kept_while_others_are_few() {
        let spec = |symbol: u8| (HuffmanSpec::luminance_dc(), HuffmanSpec::new([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[symbol]).unwrap());
        let first = Coding::of(spec(0));
        let others: Vec<Arc<Coding>> = (1..KEPT as u8).map(|symbol| Coding::of(spec(symbol))).collect();
        assert!(Arc::ptr_eq(&first, &Coding::of(spec(0))));
        assert!(others.iter().all(|other| !Arc::ptr_eq(&first, other)));
        // It was used last, so another one goes.
        let one_more = Coding::of(spec(KEPT as u8));
        assert!(Arc::ptr_eq(&first, &Coding::of(spec(0))) && Arc::ptr_eq(&one_more, &Coding::of(spec(KEPT as u8))));
        assert!(!Arc::ptr_eq(&others[0], &Coding::of(spec(1))));
    }

    #[test]
    fn blocks_are_passed_over_alike_with_the_table_and_without() {
        let coding = Coding::of((HuffmanSpec::chrominance_dc(), HuffmanSpec::chrominance_ac()));
        let data = noise(5);
        let (mut slow, mut fast) = (BitReader::new(&data, BitPosition { byte: 0, bit: 0 }), BitReader::new(&data, BitPosition { byte: 0, bit: 0 }));
        let sums: Vec<i16> = (0..20).map(|_| coding.pass_over_all(&mut slow, 3)).collect();
        coding.expect(MANY / 2);
        coding.expect(MANY / 2 - 1);
        assert!(coding.skip.get().is_none());
        coding.expect(1);
        assert!(coding.skip.get().is_some());
        assert_eq!(sums, (0..20).map(|_| coding.pass_over_all(&mut fast, 3)).collect::<Vec<i16>>());
        assert_eq!(slow.position(), fast.position());
    }
}
