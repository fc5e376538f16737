//! One MCU of the sequential process with all components in one scan (T.81, F.2): read, or passed over without making values.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "the hot loop: its indices come from the grid, which the planes are made for, and DC coefficients wrap at 16 bits"
)]

use super::bits::BitReader;
use super::block::{Steps, put, read_ac};
use super::idct::{Coefficients, mean};
use super::lookup::{Lookup, SkipLookup};
use crate::error::Result;
use crate::jpeg::coefficients::Component;
use crate::jpeg::encode::Cut;
use crate::jpeg::header::Header;
use crate::jpeg::plane::Planes;

/// The DC coefficients before an MCU, of up to four components.
pub(crate) type Predictions = [i16; 4];

/// The tables of a scan, and what is wanted of its MCUs.
#[derive(Debug)]
pub(super) struct Mcu {
    parts: Vec<Part>,
    ac: Vec<AcTable>,
    /// Side of a block as it comes out.
    size: usize,
    block: Coefficients,
    kept: Option<Kept>,
}

/// Coefficients that are kept as they are, instead of samples.
#[derive(Debug)]
struct Kept {
    components: Vec<Component>,
    plain: Steps,
    /// The MCU row of the region that is being read.
    row: usize,
}

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
    /// Only where much is to be skipped.
    skip: Option<SkipLookup>,
}

/// Copies the bits from one place to another.
#[inline(never)]
pub(super) fn copy(from: &BitReader<'_>, to: &BitReader<'_>, cut: &mut Cut) {
    from.each_up_to(to, |bits, count| cut.put(bits, count));
}

/// MCUs from which on a table that skips many symbols at once is worth its making.
const MANY: u64 = 512;

impl AcTable {
    /// Passes over the AC coefficients of a block.
    #[inline(always)]
    fn pass_over(&self, bits: &mut BitReader<'_>) {
        match &self.skip {
            Some(skip) => skip.skip(bits, &self.lookup, 1),
            None => self.lookup.skip(bits),
        }
    }
}

impl Mcu {
    /// For the first scan; `skips` if not every MCU is read.
    pub fn new(header: &Header, size: usize, gray: bool, skips: bool) -> Result<Self> {
        let at = header.scan.data;
        let (across, down) = header.most();
        let mcus = header.dimensions.area() / (64 * u64::from(across) * u64::from(down));
        let skips = (skips || gray || size == 1) && mcus >= MANY;
        let mut ac: Vec<AcTable> = Vec::new();
        let mut parts = Vec::new();
        for &(index, dc_number, ac_number) in &header.scan.components {
            let component = &header.components[index];
            let found = ac.iter().position(|table| table.number == ac_number);
            if found.is_none() {
                let spec = header.tables.ac(ac_number, at)?;
                let skip = skips.then(|| SkipLookup::new(&spec));
                ac.push(AcTable { number: ac_number, lookup: Lookup::new(&spec, true), skip });
            }
            parts.push(Part {
                across: component.across.into(),
                down: component.down.into(),
                dc: Lookup::new(&header.tables.dc(dc_number, at)?, false),
                ac: found.unwrap_or(ac.len() - 1),
                steps: Steps::new(header.tables.quantization(component.quantization, at)?),
                wanted: !gray || index == 0,
            });
        }
        Ok(Self { parts, ac, size, block: [0; 64], kept: None })
    }

    /// From now on keeps coefficients, for which `components` have room.
    pub fn keep(&mut self, components: Vec<Component>) {
        self.kept = Some(Kept { components, plain: Steps::new(&[1; 64]), row: 0 });
    }

    /// The MCU row of the region that is read next.
    pub fn begin_row(&mut self, row: usize) {
        if let Some(kept) = &mut self.kept {
            kept.row = row;
        }
    }

    /// What was kept.
    pub fn take_kept(&mut self) -> Option<Vec<Component>> {
        self.kept.take().map(|kept| kept.components)
    }

    /// Reads an MCU's coefficients.
    fn read_kept(&mut self, bits: &mut BitReader<'_>, predictions: &mut Predictions, place: usize) {
        let Some(Kept { components, plain, row }) = &mut self.kept else { return };
        for (index, (part, prediction)) in self.parts.iter().zip(predictions).enumerate() {
            let ac = &self.ac[part.ac];
            for v in 0..part.down {
                for u in 0..part.across {
                    bits.ensure();
                    *prediction = prediction.wrapping_add(part.dc.difference(bits) as i16);
                    if !part.wanted {
                        ac.pass_over(bits);
                        continue;
                    }
                    let component = &mut components[index];
                    let block = &mut component.blocks[(*row * part.down + v) * component.columns + place * part.across + u];
                    // It may be read a second time, when more bytes are there.
                    *block = [0; 64];
                    read_ac(bits, &ac.lookup, plain, block);
                    block[0] = *prediction;
                }
            }
        }
    }

    /// Samples of an MCU across, for each component that is wanted.
    pub fn widths(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().filter(|part| part.wanted).map(|part| part.across * self.size)
    }

    /// Passes over an MCU.
    #[inline(never)]
    pub fn skip(&self, bits: &mut BitReader<'_>, predictions: &mut Predictions) {
        for (part, prediction) in self.parts.iter().zip(predictions) {
            let ac = &self.ac[part.ac];
            for _ in 0..part.across * part.down {
                bits.ensure();
                *prediction = prediction.wrapping_add(part.dc.difference(bits) as i16);
                ac.pass_over(bits);
            }
        }
    }

    /// Copies the first MCU of a row of a part.
    #[inline(never)]
    pub fn cut(&self, bits: &mut BitReader<'_>, predictions: &mut Predictions, cut: &mut Cut) -> Result<()> {
        for (index, (part, prediction)) in self.parts.iter().zip(predictions).enumerate() {
            let ac = &self.ac[part.ac];
            let mut behind = None;
            for _ in 0..part.across * part.down {
                bits.ensure();
                *prediction = prediction.wrapping_add(part.dc.difference(bits) as i16);
                if behind.is_none() {
                    cut.first_dc(index, *prediction)?;
                    behind = Some(bits.clone());
                }
                ac.lookup.skip(bits);
            }
            if let Some(behind) = behind {
                copy(&behind, bits, cut);
            }
        }
        Ok(())
    }

    /// Reads an MCU into planes, at its place from the left.
    #[inline(always)]
    pub fn read(&mut self, bits: &mut BitReader<'_>, predictions: &mut Predictions, planes: &mut Planes, place: usize) {
        if self.kept.is_some() {
            return self.read_kept(bits, predictions, place);
        }
        let size = self.size;
        if size == 1 {
            return self.read_means(bits, predictions, planes, place);
        }
        for (index, (part, prediction)) in self.parts.iter().zip(predictions).enumerate() {
            let ac = &self.ac[part.ac];
            for v in 0..part.down {
                for u in 0..part.across {
                    bits.ensure();
                    *prediction = prediction.wrapping_add(part.dc.difference(bits) as i16);
                    if !part.wanted {
                        ac.pass_over(bits);
                        continue;
                    }
                    let any = read_ac(bits, &ac.lookup, &part.steps, &mut self.block);
                    self.block[0] = part.steps.dequantize(0, (*prediction).into()).1;
                    put(&mut self.block, any, &mut planes[index], (place * part.across + u) * size, v * size, size);
                }
            }
        }
    }

    /// Reads an MCU of which the means of its blocks are all that is wanted.
    #[inline(never)]
    fn read_means(&self, bits: &mut BitReader<'_>, predictions: &mut Predictions, planes: &mut Planes, place: usize) {
        for (index, (part, prediction)) in self.parts.iter().zip(predictions).enumerate() {
            let ac = &self.ac[part.ac];
            for v in 0..part.down {
                for u in 0..part.across {
                    bits.ensure();
                    *prediction = prediction.wrapping_add(part.dc.difference(bits) as i16);
                    ac.pass_over(bits);
                    if part.wanted {
                        let plane = &mut planes[index];
                        plane.data[v * plane.stride + place * part.across + u] = mean(part.steps.dequantize(0, (*prediction).into()).1);
                    }
                }
            }
        }
    }
}
