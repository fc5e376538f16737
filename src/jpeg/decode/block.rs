//! One block: its coefficients out of the bits (T.81, F.2.2), and its samples into a plane.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "a hot kernel on arrays of fixed size")]

use super::bits::BitReader;
use super::idct::{self, Coefficients};
use super::lookup::{Coefficient, Lookup};
use crate::jpeg::plane::Plane;
use crate::jpeg::quantization::QuantizationTable;
use crate::jpeg::zigzag::NATURAL;

/// For each zigzag position its row-major place (lower 8 bits) and quantization step. A run that is too long ends at the last place, as in libjpeg.
#[derive(Debug, Clone)]
pub(super) struct Steps(Box<[u32; 256]>);

impl Steps {
    /// From a table in row-major order.
    pub fn new(table: &QuantizationTable) -> Self {
        let place = |k: usize| usize::from(NATURAL.get(k).copied().unwrap_or(63) & 63);
        Self(Box::new(std::array::from_fn(|k| u32::from(table[place(k)]) << 8 | place(k) as u32)))
    }

    /// A value at its place, dequantized.
    #[inline(always)]
    pub fn dequantize(&self, k: u32, value: i32) -> (usize, i16) {
        let step = self.0[k as usize & 255];
        (step as usize & 63, (step >> 8).wrapping_mul(value as u32) as i16)
    }
}

/// Takes the AC coefficients of a block; whether any was not zero. `block` must be all zeros.
#[inline(always)]
pub(super) fn read_ac(bits: &mut BitReader<'_>, lookup: &Lookup, steps: &Steps, block: &mut Coefficients) -> bool {
    let mut reading = Reading { lookup, steps, block, k: 1, seen: 0 };
    while reading.k < 64 {
        bits.fill();
        if let Some(entry) = reading.look(bits) {
            let Coefficient { run, size, value } = lookup.coefficient_slowly(bits, entry, true);
            if size == 0 && run != 15 {
                break;
            }
            reading.set(run, value);
            continue;
        }
        // There are enough for four more.
        for _ in 0..4 {
            if reading.k >= 64 || reading.look(bits).is_some() {
                break;
            }
        }
    }
    reading.seen != 0
}

/// A block on its way.
struct Reading<'a> {
    lookup: &'a Lookup,
    steps: &'a Steps,
    block: &'a mut Coefficients,
    /// The next coefficient in zigzag order; 64 or more behind the last.
    k: u32,
    /// The bits of all values.
    seen: i32,
}

impl Reading<'_> {
    /// Takes a symbol with its value if a look shows both; else what it shows.
    #[inline(always)]
    fn look(&mut self, bits: &mut BitReader<'_>) -> Option<u32> {
        let (whole, entry) = self.lookup.faster(bits);
        if !whole {
            return Some(entry);
        }
        bits.skip(entry & 31);
        self.set((entry >> 8) & 127, (entry as i32) >> 16);
        None
    }

    /// A value behind a run of zeros. That of a symbol without one is 0, and changes nothing: no place comes twice, but the last, behind which nothing does.
    #[inline(always)]
    fn set(&mut self, run: u32, value: i32) {
        let (place, dequantized) = self.steps.dequantize(self.k + run, value);
        self.block[place] = dequantized;
        self.seen |= value;
        self.k += run + 1;
    }
}

/// Makes the samples of a block, `size` a side, at a place in a plane. `block` is all zeros afterwards.
#[inline(never)]
pub(super) fn put(block: &mut Coefficients, any: bool, plane: &mut Plane, x: usize, y: usize, size: usize) {
    let stride = plane.stride;
    let out = &mut plane.data[y * stride + x..];
    if !any || size == 1 {
        let mean = idct::mean(block[0]);
        block[0] = 0;
        // Each of a size that the compiler knows: to fill so few samples by a call takes longer than to store them.
        match size {
            8 => rows(out, stride, [[mean; 8]; 8]),
            4 => rows(out, stride, [[mean; 4]; 4]),
            2 => rows(out, stride, [[mean; 2]; 2]),
            _ => rows(out, stride, [[mean]]),
        }
        return;
    }
    match size {
        8 => rows(out, stride, idct::full(block)),
        4 => rows(out, stride, idct::half(block)),
        _ => rows(out, stride, idct::quarter(block)),
    }
    *block = [0; 64];
}

#[inline(always)]
fn rows<const N: usize>(out: &mut [u8], stride: usize, samples: [[u8; N]; N]) {
    let out = &mut out[..(N - 1) * stride + N];
    for (y, row) in samples.iter().enumerate() {
        out[y * stride..][..N].copy_from_slice(row);
    }
}
