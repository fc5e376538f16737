//! Lossless WebP (RFC 9649), written row by row: no library does that, for a file begins with its length.
//!
//! All rows come twice. In the first pass their symbols are counted; then the prefix codes, of which there is one set for the whole image, are known, and with
//! them the length of the file to the bit. In the second pass symbols are written. What is counted at the same time, in several ways, is written in the one that
//! takes the least bits: with predicted pixels for photographs, without for maps and charts, with and without a color cache. Of bitonal pixels eight are one.

mod bits;
mod predictor;
mod prefix;
mod symbols;
#[cfg(test)]
mod tests;

use bits::Bits;
use predictor::{BLOCK, BLOCK_BITS, Predictor};
use symbols::{Codes, Counts, Pixel, Samples, Symbols, Writer};

use super::{Fault, internal};
use crate::geometry::Dimensions;
use crate::limits::PIECE;
use crate::plan::LARGE_WEBP;

/// RIFF and its length, WEBP, VP8L and its length.
const HEADERS: usize = 20;
/// Room for what is held of a large file until it is handed over, bytes.
const ROOM: usize = PIECE as usize + (1 << 20);

/// Rows of a file, which come twice.
pub(crate) struct Rows {
    image: Image,
    phase: Phase,
    /// Of this pass, rows that came, and sums of their pixels.
    seen: Seen,
    pixels: Vec<Pixel>,
}

/// What is to be written.
#[derive(Debug, Clone, Copy)]
struct Image {
    dimensions: Dimensions,
    channels: usize,
    /// Black or white without alpha: eight pixels are one.
    packed: bool,
}

/// So many rows, and Fletcher's sums of their pixels.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Seen {
    rows: u32,
    sums: (u64, u64),
}

enum Phase {
    Counting(Box<Counting>),
    Writing(Box<Writing>),
}

/// The first pass.
struct Counting {
    trials: Vec<Trial>,
    predictor: Predictor,
    /// Of a row of blocks, the rows that have come.
    band: Vec<Pixel>,
    /// All that have come.
    rows: usize,
}

/// A way of coding.
struct Trial {
    predicted: bool,
    symbols: Symbols,
    counts: Counts,
}

/// The second pass.
struct Writing {
    predictor: Option<Predictor>,
    symbols: Symbols,
    writer: Writer,
    /// Bits of the whole file.
    length: u64,
    /// It is so large that it is handed over while it is made.
    by_pieces: bool,
    counted: Seen,
}

impl Rows {
    /// Of pixels with `channels` samples: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA; `bitonal` ones are 0 or 255.
    pub fn new(dimensions: Dimensions, channels: usize, bitonal: bool) -> Self {
        let image = Image { dimensions, channels, packed: bitonal && channels == 1 };
        Self { image, phase: Phase::Counting(Box::new(Counting::new(image))), seen: Seen::default(), pixels: Vec::new() }
    }

    /// Adds the samples of rows. After the last one they begin anew: [`Fault::Changed`] if others come than before.
    pub fn push(&mut self, samples: &[u8]) -> Result<(), Fault> {
        let stride = self.image.dimensions.width() as usize * self.image.channels;
        samples.chunks_exact(stride).try_for_each(|row| self.push_row(row))
    }

    fn push_row(&mut self, row: &[u8]) -> Result<(), Fault> {
        self.pixels.clear();
        self.image.pixels(row, &mut self.pixels);
        self.seen.add(&self.pixels);
        let is_last = self.seen.rows == self.image.dimensions.height();
        match &mut self.phase {
            Phase::Writing(writing) => return writing.push(&self.pixels, self.seen, is_last),
            Phase::Counting(counting) => {
                counting.push(&self.pixels, is_last);
                if is_last {
                    let writing = counting.finish(self.image, std::mem::take(&mut self.seen))?;
                    self.phase = Phase::Writing(Box::new(writing));
                }
            }
        }
        Ok(())
    }

    /// Whether all rows have come, and are to come again.
    pub fn is_counted(&self) -> bool {
        matches!(self.phase, Phase::Writing(_)) && self.seen.rows == 0
    }

    /// Bytes of the file that are finished.
    pub fn held(&self) -> usize {
        if let Phase::Writing(writing) = &self.phase { writing.writer.bits.bytes.len() } else { 0 }
    }

    /// Takes what is finished of the file.
    pub fn take(&mut self) -> Vec<u8> {
        if let Phase::Writing(writing) = &mut self.phase { writing.writer.bits.take() } else { Vec::new() }
    }

    /// The rest of the file, once all rows have come twice.
    pub fn finish(&mut self) -> Result<Vec<u8>, Fault> {
        match &mut self.phase {
            Phase::Writing(writing) if self.seen == writing.counted && writing.writer.bits.written() == writing.length => {
                let mut bytes = writing.writer.bits.finish();
                // Chunks have an even number of bytes.
                bytes.resize(bytes.len() + writing.length.div_ceil(8) as usize % 2, 0);
                Ok(bytes)
            }
            _ => Err(internal("rows that did not come twice")),
        }
    }
}

impl Image {
    fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }

    /// Pixels in a row as they are coded.
    fn width(&self) -> usize {
        let width = self.dimensions.width() as usize;
        if self.packed { width.div_ceil(8) } else { width }
    }

    /// Samples as pixels, their green subtracted (section 4.3), or eight in one (section 4.4).
    fn pixels(&self, samples: &[u8], out: &mut Vec<Pixel>) {
        if self.packed {
            return out.extend(samples.chunks(8).map(|eight| [0, eight.iter().rev().fold(0, |byte, sample| byte << 1 | sample >> 7), 0, 255]));
        }
        out.extend(samples.chunks_exact(self.channels).map(|samples| match *samples {
            [gray] => [0, gray, 0, 255],
            [gray, alpha] => [0, gray, 0, alpha],
            [red, green, blue] => [blue.wrapping_sub(green), green, red.wrapping_sub(green), 255],
            [red, green, blue, alpha, ..] => [blue.wrapping_sub(green), green, red.wrapping_sub(green), alpha],
            [] => [0; 4],
        }));
    }
}

impl Seen {
    fn add(&mut self, row: &[Pixel]) {
        self.rows += 1;
        for pixel in row {
            self.sums.0 = self.sums.0.wrapping_add(u32::from_le_bytes(*pixel).into());
            self.sums.1 = self.sums.1.wrapping_add(self.sums.0);
        }
    }
}

impl Counting {
    fn new(image: Image) -> Self {
        let predicted: &[bool] = if image.packed { &[false] } else { &[true, false] };
        let trials = predicted.iter().map(|predicted| {
            let opaque = if *predicted { 0 } else { 255 };
            let samples = Samples { colored: image.channels > 2, alpha: (!image.has_alpha()).then_some(opaque) };
            // A gray pixel is one symbol, as a color of the cache is.
            Trial { predicted: *predicted, symbols: Symbols::default(), counts: Counts::new(samples, image.channels > 1) }
        });
        Self { trials: trials.collect(), predictor: Predictor::default(), band: Vec::new(), rows: 0 }
    }

    fn push(&mut self, row: &[Pixel], is_last: bool) {
        for Trial { symbols, counts, .. } in self.trials.iter_mut().filter(|trial| !trial.predicted) {
            symbols.count(row, counts);
        }
        self.rows += 1;
        let Some(Trial { symbols, counts, .. }) = self.trials.iter_mut().find(|trial| trial.predicted) else { return };
        self.band.extend_from_slice(row);
        if is_last || self.rows.is_multiple_of(BLOCK) {
            self.predictor.choose(&self.band, row.len());
            self.band.chunks_exact(row.len()).for_each(|row| symbols.count(self.predictor.differences(row), counts));
            self.band.clear();
            if self.rows.is_power_of_two() {
                self.drop_worst(row.len());
            }
        }
    }

    /// Pixels that are not predicted are counted no longer where that is so much worse that it will not be made up for.
    fn drop_worst(&mut self, width: usize) {
        let cost = |predicted: bool| self.trials.iter().find(|trial| trial.predicted == predicted).map(|trial| trial.cost());
        if let (Some(best), Some(other)) = (cost(true), cost(false)) {
            // Of what is nearly empty, a margin say, nothing can be told.
            let is_full = best > (width * self.rows) as u64;
            self.trials.retain(|trial| trial.predicted || !is_full || other < best + best / 2);
        }
    }

    /// The way that takes the least bits.
    fn finish(&mut self, image: Image, counted: Seen) -> Result<Writing, Fault> {
        self.band = Vec::new();
        self.predictor.restart();
        let trials = std::mem::take(&mut self.trials);
        let begun = trials.into_iter().flat_map(|mut trial| {
            trial.symbols.count_rest(&mut trial.counts);
            let ways: &[bool] = if trial.counts.has_cache() { &[false, true] } else { &[false] };
            ways.iter().map(|cached| Begun::new(image, &trial, *cached, &self.predictor)).collect::<Vec<_>>()
        });
        let Begun { predicted, codes, mut bits, length } = begun.min_by_key(|begun| begun.length).ok_or_else(|| internal("no way of coding"))?;
        let bytes = length.div_ceil(8);
        let payload = u32::try_from(bytes - HEADERS as u64).map_err(internal)?;
        let riff = payload.checked_next_multiple_of(2).and_then(|even| even.checked_add(12)).ok_or_else(|| internal("more than RIFF can hold"))?;
        bits.bytes[4..8].copy_from_slice(&riff.to_le_bytes());
        bits.bytes[16..20].copy_from_slice(&payload.to_le_bytes());
        let by_pieces = image.dimensions.area().saturating_mul(image.channels as u64) > LARGE_WEBP;
        let predictor = predicted.then(|| std::mem::take(&mut self.predictor));
        Ok(Writing { predictor, symbols: Symbols::default(), writer: Writer::new(codes, bits), length, by_pieces, counted })
    }
}

impl Trial {
    /// Bits so far.
    fn cost(&self) -> u64 {
        Codes::new(&self.counts, self.counts.has_cache()).cost
    }
}

/// A file up to its pixels.
struct Begun {
    predicted: bool,
    codes: Codes,
    bits: Bits,
    /// Bits of the whole file.
    length: u64,
}

impl Begun {
    fn new(image: Image, trial: &Trial, cached: bool, predictor: &Predictor) -> Self {
        let mut bits = Bits::default();
        bits.bytes.extend_from_slice(b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0");
        bits.put(0x2F, 8);
        bits.put((image.dimensions.width() - 1).into(), 14);
        bits.put((image.dimensions.height() - 1).into(), 14);
        bits.put(image.has_alpha().into(), 1);
        // The version.
        bits.put(0, 3);
        if image.packed {
            transform(3, &mut bits);
            bits.put(2 - 1, 8);
            // Black, and by how much white is more.
            let samples = Samples { colored: true, alpha: None };
            write_small(&[[0, 0, 0, 255], [255, 255, 255, 0]], 2, samples, &mut bits);
        } else {
            transform(2, &mut bits);
        }
        if trial.predicted {
            transform(0, &mut bits);
            bits.put((BLOCK_BITS - 2).into(), 3);
            write_small(&predictor.image(), image.width().div_ceil(BLOCK), Samples { colored: false, alpha: Some(0) }, &mut bits);
        }
        bits.put(0, 1);
        let codes = Codes::new(&trial.counts, cached);
        codes.write_cache(&mut bits);
        // One set of codes for the whole image.
        bits.put(0, 1);
        codes.write_lengths(&mut bits);
        let length = bits.written() + codes.cost;
        Self { predicted: trial.predicted, codes, bits, length }
    }
}

/// Each transform comes after a bit that says there is one.
fn transform(kind: u64, bits: &mut Bits) {
    bits.put(1, 1);
    bits.put(kind, 2);
}

/// An image within the image: of modes or colors.
fn write_small(pixels: &[Pixel], width: usize, samples: Samples, bits: &mut Bits) {
    let (mut counts, mut symbols) = (Counts::new(samples, false), Symbols::default());
    pixels.chunks_exact(width).for_each(|row| symbols.count(row, &mut counts));
    symbols.count_rest(&mut counts);
    let (codes, mut symbols) = (Codes::new(&counts, false), Symbols::default());
    codes.write_cache(bits);
    codes.write_lengths(bits);
    let mut writer = Writer::new(codes, std::mem::take(bits));
    pixels.chunks_exact(width).for_each(|row| symbols.write(row, &mut writer));
    symbols.write_rest(&mut writer);
    *bits = writer.bits;
}

impl Writing {
    fn push(&mut self, row: &[Pixel], seen: Seen, is_last: bool) -> Result<(), Fault> {
        self.make_room(row.len());
        let row = match &mut self.predictor {
            Some(predictor) => predictor.differences(row),
            None => row,
        };
        self.symbols.write(row, &mut self.writer);
        if is_last {
            self.symbols.write_rest(&mut self.writer);
        }
        let written = self.writer.bits.written();
        let is_same = if is_last { seen == self.counted && written == self.length } else { seen.rows < self.counted.rows && written <= self.length };
        if is_same { Ok(()) } else { Err(Fault::Changed) }
    }

    /// All at once, or for a piece that is handed over: growing would take twice as much.
    fn make_room(&mut self, pixels: usize) {
        // Four symbols of at most 15 bits, or two of a copy.
        let most = pixels * 8 + 64;
        let rest = usize::try_from(self.length.saturating_sub(self.writer.bits.written()) / 8).unwrap_or(usize::MAX).saturating_add(16);
        let bytes = &mut self.writer.bits.bytes;
        if bytes.capacity() - bytes.len() < most.min(rest) {
            // Some more, or the last bits would make it grow.
            bytes.reserve_exact(if self.by_pieces { most.max(ROOM).min(rest) } else { rest } + 64);
        }
    }
}
