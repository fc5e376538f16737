//! The progressive process, block by block (T.81, G.1.2 and G.2): spectral bands of coefficients, and one bit more of them a scan.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel: positions are masked to 63")]

use super::bits::BitReader;
use super::kept::Slots;
use super::lookup::Lookup;

/// Which coefficients a scan of AC coefficients tells of (`first` to `last` in zigzag order), and down to which bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpectralBand {
    pub first: u32,
    pub last: u32,
    pub low: u32,
}

/// What one block is to be told: its coefficients, where each of them is, and which of them are not zero (bits in zigzag order).
pub(super) struct Target<'a> {
    pub coefficients: &'a mut [i16],
    pub slots: &'a Slots,
    pub present: &'a mut u64,
    /// Whether anyone will look at the coefficients. Which are zero matters always: later scans are read by it.
    pub kept: bool,
}

impl Target<'_> {
    /// The `k`th coefficient in zigzag order.
    #[inline(always)]
    fn coefficient(&mut self, k: u32) -> &mut i16 {
        &mut self.coefficients[usize::from(self.slots[k as usize & 63])]
    }
}

/// A first scan of AC coefficients (G.1.2.2). `run` is how many blocks are yet to be without further ones.
#[inline(never)]
pub(super) fn ac_first(bits: &mut BitReader<'_>, lookup: &Lookup, band: SpectralBand, run: &mut u32, target: &mut Target<'_>) {
    if *run > 0 {
        *run -= 1;
        return;
    }
    let mut k = band.first;
    while k <= band.last {
        let (zeros, size, value) = next(bits, lookup);
        if size == 0 {
            if zeros == 15 {
                k += 16;
                continue;
            }
            *run = end_of_bands(bits, zeros) - 1;
            break;
        }
        k = (k + zeros).min(63);
        *target.coefficient(k) = (value << band.low) as i16;
        *target.present |= 1 << k;
        k += 1;
    }
}

/// A further scan of AC coefficients (G.1.2.3): new ones of one bit, and a bit of correction for each that is there already.
#[inline(never)]
pub(super) fn ac_refine(bits: &mut BitReader<'_>, lookup: &Lookup, band: SpectralBand, run: &mut u32, target: &mut Target<'_>) {
    let mut k = band.first;
    if *run == 0 {
        while k <= band.last {
            let (mut zeros, size, value) = next(bits, lookup);
            if size == 0 && zeros != 15 {
                *run = end_of_bands(bits, zeros);
                break;
            }
            bits.invalid |= size > 1;
            // Over as many zeros as the run tells, and over all others on the way.
            while k <= band.last {
                if *target.present >> k & 1 != 0 {
                    correct(bits, band.low, k, target);
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if size != 0 && k <= band.last {
                *target.coefficient(k) = (value << band.low) as i16;
                *target.present |= 1 << (k & 63);
            }
            k += 1;
        }
    }
    if *run > 0 {
        *run -= 1;
        correct_all(bits, band, k, target);
    }
}

/// The next symbol with its value: zeros before it, size, value.
#[inline(always)]
fn next(bits: &mut BitReader<'_>, lookup: &Lookup) -> (u32, u32, i32) {
    bits.ensure();
    let (whole, entry) = lookup.fast(bits);
    if whole {
        bits.skip(entry & 31);
        // Here the size only tells that there is a value; one of a size over one bit is over 1.
        let value = (entry as i32) >> 16;
        return ((entry >> 8) & 15, if value.unsigned_abs() > 1 { 2 } else { 1 }, value);
    }
    let found = lookup.coefficient_slowly(bits, entry, true);
    (found.run, found.size, found.value)
}

/// EOBn: for how many blocks, this one included, nothing more comes.
#[inline(always)]
fn end_of_bands(bits: &mut BitReader<'_>, size: u32) -> u32 {
    bits.ensure();
    (1 << size) + bits.take(size)
}

#[inline(always)]
fn correct(bits: &mut BitReader<'_>, low: u32, k: u32, target: &mut Target<'_>) {
    if bits.take_bit() {
        let value = target.coefficient(k);
        if *value & (1 << low) == 0 {
            *value = value.wrapping_add(if *value < 0 { -1 << low } else { 1 << low });
        }
    }
}

/// Corrections for all that are there from the `k`th coefficient on.
#[inline(always)]
fn correct_all(bits: &mut BitReader<'_>, band: SpectralBand, k: u32, target: &mut Target<'_>) {
    if k > band.last {
        return;
    }
    let mut rest = *target.present & (u64::MAX << k) & (u64::MAX >> (63 - band.last));
    if !target.kept {
        let mut count = rest.count_ones();
        while count > 0 {
            bits.ensure();
            let part = count.min(16);
            bits.skip(part);
            count -= part;
        }
        return;
    }
    while rest != 0 {
        correct(bits, band.low, rest.trailing_zeros(), target);
        rest &= rest - 1;
    }
}
