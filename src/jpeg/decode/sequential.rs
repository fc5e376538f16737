//! The sequential process with all components in one scan (T.81, F.2): MCU after MCU, those outside the region without making values.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "the hot loop: its indices come from the grid, which the planes are made for, and DC coefficients wrap at 16 bits"
)]

use super::bits::{BitPosition, BitReader};
use super::block::{Steps, put, read_ac};
use super::grid::Grid;
use super::lookup::{Lookup, SkipLookup};
use crate::error::Result;
use crate::jpeg::corrupt;
use crate::jpeg::header::Header;
use crate::jpeg::plane::{Plane, Planes};

/// A component in the scan.
#[derive(Debug)]
struct Part {
    across: usize,
    down: usize,
    dc: Lookup,
    ac: usize,
    steps: Steps,
    /// Whether its samples are wanted.
    wanted: bool,
}

/// An AC table, both ways.
#[derive(Debug)]
struct AcTable {
    number: u8,
    lookup: Lookup,
    /// Only where something is to be skipped.
    skip: Option<SkipLookup>,
}

/// Where restart markers belong (T.81, E.2.4).
#[derive(Debug, Clone, Copy)]
pub(super) struct Restarts {
    /// MCUs between them; 0 for none.
    pub interval: usize,
    /// MCUs up to the next one.
    pub left: usize,
    /// Its number.
    pub number: u8,
}

/// A place between two MCUs from which decoding can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub bits: BitPosition,
    /// MCU in the scan that comes next.
    pub mcu: usize,
    /// The DC coefficients before it.
    pub predictions: [i16; 4],
}

/// A decoder of one interleaved scan.
#[derive(Debug)]
pub(super) struct Sequential<'a> {
    grid: Grid,
    bits: BitReader<'a>,
    parts: Vec<Part>,
    ac: Vec<AcTable>,
    predictions: [i16; 4],
    restarts: Restarts,
    row: usize,
    planes: Planes,
}

impl<'a> Sequential<'a> {
    /// Everything but the first MCU's position.
    pub fn new(header: &Header, stream: &'a [u8], grid: Grid, gray: bool) -> Result<Self> {
        let at = header.scan.data;
        let skips = gray || grid.block == 1 || grid.columns.len() < grid.mcus.0 || grid.rows.start > 0;
        let mut ac: Vec<AcTable> = Vec::new();
        let mut parts = Vec::new();
        let mut planes = Planes::new();
        for &(index, dc_number, ac_number) in &header.scan.components {
            let component = &header.components[index];
            let found = ac.iter().position(|table| table.number == ac_number);
            if found.is_none() {
                let spec = header.tables.ac(ac_number, at)?;
                ac.push(AcTable { number: ac_number, lookup: Lookup::new(&spec, true), skip: skips.then(|| SkipLookup::new(&spec)) });
            }
            let (across, down) = (usize::from(component.across), usize::from(component.down));
            let wanted = !gray || index == 0;
            if wanted {
                planes.push(Plane::new(grid.columns.len() * across * grid.block, down * grid.block));
            }
            parts.push(Part {
                across,
                down,
                dc: Lookup::new(&header.tables.dc(dc_number, at)?, false),
                ac: found.unwrap_or(ac.len() - 1),
                steps: Steps::new(header.tables.quantization(component.quantization, at)?),
                wanted,
            });
        }
        let interval = header.tables.restart_interval.into();
        Ok(Self {
            grid,
            bits: BitReader::new(stream, BitPosition { byte: at, bit: 0 }),
            parts,
            ac,
            predictions: [0; 4],
            restarts: Restarts { interval, left: interval, number: 0 },
            row: 0,
            planes,
        })
    }

    /// The same decoder over another slice of the same bytes.
    pub fn over(self, stream: &[u8]) -> Sequential<'_> {
        let Self { grid, bits, parts, ac, predictions, restarts, row, planes } = self;
        Sequential { grid, bits: bits.over(stream), parts, ac, predictions, restarts, row, planes }
    }

    /// Where the next MCU row begins.
    pub fn position(&self) -> Position {
        Position { bits: self.bits.position(), mcu: self.row * self.grid.mcus.0, predictions: self.predictions }
    }

    /// The next MCU row of the region: its number in the image, and its planes.
    pub fn next_band(&mut self) -> Result<Option<(usize, &Planes)>> {
        while self.row < self.grid.rows.start {
            self.skip_mcus(self.grid.mcus.0)?;
            self.row += 1;
        }
        if self.row >= self.grid.rows.end {
            return Ok(None);
        }
        self.skip_mcus(self.grid.columns.start)?;
        self.decode_mcus()?;
        // Behind the last one nothing is wanted any more.
        if self.row + 1 < self.grid.rows.end {
            self.skip_mcus(self.grid.mcus.0 - self.grid.columns.end)?;
        }
        self.row += 1;
        Ok(Some((self.row - 1, &self.planes)))
    }

    /// What must be asked after some MCUs.
    fn check(&self) -> Result<()> {
        let at = self.bits.position().byte;
        if self.bits.is_exhausted() {
            return Err(corrupt(at, format!("its data end in MCU row {} of {}", self.row, self.grid.mcus.1)));
        }
        if self.bits.invalid {
            return Err(corrupt(at, format!("a code that no table has, in MCU row {} of {}", self.row, self.grid.mcus.1)));
        }
        Ok(())
    }

    /// Before each MCU: whether all is well.
    #[inline(always)]
    fn restart(&mut self) -> Result<()> {
        if self.restarts.interval == 0 {
            return Ok(());
        }
        if self.restarts.left == 0 {
            self.restart_now()?;
        }
        self.restarts.left -= 1;
        Ok(())
    }

    #[cold]
    fn restart_now(&mut self) -> Result<()> {
        self.check()?;
        if !self.bits.restart(self.restarts.number) {
            let at = self.bits.position().byte;
            return Err(corrupt(at, format!("restart marker {} is missing, in MCU row {} of {}", self.restarts.number, self.row, self.grid.mcus.1)));
        }
        self.predictions = [0; 4];
        self.restarts.left = self.restarts.interval;
        self.restarts.number = (self.restarts.number + 1) & 7;
        Ok(())
    }

    fn skip_mcus(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            self.restart()?;
            for (part, prediction) in self.parts.iter().zip(&mut self.predictions) {
                let ac = &self.ac[part.ac];
                let Some(skip) = &ac.skip else { continue };
                for _ in 0..part.across * part.down {
                    self.bits.ensure();
                    *prediction = prediction.wrapping_add(part.dc.difference(&mut self.bits) as i16);
                    skip.skip(&mut self.bits, &ac.lookup, 1);
                }
            }
        }
        self.check()
    }

    fn decode_mcus(&mut self) -> Result<()> {
        let mut block = [0; 64];
        let size = self.grid.block;
        for mcu in 0..self.grid.columns.len() {
            self.restart()?;
            for (index, (part, prediction)) in self.parts.iter().zip(&mut self.predictions).enumerate() {
                let ac = &self.ac[part.ac];
                for v in 0..part.down {
                    for u in 0..part.across {
                        self.bits.ensure();
                        *prediction = prediction.wrapping_add(part.dc.difference(&mut self.bits) as i16);
                        if let (Some(skip), true) = (&ac.skip, !part.wanted || size == 1) {
                            skip.skip(&mut self.bits, &ac.lookup, 1);
                            if !part.wanted {
                                continue;
                            }
                        }
                        let any = size > 1 && read_ac(&mut self.bits, &ac.lookup, &part.steps, &mut block);
                        block[0] = part.steps.dequantize(0, (*prediction).into()).1;
                        put(&mut block, any, &mut self.planes[index], (mcu * part.across + u) * size, v * size, size);
                    }
                }
            }
        }
        self.check()
    }
}
