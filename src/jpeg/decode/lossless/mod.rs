//! The lossless process (T.81, annex H): rows of samples, each the difference to what its neighbours predict.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a hot kernel: rows are made for the components of the scans, and samples wrap at 16 bits as H.1.2.1 says"
)]

#[cfg(test)]
mod craft;
#[cfg(test)]
mod tests;

use super::bits::{BitPosition, BitReader, Restart};
use super::buffered::{end_of_data, next_scan};
use super::lookup::Lookup;
use crate::error::Result;
use crate::jpeg::header::{Header, Scan};
use crate::jpeg::tables::Tables;
use crate::jpeg::{corrupt, unsupported};

/// Decodes row after row of a stream, and holds one of them.
#[derive(Debug)]
pub(crate) struct Lossless {
    width: usize,
    height: usize,
    /// Rows that have been decoded.
    y: usize,
    channels: usize,
    /// The greatest sample.
    most: u16,
    /// Scans that between them have all components, each read by itself.
    scans: Vec<ScanRows>,
    row: Vec<u16>,
}

/// The components of one scan.
#[derive(Debug)]
struct ScanRows {
    /// Index in the frame, and codes.
    parts: Vec<(usize, Lookup)>,
    /// H.1.2.1: 1 to 7.
    predictor: u8,
    /// Bits that were cut off before coding (Pt, the point transform).
    shift: u32,
    /// What the first sample is predicted to be.
    middle: u16,
    at: BitPosition,
    /// Rows between restart markers, 0 for none; rows since the last one; the number of the next one.
    restarts: (usize, usize, u8),
    /// The last row, its components side by side, before the point transform is undone.
    row: Vec<u16>,
}

impl Lossless {
    /// At the beginning of a stream whose header was read before. [`Error::SourceUnsupported`](crate::error::Error::SourceUnsupported) if its components are
    /// of different sizes.
    pub fn new(header: &Header, stream: &[u8]) -> Result<Self> {
        let components = &header.components;
        if components.len() > 4 {
            return Err(unsupported(format!("lossless coding of {} components", components.len())));
        }
        if components.iter().any(|component| (component.across, component.down) != (1, 1)) {
            return Err(unsupported("lossless coding of subsampled components".to_owned()));
        }
        if !(2..=16).contains(&header.precision) {
            return Err(corrupt(header.scan.data, format!("lossless coding of {} bits per sample", header.precision)));
        }
        let (width, height) = (header.dimensions.width() as usize, header.dimensions.height() as usize);
        let (mut scans, mut tables, mut scan) = (Vec::<ScanRows>::new(), header.tables.clone(), header.scan.clone());
        loop {
            let is_known = |index: usize| scans.iter().flat_map(|scan| &scan.parts).any(|(known, _)| *known == index);
            if scan.components.iter().any(|(index, ..)| is_known(*index)) {
                return Err(corrupt(scan.data, "a second scan of a component"));
            }
            scans.push(ScanRows::new(&scan, &tables, header.precision, width)?);
            if scans.iter().map(|scan| scan.parts.len()).sum::<usize>() == components.len() {
                break;
            }
            let end = end_of_data(stream, scan.data)?;
            scan = next_scan(header, stream, end, &mut tables)?.ok_or_else(|| corrupt(end, "the image ends before a scan of each component"))?;
        }
        let most = u16::MAX >> (16 - header.precision);
        Ok(Self { width, height, y: 0, channels: components.len(), most, scans, row: vec![0; width * components.len()] })
    }

    /// The next row of the same stream: samples of as many bits as the header says, interleaved; `None` behind the last.
    pub fn next_row(&mut self, stream: &[u8]) -> Result<Option<&[u16]>> {
        if self.y == self.height {
            return Ok(None);
        }
        for scan in &mut self.scans {
            scan.next_row(stream).map_err(|(at, what)| corrupt(at, format!("{what}, in row {} of {}", self.y + 1, self.height)))?;
            let count = scan.parts.len();
            for (place, (index, _)) in scan.parts.iter().enumerate() {
                let into = self.row[*index..].iter_mut().step_by(self.channels);
                for (sample, coded) in into.zip(scan.row[place..].iter().step_by(count)) {
                    // Beyond the greatest there is none: such a stream is broken, and lets it go unnoticed.
                    *sample = (u32::from(*coded) << scan.shift).min(self.most.into()) as u16;
                }
            }
        }
        self.y += 1;
        Ok(Some(&self.row[..self.width * self.channels]))
    }
}

impl ScanRows {
    fn new(scan: &Scan, tables: &Tables, precision: u8, width: usize) -> Result<Self> {
        let (predictor, shift) = (scan.spectral.0, scan.approximation.1);
        if !(1..=7).contains(&predictor) || shift >= precision {
            return Err(corrupt(scan.data, format!("lossless coding of {precision} bits by predictor {predictor} and point transform {shift}")));
        }
        let interval = usize::from(tables.restart_interval);
        if !interval.is_multiple_of(width) {
            return Err(unsupported("lossless coding with restarts within rows".to_owned()));
        }
        let mut parts = Vec::new();
        for &(index, number, _) in &scan.components {
            let spec = tables.dc(number, scan.data)?;
            if spec.symbols.iter().any(|symbol| *symbol > 16) {
                return Err(corrupt(scan.data, format!("Huffman table {number} for DC has differences of more than 16 bits")));
            }
            parts.push((index, Lookup::lossless(&spec)));
        }
        Ok(Self {
            row: vec![0; width * parts.len()],
            parts,
            predictor,
            shift: shift.into(),
            middle: 1 << (precision - shift - 1),
            at: BitPosition { byte: scan.data, bit: 0 },
            restarts: (interval / width, 0, 0),
        })
    }

    /// Decodes a row in place of the last one; else tells where what is wrong.
    fn next_row(&mut self, stream: &[u8]) -> std::result::Result<(), (usize, &'static str)> {
        let mut bits = BitReader::new(stream.get(self.at.byte..).unwrap_or(&[]), self.at);
        let (interval, since, number) = self.restarts;
        let is_first = if interval > 0 && since == interval {
            match bits.restart(number) {
                Restart::Passed => {}
                Restart::Missing => return Err((bits.position().byte, "no restart marker")),
                Restart::BeyondEnd => return Err((stream.len(), "the data end")),
            }
            self.restarts = (interval, 0, (number + 1) & 7);
            true
        } else {
            since == 0
        };
        self.restarts.1 += 1;
        match (is_first, self.predictor) {
            // Above the first row there is nothing.
            (true, _) | (_, 1) => self.decode(&mut bits, is_first, |left, _, _| left),
            (_, 2) => self.decode(&mut bits, false, |_, above, _| above),
            (_, 3) => self.decode(&mut bits, false, |_, _, corner| corner),
            (_, 4) => self.decode(&mut bits, false, |left, above, corner| left + above - corner),
            (_, 5) => self.decode(&mut bits, false, |left, above, corner| left + ((above - corner) >> 1)),
            (_, 6) => self.decode(&mut bits, false, |left, above, corner| above + ((left - corner) >> 1)),
            _ => self.decode(&mut bits, false, |left, above, _| (left + above) >> 1),
        }
        self.at = bits.position();
        match () {
            () if bits.invalid => Err((self.at.byte, "a code that no table has")),
            () if bits.is_exhausted() => Err((stream.len(), "the data end")),
            () => Ok(()),
        }
    }

    /// `predict` is given the samples to the left (Ra), above (Rb), and above the one to the left (Rc).
    fn decode(&mut self, bits: &mut BitReader<'_>, is_first: bool, predict: impl Fn(i32, i32, i32) -> i32) {
        let mut pixels = self.row.chunks_exact_mut(self.parts.len());
        let mut behind = [(0, 0); 4];
        // The first sample of a row is predicted by the one above.
        if let Some(pixel) = pixels.next() {
            for ((sample, (_, lookup)), behind) in pixel.iter_mut().zip(&self.parts).zip(&mut behind) {
                let above = if is_first { self.middle } else { *sample };
                bits.ensure();
                *sample = above.wrapping_add(lookup.lossless_difference(bits) as u16);
                *behind = (i32::from(*sample), i32::from(above));
            }
        }
        for pixel in pixels {
            for ((sample, (_, lookup)), (left, corner)) in pixel.iter_mut().zip(&self.parts).zip(&mut behind) {
                let above = i32::from(*sample);
                bits.ensure();
                *sample = (predict(*left, above, *corner) + lookup.lossless_difference(bits)) as u16;
                (*left, *corner) = (i32::from(*sample), above);
            }
        }
    }
}
