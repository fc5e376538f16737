//! The progressive process, block by block (T.81, G.1.2 and G.2): spectral selection, by bands of coefficients, and successive approximation, by one more bit
//! of them in each scan.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel: positions are masked to 63")]

use super::bits::BitReader;
use super::kept::Slots;
use super::lookup::Lookup;

/// The AC coefficients that a scan codes (`first` to `last` in zigzag order), and the lowest bit of them that it codes (Al).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpectralBand {
    pub first: u32,
    pub last: u32,
    pub low: u32,
}

/// The block that is updated: its coefficients, the slot of each of them, and which of them are nonzero (bits in zigzag order).
pub(super) struct Target<'a> {
    pub coefficients: &'a mut [i16],
    pub slots: &'a Slots,
    pub present: &'a mut u64,
    /// Whether the values of the coefficients will be used. Which of them are nonzero always matters: later scans cannot be read without it.
    pub kept: bool,
}

impl Target<'_> {
    /// The `k`th coefficient in zigzag order.
    #[inline(always)]
    fn coefficient(&mut self, k: u32) -> &mut i16 {
        &mut self.coefficients[usize::from(self.slots[k as usize & 63])]
    }
}

/// Reads a block in a first scan of AC coefficients (G.1.2.2). `run` is the number of blocks that follow without coefficients in this band (EOBRUN).
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

/// Reads a block in a refinement scan of AC coefficients (G.1.2.3): new coefficients of one bit, and a correction bit for each that is nonzero already.
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
            // Passes as many zero coefficients as the run says. Each nonzero one on the way has a correction bit.
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

/// The next symbol with its value: the number of zeros before the coefficient, its size, its value.
#[inline(always)]
fn next(bits: &mut BitReader<'_>, lookup: &Lookup) -> (u32, u32, i32) {
    bits.ensure();
    let (whole, entry) = lookup.fast(bits);
    if whole {
        bits.skip(entry & 31);
        // The size that is returned here only says whether the value has more than one bit: then its magnitude is more than 1.
        let value = (entry as i32) >> 16;
        return ((entry >> 8) & 15, if value.unsigned_abs() > 1 { 2 } else { 1 }, value);
    }
    let found = lookup.coefficient_slowly(bits, entry, true);
    (found.run, found.size, found.value)
}

/// An EOBn code: for how many blocks, including this one, no coefficients follow in the band.
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

/// Reads the correction bits of all nonzero coefficients from the `k`th on.
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
