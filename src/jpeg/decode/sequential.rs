//! The sequential process with all components in one scan (T.81, F.2): MCU row after MCU row, out of whatever bytes are there, by an index where there is one.

use std::ops::Range;
use std::sync::Arc;

use super::bits::{BitPosition, BitReader, Restart};
use super::grid::{Grid, Wanted};
use super::index::{Entry, Index, Position};
use super::mcu::{Mcu, Predictions, copy};
use super::{Band, check_kept, check_memory, empty_components};
use crate::error::{Error, Result};
use crate::incomplete::Incomplete;
use crate::jpeg::coefficients::Component;
use crate::jpeg::encode::Cut;
use crate::jpeg::header::Header;
use crate::jpeg::plane::{Plane, Planes};
use crate::jpeg::tables::check_process;
use crate::jpeg::{corrupt, unsupported};

/// Bytes of a stream, the first of which lies at `start`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub bytes: &'a [u8],
    pub start: usize,
    /// Whether nothing comes behind them.
    pub last: bool,
}

/// What became of a step.
#[derive(Debug)]
pub(crate) enum Progress<'a> {
    /// The next MCU row of the region.
    Band(Band<'a>),
    /// Bytes from this one on, more than there were; none before it will be asked for again.
    Need { from: usize },
    /// All that was wanted is done.
    Done,
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

impl Restarts {
    /// Before an MCU of a scan.
    pub fn before(interval: usize, mcu: usize) -> Self {
        // Before the first MCU after an interval, its marker is still to come.
        let done = mcu.saturating_sub(1).checked_div(interval).unwrap_or(0);
        let left = done.saturating_add(1).saturating_mul(interval).saturating_sub(mcu);
        Self { interval, left, number: u8::try_from(done & 7).unwrap_or(0) }
    }
}

/// A sample of a gray between black and white, and of chroma of no colour: what blocks without coefficients are.
const MEDIUM: u8 = 128;

/// A decoder of one interleaved scan that holds none of its bytes.
#[derive(Debug)]
pub(crate) struct Sequential {
    grid: Grid,
    mcu: Mcu,
    planes: Planes,
    /// The MCU row of the next band.
    row: usize,
    /// The MCU that comes next, counted row by row.
    next: usize,
    bits: BitPosition,
    predictions: Predictions,
    restarts: Restarts,
    index: Option<Arc<Index>>,
    /// Positions that the index has not, and the number of the first of them.
    recorded: (usize, Vec<Entry>),
    /// The MCU whose position is the next to be recorded; none if it is out of reach.
    next_record: usize,
    /// Where the bits of the region go, if samples are not wanted.
    cut: Option<Cut>,
    /// Whether data that end too early or are wrong are no error.
    fill: bool,
    /// What could not be decoded.
    damage: Option<Incomplete>,
}

/// What is between two MCUs.
#[derive(Debug, Clone)]
struct Place<'a> {
    bits: BitReader<'a>,
    predictions: Predictions,
    restarts: Restarts,
}

impl Sequential {
    /// A decoder of what is wanted. [`Error::SourceUnsupported`] unless the stream [can be streamed](Header::is_streamable).
    pub fn new(header: &Header, wanted: &Wanted) -> Result<Self> {
        let grid = Grid::new(header, wanted)?;
        check_memory(header, &grid, wanted)?;
        Ok(Self { fill: wanted.fill, ..Self::of(header, grid, wanted.gray)? })
    }

    fn of(header: &Header, grid: Grid, gray: bool) -> Result<Self> {
        check_process(header.process, header.precision)?;
        if !header.is_streamable() {
            return Err(unsupported("streaming of several scans".to_owned()));
        }
        let size = grid.block;
        let width = grid.columns.len().saturating_mul(size);
        let wanted = header.components.iter().take(if gray { 1 } else { 4 });
        let plane = |across: u8, down: u8| Plane::new(width.saturating_mul(across.into()), size.saturating_mul(down.into()));
        Ok(Self {
            mcu: Mcu::new(header, size, gray)?,
            planes: wanted.map(|component| plane(component.across, component.down)).collect(),
            row: grid.rows.start,
            grid,
            next: 0,
            bits: BitPosition { byte: header.scan.data, bit: 0 },
            predictions: [0; 4],
            restarts: Restarts::before(header.tables.restart_interval.into(), 0),
            index: None,
            recorded: (0, Vec::new()),
            next_record: usize::MAX,
            cut: None,
            fill: false,
            damage: None,
        })
    }

    /// One that keeps the coefficients of the region's MCUs; its bands have no samples.
    pub fn coefficients(header: &Header, wanted: &Wanted) -> Result<Self> {
        let grid = Grid::new(header, wanted)?;
        let rows = grid.rows.len();
        check_kept(header, &grid, wanted, rows)?;
        let components = empty_components(header, &grid, wanted.gray, rows)?;
        let mut sequential = Self::of(header, grid, wanted.gray)?;
        sequential.planes.clear();
        sequential.mcu.keep(components, rows);
        Ok(sequential)
    }

    /// One whose bands have [coefficients](Self::row_kept), and samples too if they are wanted. What a file does not have is not made up.
    pub fn with_coefficients(header: &Header, wanted: &Wanted, samples: bool) -> Result<Self> {
        let mut sequential = Self::new(header, &Wanted { fill: false, ..*wanted })?;
        check_kept(header, &sequential.grid, wanted, 1)?;
        sequential.mcu.keep(empty_components(header, &sequential.grid, wanted.gray, 1)?, 1);
        if !samples {
            sequential.planes.clear();
        }
        Ok(sequential)
    }

    /// The coefficients of the last band, if they are kept a row at a time.
    pub fn row_kept(&self) -> &[Component] {
        self.mcu.row_kept()
    }

    /// One that copies the bits of the region's MCUs; its bands have no samples.
    pub fn cutting(header: &Header, wanted: &Wanted, cut: Cut) -> Result<Self> {
        let mut sequential = Self::of(header, Grid::new(header, wanted)?, false)?;
        sequential.planes.clear();
        sequential.cut = Some(cut);
        Ok(sequential)
    }

    /// Takes what was copied.
    pub fn take_cut(&mut self) -> Option<Cut> {
        self.cut.take()
    }

    /// Takes the coefficients that were kept.
    pub fn take_coefficients(&mut self) -> Option<Vec<Component>> {
        self.mcu.take_kept()
    }

    /// Goes by an index from now on.
    pub fn follow(&mut self, index: Arc<Index>) {
        self.index = Some(index);
    }

    /// Goes by an index from now on, and records the positions behind its last one.
    pub fn record(&mut self, index: Arc<Index>) {
        let next = index.mcu_of(index.len());
        self.next_record = if next < self.next { usize::MAX } else { next };
        self.recorded = (index.len(), Vec::new());
        self.index = Some(index);
    }

    /// Takes the positions that were recorded, and the number of the first of them.
    pub fn recorded(&mut self) -> (usize, Vec<Entry>) {
        let (first, entries) = &mut self.recorded;
        let taken = (*first, std::mem::take(entries));
        *first = first.saturating_add(taken.1.len());
        taken
    }

    /// The byte from which it goes on; none if all is done.
    pub fn seek(&mut self) -> Option<usize> {
        self.jump();
        (!self.rows_left().is_empty()).then_some(self.bits.byte)
    }

    /// The MCU rows that are yet to come.
    pub fn rows_left(&self) -> Range<usize> {
        self.row..self.grid.rows.end
    }

    /// The MCU that comes next, counted row by row.
    pub fn next_mcu(&self) -> usize {
        self.next
    }

    /// Which MCUs come, and where their samples lie.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Goes on as far as the bytes allow, up to the next MCU row of the region. [`Error::SourceCorrupt`] says where the data are wrong, or end too early.
    pub fn next_band(&mut self, input: &Input<'_>) -> Result<Progress<'_>> {
        if self.rows_left().is_empty() {
            return Ok(Progress::Done);
        }
        let first = self.row.saturating_mul(self.grid.mcus.0);
        let (start, end) = (first.saturating_add(self.grid.columns.start), first.saturating_add(self.grid.columns.end));
        if self.damage.is_none() && !self.advance(first, start, end, input)? {
            return Ok(Progress::Need { from: self.bits.byte });
        }
        if self.damage.is_some() {
            self.make_up(self.next.saturating_sub(start));
        }
        self.row = self.row.saturating_add(1);
        Ok(Progress::Band(Band { mcu_row: self.row.saturating_sub(1), planes: &self.planes }))
    }

    /// Up to the end of a band; whether there are all bytes for it, or there will be no more.
    fn advance(&mut self, first: usize, start: usize, end: usize, input: &Input<'_>) -> Result<bool> {
        self.jump();
        // Where missing samples are filled in, the last MCU must be found that is whole, as if more were to come.
        let last = input.last && !self.fill;
        let Some(mut place) = self.open(input, last)? else { return Ok(self.fill_up(input)) };
        let reached = match self.reach(&mut place, first, start, end, last) {
            Err(error) if self.fill => {
                self.damage = Some(self.incomplete(error)?);
                return Ok(true);
            }
            reached => reached?,
        };
        (self.bits, self.predictions, self.restarts) = (place.bits.position(), place.predictions, place.restarts);
        Ok(reached || self.fill_up(input))
    }

    /// Decodes up to the end of a band; whether it was reached.
    fn reach(&mut self, place: &mut Place<'_>, first: usize, start: usize, end: usize, last: bool) -> Result<bool> {
        let reached = self.pass_over(place, start, last)? && self.read(place, first, end, last)?;
        self.check(place)?;
        Ok(reached)
    }

    /// What an error at the next MCU leaves of the image.
    fn incomplete(&self, error: Error) -> Result<Incomplete> {
        let row = self.next.checked_div(self.grid.mcus.0).unwrap_or(0);
        Incomplete::below(self.grid.pixel_row(row), error)
    }

    /// Whether what is missing behind these bytes is to be filled in.
    fn fill_up(&mut self, input: &Input<'_>) -> bool {
        let filled = input.last && self.fill;
        if filled {
            let error = self.ended(input.start.saturating_add(input.bytes.len()), "its data end");
            self.damage = self.incomplete(error).ok();
        }
        filled
    }

    /// What could not be decoded and was filled.
    pub fn damage(&self) -> Option<&Incomplete> {
        self.damage.as_ref()
    }

    /// The MCUs of a band from one on, of which there are no data.
    fn make_up(&mut self, from: usize) {
        for (plane, component) in self.planes.iter_mut().zip(self.mcu.widths()) {
            let left = from.saturating_mul(component).min(plane.width);
            for row in plane.data.chunks_exact_mut(plane.stride.max(1)) {
                if let Some(missing) = row.get_mut(left..) {
                    missing.fill(MEDIUM);
                }
            }
        }
    }

    /// To the last position that is known before the next band, if it is further on, in MCUs and in bytes: bytes behind this place may be all that there are,
    /// and an index that was kept may be of anything.
    fn jump(&mut self) {
        if let Some(index) = &self.index
            && let Some(Position { bits, mcu, predictions }) = index.before(self.row, self.grid.columns.start)
            && mcu > self.next
            && bits.byte >= self.bits.byte
        {
            (self.next, self.bits, self.predictions) = (mcu, bits, predictions);
            self.restarts = Restarts::before(self.restarts.interval, mcu);
        }
    }

    /// The place that was left, in other bytes; `None` if it is not in them.
    fn open<'b>(&self, input: &Input<'b>, last: bool) -> Result<Option<Place<'b>>> {
        let bytes = self.bits.byte.checked_sub(input.start).and_then(|offset| input.bytes.get(offset..));
        let beyond = self.bits.byte > input.start;
        match bytes {
            Some(bytes) => {
                let bits = BitReader::new(bytes, self.bits);
                // The first bits of a byte that is not there, or only by half, were passed over.
                let there = last || !bits.is_exhausted();
                Ok(there.then_some(Place { bits, predictions: self.predictions, restarts: self.restarts }))
            }
            None if beyond && last => Err(corrupt(input.start.saturating_add(input.bytes.len()), "its data end before those of the region")),
            None => Ok(None),
        }
    }

    /// Up to an MCU; whether it was reached.
    fn pass_over(&mut self, place: &mut Place<'_>, until: usize, last: bool) -> Result<bool> {
        self.mcu.expect(until.saturating_sub(self.next));
        // Where nothing is recorded, restart markers lead over all MCUs before them.
        let mut leads = place.restarts.interval > 0;
        while self.next < until {
            let left = place.restarts.left;
            let beyond = self.next.saturating_add(left);
            if leads && until > beyond && self.next_record >= beyond {
                let here = place.clone();
                place.restarts.left = 0;
                let passed = self.restart(place, last).unwrap_or_else(|_| {
                    // Whose marker is missing is told where the MCUs before it end, as where it lies beyond these bytes.
                    *place = here;
                    false
                });
                if passed {
                    self.next = beyond;
                    if self.next_record == beyond {
                        self.put_down(before_marker(place));
                    }
                } else {
                    // It lies further on than these bytes reach.
                    place.restarts.left = left;
                    leads = false;
                }
                continue;
            }
            if !self.step(place, None, last)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The MCUs up to `end` into the planes; whether all were there.
    fn read(&mut self, place: &mut Place<'_>, first: usize, end: usize, last: bool) -> Result<bool> {
        let left = first.saturating_add(self.grid.columns.start);
        if let Some(mut cut) = self.cut.take() {
            let copied = self.copy(place, &mut cut, left, end, last);
            self.cut = Some(cut);
            return copied;
        }
        self.mcu.begin_row(self.row.saturating_sub(self.grid.rows.start), end.saturating_sub(self.next));
        while self.next < end {
            if !self.step(place, Some(self.next.saturating_sub(left)), last)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The bits of the MCUs from `left` up to `end`, or of those of them that were not copied yet; whether all were there.
    fn copy(&mut self, place: &mut Place<'_>, cut: &mut Cut, left: usize, end: usize, last: bool) -> Result<bool> {
        let mut from = place.clone();
        if self.next == left {
            if !self.pass_over(place, left.saturating_add(1), last)? {
                return Ok(false);
            }
            self.mcu.cut(&mut from.bits, &mut from.predictions, cut)?;
        }
        let reached = self.pass_over(place, end, last)?;
        copy(&from.bits, &place.bits, cut);
        cut.end_row(&place.predictions);
        Ok(reached)
    }

    /// Records the place before the next MCU: where its restart marker is, if one belongs there; whether that is in reach.
    #[cold]
    fn record_here(&mut self, place: &Place<'_>, last: bool) -> Result<bool> {
        if place.restarts.interval > 0 && place.restarts.left == 0 {
            let mut behind = place.clone();
            if !self.restart_now(&mut behind, last)? {
                return Ok(false);
            }
            self.put_down(before_marker(&behind));
        } else {
            self.put_down((place.bits.position(), place.predictions));
        }
        Ok(true)
    }

    /// Records a position, the one that was to be the next.
    #[cold]
    fn put_down(&mut self, entry: Entry) {
        let (first, entries) = &mut self.recorded;
        entries.push(entry);
        let number = first.saturating_add(entries.len());
        self.next_record = self.index.as_ref().map_or(usize::MAX, |index| index.mcu_of(number));
    }

    /// One MCU, to be read at a place in the planes or passed over; whether it was there.
    #[inline(always)]
    fn step(&mut self, place: &mut Place<'_>, read: Option<usize>, last: bool) -> Result<bool> {
        if self.next_record == self.next && !self.record_here(place, last)? {
            return Ok(false);
        }
        let before = if last || !place.bits.is_near_end() { None } else { Some(place.clone()) };
        if place.restarts.interval > 0 && !self.restart(place, last)? {
            return Ok(false);
        }
        match read {
            Some(at) => self.mcu.read(&mut place.bits, &mut place.predictions, &mut self.planes, at),
            None => self.mcu.skip(&mut place.bits, &mut place.predictions),
        }
        if let Some(before) = before
            && place.bits.is_exhausted()
        {
            // A marker in their midst is not the end of the data.
            if !place.bits.is_at_end() {
                self.check(place)?;
            }
            *place = before;
            return Ok(false);
        }
        // What comes behind a code that no table has, or behind a marker, is filled in from this MCU on only if it is noticed here. And only so an error names the
        // same MCU and byte however many bytes there are at a time.
        if place.bits.invalid || place.bits.is_exhausted() {
            self.check(place)?;
        }
        self.next = self.next.wrapping_add(1);
        place.restarts.left = place.restarts.left.wrapping_sub(1);
        Ok(true)
    }

    /// Passes a restart marker if one belongs here; whether that was possible.
    #[inline(always)]
    fn restart(&self, place: &mut Place<'_>, last: bool) -> Result<bool> {
        if place.restarts.left > 0 { Ok(true) } else { self.restart_now(place, last) }
    }

    #[cold]
    fn restart_now(&self, place: &mut Place<'_>, last: bool) -> Result<bool> {
        self.check(place)?;
        let (number, at) = (place.restarts.number, place.bits.position().byte);
        match place.bits.restart(number) {
            Restart::Passed => {}
            Restart::BeyondEnd if !last => return Ok(false),
            Restart::BeyondEnd | Restart::Missing => {
                return Err(corrupt(at, format!("restart marker {number} is missing, {}", self.whereabouts())));
            }
        }
        place.predictions = [0; 4];
        place.restarts = Restarts { left: place.restarts.interval, number: number.wrapping_add(1) & 7, ..place.restarts };
        Ok(true)
    }

    /// What must be asked after some MCUs.
    fn check(&self, place: &Place<'_>) -> Result<()> {
        let what = match (place.bits.is_exhausted(), place.bits.invalid) {
            (false, false) => return Ok(()),
            (true, _) => "its data end",
            (_, true) => "a code that no table has,",
        };
        Err(self.ended(place.bits.position().byte, what))
    }

    fn ended(&self, at: usize, what: &str) -> Error {
        corrupt(at, format!("{what} {}", self.whereabouts()))
    }

    fn whereabouts(&self) -> String {
        let row = self.next.checked_div(self.grid.mcus.0).unwrap_or(0);
        format!("in MCU row {row} of {}", self.grid.mcus.1)
    }
}

/// The entry of a place behind a restart marker: to go on from it is to pass the marker.
fn before_marker(place: &Place<'_>) -> Entry {
    (BitPosition { byte: place.bits.position().byte.saturating_sub(2), bit: 0 }, [0; 4])
}
