//! CCITT T.4 (one-dimensional) and T.6 by the `fax` crate.

use std::convert::Infallible;

use fax::decoder::{DecodeStatus, Group3Decoder};

use super::corrupt;
use crate::error::Result;
use crate::pyramid::tiff::Fax;

/// Rows of `width` bits, each from a new byte, 1 for black: what WhiteIsZero means without compression.
pub(super) fn decode(bytes: &[u8], kind: Fax, width: u32, rows: u32, at: u64) -> Result<Vec<u8>> {
    let stride = (width as usize).div_ceil(8);
    let mut out = Vec::with_capacity(stride * rows as usize);
    let wanted = out.capacity();
    let push = |changes: &[u32]| {
        if out.len() < wanted {
            draw(changes, width, stride, &mut out);
        }
    };
    match kind {
        Fax::Group4 => {
            fax::decoder::decode_g4(bytes.iter().copied(), width, Some(rows), push).ok_or_else(|| corrupt(at, "CCITT T.6 data that no code begins with"))?;
        }
        Fax::Group3OneDimensional => decode_group3(bytes, width, push),
    }
    if out.len() < wanted {
        return Err(corrupt(at, format!("{} of {rows} CCITT rows could be read", out.len() / stride.max(1))));
    }
    Ok(out)
}

/// Rows as far as they go. A strip need not end with the line ends that end a fax call: a last row that has all its pixels counts.
fn decode_group3(bytes: &[u8], width: u32, mut push: impl FnMut(&[u32])) {
    let Ok(mut decoder) = Group3Decoder::new(bytes.iter().copied().map(Ok::<u8, Infallible>)) else { return };
    loop {
        let status = decoder.advance();
        let changes = decoder.transitions();
        match status {
            Ok(DecodeStatus::Incomplete) => push(changes),
            Ok(DecodeStatus::End) => return push(changes),
            Err(_) if changes.last() == Some(&width) => return push(changes),
            Err(_) => return,
        }
    }
}

/// Black runs lie between every odd and even change.
fn draw(changes: &[u32], width: u32, stride: usize, out: &mut Vec<u8>) {
    let begin = out.len();
    out.resize(begin + stride, 0);
    for run in changes.chunks(2) {
        // `changes` holds the end of white, then the end of black, in turn.
        let from = run[0].min(width);
        let to = run.get(1).copied().unwrap_or(width).min(width);
        for x in from..to {
            out[begin + x as usize / 8] |= 0x80 >> (x % 8);
        }
    }
}
