//! The two jobs a driver runs: opening an image and rendering a request. Both are stepped until done; between steps the driver fetches what they name.

mod chunks;
mod flow;
mod lossless;
mod mask;
mod open;
mod output;
mod planes;
mod render;
mod scan;
mod strips;

pub(crate) use chunks::{Chunks, Walk, join_rows};
pub use open::Open;
pub use render::{Encoded, Render};
pub(crate) use scan::Scan;
pub(crate) use strips::Strips;

use crate::bytes::{ByteRange, ByteStore, Step};
use crate::error::{Budget, Error, Result};
use crate::incomplete::Incomplete;
use crate::limits::Limits;

/// Reads of headers and tables are widened to this grid, so that their neighbours come along.
const GRID: u64 = 8 << 10;

/// What is missing of ranges that were widened to the grid.
fn widen(ranges: &[ByteRange], store: &ByteStore) -> Vec<ByteRange> {
    let wide = ranges.iter().filter_map(|range| {
        let end = range.end().checked_next_multiple_of(GRID).unwrap_or(range.end()).min(store.size());
        ByteRange::new(range.start() / GRID * GRID, end)
    });
    ByteRange::coalesce(wide.flat_map(|range| store.missing(range)).collect(), 0)
}

/// What was asked of the driver so far, against the limits.
#[derive(Debug, Default, Clone)]
pub(crate) struct Meter {
    ranges: u64,
    bytes: u64,
    rounds: u64,
    /// CPU time that all will take but the decoding of bytes, ns.
    work: u64,
    /// CPU time for a byte as it is stored, tenths of a nanosecond.
    per_byte: u64,
    /// Bytes of chunks that were decoded: chunks may share what was fetched once.
    coded: u64,
    /// All of it will be asked for once more.
    twice: bool,
    /// What could not be decoded of a file that is shown all the same.
    incomplete: Option<Incomplete>,
}

impl Meter {
    /// Notes what could not be decoded of a file that is shown all the same, in rows of the full image.
    pub fn damaged(&mut self, damage: Option<&Incomplete>) {
        if damage.is_some() {
            Incomplete::merge(&mut self.incomplete, damage.cloned());
        }
    }

    pub fn need<T>(&mut self, ranges: Vec<ByteRange>, limits: &Limits) -> Result<Step<T>> {
        if ranges.is_empty() {
            return Err(Error::Internal { what: "nothing is needed, yet nothing is done".to_owned() });
        }
        self.ranges = self.ranges.saturating_add(ranges.len() as u64);
        self.bytes = ranges.iter().fold(self.bytes, |sum, range| sum.saturating_add(range.len()));
        let times = if self.twice { 2 } else { 1 };
        let bytes = self.bytes.saturating_mul(times);
        over(Budget::Ranges, self.ranges.saturating_mul(times), limits.ranges.into())?;
        over(Budget::Bytes, bytes, limits.fetched)?;
        self.check_work(limits)?;
        Ok(Step::Need(ranges))
    }

    /// Notes that so many bytes are decoded.
    pub fn decode(&mut self, bytes: u64, limits: &Limits) -> Result<()> {
        self.coded = self.coded.saturating_add(bytes);
        self.check_work(limits)
    }

    fn check_work(&self, limits: &Limits) -> Result<()> {
        over(Budget::Work, self.work(), limits.work)
    }

    /// CPU time that all will take, as far as it is known, ns.
    fn work(&self) -> u64 {
        let times = if self.twice { 2 } else { 1 };
        let bytes = self.bytes.max(self.coded).saturating_mul(times);
        self.work.saturating_add(bytes.saturating_mul(self.per_byte) / 10)
    }

    fn round(&mut self, limits: &Limits) -> Result<()> {
        self.rounds = self.rounds.saturating_add(1);
        over(Budget::Rounds, self.rounds, limits.rounds.into())
    }
}

fn over(what: Budget, needs: u64, limit: u64) -> Result<()> {
    if needs > limit { Err(Error::too_costly(what, needs, limit)) } else { Ok(()) }
}
