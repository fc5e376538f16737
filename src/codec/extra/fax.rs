//! CCITT T.4 and T.6 by the `hayro-ccitt` crate.

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode};

use super::Fault;
use crate::pyramid::tiff::Fax;

/// Rows of `width` bits, each from a new byte, 1 for black: what WhiteIsZero means without compression.
pub(super) fn decode(bytes: &[u8], kind: Fax, width: u32, rows: u32) -> Result<Vec<u8>, Fault> {
    let settings = DecodeSettings {
        columns: width,
        rows,
        end_of_block: true,
        // Where data begin with an EOL, one is asked for behind each row; T.4 data without any are found too.
        end_of_line: false,
        // Filled EOLs (bit 2 of T4Options) need no word: what fills them is a part of them.
        rows_are_byte_aligned: kind == Fax::ModifiedHuffman,
        encoding: match kind {
            Fax::ModifiedHuffman | Fax::Group3OneDimensional => EncodingMode::Group3_1D,
            Fax::Group3TwoDimensional => EncodingMode::Group3_2D,
            Fax::Group4 => EncodingMode::Group4,
        },
        // A row of another length than `width` is an error.
        strict: true,
    };
    let stride = (width as usize).div_ceil(8);
    let whole = stride * rows as usize;
    let mut bitmap = Bitmap { width, stride, bits: Vec::with_capacity(whole) };
    if whole > 0 {
        let read = hayro_ccitt::decode(bytes, &mut bitmap, &mut DecoderContext::new(settings));
        // White rows at the end may be left out.
        if kind == Fax::Group4 && read.is_ok_and(|read| is_end_of_block(&bytes[..read])) {
            bitmap.bits.resize(whole, 0);
        }
    }
    // A strip need not end as a fax call does: rows that are all there count, whatever comes after them.
    if bitmap.bits.len() < whole {
        return Err(Fault::Corrupt(format!("{} of {rows} CCITT rows could be read", bitmap.bits.len() / stride)));
    }
    Ok(bitmap.bits)
}

/// Whether T.6 data have an EOFB (T.6, 2.4.1.1) before the last bits of their last byte.
fn is_end_of_block(bytes: &[u8]) -> bool {
    const EOFB: u32 = 0x00_1001;
    let tail = bytes[bytes.len().saturating_sub(4)..].iter().fold(0, |tail, byte| tail << 8 | u32::from(*byte));
    bytes.len() >= 3 && (0..8).any(|padding| tail >> padding & 0xFF_FFFF == EOFB)
}

struct Bitmap {
    width: u32,
    stride: usize,
    bits: Vec<u8>,
}

impl Decoder for Bitmap {
    /// Black lies between every odd and even change.
    fn push_row(&mut self, changes: &[u32]) {
        let begin = self.bits.len();
        self.bits.resize(begin + self.stride, 0);
        for run in changes.chunks(2) {
            let to = run.get(1).copied().unwrap_or(self.width);
            for x in run[0]..to {
                self.bits[begin + x as usize / 8] |= 0x80 >> (x % 8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EOL: &str = "000000000001";
    /// White 3, black 2, white 3.
    const FIRST: &str = "1000 11 1000";
    /// White 2, black 4, white 2.
    const SECOND: &str = "0111 011 0111";
    /// [`FIRST`] below white: horizontal, to the end.
    const FIRST_BELOW: &str = "001 1000 11 1";
    /// [`SECOND`] below [`FIRST`]: one to the left, one to the right, to the end.
    const SECOND_BELOW: &str = "010 011 1";
    const ROWS: [u8; 2] = [0b0001_1000, 0b0011_1100];

    /// Text as bits, a stroke fills a byte.
    fn bits(text: &str) -> Vec<u8> {
        let mut bits = String::new();
        for character in text.chars().chain(['|']) {
            match character {
                '|' => bits.extend(std::iter::repeat_n('0', bits.len().next_multiple_of(8) - bits.len())),
                ' ' => {}
                bit => bits.push(bit),
            }
        }
        bits.as_bytes().chunks(8).map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect()
    }

    fn two_rows(kind: Fax, text: &str) -> Result<Vec<u8>, Fault> {
        decode(&bits(text), kind, 8, 2)
    }

    #[test]
    fn rows_of_every_coding() {
        let (rtc, rtc_of_two) = (EOL.repeat(6), [EOL, "1"].concat().repeat(6));
        for (kind, text) in [
            (Fax::ModifiedHuffman, format!("{FIRST} | {SECOND}")),
            (Fax::Group3OneDimensional, format!("{EOL} {FIRST} {EOL} {SECOND} {rtc}")),
            // Nothing ends a strip that would end a call.
            (Fax::Group3OneDimensional, format!("{EOL} {FIRST} {EOL} {SECOND}")),
            (Fax::Group3OneDimensional, format!("{FIRST} {EOL} {SECOND} {EOL}")),
            (Fax::Group3OneDimensional, format!("{FIRST} {SECOND}")),
            // Filled EOLs end where a byte does.
            (Fax::Group3OneDimensional, format!("0000 {EOL} {FIRST} 00 {EOL} {SECOND} 0 {EOL}")),
            (Fax::Group3TwoDimensional, format!("{EOL} 1 {FIRST} {EOL} 0 {SECOND_BELOW} {rtc_of_two}")),
            (Fax::Group3TwoDimensional, format!("{EOL} 0 {FIRST_BELOW} {EOL} 1 {SECOND}")),
            (Fax::Group3TwoDimensional, format!("0000 {EOL} 1 {FIRST} 0 {EOL} 0 {SECOND_BELOW}")),
            (Fax::Group4, format!("{FIRST_BELOW} {SECOND_BELOW} {EOL} {EOL}")),
            (Fax::Group4, format!("{FIRST_BELOW} {SECOND_BELOW}")),
        ] {
            assert_eq!(two_rows(kind, &text).unwrap(), ROWS, "{kind:?} {text}");
        }
    }

    #[test]
    fn a_row_of_another_length_is_an_error() {
        // White 3, black 2, and white 2 or 4.
        for wrong in ["1000 11 0111", "1000 11 1011"] {
            for (kind, text) in [
                (Fax::ModifiedHuffman, format!("{wrong} | {SECOND}")),
                (Fax::Group3OneDimensional, format!("{EOL} {wrong} {EOL} {SECOND} {EOL}")),
                (Fax::Group3TwoDimensional, format!("{EOL} 1 {wrong} {EOL} 0 {SECOND_BELOW} {EOL} 1")),
            ] {
                assert!(two_rows(kind, &text).is_err(), "{kind:?} {text}");
            }
        }
        // Horizontal, white 3, black 8; two to the right of the end.
        for wrong in ["001 1000 000101", "000011"] {
            assert!(two_rows(Fax::Group4, &format!("{wrong} {SECOND_BELOW} {EOL} {EOL}")).is_err(), "{wrong}");
            assert!(two_rows(Fax::Group3TwoDimensional, &format!("{EOL} 0 {wrong} {EOL} 1 {SECOND} {EOL} 1")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rows_may_lack_at_the_end_where_t6_says_so() {
        assert_eq!(two_rows(Fax::Group4, &format!("{FIRST_BELOW} {EOL} {EOL}")).unwrap(), [ROWS[0], 0]);
        assert_eq!(two_rows(Fax::Group4, &format!("{EOL} {EOL}")).unwrap(), [0, 0]);
        for (kind, text) in [
            (Fax::Group4, FIRST_BELOW.to_owned()),
            (Fax::Group4, String::new()),
            (Fax::ModifiedHuffman, FIRST.to_owned()),
            (Fax::Group3OneDimensional, format!("{EOL} {FIRST} {}", EOL.repeat(6))),
            (Fax::Group3TwoDimensional, format!("{EOL} 1 {FIRST} {EOL} 1")),
        ] {
            let error = two_rows(kind, &text).unwrap_err();
            let read = if text.is_empty() { 0 } else { 1 };
            assert!(matches!(&error, Fault::Corrupt(what) if what.contains(&format!("{read} of 2 CCITT rows"))), "{kind:?} {text}: {error:?}");
        }
    }
}
