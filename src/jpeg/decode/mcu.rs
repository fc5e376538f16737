//! One MCU of the sequential process with all components in one scan (T.81, F.2): read, or passed over without making values.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "the hot loop: its indices come from the grid, which the planes are made for, and DC coefficients wrap at 16 bits"
)]

use std::sync::Arc;

use super::bits::BitReader;
use super::block::{Steps, put, read_ac};
use super::coding::Coding;
use super::idct::{Coefficients, mean};
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
    /// Whether blocks of the MCUs that are read are passed over, or their AC coefficients.
    passes_over: bool,
    /// Side of a block as it comes out.
    size: usize,
    block: Coefficients,
    kept: Option<Kept>,
}

/// Coefficients that are kept as they are.
#[derive(Debug)]
struct Kept {
    components: Vec<Component>,
    plain: Steps,
    /// MCU rows that there is room for, and which of them is being read.
    rows: usize,
    row: usize,
}

/// A component in the scan.
#[derive(Debug)]
struct Part {
    across: usize,
    down: usize,
    coding: Arc<Coding>,
    steps: Steps,
    /// Whether its samples are wanted.
    wanted: bool,
}

/// Copies the bits from one place to another.
#[inline(never)]
pub(super) fn copy(from: &BitReader<'_>, to: &BitReader<'_>, cut: &mut Cut) {
    from.each_up_to(to, |bits, count| cut.put(bits, count));
}

impl Mcu {
    /// For the first scan.
    pub fn new(header: &Header, size: usize, gray: bool) -> Result<Self> {
        let mut parts = Vec::new();
        for &(index, dc, ac) in &header.scan.components {
            let (component, at) = (&header.components[index], header.scan.data);
            parts.push(Part {
                across: component.across.into(),
                down: component.down.into(),
                coding: Coding::of((header.tables.dc(dc, at)?, header.tables.ac(ac, at)?)),
                steps: Steps::new(header.tables.quantization(component.quantization, at)?),
                wanted: !gray || index == 0,
            });
        }
        Ok(Self { parts, passes_over: gray || size == 1, size, block: [0; 64], kept: None })
    }

    /// Blocks of so many MCUs are going to be passed over.
    pub fn expect(&self, mcus: usize) {
        self.parts.iter().for_each(|part| part.coding.expect(mcus.saturating_mul(part.across * part.down)));
    }

    /// From now on keeps coefficients, for which `components` have room: that of so many MCU rows, the later in the place of earlier ones.
    pub fn keep(&mut self, components: Vec<Component>, rows: usize) {
        self.kept = Some(Kept { components, plain: Steps::new(&[1; 64]), rows: rows.max(1), row: 0 });
    }

    /// The MCU row of the region that is read next, and how many MCUs of it.
    pub fn begin_row(&mut self, row: usize, mcus: usize) {
        if self.passes_over {
            self.expect(mcus);
        }
        if let Some(kept) = &mut self.kept {
            kept.row = row % kept.rows;
        }
    }

    /// What was kept of the last MCU row, if no others are.
    pub fn row_kept(&self) -> &[Component] {
        self.kept.as_ref().filter(|kept| kept.rows == 1).map_or(&[], |kept| &kept.components)
    }

    /// What was kept.
    pub fn take_kept(&mut self) -> Option<Vec<Component>> {
        self.kept.take().map(|kept| kept.components)
    }

    /// Reads an MCU's coefficients, and makes samples of them if there are planes.
    fn read_kept(&mut self, bits: &mut BitReader<'_>, predictions: &mut Predictions, planes: &mut Planes, place: usize) {
        let Some(Kept { components, plain, row, .. }) = &mut self.kept else { return };
        for (index, (part, prediction)) in self.parts.iter().zip(predictions).enumerate() {
            let coding = &part.coding;
            if !part.wanted {
                *prediction = prediction.wrapping_add(coding.pass_over_all(bits, part.across * part.down));
                continue;
            }
            for v in 0..part.down {
                for u in 0..part.across {
                    *prediction = prediction.wrapping_add(coding.difference(bits));
                    let component = &mut components[index];
                    let block = &mut component.blocks[(*row * part.down + v) * component.columns + place * part.across + u];
                    // It may be read a second time, when more bytes are there.
                    *block = [0; 64];
                    let any = read_ac(bits, &coding.ac, plain, block);
                    block[0] = *prediction;
                    if let Some(plane) = planes.get_mut(index) {
                        for ((value, coefficient), step) in self.block.iter_mut().zip(block).zip(&component.quantization) {
                            *value = coefficient.wrapping_mul(*step as i16);
                        }
                        put(&mut self.block, any, plane, (place * part.across + u) * self.size, v * self.size, self.size);
                    }
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
            *prediction = prediction.wrapping_add(part.coding.pass_over_all(bits, part.across * part.down));
        }
    }

    /// Copies the first MCU of a row of a part.
    #[inline(never)]
    pub fn cut(&self, bits: &mut BitReader<'_>, predictions: &mut Predictions, cut: &mut Cut) -> Result<()> {
        for (index, (part, prediction)) in self.parts.iter().zip(predictions).enumerate() {
            let coding = &part.coding;
            *prediction = prediction.wrapping_add(coding.difference(bits));
            cut.first_dc(index, *prediction)?;
            let behind = bits.clone();
            coding.ac.skip(bits);
            *prediction = prediction.wrapping_add(coding.pass_over_slowly(bits, part.across * part.down - 1));
            copy(&behind, bits, cut);
        }
        Ok(())
    }

    /// Reads an MCU into planes, at its place from the left.
    #[inline(always)]
    pub fn read(&mut self, bits: &mut BitReader<'_>, predictions: &mut Predictions, planes: &mut Planes, place: usize) {
        if self.kept.is_some() {
            return self.read_kept(bits, predictions, planes, place);
        }
        let size = self.size;
        if size == 1 {
            return self.read_means(bits, predictions, planes, place);
        }
        for (index, (part, prediction)) in self.parts.iter().zip(predictions).enumerate() {
            let coding = &part.coding;
            if !part.wanted {
                *prediction = prediction.wrapping_add(coding.pass_over_all(bits, part.across * part.down));
                continue;
            }
            for v in 0..part.down {
                for u in 0..part.across {
                    *prediction = prediction.wrapping_add(coding.difference(bits));
                    let any = read_ac(bits, &coding.ac, &part.steps, &mut self.block);
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
            let coding = &part.coding;
            if !part.wanted {
                *prediction = prediction.wrapping_add(coding.pass_over_all(bits, part.across * part.down));
                continue;
            }
            for v in 0..part.down {
                for u in 0..part.across {
                    *prediction = prediction.wrapping_add(coding.pass_over(bits));
                    let plane = &mut planes[index];
                    plane.data[v * plane.stride + place * part.across + u] = mean(part.steps.dequantize(0, (*prediction).into()).1);
                }
            }
        }
    }
}
