//! Decodes the rows of a strip to bytes, from pieces of its data.

use std::ops::Range;

use super::{EOL_ZEROS, Input, Outcome, RowDecoder};
use crate::codec::Progress;
use crate::error::Result;
use crate::incomplete::Incomplete;
use crate::pyramid::level::Fax;

/// A decoder that goes from row to row and holds the last row until all of it has been given. Of a damaged row, it gives what could be decoded; the rows below
/// it are decoded from the next EOL on, or are white.
pub(in super::super) struct Rows {
    decoder: RowDecoder,
    /// The wanted rows.
    rows: Range<u32>,
    /// Bytes of the data that have been consumed.
    taken: u64,
    /// The last row, and how many of its bytes have been given.
    row: Vec<u8>,
    given: usize,
    /// After damage: the bit from which on the data are searched for the next EOL.
    lost: Option<u64>,
    /// Whether the data have ended. The rows that are still missing are white.
    ended: bool,
    /// The first damage, until it is taken.
    damage: Option<Incomplete>,
    has_damage: bool,
}

impl Rows {
    /// For these rows, of `width` pixels.
    pub fn new(kind: Fax, width: u32, rows: Range<u32>) -> Self {
        let stride = (width as usize).div_ceil(8);
        let decoder = RowDecoder::new(kind, width);
        Self { decoder, rows, taken: 0, row: vec![0; stride], given: stride, lost: None, ended: false, damage: None, has_damage: false }
    }

    /// Takes the first damage that was found, in rows.
    pub fn take_damage(&mut self) -> Option<Incomplete> {
        self.damage.take()
    }

    /// Decodes a piece of the data, which begin at byte `at` of the file, into `out`. If no bytes are taken and none are made, a row needs a longer piece.
    pub fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8], at: u64) -> Result<Progress> {
        let data = Input { bytes: input, start: self.taken, last };
        let end = self.taken.saturating_add(input.len() as u64).saturating_mul(8);
        let mut produced = 0;
        while produced < out.len() {
            let rest = &self.row[self.given..];
            if !rest.is_empty() {
                let count = rest.len().min(out.len() - produced);
                out[produced..produced + count].copy_from_slice(&rest[..count]);
                (produced, self.given) = (produced + count, self.given + count);
                continue;
            }
            if self.ended {
                self.row.fill(0);
                self.given = 0;
                continue;
            }
            if let Some(bit) = self.lost {
                if self.decoder.resume_behind(&data, bit) {
                    self.lost = None;
                } else if last || !self.decoder.has_eols() {
                    self.ended = true;
                } else {
                    // The end of the piece may be the beginning of an EOL and its tag, so these bits are searched again.
                    let done = end.saturating_sub(u64::from(EOL_ZEROS) + 2);
                    self.decoder.state.bit = self.decoder.state.bit.max(done);
                    self.lost = Some(bit.max(end.saturating_sub(1)));
                    break;
                }
                continue;
            }
            let y = self.decoder.state.row;
            match self.decoder.next_row(&data) {
                Outcome::Row => {
                    if y >= self.rows.start {
                        self.decoder.write(&mut self.row);
                        self.given = 0;
                    }
                }
                Outcome::End if self.decoder.kind == Fax::Group4 || self.has_damage => self.ended = true,
                Outcome::Need { .. } if !last => break,
                outcome => {
                    let (bit, error) = self.decoder.failure(outcome, self.rows.end, at);
                    Incomplete::merge(&mut self.damage, Some(Incomplete::below(y, error)?));
                    self.has_damage = true;
                    self.lost = Some(bit);
                    if y >= self.rows.start {
                        self.row.fill(0);
                        if matches!(outcome, Outcome::Damaged { .. }) {
                            self.decoder.write_damaged(&mut self.row);
                        }
                        self.given = 0;
                    }
                }
            }
        }
        let consumed = (self.decoder.state.bit / 8).saturating_sub(self.taken).min(input.len() as u64);
        self.taken += consumed;
        Ok(Progress { consumed: consumed as usize, produced })
    }
}
