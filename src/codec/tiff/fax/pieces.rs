//! The rows of a strip as bytes, out of pieces of its data.

use super::{Input, Outcome, RowDecoder};
use crate::codec::Progress;
use crate::error::Result;
use crate::pyramid::tiff::Fax;

/// A decoder that goes on from row to row, and that holds the last one.
pub(in super::super) struct Rows {
    decoder: RowDecoder,
    /// How many rows are wanted.
    rows: u32,
    /// Bytes of the data that were taken.
    taken: u64,
    /// The last row, of which so many bytes were given.
    row: Vec<u8>,
    given: usize,
    /// The data have ended; rows that are left out are white.
    ended: bool,
}

impl Rows {
    /// For so many rows of `width` pixels.
    pub fn new(kind: Fax, width: u32, rows: u32) -> Self {
        let stride = (width as usize).div_ceil(8);
        Self { decoder: RowDecoder::new(kind, width), rows, taken: 0, row: vec![0; stride], given: stride, ended: false }
    }

    /// Decodes a piece of the data, which begin at a byte of the file, into `out`. If neither bytes are taken nor any made, a row needs a longer piece.
    pub fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8], at: u64) -> Result<Progress> {
        let data = Input { bytes: input, start: self.taken, last };
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
            match self.decoder.next_row(&data) {
                Outcome::Row => {
                    self.decoder.write(&mut self.row);
                    self.given = 0;
                }
                Outcome::End if self.decoder.kind == Fax::Group4 => self.ended = true,
                Outcome::Need { .. } if !last => break,
                outcome => return Err(self.decoder.failure(outcome, self.rows, at)),
            }
        }
        let consumed = (self.decoder.state.bit / 8).saturating_sub(self.taken).min(input.len() as u64);
        self.taken += consumed;
        Ok(Progress { consumed: consumed as usize, produced })
    }
}
