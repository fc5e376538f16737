//! CCITT T.4 (one- and two-dimensional), the variant of it in TIFF without EOLs (TIFF 6.0, section 10), and T.6: decoded row by row, from bytes that come in
//! pieces.

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

/// A piece of the data: as many bytes as are there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub bytes: &'a [u8],
    /// Offset of these bytes in the data.
    pub start: u64,
    /// Whether the data end with them.
    pub last: bool,
}

/// The state between two rows: enough to resume decoding there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Number of bits that have been consumed.
    pub bit: u64,
    /// Number of rows that have been decoded.
    pub row: u32,
    /// Columns at which the colour of the last row changes, ascending; the first change is to black.
    pub changes: Vec<u32>,
}

/// The result of [`RowDecoder::next_row`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A row was decoded; [`RowDecoder::write`] writes it.
    Row,
    /// The bytes end within a row. Once there are more, the row is decoded again from its beginning: from byte `from` of the data on.
    Need { from: u64 },
    /// An end of block (EOFB, RTC): no row follows.
    End,
    /// The data end at this bit, or are invalid. [`RowDecoder::write_damaged`] writes what could be decoded of the row.
    Damaged { bit: u64, what: &'static str },
    /// The uncompressed mode, an extension of T.4 and T.6 that is not supported.
    Uncompressed,
}

/// Decodes the rows of one strip or tile.
#[derive(Debug, Clone)]
pub(crate) struct RowDecoder {
    kind: Fax,
    width: u32,
    state: State,
    /// A buffer for the changes of the next row. After damage, it holds those of the damaged row.
    next: Vec<u32>,
}

impl RowDecoder {
    /// For rows of `width` pixels, from the beginning of the data.
    pub fn new(kind: Fax, width: u32) -> Self {
        Self { kind, width, state: State::default(), next: Vec::new() }
    }

    /// Resumes from a state that [`Self::state`] gave; `None` if it cannot be a state of rows of that width.
    #[allow(dead_code, reason = "nothing keeps states yet")]
    pub fn resume(kind: Fax, width: u32, state: State) -> Option<Self> {
        let is_sound = state.changes.is_sorted_by(|one, next| one < next) && state.changes.last().is_none_or(|last| *last < width);
        is_sound.then(|| Self { kind, width, state, next: Vec::new() })
    }

    /// The state between two rows.
    #[allow(dead_code, reason = "nothing keeps states yet")]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Decodes the next row. `input` must hold the data from the byte of [`State::bit`] on.
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
            // The missing part of a black run becomes white.
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

    /// After a row that is damaged at a bit, finds the next row of T.4 that does not depend on the row above it, to resume there; such a row begins with an
    /// EOL. Returns whether there is one. It is not known how many rows are lost; one is assumed.
    fn resume_behind(&mut self, input: &Input<'_>, bit: u64) -> bool {
        if !self.has_eols() {
            return false;
        }
        let tagged = self.kind == Fax::Group3TwoDimensional;
        let zeros_of_eol = u64::from(EOL_ZEROS);
        let is_set = |bit: u64| usize::try_from(bit / 8).ok().and_then(|byte| input.bytes.get(byte)).map(|byte| byte >> (7 - bit % 8) & 1 == 1);
        // The bits that were invalid within the row may be this EOL.
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

    /// Writes the last row: one bit per pixel, the highest bit of a byte first, 1 for black.
    pub fn write(&self, row: &mut [u8]) {
        write(&self.state.changes, self.width, row);
    }

    /// Writes what could be decoded of a damaged row, and white for the rest.
    pub fn write_damaged(&self, row: &mut [u8]) {
        write(&self.next, self.width, row);
    }
}

impl RowDecoder {
    /// The bit of the data at which decoding failed, and the error. The chunk should have `rows` rows, and its data begin at byte `at` of the file.
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

/// Decodes `rows` of a chunk whose data begin at byte `at` of the file. Each row begins at a byte, and 1 is black, as in WhiteIsZero data without compression.
/// Of a damaged row, what could be decoded is given; the rows below it are decoded from the next EOL on, or are white. Also returns the first damage.
pub(super) fn decode(bytes: &[u8], kind: Fax, width: u32, rows: Range<u32>, at: u64) -> Result<(Vec<u8>, Option<Incomplete>)> {
    let mut bitmap = vec![0; (width as usize).div_ceil(8) * rows.len()];
    let mut decoder = Rows::new(kind, width, rows);
    // All data are given, so that this call makes all rows.
    decoder.decode(bytes, true, &mut bitmap, at)?;
    Ok((bitmap, decoder.take_damage()))
}
