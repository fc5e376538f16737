//! CCITT T.4 (one- and two-dimensional), TIFF's variant of it without EOLs (TIFF 6.0, section 10), and T.6: row by row, out of bytes that come in pieces.

mod bits;
mod codes;
mod pieces;
mod row;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(super) use self::pieces::Rows;
use super::corrupt;
use crate::codec::unsupported;
use crate::error::{Error, Result, SourceFormat};
use crate::incomplete::Incomplete;
use crate::pyramid::level::Fax;
use bits::Bits;
use row::{EOL_ZEROS, Row, Stop};

/// Bytes of the data, as far as they are there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub bytes: &'a [u8],
    /// How many bytes of the data are before them.
    pub start: u64,
    /// Whether the data end with them.
    pub last: bool,
}

/// What is known between two rows: enough to go on from there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Bits of the data that are done with.
    pub bit: u64,
    /// Rows that are done with.
    pub row: u32,
    /// Columns at which the colour of the last row changes, ascending; the first change is to black.
    pub changes: Vec<u32>,
}

/// What [`RowDecoder::next_row`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A row, which [`RowDecoder::write`] gives.
    Row,
    /// The bytes end within a row. It begins anew once there are more, from this byte of the data on.
    Need { from: u64 },
    /// An end of block (EOFB, RTC): no row follows.
    End,
    /// The data end, or are wrong, at this bit. [`RowDecoder::write_damaged`] gives what there is of the row.
    Damaged { bit: u64, what: &'static str },
    /// The uncompressed mode, an extension of T.4 and T.6.
    Uncompressed,
}

/// Makes rows of the data of one strip or tile.
#[derive(Debug, Clone)]
pub(crate) struct RowDecoder {
    kind: Fax,
    width: u32,
    state: State,
    /// Room for the changes of the next row; those of a damaged one.
    next: Vec<u32>,
}

impl RowDecoder {
    /// For rows of `width` pixels, from the beginning of the data.
    pub fn new(kind: Fax, width: u32) -> Self {
        Self { kind, width, state: State::default(), next: Vec::new() }
    }

    /// Goes on from a state that [`Self::state`] told; `None` if it cannot be one of rows of that width.
    #[allow(dead_code, reason = "nothing keeps states yet")]
    pub fn resume(kind: Fax, width: u32, state: State) -> Option<Self> {
        let is_sound = state.changes.is_sorted_by(|one, next| one < next) && state.changes.last().is_none_or(|last| *last < width);
        is_sound.then(|| Self { kind, width, state, next: Vec::new() })
    }

    /// Where it is, between two rows.
    #[allow(dead_code, reason = "nothing keeps states yet")]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Decodes the next row; `input` holds the data from the byte of [`State::bit`] on.
    pub fn next_row(&mut self, input: &Input<'_>) -> Outcome {
        let start = input.start.saturating_mul(8);
        if self.kind == Fax::ModifiedHuffman {
            self.state.bit = self.state.bit.next_multiple_of(8);
        }
        let from = self.state.bit / 8;
        let Some(begin) = self.state.bit.checked_sub(start).and_then(|bit| usize::try_from(bit).ok()) else { return Outcome::Need { from } };
        let mut row = Row::new(Bits::new(input.bytes, begin), self.width, std::mem::take(&mut self.next));
        let made = match self.kind {
            Fax::Group4 => row.two_dimensional(&self.state.changes, true),
            kind => row.begin(kind == Fax::Group3TwoDimensional).and_then(|alone| match alone {
                true => row.one_dimensional(),
                false => row.two_dimensional(&self.state.changes, false),
            }),
        };
        let bit = start.saturating_add(row.bits.position() as u64);
        let (mut changes, done) = (row.changes, row.done);
        if made.is_err() && changes.len() % 2 == 1 && changes.last() == Some(&done) {
            changes.pop();
        } else if made.is_err() && changes.len() % 2 == 1 {
            // What is not there of a black run is white.
            changes.push(done);
        }
        self.next = changes;
        match made {
            Ok(()) => {
                std::mem::swap(&mut self.next, &mut self.state.changes);
                self.state.bit = bit;
                self.state.row = self.state.row.saturating_add(1);
                Outcome::Row
            }
            Err(Stop::Short | Stop::ShortOfEol) if input.last => Outcome::Damaged { bit, what: "the data end" },
            Err(Stop::Short) => Outcome::Need { from },
            Err(Stop::ShortOfEol) => {
                self.state.bit = bit.saturating_sub(EOL_ZEROS.into()).max(self.state.bit);
                Outcome::Need { from: self.state.bit / 8 }
            }
            Err(Stop::End) => Outcome::End,
            Err(Stop::Uncompressed) => Outcome::Uncompressed,
            Err(Stop::Invalid(what)) => Outcome::Damaged { bit, what },
        }
    }

    /// Whether each row begins with an EOL.
    fn has_eols(&self) -> bool {
        matches!(self.kind, Fax::Group3OneDimensional | Fax::Group3TwoDimensional)
    }

    /// Goes on behind a row that is damaged at a bit, with the next row of T.4 that needs none above it: it begins with an EOL. Whether there is one. How many
    /// rows are lost is not known; it is taken for the one.
    fn resume_behind(&mut self, input: &Input<'_>, bit: u64) -> bool {
        if !self.has_eols() {
            return false;
        }
        let tagged = self.kind == Fax::Group3TwoDimensional;
        let zeros_of_eol = u64::from(EOL_ZEROS);
        let is_set = |bit: u64| usize::try_from(bit / 8).ok().and_then(|byte| input.bytes.get(byte)).map(|byte| byte >> (7 - bit % 8) & 1 == 1);
        // The EOL may be what has no meaning within the row.
        let start = input.start.saturating_mul(8);
        let mut at = bit.saturating_sub(zeros_of_eol).max(self.state.bit.saturating_add(1)).saturating_sub(start);
        let mut zeros = 0_u64;
        while let Some(set) = is_set(at) {
            if set && zeros >= zeros_of_eol && (!tagged || is_set(at.saturating_add(1)) == Some(true)) {
                self.state.bit = start.saturating_add(at).saturating_sub(zeros_of_eol);
                self.state.row = self.state.row.saturating_add(1);
                return true;
            }
            zeros = if set { 0 } else { zeros.saturating_add(1) };
            at = at.saturating_add(1);
        }
        false
    }

    /// Writes the last row: a bit a pixel, the highest of a byte first, 1 for black.
    pub fn write(&self, row: &mut [u8]) {
        write(&self.state.changes, self.width, row);
    }

    /// Writes what there is of a row that is damaged, and white for the rest.
    pub fn write_damaged(&self, row: &mut [u8]) {
        write(&self.next, self.width, row);
    }
}

impl RowDecoder {
    /// Why the next of `rows` rows of data at a byte of the file is none, and at which bit of the data.
    fn failure(&self, outcome: Outcome, rows: u32, at: u64) -> (u64, Error) {
        let (bit, what) = match outcome {
            Outcome::Row | Outcome::End => (self.state.bit, "the data end"),
            Outcome::Need { from } => (from.saturating_mul(8), "the data end"),
            Outcome::Damaged { bit, what } => (bit, what),
            Outcome::Uncompressed => return (self.state.bit, unsupported(SourceFormat::Tiff, "the uncompressed mode of CCITT compression")),
        };
        (bit, corrupt(at.saturating_add(bit / 8), format!("{} of {rows} CCITT rows could be read: {what}", self.state.row)))
    }
}

fn write(changes: &[u32], width: u32, row: &mut [u8]) {
    row.fill(0);
    for run in changes.chunks(2) {
        let (from, to) = (run[0], run.get(1).copied().unwrap_or(width));
        let (first, last) = (from as usize / 8, to as usize / 8);
        let (head, tail) = (0xFF_u8 >> (from % 8), !(0xFF_u8 >> (to % 8)));
        if first == last {
            row[first] |= head & tail;
            continue;
        }
        row[first] |= head;
        row[first + 1..last].fill(0xFF);
        if tail > 0 {
            row[last] |= tail;
        }
    }
}

/// Some rows of a chunk that lies at a byte of the file, each from a new byte, 1 for black: what WhiteIsZero means without compression. Of a row where the data
/// end or are wrong, what there is of it; below it the rows from the next EOL on, or white; and the first damage.
pub(super) fn decode(bytes: &[u8], kind: Fax, width: u32, rows: Range<u32>, at: u64) -> Result<(Vec<u8>, Option<Incomplete>)> {
    let mut bitmap = vec![0; (width as usize).div_ceil(8) * rows.len()];
    let mut decoder = Rows::new(kind, width, rows);
    // All of the data are here, so that all rows are made.
    decoder.decode(bytes, true, &mut bitmap, at)?;
    Ok((bitmap, decoder.take_damage()))
}
