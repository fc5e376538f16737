//! The decoder: a stream and what is wanted of it in, bands of planes out.

mod bits;
mod block;
mod buffered;
mod coding;
mod grid;
mod idct;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod idct_simd;
mod index;
mod kept;
mod lookup;
mod lossless;
mod mcu;
mod progressive;
mod scan;
mod sequential;
mod skip;
mod store;

pub(crate) use grid::{ComponentGrid, Grid, Wanted};
pub(crate) use index::{Entry, Index, seal};
pub(crate) use kept::block_bytes;
pub(crate) use lossless::Lossless;
pub(crate) use mcu::Predictions;
pub(crate) use sequential::{Input, Progress, Sequential};

use std::sync::Arc;

use buffered::Buffered;

use super::coefficients::Component;
use super::corrupt;
use super::header::Header;
use super::plane::Planes;
use super::tables::check_process;
use crate::error::{Budget, Error, Result};
use crate::incomplete::Incomplete;

/// An MCU row of the region.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Band<'a> {
    /// Which MCU row of the image it is.
    pub mcu_row: usize,
    /// A plane for each component that is wanted; whole MCUs, so that the last ones may reach beyond the image.
    pub planes: &'a Planes,
}

/// Decodes the MCUs that a region touches.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    grid: Grid,
    process: Process<'a>,
}

/// How scans become planes.
#[derive(Debug)]
enum Process<'a> {
    Sequential(Box<Sequential>, &'a [u8]),
    Buffered(Box<Buffered>),
}

impl<'a> Decoder<'a> {
    /// A decoder of `stream`, whose header was read before. One scan of all components is decoded band by band; several are all read here.
    ///
    /// [`Error::SourceUnsupported`] for a process that is not built in, [`Error::SourceTooCostly`] if it would take more memory than is allowed,
    /// [`Error::Internal`] if the region is not within the image.
    pub fn new(header: &Header, stream: &'a [u8], wanted: &Wanted) -> Result<Self> {
        check_process(header.process, header.precision)?;
        let grid = Grid::new(header, wanted)?;
        let process = if header.is_streamable() {
            Process::Sequential(Box::new(Sequential::new(header, wanted)?), stream)
        } else {
            Process::Buffered(Box::new(Buffered::new(header, stream, grid.clone(), wanted)?))
        };
        Ok(Self { grid, process })
    }

    /// The same decoder, between two bands, over another slice of the same bytes: whoever owns them need not lend them for all of its life.
    pub fn over(self, stream: &[u8]) -> Decoder<'_> {
        let process = match self.process {
            Process::Sequential(sequential, _) => Process::Sequential(sequential, stream),
            Process::Buffered(buffered) => Process::Buffered(buffered),
        };
        Decoder { grid: self.grid, process }
    }

    /// Goes by an index from now on, and records the positions behind its last one; only a stream of one scan has any.
    pub fn record(&mut self, index: Arc<Index>) {
        if let Process::Sequential(sequential, _) = &mut self.process {
            sequential.record(index);
        }
    }

    /// Takes the positions that were recorded, and the number of the first of them.
    pub fn recorded(&mut self) -> (usize, Vec<Entry>) {
        match &mut self.process {
            Process::Sequential(sequential, _) => sequential.recorded(),
            Process::Buffered(_) => Default::default(),
        }
    }

    /// Which MCUs come, and where their samples lie.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// What could not be decoded and was filled so far, as [`Wanted::fill`] allows. Rows are those of the image at full size.
    pub fn damage(&self) -> Option<&Incomplete> {
        match &self.process {
            Process::Sequential(sequential, _) => sequential.damage(),
            Process::Buffered(buffered) => buffered.damage(),
        }
    }

    /// The next MCU row of the region; `None` behind the last. [`Error::SourceCorrupt`] says where the data end or are wrong.
    pub fn next_band(&mut self) -> Result<Option<Band<'_>>> {
        match &mut self.process {
            Process::Sequential(sequential, stream) => match sequential.next_band(&Input { bytes: stream, start: 0, last: true })? {
                Progress::Band(band) => Ok(Some(band)),
                Progress::Done => Ok(None),
                Progress::Need { from } => Err(corrupt(from, "its data end before those of the region")),
            },
            Process::Buffered(buffered) => Ok(buffered.next_band().map(|(mcu_row, planes)| Band { mcu_row, planes })),
        }
    }
}

/// The planes of a band and the tables, before anything is allocated.
fn check_memory(header: &Header, grid: &Grid, wanted: &Wanted) -> Result<()> {
    const TABLES: u64 = 128 << 10;
    let blocks: u64 = header.components.iter().map(|component| u64::from(component.across).saturating_mul(component.down.into())).sum();
    let samples = (grid.block as u64).saturating_pow(2).saturating_mul(blocks).saturating_mul(grid.columns.len() as u64);
    let needs = samples.saturating_add(TABLES);
    if needs > wanted.memory {
        return Err(Error::too_costly(Budget::Memory, needs, wanted.memory));
    }
    Ok(())
}

/// The coefficients of the MCUs of a region, by the index if there is one: whole MCUs of each wanted component. None are made up.
pub(super) fn coefficients(header: &Header, stream: &[u8], wanted: &Wanted, index: Option<&Index>) -> Result<Vec<Component>> {
    check_process(header.process, header.precision)?;
    let wanted = &Wanted { fill: false, ..*wanted };
    if !header.is_streamable() {
        let grid = Grid::new(header, wanted)?;
        return Ok(Buffered::new(header, stream, grid, wanted)?.into_coefficients());
    }
    let mut sequential = Sequential::coefficients(header, wanted)?;
    if let Some(index) = index {
        sequential.follow(Arc::new(index.clone()));
    }
    let input = Input { bytes: stream, start: 0, last: true };
    while let Progress::Band(_) = sequential.next_band(&input)? {}
    Ok(sequential.take_coefficients().unwrap_or_default())
}

/// What the coefficients of an image are, without any of them.
pub(crate) fn kind(header: &Header) -> Result<Vec<Component>> {
    empty_components(header, &Grid::new(header, &Wanted::whole(header))?, false, 0)
}

/// Room for the coefficients of so many MCU rows of a region.
fn empty_components(header: &Header, grid: &Grid, gray: bool, mcu_rows: usize) -> Result<Vec<Component>> {
    let wanted = header.components.iter().take(if gray { 1 } else { 4 });
    wanted
        .map(|component| {
            let (across, down) = (usize::from(component.across), usize::from(component.down));
            let (columns, rows) = (grid.columns.len().saturating_mul(across), mcu_rows.saturating_mul(down));
            let quantization = *header.tables.quantization(component.quantization, header.scan.data)?;
            Ok(Component { across, down, columns, blocks: vec![[0; 64]; columns.saturating_mul(rows)], quantization })
        })
        .collect()
}

/// The coefficients of so many MCU rows of a region, before any of them is allocated.
fn check_kept(header: &Header, grid: &Grid, wanted: &Wanted, mcu_rows: usize) -> Result<()> {
    let components = header.components.iter().take(if wanted.gray { 1 } else { 4 });
    let blocks: u64 = components.map(|component| u64::from(component.across).saturating_mul(component.down.into())).sum();
    let needs = blocks.saturating_mul(grid.columns.len() as u64).saturating_mul(mcu_rows as u64).saturating_mul(128);
    if needs > wanted.memory {
        return Err(Error::too_costly(Budget::Memory, needs, wanted.memory));
    }
    Ok(())
}
