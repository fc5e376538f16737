//! Streams of several scans, progressive (T.81, annex G) or without interleave (A.2.2): the coefficients of the region are kept until all scans are read,
//! of the other blocks only which coefficients are not zero, which progressive scans are read by. Scans that tell nothing that is wanted are passed over.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "the hot loop: its indices come from the grid, which the stores are made for, and DC coefficients wrap at 16 bits"
)]

use std::ops::Range;

use super::bits::{BitPosition, BitReader, Restart};
use super::block::{Steps, put, read_ac};
use super::grid::{Grid, Wanted};
use super::idct::Coefficients;
use super::lookup::{Lookup, SkipLookup};
use super::progressive::{SpectralBand, Target, ac_first, ac_refine};
use super::sequential::Restarts;
use crate::error::{Error, Result};
use crate::jpeg::corrupt;
use crate::jpeg::header::{Header, Scan};
use crate::jpeg::marker::{EOI, SOF2, SOS, next_marker, next_segment};
use crate::jpeg::plane::{Plane, Planes};
use crate::jpeg::quantization::QuantizationTable;
use crate::jpeg::tables::Tables;

/// Real files have about ten; each costs a pass over all blocks.
const MOST_SCANS: usize = 100;

/// The blocks of one component.
#[derive(Debug)]
struct Store {
    across: usize,
    down: usize,
    /// Blocks in a row of the whole component, whole MCUs.
    stride: usize,
    /// Blocks that a scan of this component alone has, across and down.
    own: (usize, usize),
    /// Blocks that are kept.
    columns: Range<usize>,
    rows: Range<usize>,
    coefficients: Vec<Coefficients>,
    /// DC coefficients, where nothing else is kept.
    means: Vec<i16>,
    /// Of all blocks; empty if no scan is read by it.
    present: Vec<u64>,
    wanted: bool,
    /// The table in force when its first scan began.
    quantization: Option<QuantizationTable>,
}

/// A decoder of all scans, then of bands.
#[derive(Debug)]
pub(super) struct Buffered {
    grid: Grid,
    stores: Vec<Store>,
    row: usize,
    planes: Planes,
}

impl Buffered {
    /// Reads all scans. [`Error::SourceTooCostly`] if what must be kept is more than is allowed.
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
        let mut buffered = Self { grid, stores, row, planes };
        buffered.read(header, stream, progressive)?;
        Ok(buffered)
    }

    /// Scan after scan, up to the end of the image, or of what is wanted of it.
    fn read(&mut self, header: &Header, stream: &[u8], progressive: bool) -> Result<()> {
        let mut tables = header.tables.clone();
        let mut scan = header.scan.clone();
        let mut done = vec![false; self.stores.len()];
        for _ in 0..MOST_SCANS {
            for (index, ..) in &scan.components {
                // A scan may cost far fewer bits than blocks only behind one that has some for each (G.1.1.1.1).
                if scan.spectral.0 > 0 && !done[*index] {
                    return Err(corrupt(scan.data, "coefficients of a component before its first scan of DC"));
                }
                let number = header.components[*index].quantization;
                let store = &mut self.stores[*index];
                if store.quantization.is_none() && store.wanted {
                    store.quantization = Some(*tables.quantization(number, scan.data)?);
                }
                done[*index] = true;
            }
            let end = self.read_scan(&tables, &scan, stream, progressive)?;
            // A sequential component comes once.
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

    /// Reads one scan, or passes over it; where its data end.
    fn read_scan(&mut self, tables: &Tables, scan: &Scan, stream: &[u8], progressive: bool) -> Result<usize> {
        let kind = Kind::of(scan, progressive)?;
        let means_only = self.grid.block == 1 && matches!(kind, Kind::AcFirst(_) | Kind::AcRefine(_));
        if means_only || scan.components.iter().all(|(index, ..)| !self.stores[*index].wanted) {
            return end_of_data(stream, scan.data);
        }
        let mut parts = Vec::new();
        for &(index, dc, ac) in &scan.components {
            let needs_dc = matches!(kind, Kind::Sequential | Kind::DcFirst(_));
            let ac = if matches!(kind, Kind::Sequential | Kind::AcFirst(_) | Kind::AcRefine(_)) { Some(tables.ac(ac, scan.data)?) } else { None };
            parts.push(Part {
                index,
                dc: if needs_dc { Some(Lookup::new(&tables.dc(dc, scan.data)?, false)) } else { None },
                skip: if kind == Kind::Sequential { ac.as_ref().map(SkipLookup::new) } else { None },
                ac: ac.map(|spec| Lookup::new(&spec, true)),
                prediction: 0,
            });
        }
        let restarts = Restarts::before(tables.restart_interval.into(), 0);
        let bits = BitReader::new(stream.get(scan.data..).unwrap_or(&[]), BitPosition { byte: scan.data, bit: 0 });
        let mut reading = Reading { kind, bits, parts, restarts, run: 0, plain: Steps::new(&[1; 64]), scratch: [0; 64], ignored: 0 };
        reading.read(&mut self.stores, self.grid.mcus)?;
        end_of_data(stream, reading.bits.position().byte)
    }

    /// The next MCU row of the region: its number in the image, and its planes.
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
                    if size == 1 {
                        block[0] = store.means[first + x].wrapping_mul(quantization[0] as i16);
                        put(&mut block, false, plane, x, v, 1);
                        continue;
                    }
                    let coefficients = &store.coefficients[first + x];
                    for ((value, coefficient), step) in block.iter_mut().zip(coefficients).zip(&quantization) {
                        *value = coefficient.wrapping_mul(*step as i16);
                    }
                    let any = coefficients[1..].iter().fold(0, |any, value| any | value) != 0;
                    put(&mut block, any, plane, x * size, v * size, size);
                }
            }
        }
        self.row += 1;
        Some((self.row - 1, &self.planes))
    }
}

impl Store {
    fn new(grid: &Grid, header: &Header, (across, down): (usize, usize), wanted: bool, progressive: bool) -> Self {
        let (columns, rows) = (grid.columns.start * across..grid.columns.end * across, grid.rows.start * down..grid.rows.end * down);
        let share = |side: u32, factor: usize, most: usize| (side as usize * factor).div_ceil(most * 8);
        let own = (share(header.dimensions.width(), across, grid.most.0), share(header.dimensions.height(), down, grid.most.1));
        let stride = grid.mcus.0 * across;
        let kept = if wanted { columns.len() * rows.len() } else { 0 };
        let (blocks, means) = if grid.block == 1 { (0, kept) } else { (kept, 0) };
        let present = if wanted && progressive && grid.block > 1 { stride * grid.mcus.1 * down } else { 0 };
        Self {
            across,
            down,
            stride,
            own,
            columns,
            rows,
            coefficients: vec![[0; 64]; blocks],
            means: vec![0; means],
            present: vec![0; present],
            wanted,
            quantization: None,
        }
    }

    /// Where a block's coefficients are kept.
    #[inline(always)]
    fn kept(&self, x: usize, y: usize) -> Option<usize> {
        let inside = self.wanted && self.columns.contains(&x) && self.rows.contains(&y);
        inside.then(|| (y - self.rows.start) * self.columns.len() + x - self.columns.start)
    }
}

/// What a scan tells (T.81, table B.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sequential,
    /// The bit down to which it tells.
    DcFirst(u32),
    DcRefine(u32),
    AcFirst(SpectralBand),
    AcRefine(SpectralBand),
}

impl Kind {
    fn of(scan: &Scan, progressive: bool) -> Result<Self> {
        if !progressive {
            return Ok(Self::Sequential);
        }
        let ((first, last), (high, low)) = (scan.spectral, scan.approximation);
        let sound =
            low <= 13 && (high == 0 || high == low + 1) && last <= 63 && if first == 0 { last == 0 } else { first <= last && scan.components.len() == 1 };
        if !sound {
            return Err(corrupt(scan.data, format!("a scan of coefficients {first} to {last}, bits {high} to {low}")));
        }
        let low = u32::from(low);
        let band = SpectralBand { first: first.into(), last: last.into(), low };
        Ok(match (first, high) {
            (0, 0) => Self::DcFirst(low),
            (0, _) => Self::DcRefine(low),
            (_, 0) => Self::AcFirst(band),
            _ => Self::AcRefine(band),
        })
    }
}

/// A component in a scan.
struct Part {
    index: usize,
    dc: Option<Lookup>,
    ac: Option<Lookup>,
    skip: Option<SkipLookup>,
    prediction: i16,
}

/// One scan while it is read.
struct Reading<'a> {
    kind: Kind,
    bits: BitReader<'a>,
    parts: Vec<Part>,
    restarts: Restarts,
    run: u32,
    plain: Steps,
    /// What is told of blocks that nobody keeps.
    scratch: Coefficients,
    ignored: u64,
}

impl Reading<'_> {
    fn read(&mut self, stores: &mut [Store], mcus: (usize, usize)) -> Result<()> {
        let alone = self.parts.len() == 1;
        let (across, down) = if alone { stores[self.parts[0].index].own } else { mcus };
        for y in 0..down {
            let mut next = 0;
            while next < across {
                let x = next;
                next += 1;
                if self.run > 1 && self.restarts.interval == 0 && matches!(self.kind, Kind::AcFirst(_)) {
                    // Nothing is told of blocks within a run.
                    let blocks = (self.run as usize - 1).min(across - x);
                    self.run -= blocks as u32;
                    next = x + blocks;
                    continue;
                }
                self.restart(y, down)?;
                if alone {
                    let index = self.parts[0].index;
                    self.block(0, &mut stores[index], x, y);
                    continue;
                }
                for part in 0..self.parts.len() {
                    let store = &mut stores[self.parts[part].index];
                    for v in 0..store.down {
                        for u in 0..store.across {
                            self.block(part, store, x * store.across + u, y * store.down + v);
                        }
                    }
                }
            }
            self.check(y, down)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn block(&mut self, part: usize, store: &mut Store, x: usize, y: usize) {
        let part = &mut self.parts[part];
        let kept = store.kept(x, y);
        let bits = &mut self.bits;
        let keep_mean = |store: &mut Store, mean: i16, set: bool| {
            let place = kept.and_then(|index| store.means.get_mut(index));
            let place = match place {
                Some(place) => Some(place),
                None => kept.and_then(|index| store.coefficients.get_mut(index)).map(|block| &mut block[0]),
            };
            if let Some(place) = place {
                *place = if set { mean } else { *place | mean };
            }
        };
        match self.kind {
            Kind::DcRefine(low) => {
                if bits.take_bit() {
                    keep_mean(store, 1 << low, false);
                }
            }
            Kind::DcFirst(low) => {
                if let Some(dc) = &part.dc {
                    bits.ensure();
                    part.prediction = part.prediction.wrapping_add(dc.difference(bits) as i16);
                    keep_mean(store, part.prediction << low, true);
                }
            }
            Kind::Sequential => {
                let (Some(dc), Some(ac), Some(skip)) = (&part.dc, &part.ac, &part.skip) else { return };
                bits.ensure();
                part.prediction = part.prediction.wrapping_add(dc.difference(bits) as i16);
                keep_mean(store, part.prediction, true);
                match kept.and_then(|index| store.coefficients.get_mut(index)) {
                    Some(block) => {
                        read_ac(bits, ac, &self.plain, block);
                    }
                    None => skip.skip(bits, ac, 1),
                }
            }
            Kind::AcFirst(band) | Kind::AcRefine(band) => {
                let Some(ac) = &part.ac else { return };
                let present = store.present.get_mut(y * store.stride + x).unwrap_or(&mut self.ignored);
                let block = kept.and_then(|index| store.coefficients.get_mut(index));
                let kept = block.is_some();
                let mut target = Target { coefficients: block.unwrap_or(&mut self.scratch), present, kept };
                if matches!(self.kind, Kind::AcFirst(_)) {
                    ac_first(bits, ac, band, &mut self.run, &mut target);
                } else {
                    ac_refine(bits, ac, band, &mut self.run, &mut target);
                }
            }
        }
    }

    #[inline(always)]
    fn restart(&mut self, row: usize, rows: usize) -> Result<()> {
        if self.restarts.interval == 0 {
            return Ok(());
        }
        if self.restarts.left == 0 {
            self.check(row, rows)?;
            if self.bits.restart(self.restarts.number) != Restart::Passed {
                let at = self.bits.position().byte;
                return Err(corrupt(at, format!("restart marker {} is missing, in row {row} of {rows} of a scan", self.restarts.number)));
            }
            self.parts.iter_mut().for_each(|part| part.prediction = 0);
            self.run = 0;
            self.restarts.left = self.restarts.interval;
            self.restarts.number = (self.restarts.number + 1) & 7;
        }
        self.restarts.left -= 1;
        Ok(())
    }

    fn check(&self, row: usize, rows: usize) -> Result<()> {
        let at = self.bits.position().byte;
        if self.bits.is_exhausted() {
            return Err(corrupt(at, format!("its data end in row {row} of {rows} of a scan")));
        }
        if self.bits.invalid {
            return Err(corrupt(at, format!("a code that no table has, in row {row} of {rows} of a scan")));
        }
        Ok(())
    }
}

/// Where the entropy-coded data that lie at `at` end: before the next marker that is no restart.
fn end_of_data(stream: &[u8], mut at: usize) -> Result<usize> {
    loop {
        match next_marker(stream, at) {
            None => return Err(corrupt(stream.len(), "its data end before the end marker (EOI)")),
            Some((0xD0..=0xD7, after)) => at = after,
            Some((_, after)) => return Ok(after.saturating_sub(2)),
        }
    }
}

/// The header of the next scan, and the tables before it; `None` at the end of the image.
fn next_scan(header: &Header, stream: &[u8], mut at: usize, tables: &mut Tables) -> Result<Option<Scan>> {
    loop {
        let segment = next_segment(stream, at)?.ok_or_else(|| corrupt(stream.len(), "its data end before the end marker (EOI)"))?;
        match segment.marker {
            EOI => return Ok(None),
            SOS => return Scan::read(&segment, &header.components).map(Some),
            _ => tables.define(&segment)?,
        };
        at = segment.end();
    }
}

/// What is kept, before any of it is allocated.
fn check_memory(header: &Header, grid: &Grid, wanted: &Wanted, progressive: bool) -> Result<()> {
    let mut needs = 0_u64;
    for (index, component) in header.components.iter().enumerate() {
        if wanted.gray && index > 0 {
            continue;
        }
        let factors = u64::from(component.across) * u64::from(component.down);
        let kept = factors * grid.columns.len() as u64 * grid.rows.len() as u64;
        let all = factors * grid.mcus.0 as u64 * grid.mcus.1 as u64;
        needs += if grid.block == 1 { kept * 2 } else { kept * 128 + if progressive { all * 8 } else { 0 } };
    }
    if needs > wanted.memory {
        return Err(Error::SourceTooCostly { what: "memory", needs, limit: wanted.memory });
    }
    Ok(())
}
