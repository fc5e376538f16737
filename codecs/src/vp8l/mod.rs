//! Writes lossless WebP (RFC 9649) row by row. No library does that, because a file begins with its length.
//!
//! All rows are pushed twice. In the first pass, their symbols are counted. Then the prefix codes are known, of which there is one set for the whole image, and
//! with them the length of the file to the bit. In the second pass, the symbols are written. The first pass counts several ways of coding at the same time, and
//! the one that takes the fewest bits is written: with predicted pixels (best for photographs) or without (best for maps and charts), with or without a color
//! cache. Eight bitonal pixels are packed into one.

mod bits;
mod predictor;
mod prefix;
mod symbols;
#[cfg(test)]
mod tests;

use bits::Bits;
use predictor::{BLOCK, BLOCK_BITS, Predictor};
use symbols::{Codes, Counts, Pixel, Samples, Symbols, Writer};

use std::borrow::Cow;

use crate::{Encoder, Fault, LARGE_WEBP, PIECE, Size, internal};

/// Bytes of the headers: RIFF and its length, WEBP, VP8L and its length.
const HEADERS: usize = 20;
/// Bytes that are reserved for the part of a large file that is held until it is handed over.
const ROOM: usize = PIECE as usize + (1 << 20);

/// An encoder of one file, whose rows are pushed twice.
pub(crate) struct Rows {
    image: Image,
    phase: Phase,
    /// The rows that came in this pass, and checksums of their pixels.
    seen: Seen,
    pixels: Vec<Pixel>,
}

/// The image that is written.
#[derive(Debug, Clone, Copy)]
struct Image {
    dimensions: Size,
    channels: usize,
    /// Black and white without alpha: eight pixels are packed into one.
    packed: bool,
}

/// Number of rows, and Fletcher's checksums of their pixels.
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
    /// The rows that have come of the current row of blocks.
    band: Vec<Pixel>,
    /// Number of all rows that have come.
    rows: usize,
}

/// A way of coding that is counted.
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
    /// Whether the file is so large that it is handed over while it is made.
    by_pieces: bool,
    counted: Seen,
}

impl Rows {
    /// For pixels with `channels` samples: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. `bitonal` samples are 0 or 255.
    pub fn new(dimensions: Size, channels: usize, bitonal: bool) -> Self {
        let image = Image { dimensions, channels, packed: bitonal && channels == 1 };
        Self { image, phase: Phase::Counting(Box::new(Counting::new(image))), seen: Seen::default(), pixels: Vec::new() }
    }

    fn push_row(&mut self, row: &[u8]) -> Result<(), Fault> {
        self.pixels.clear();
        self.image.pixels(row, &mut self.pixels);
        self.seen.add(&self.pixels);
        let is_last = self.seen.rows == self.image.dimensions.height;
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
}

impl Encoder for Rows {
    fn push(&mut self, samples: Cow<'_, [u8]>) -> Result<(), Fault> {
        let stride = self.image.dimensions.width as usize * self.image.channels;
        samples.chunks_exact(stride).try_for_each(|row| self.push_row(row))
    }

    fn is_counted(&self) -> bool {
        matches!(self.phase, Phase::Writing(_)) && self.seen.rows == 0
    }

    fn held(&self) -> usize {
        if let Phase::Writing(writing) = &self.phase { writing.writer.bits.bytes.len() } else { 0 }
    }

    fn take(&mut self) -> Vec<u8> {
        if let Phase::Writing(writing) = &mut self.phase { writing.writer.bits.take() } else { Vec::new() }
    }

    fn finish(&mut self) -> Result<Vec<u8>, Fault> {
        match &mut self.phase {
            Phase::Writing(writing) if self.seen == writing.counted && writing.writer.bits.written() == writing.length => {
                let mut bytes = writing.writer.bits.finish();
                // Chunks of RIFF have an even number of bytes.
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

    /// Pixels in a row as coded, px.
    fn width(&self) -> usize {
        let width = self.dimensions.width as usize;
        if self.packed { width.div_ceil(8) } else { width }
    }

    /// Converts samples to pixels: green is subtracted from red and blue (section 4.3), or eight bitonal pixels are packed into one (section 4.4).
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
            // A gray pixel takes only one symbol, and so does a color of the cache: for gray, a cache saves nothing.
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

    /// Stops counting without prediction, if that is so much worse that the remaining rows cannot make up for it.
    fn drop_worst(&mut self, width: usize) {
        let cost = |predicted: bool| self.trials.iter().find(|trial| trial.predicted == predicted).map(|trial| trial.cost());
        if let (Some(best), Some(other)) = (cost(true), cost(false)) {
            // While the image is nearly empty, as in a margin, nothing can be concluded.
            let is_full = best > (width * self.rows) as u64;
            self.trials.retain(|trial| trial.predicted || !is_full || other < best + best / 2);
        }
    }

    /// Chooses the way of coding that takes the fewest bits.
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
    /// Bits that the symbols take so far.
    fn cost(&self) -> u64 {
        Codes::new(&self.counts, self.counts.has_cache()).cost
    }
}

/// The beginning of a file, up to its pixels.
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
        bits.put((image.dimensions.width - 1).into(), 14);
        bits.put((image.dimensions.height - 1).into(), 14);
        bits.put(image.has_alpha().into(), 1);
        // The version.
        bits.put(0, 3);
        if image.packed {
            transform(3, &mut bits);
            bits.put(2 - 1, 8);
            // The color table: black, then the difference of white from black.
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

/// Writes the header of a transform, after a bit that says that there is one.
fn transform(kind: u64, bits: &mut Bits) {
    bits.put(1, 1);
    bits.put(kind, 2);
}

/// Writes an image within the image: predictor modes, or a color table.
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

    /// Reserves memory for the whole file, or for a piece that is handed over. If the buffer had to grow, it would take twice as much.
    fn make_room(&mut self, pixels: usize) {
        // Four symbols of at most 15 bits per pixel, or two for a copy.
        let most = pixels * 8 + 64;
        let rest = usize::try_from(self.length.saturating_sub(self.writer.bits.written()) / 8).unwrap_or(usize::MAX).saturating_add(16);
        let bytes = &mut self.writer.bits.bytes;
        if bytes.capacity() - bytes.len() < most.min(rest) {
            // A few bytes more, or the last bits would make the buffer grow.
            bytes.reserve_exact(if self.by_pieces { most.max(ROOM).min(rest) } else { rest } + 64);
        }
    }
}
