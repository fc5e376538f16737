//! Reads one of the several scans of a stream into the stores of its components.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "the hot loop: its indices come from the grid, which the stores are made for, and DC coefficients wrap at 16 bits"
)]

use super::bits::{BitPosition, BitReader, Restart};
use super::block::{Steps, read_ac};
use super::idct::Coefficients;
use super::kept::ALL_SLOTS;
use super::lookup::Lookup;
use super::progressive::{SpectralBand, Target, ac_first, ac_refine};
use super::sequential::Restarts;
use super::skip::SkipLookup;
use super::store::{Saved, Store};
use crate::error::Result;
use crate::jpeg::corrupt;
use crate::jpeg::header::Scan;
use crate::jpeg::tables::Tables;
use crate::jpeg::zigzag::NATURAL;

/// What a scan codes (T.81, table B.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sequential,
    /// The lowest bit of the coefficients that it codes (Al).
    DcFirst(u32),
    DcRefine(u32),
    AcFirst(SpectralBand),
    AcRefine(SpectralBand),
}

impl Kind {
    /// From the scan header. [`Error::SourceCorrupt`](crate::error::Error::SourceCorrupt) for a scan that no process allows.
    pub fn of(scan: &Scan, progressive: bool) -> Result<Self> {
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

    /// Whether its blocks have been coded by an earlier scan already.
    pub fn is_refinement(self) -> bool {
        !matches!(self, Self::Sequential | Self::DcFirst(_))
    }

    /// Whether it codes AC coefficients only.
    pub fn is_ac(self) -> bool {
        matches!(self, Self::AcFirst(_) | Self::AcRefine(_))
    }
}

/// A component of the scan.
#[derive(Debug)]
struct Part {
    index: usize,
    dc: Option<Lookup>,
    ac: Option<Lookup>,
    skip: Option<SkipLookup>,
    prediction: i16,
}

/// One scan while it is read.
#[derive(Debug)]
pub(super) struct ScanReader<'a> {
    kind: Kind,
    bits: BitReader<'a>,
    parts: Vec<Part>,
    restarts: Restarts,
    run: u32,
    /// The row of MCUs that is being read; of blocks, if the scan has one component.
    row: usize,
    plain: Steps,
    /// Whether blocks that cannot be read completely are put back to what they were before this scan.
    undo: bool,
    /// Takes the coefficients of blocks that are not kept.
    scratch: Coefficients,
    ignored: u64,
}

impl<'a> ScanReader<'a> {
    /// At the beginning of a scan's data. With `undo`, blocks that cannot be read completely are left as they were before.
    pub fn new(kind: Kind, tables: &Tables, scan: &Scan, stream: &'a [u8], undo: bool) -> Result<Self> {
        let mut parts = Vec::new();
        for &(index, dc, ac) in &scan.components {
            let needs_dc = matches!(kind, Kind::Sequential | Kind::DcFirst(_));
            let dc = if needs_dc { Some(tables.dc(dc, scan.data)?) } else { None };
            let ac = if kind == Kind::Sequential || kind.is_ac() { Some(tables.ac(ac, scan.data)?) } else { None };
            parts.push(Part {
                index,
                skip: dc.as_ref().zip(ac.as_ref()).map(|(dc, ac)| SkipLookup::new(dc, ac)),
                dc: dc.map(|spec| Lookup::new(&spec, false)),
                ac: ac.map(|spec| Lookup::new(&spec, true)),
                prediction: 0,
            });
        }
        let restarts = Restarts::before(tables.restart_interval.into(), 0);
        let bits = BitReader::new(stream.get(scan.data..).unwrap_or(&[]), BitPosition { byte: scan.data, bit: 0 });
        Ok(Self { kind, bits, parts, restarts, run: 0, row: 0, plain: Steps::new(&[1; 64]), undo, scratch: [0; 64], ignored: 0 })
    }

    /// The row of MCUs that was read last; of blocks, if the scan has one component.
    pub fn row(&self) -> usize {
        self.row
    }

    /// The offset of the byte that holds the next bit.
    pub fn end(&self) -> usize {
        self.bits.position().byte
    }

    /// Reads the whole scan: MCU by MCU, or block by block if it has one component (A.2.2).
    pub fn read(&mut self, stores: &mut [Store], mcus: (usize, usize)) -> Result<()> {
        let alone = self.parts.len() == 1;
        let (across, down) = if alone { stores[self.parts[0].index].own } else { mcus };
        for y in 0..down {
            self.row = y;
            let mut next = 0;
            while next < across {
                let x = next;
                next += 1;
                if self.run > 1 && self.restarts.interval == 0 && matches!(self.kind, Kind::AcFirst(_)) {
                    // No bits are stored for blocks within an end-of-band run.
                    let blocks = (self.run as usize - 1).min(across - x);
                    self.run -= blocks as u32;
                    next = x + blocks;
                    continue;
                }
                self.restart(y, down)?;
                let before = if self.undo && self.bits.is_near_end() { self.saved(stores, alone, x, y) } else { Vec::new() };
                self.unit(stores, alone, x, y);
                if self.undo && (self.bits.is_exhausted() || self.bits.invalid) {
                    before.into_iter().for_each(|(index, place, saved)| stores[index].restore(place, saved));
                    return self.check(y, down);
                }
            }
            self.check(y, down)?;
        }
        Ok(())
    }

    /// Reads one MCU, or one block if the scan has one component.
    #[inline(always)]
    fn unit(&mut self, stores: &mut [Store], alone: bool, x: usize, y: usize) {
        if alone {
            let index = self.parts[0].index;
            return self.block(0, &mut stores[index], x, y);
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

    /// Saves the blocks of one MCU, or the one block: for each the component, the position, and everything that is kept of it.
    fn saved(&self, stores: &[Store], alone: bool, x: usize, y: usize) -> Vec<(usize, (usize, usize), Saved)> {
        let mut saved = Vec::new();
        for part in &self.parts {
            let store = &stores[part.index];
            let (across, down) = if alone { (1, 1) } else { (store.across, store.down) };
            for v in 0..down {
                for u in 0..across {
                    let place = (x * across + u, y * down + v);
                    saved.push((part.index, place, store.save(place)));
                }
            }
        }
        saved
    }

    #[inline(never)]
    fn block(&mut self, part: usize, store: &mut Store, x: usize, y: usize) {
        let part = &mut self.parts[part];
        let kept = store.kept(x, y);
        let bits = &mut self.bits;
        let keep_mean = |store: &mut Store, mean: i16, set: bool| {
            if let Some([place, ..]) = kept.and_then(|index| store.coefficients.get_mut(index)) {
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
                let difference = match kept.and_then(|index| store.coefficients.ac_mut(index)) {
                    Some((kept, slots)) => {
                        bits.ensure();
                        let difference = dc.difference(bits);
                        let mut block = [0; 64];
                        read_ac(bits, ac, &self.plain, &mut block);
                        NATURAL.iter().zip(slots).for_each(|(place, slot)| kept[usize::from(*slot)] = block[usize::from(*place)]);
                        difference
                    }
                    None => skip.blocks(bits, dc, ac, 1),
                };
                part.prediction = part.prediction.wrapping_add(difference as i16);
                keep_mean(store, part.prediction, true);
            }
            Kind::AcFirst(band) | Kind::AcRefine(band) => {
                let Some(ac) = &part.ac else { return };
                let present = store.present.get_mut(y * store.stride + x).unwrap_or(&mut self.ignored);
                let block = kept.and_then(|index| store.coefficients.ac_mut(index));
                let kept = block.is_some();
                let (coefficients, slots) = block.unwrap_or((&mut self.scratch, &ALL_SLOTS));
                let mut target = Target { coefficients, slots, present, kept };
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
