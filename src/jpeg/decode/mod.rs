//! The decoder: a stream and what is wanted of it in, bands of planes out.

mod bits;
mod block;
mod buffered;
mod grid;
mod idct;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod idct_simd;
mod lookup;
mod progressive;
mod sequential;

pub(crate) use grid::{ComponentGrid, Grid, Wanted};
pub(crate) use sequential::Position;

use buffered::Buffered;
use sequential::Sequential;

use super::header::Header;
use super::marker::SOF2;
use super::plane::Planes;
use super::tables::check_process;
use crate::error::{Error, Result};

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
    Sequential(Box<Sequential<'a>>),
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
        check_memory(header, &grid, wanted)?;
        let together = header.scan.components.iter().map(|(index, ..)| *index).eq(0..header.components.len());
        let process = if header.process == SOF2 || !together {
            Process::Buffered(Box::new(Buffered::new(header, stream, grid.clone(), wanted)?))
        } else {
            Process::Sequential(Box::new(Sequential::new(header, stream, grid.clone(), wanted.gray)?))
        };
        Ok(Self { grid, process })
    }

    /// The same decoder, between two bands, over another slice of the same bytes: whoever owns them need not lend them for all of its life.
    pub fn over(self, stream: &[u8]) -> Decoder<'_> {
        let process = match self.process {
            Process::Sequential(sequential) => Process::Sequential(Box::new(sequential.over(stream))),
            Process::Buffered(buffered) => Process::Buffered(buffered),
        };
        Decoder { grid: self.grid, process }
    }

    /// Which MCUs come, and where their samples lie.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The next MCU row of the region; `None` behind the last. [`Error::SourceCorrupt`] says where the data end or are wrong.
    pub fn next_band(&mut self) -> Result<Option<Band<'_>>> {
        let band = match &mut self.process {
            Process::Sequential(sequential) => sequential.next_band()?,
            Process::Buffered(buffered) => buffered.next_band(),
        };
        Ok(band.map(|(mcu_row, planes)| Band { mcu_row, planes }))
    }
}

/// The planes of a band and the tables, before anything is allocated.
fn check_memory(header: &Header, grid: &Grid, wanted: &Wanted) -> Result<()> {
    const TABLES: u64 = 128 << 10;
    let blocks: u64 = header.components.iter().map(|component| u64::from(component.across).saturating_mul(component.down.into())).sum();
    let samples = (grid.block as u64).saturating_pow(2).saturating_mul(blocks).saturating_mul(grid.columns.len() as u64);
    let needs = samples.saturating_add(TABLES);
    if needs > wanted.memory {
        return Err(Error::SourceTooCostly { what: "memory", needs, limit: wanted.memory });
    }
    Ok(())
}
