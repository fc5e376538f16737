//! Coefficients that are there already, coded again MCU row by MCU row, without loss.

use super::layout::Layout;
use super::scan::ScanWriter;
use super::{Quantization, Tables, internal, segments};
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::jpeg::coefficients::Component;

/// How the coefficients are written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Copied<'a> {
    pub tables: Tables,
    /// MCUs between restart markers; 0 for none.
    pub restart_interval: u16,
    pub icc: Option<&'a [u8]>,
    /// Further marker segments, as in [`Settings`](super::Settings).
    pub segments: &'a [(u8, &'a [u8])],
}

/// Writes one image of coefficients as they come.
#[derive(Debug)]
pub(crate) struct Copier {
    layout: Layout,
    scan: ScanWriter,
    rows: usize,
}

impl Copier {
    /// Begins an image of components that are sampled and quantized like these. [`Error::TooLarge`](crate::Error::TooLarge) beyond 65 535 px a side.
    pub fn new(dimensions: Dimensions, components: &[Component], copied: &Copied<'_>) -> Result<Self> {
        let layout = Layout::of(dimensions, &factors(components))?;
        let quantization = Quantization::of(components.iter().map(|component| &component.quantization))?;
        let head = segments::start(copied.segments, copied.icc)?;
        Ok(Self { layout, scan: ScanWriter::new(layout, (quantization, 100), copied.tables, copied.restart_interval, &head), rows: 0 })
    }

    /// Codes the next MCU rows, as many as `components` hold, or the image has; blocks that begin beyond it are made up.
    pub fn push(&mut self, components: &[Component]) -> Result<()> {
        let rows = |(number, component): (usize, &Component)| {
            let enough = component.columns >= self.layout.blocks(number).0;
            let blocks = component.blocks.len().checked_div(component.columns).filter(|_| enough);
            blocks.and_then(|blocks| blocks.checked_div(self.layout.factors(number).1)).unwrap_or(0)
        };
        let rows = components.iter().enumerate().map(rows).min().unwrap_or(0).min(self.layout.mcus().1.saturating_sub(self.rows));
        if components.len() != self.layout.components() || rows == 0 {
            return Err(internal(format!("coefficients that are not those of MCU row {}", self.rows)));
        }
        self.rows = self.rows.saturating_add(rows);
        (0..rows).for_each(|row| self.scan.coefficient_row(components, row));
        Ok(())
    }

    /// How many bytes [`Self::take`] would give.
    pub fn held(&self) -> usize {
        self.scan.held()
    }

    /// The bytes that were made since the last call; they may be none.
    pub fn take(&mut self) -> Vec<u8> {
        self.scan.take()
    }

    /// The last bytes; [`Error::Internal`](crate::Error::Internal) if rows are missing.
    pub fn finish(self) -> Result<Vec<u8>> {
        if self.rows < self.layout.mcus().1 {
            return Err(internal(format!("{} of {} MCU rows", self.rows, self.layout.mcus().1)));
        }
        Ok(self.scan.finish())
    }
}

/// So many MCUs, across and down, from one of the first row on, behind which there are `size` px of an image: what is beyond them is padded.
pub(crate) fn fill(components: &[Component], left: usize, size: Dimensions, mcus: (usize, usize)) -> Result<Vec<Component>> {
    let layout = Layout::of(size, &factors(components))?;
    let fill = |(number, component): (usize, &Component)| {
        let (across, down) = layout.factors(number);
        component.padded(left.saturating_mul(across), (mcus.0.saturating_mul(across), mcus.1.saturating_mul(down)), layout.blocks(number))
    };
    Ok(components.iter().enumerate().map(fill).collect())
}

fn factors(components: &[Component]) -> Vec<(usize, usize)> {
    components.iter().map(|component| (component.across, component.down)).collect()
}
