//! JPEG streams of several scans: progressive ones (T.81, annex G), or ones whose components are not interleaved (A.2.2). The coefficients of the wanted region
//! are kept until all scans are read. Of other blocks, only which coefficients are nonzero is kept, because progressive scans cannot be read without it. Scans
//! that contribute nothing wanted are skipped.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "indices come from the grid, which the stores are made for, and steps of 16 bits wrap as libjpeg's do"
)]

use super::block::put;
use super::grid::{Grid, Wanted};
use super::kept::block_bytes;
use super::scan::{Kind, ScanReader};
use super::store::Store;
use crate::error::{Budget, Error, Result};
use crate::incomplete::Incomplete;
use crate::jpeg::coefficients::Component;
use crate::jpeg::corrupt;
use crate::jpeg::header::{Header, Scan};
use crate::jpeg::marker::{EOI, SOF2, SOS, next_marker, next_segment};
use crate::jpeg::plane::{Plane, Planes};
use crate::jpeg::tables::Tables;

/// Most scans of a stream. Real files have about ten; each costs a pass over all blocks.
const MOST_SCANS: usize = 100;
/// Most times that scans may visit all blocks. Real progressive files visit all blocks about six times. The price of such a file assumes ten times.
const MOST_PASSES: usize = 20;

/// Reads all scans, then decodes the region band by band (rows of MCUs).
#[derive(Debug)]
pub(super) struct Buffered {
    grid: Grid,
    stores: Vec<Store>,
    row: usize,
    planes: Planes,
    fill: bool,
    damage: Option<Incomplete>,
    /// For each component, the rows of pixels that its first scan has covered.
    begun: Vec<u32>,
}

impl Buffered {
    /// Reads all scans. [`Error::SourceTooCostly`] if the coefficients that must be kept take more memory than is allowed.
    pub fn new(header: &Header, stream: &[u8], grid: Grid, wanted: &Wanted) -> Result<Self> {
        let progressive = header.process == SOF2;
        check_memory(header, &grid, wanted, progressive)?;
        let stores = header
            .components
            .iter()
            .enumerate()
            .map(|(index, component)| Store::new(&grid, header, (component.across.into(), component.down.into()), !wanted.gray || index == 0, progressive));
        let stores: Vec<Store> = stores.collect();
        let planes = stores.iter().filter(|store| store.wanted).map(|store| Plane::new(store.columns.len() * grid.block, store.down * grid.block)).collect();
        let row = grid.rows.start;
        let mut buffered = Self { grid, stores, row, planes, fill: wanted.fill, damage: None, begun: vec![0; header.components.len()] };
        match buffered.read(header, stream, progressive) {
            Err(error) if wanted.fill => buffered.damage = Some(Incomplete::below(buffered.rows_begun(header), error)?),
            other => other?,
        }
        Ok(buffered)
    }

    /// Rows of pixels that the first scans of all wanted components cover.
    fn rows_begun(&self, header: &Header) -> u32 {
        let begun = self.stores.iter().zip(&self.begun).filter(|(store, _)| store.wanted).map(|(_, rows)| *rows).min();
        begun.unwrap_or(0).min(header.dimensions.height())
    }

    /// The part that could not be decoded and was filled.
    pub fn damage(&self) -> Option<&Incomplete> {
        self.damage.as_ref()
    }

    /// Reads scan after scan, up to the end of the image, or until everything that is wanted is complete.
    fn read(&mut self, header: &Header, stream: &[u8], progressive: bool) -> Result<()> {
        let mut tables = header.tables.clone();
        let mut scan = header.scan.clone();
        let mut done = vec![false; self.stores.len()];
        let blocks: Vec<usize> = header.components.iter().map(|component| usize::from(component.across) * usize::from(component.down)).collect();
        let (all, mut seen) = (blocks.iter().sum::<usize>(), 0);
        for _ in 0..MOST_SCANS {
            seen += scan.components.iter().map(|(index, ..)| blocks[*index]).sum::<usize>();
            if seen > all * MOST_PASSES {
                return Err(corrupt(scan.data, format!("scans that look at all blocks more than {MOST_PASSES} times")));
            }
            for (index, ..) in &scan.components {
                // A scan of AC coefficients may take far fewer bits than it has blocks. It is accepted only after the DC scan of its component, which has some
                // bits for each block (G.1.1.1.1).
                if scan.spectral.0 > 0 && !done[*index] {
                    return Err(corrupt(scan.data, "coefficients of a component before its first scan of DC"));
                }
                // Reading a sequential stream stops as soon as the wanted components are complete. A second scan of a component, which could change it later,
                // is refused (B.2.3).
                if !progressive && done[*index] {
                    return Err(corrupt(scan.data, "a second scan of a component"));
                }
                let number = header.components[*index].quantization;
                let store = &mut self.stores[*index];
                if store.quantization.is_none() && store.wanted {
                    store.quantization = Some(*tables.quantization(number, scan.data)?);
                }
                done[*index] = true;
            }
            let end = self.read_scan(&tables, &scan, stream, progressive)?;
            // In a sequential stream, each component has one scan.
            if !progressive && self.stores.iter().zip(&done).all(|(store, done)| *done || !store.wanted) {
                return Ok(());
            }
            match next_scan(header, stream, end, &mut tables)? {
                Some(next) => scan = next,
                None if self.stores.iter().zip(&done).all(|(store, done)| *done || !store.wanted) => return Ok(()),
                None => return Err(corrupt(end, "the image ends before a scan of each component")),
            }
        }
        Err(corrupt(scan.data, format!("more than {MOST_SCANS} scans")))
    }

    /// Reads one scan, or skips it. Returns the offset at which its data end.
    fn read_scan(&mut self, tables: &Tables, scan: &Scan, stream: &[u8], progressive: bool) -> Result<usize> {
        let kind = Kind::of(scan, progressive)?;
        let means_only = self.grid.block == 1 && kind.is_ac();
        if means_only || scan.components.iter().all(|(index, ..)| !self.stores[*index].wanted) {
            return end_of_data(stream, scan.data);
        }
        let mut reading = ScanReader::new(kind, tables, scan, stream, self.fill)?;
        let outcome = reading.read(&mut self.stores, self.grid.mcus);
        if !kind.is_refinement() {
            for (index, ..) in &scan.components {
                // A scan of one component has rows of that component's blocks instead of rows of MCUs.
                let down = if scan.components.len() == 1 { self.stores[*index].down } else { 1 };
                let rows = if outcome.is_ok() { usize::MAX } else { reading.row() };
                self.begun[*index] = u32::try_from(rows.saturating_mul(self.grid.most.1 * 8) / down).unwrap_or(u32::MAX);
            }
        }
        outcome?;
        end_of_data(stream, reading.end())
    }

    /// The coefficients of the wanted region, for each wanted component.
    pub fn into_coefficients(self) -> Vec<Component> {
        let wanted = self.stores.into_iter().filter(|store| store.wanted);
        wanted
            .map(|store| Component {
                across: store.across,
                down: store.down,
                columns: store.columns.len(),
                blocks: store.coefficients.into_all(),
                quantization: store.quantization.unwrap_or([1; 64]),
            })
            .collect()
    }

    /// The next row of MCUs of the region: its number in the image, and its decoded planes. `None` after the last.
    pub fn next_band(&mut self) -> Option<(usize, &Planes)> {
        if self.row >= self.grid.rows.end {
            return None;
        }
        let size = self.grid.block;
        for (store, plane) in self.stores.iter().filter(|store| store.wanted).zip(&mut self.planes) {
            let quantization = store.quantization.unwrap_or([1; 64]);
            for v in 0..store.down {
                let first = ((self.row - self.grid.rows.start) * store.down + v) * store.columns.len();
                for x in 0..store.columns.len() {
                    let mut block = [0; 64];
                    let any = store.coefficients.dequantize(first + x, &quantization, &mut block);
                    put(&mut block, any, plane, x * size, v * size, size);
                }
            }
        }
        self.row += 1;
        Some((self.row - 1, &self.planes))
    }
}

/// The offset at which the entropy-coded data that begin at `at` end: that of the next marker other than RST.
pub(super) fn end_of_data(stream: &[u8], mut at: usize) -> Result<usize> {
    loop {
        match next_marker(stream, at) {
            None => return Err(corrupt(stream.len(), "its data end before the end marker (EOI)")),
            Some((0xD0..=0xD7, after)) => at = after,
            Some((_, after)) => return Ok(after.saturating_sub(2)),
        }
    }
}

/// Reads the segments before the next scan, and adds their tables to `tables`. Returns the header of that scan; `None` at the end of the image (EOI).
pub(super) fn next_scan(header: &Header, stream: &[u8], mut at: usize, tables: &mut Tables) -> Result<Option<Scan>> {
    loop {
        let end = || corrupt(stream.len(), "its data end before the end marker (EOI)");
        let segment = next_segment(stream, at).map_err(|_| end())?.ok_or_else(end)?;
        match segment.marker {
            EOI => return Ok(None),
            SOS => return Scan::read(&segment, &header.components).map(Some),
            _ => tables.define(&segment)?,
        };
        at = segment.end();
    }
}

/// Checks the memory for what is kept, before any of it is allocated.
fn check_memory(header: &Header, grid: &Grid, wanted: &Wanted, progressive: bool) -> Result<()> {
    let mut needs = 0_u64;
    for (index, component) in header.components.iter().enumerate() {
        if wanted.gray && index > 0 {
            continue;
        }
        let factors = u64::from(component.across) * u64::from(component.down);
        let kept = factors * grid.columns.len() as u64 * grid.rows.len() as u64;
        let all = factors * grid.mcus.0 as u64 * grid.mcus.1 as u64;
        let present = if progressive && grid.block > 1 { all * 8 } else { 0 };
        needs += kept * block_bytes(grid.block as u32) + present;
    }
    if needs > wanted.memory {
        return Err(Error::too_costly(Budget::Memory, needs, wanted.memory));
    }
    Ok(())
}
