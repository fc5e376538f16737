use super::pieces::Rows;
use super::testing::{bitmap, encode, packed};
use super::*;
use crate::codec::Progress;
use crate::error::Error;
use crate::jpeg::testing::Numbers;

const EOL: &str = "000000000001";
/// White 3, black 2, white 3.
const FIRST: &str = "1000 11 1000";
/// White 2, black 4, white 2.
const SECOND: &str = "0111 011 0111";
/// [`FIRST`] below a white row: horizontal mode, then vertical mode to the end.
const FIRST_BELOW: &str = "001 1000 11 1";
/// [`SECOND`] below [`FIRST`]: one to the left of b1, one to the right of it, then to the end.
const SECOND_BELOW: &str = "010 011 1";
const ROWS: [u8; 2] = [0b0001_1000, 0b0011_1100];

/// Converts text to bits; a `|` fills up the byte.
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

fn two_rows(kind: Fax, text: &str) -> Result<Vec<u8>> {
    whole(&bits(text), kind, 8, 0..2)
}

/// Decodes all rows; fails if there is any damage.
fn whole(data: &[u8], kind: Fax, width: u32, rows: Range<u32>) -> Result<Vec<u8>> {
    let (rows, damage) = decode(data, kind, width, rows, 0)?;
    damage.map_or(Ok(rows), |damage| Err(damage.damage))
}

#[test]
fn rows_of_every_coding() {
    let (rtc, rtc_of_two) = (EOL.repeat(6), [EOL, "1"].concat().repeat(6));
    for (kind, text) in [
        (Fax::ModifiedHuffman, format!("{FIRST} | {SECOND}")),
        (Fax::Group3OneDimensional, format!("{EOL} {FIRST} {EOL} {SECOND} {rtc}")),
        // A strip may lack the return to control (RTC) that ends a call.
        (Fax::Group3OneDimensional, format!("{EOL} {FIRST} {EOL} {SECOND}")),
        (Fax::Group3OneDimensional, format!("{FIRST} {EOL} {SECOND} {EOL}")),
        (Fax::Group3OneDimensional, format!("{FIRST} {SECOND}")),
        // EOLs with fill end where a byte ends.
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
    // White 3, black 2, and white 2 or 4: the row is too short or too long.
    for wrong in ["1000 11 0111", "1000 11 1011"] {
        for (kind, text) in [
            (Fax::ModifiedHuffman, format!("{wrong} | {SECOND}")),
            (Fax::Group3OneDimensional, format!("{EOL} {wrong} {EOL} {SECOND} {EOL}")),
            (Fax::Group3TwoDimensional, format!("{EOL} 1 {wrong} {EOL} 0 {SECOND_BELOW} {EOL} 1")),
        ] {
            assert!(two_rows(kind, &text).is_err(), "{kind:?} {text}");
        }
    }
    // Horizontal mode with white 3 and black 8; vertical mode with a change two to the right of the end.
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
        assert!(error.code() == "source-corrupt" && error.to_string().contains(&format!("{read} of 2 CCITT rows")), "{kind:?} {text}: {error}");
    }
}

const KINDS: [Fax; 4] = [Fax::ModifiedHuffman, Fax::Group3OneDimensional, Fax::Group3TwoDimensional, Fax::Group4];

#[test]
fn runs_of_no_pixels_are_read() {
    // Horizontal, white 0, black 3, then to the end: a row that begins black.
    let black = "001 00110101 10 1";
    for (text, expected) in [
        // Below it, by all modes: the change at column 0 is right of the imaginary a0.
        (format!("{black} 1 1 1"), [0b1110_0000, 0b1110_0000]),
        (format!("{black} 0001 1"), [0b1110_0000, 0]),
        (format!("{black} 011 1 1"), [0b1110_0000, 0b0110_0000]),
        (format!("{black} 001 00110101 10 1"), [0b1110_0000, 0b1110_0000]),
        // White 3 and black 0: no colour changes, here and for the row below.
        ("001 1000 0000110111 1 1".to_owned(), [0, 0]),
        ("001 1000 0000110111 1 001 1000 11 1".to_owned(), [0, 0b0001_1000]),
        // White 0 and black 0, then black from the beginning; and white 2, black 0, white 1, black 2.
        (format!("001 00110101 0000110111 {black} {black}"), [0b1110_0000, 0b1110_0000]),
        ("001 0111 0000110111 001 000111 11 1 1 1 1".to_owned(), [0b0001_1000, 0b0001_1000]),
        // A change to the left, so that nothing is left of a run.
        (format!("{FIRST_BELOW} 1 000010 1"), [0b0001_1000, 0]),
        // Horizontal mode codes both runs, even if the first one reaches the end of the row: white 8, black 0.
        ("001 10011 0000110111 1".to_owned(), [0, 0]),
    ] {
        assert_eq!(two_rows(Fax::Group4, &text).unwrap(), expected, "{text}");
    }
    // One dimension: white 0, black 3, white 0, black 2, white 3.
    for kind in [Fax::ModifiedHuffman, Fax::Group3OneDimensional] {
        let rows = whole(&bits("00110101 10 00110101 11 1000"), kind, 8, 0..1).unwrap();
        assert_eq!(rows, [0b1111_1000], "{kind:?}");
    }
}

#[test]
fn runs_of_no_pixels_have_an_end() {
    let endless = "00110101 0000110111".repeat(1000);
    for (kind, text) in [(Fax::ModifiedHuffman, endless.clone()), (Fax::Group4, endless.replace("00110101 ", "001 00110101 "))] {
        let error = two_rows(kind, &text).unwrap_err();
        assert!(error.to_string().contains("0 of 2 CCITT rows could be read: more changes"), "{error}");
    }
}

#[test]
fn the_uncompressed_mode_is_refused_by_name() {
    for (kind, text) in
        [(Fax::Group4, "0000001111"), (Fax::Group3TwoDimensional, "000000000001 0 0000001111"), (Fax::Group3OneDimensional, "1000 11 1000 000000001111")]
    {
        let error = two_rows(kind, text).unwrap_err();
        assert!(error.code() == "source-unsupported" && error.to_string().contains("uncompressed mode"), "{kind:?}: {error}");
    }
    assert_eq!(two_rows(Fax::Group4, "0000001110").unwrap_err().code(), "source-corrupt");
}

#[test]
fn what_there_is_of_a_damaged_row_can_be_shown() {
    // White 3, black 2, and white 4 where 3 are left; black of which the end is missing; no code.
    for (kind, text, expected) in [
        (Fax::ModifiedHuffman, "1000 11 1011", 0b0001_1000),
        (Fax::Group3OneDimensional, "0111 011", 0b0011_1100),
        (Fax::Group4, "001 1000 11 0000000 1", 0b0001_1000),
        (Fax::Group4, "001 0111 011 000011", 0b0011_1100),
    ] {
        let data = bits(text);
        let mut decoder = RowDecoder::new(kind, 8);
        let outcome = decoder.next_row(&Input { bytes: &data, start: 0, last: true });
        assert!(matches!(outcome, Outcome::Damaged { bit, .. } if bit > 0 && bit <= data.len() as u64 * 8), "{text}: {outcome:?}");
        let mut row = [0xAA];
        decoder.write_damaged(&mut row);
        assert_eq!(row, [expected], "{text}");
        // The decoder stays before the damaged row.
        assert_eq!((decoder.next_row(&Input { bytes: &data, start: 0, last: true }), decoder.state().row), (outcome, 0));
    }
}

#[test]
fn rows_above_damage_are_given_and_white_below() {
    // The second row is damaged after its black pixels.
    let data = bits("001 0111 11 1 | 001 1000 11 0000000 1");
    let (rows, damage) = decode(&data, Fax::Group4, 8, 0..4, 100).unwrap();
    let damage = damage.unwrap();
    assert_eq!(rows[0], 0b0011_0000);
    assert_eq!((&rows[2..], damage.rows), (&[0, 0][..], 1));
    assert!(matches!(damage.damage, Error::SourceCorrupt { at: 101..=104, .. }), "{damage:?}");
    // None of the wanted rows could be decoded.
    let (rows, damage) = decode(&data, Fax::Group4, 8, 2..4, 100).unwrap();
    assert_eq!((rows.as_slice(), damage.unwrap().rows), (&[0, 0][..], 1));
}

#[test]
fn rows_behind_a_damaged_one_come_back_with_the_next_eol() {
    // A code that no white run has; a row that is too short; a row that is too long.
    for wrong in ["00000001 11", "1000 11", "1000 11 1011"] {
        for (kind, text) in [
            (Fax::Group3OneDimensional, format!("{EOL} {FIRST} {EOL} {wrong} {EOL} {SECOND} {EOL} {FIRST}")),
            // The row below the damaged one depends on it, and is lost as well.
            (Fax::Group3TwoDimensional, format!("{EOL} 1 {FIRST} {EOL} 1 {wrong} {EOL} 0 {SECOND_BELOW} {EOL} 1 {SECOND} {EOL} 1 {FIRST}")),
        ] {
            let (rows, damage) = decode(&bits(&text), kind, 8, 0..4, 0).unwrap();
            assert_eq!((rows[0], &rows[2..]), (ROWS[0], &[ROWS[1], ROWS[0]][..]), "{kind:?} {text}");
            assert_eq!(damage.unwrap().rows, 1);
        }
    }
}

#[test]
fn rows_of_any_picture_come_back() {
    let mut numbers = Numbers(1);
    for round in 0..150 {
        let (width, height) = (1 + numbers.below([20, 200, 6000][round % 3]), 1 + numbers.below(12));
        let rows = bitmap(&mut numbers, width as usize, height as usize);
        for kind in KINDS {
            let data = encode(&rows, kind, &mut numbers);
            let all = whole(&data, kind, width, 0..height).unwrap_or_else(|error| panic!("{round} {kind:?} {width}×{height}: {error}"));
            assert!(all == packed(&rows), "{round} {kind:?} {width}×{height}");
            let from = numbers.below(height);
            assert!(whole(&data, kind, width, from..height).unwrap() == packed(&rows[from as usize..]), "{round} {kind:?} from {from}");
            let mut decoder = RowDecoder::new(kind, width);
            let input = Input { bytes: &data, start: 0, last: true };
            (0..height).for_each(|_| assert_eq!(decoder.next_row(&input), Outcome::Row));
            let end = decoder.next_row(&input);
            assert!(kind == Fax::ModifiedHuffman || end == Outcome::End, "{round} {kind:?}: {end:?}");
        }
    }
}

/// Decodes rows from pieces of at most `size` bytes, and returns the outcome after the last row. Before each row, a new decoder is made from the state of the
/// last.
fn in_pieces(data: &[u8], kind: Fax, width: u32, size: usize, rows: &mut Vec<u8>) -> Outcome {
    let mut decoder = RowDecoder::new(kind, width);
    let (mut start, mut end) = (0, 0);
    loop {
        let input = Input { bytes: &data[start..end], start: start as u64, last: end == data.len() };
        match decoder.next_row(&input) {
            Outcome::Row => {
                let mut row = vec![0xAA; (width as usize).div_ceil(8)];
                decoder.write(&mut row);
                rows.extend(row);
                decoder = RowDecoder::resume(kind, width, decoder.state().clone()).unwrap();
            }
            Outcome::Need { from } => {
                assert!(from as usize >= start && end < data.len());
                (start, end) = (from as usize, data.len().min(end + size));
            }
            outcome => return outcome,
        }
    }
}

#[test]
fn pieces_of_any_size_give_the_same_rows() {
    let mut numbers = Numbers(2);
    for round in 0..60 {
        let (width, height) = (1 + numbers.below([20, 3000][round % 2]), 1 + numbers.below(8));
        let rows = bitmap(&mut numbers, width as usize, height as usize);
        for kind in KINDS {
            let mut data = encode(&rows, kind, &mut numbers);
            // The data are complete, or cut off anywhere.
            if numbers.below(2) == 0 {
                data.truncate(numbers.below(data.len() as u32) as usize);
            }
            let mut whole = Vec::new();
            let outcome = in_pieces(&data, kind, width, data.len().max(1), &mut whole);
            for size in [1, 2, 3, 7, 64, 1000] {
                let mut pieces = Vec::new();
                let found = in_pieces(&data, kind, width, size, &mut pieces);
                assert!(found == outcome && pieces == whole, "{round} {kind:?} in pieces of {size}: {found:?}, {outcome:?}");
            }
        }
    }
}

/// The first `rows` rows as bytes, decoded from pieces of `size` bytes, taken `most` bytes at a time.
fn bytes_of(data: &[u8], kind: Fax, width: u32, rows: u32, size: usize, most: usize) -> (Vec<u8>, Option<Incomplete>) {
    let mut decoder = Rows::new(kind, width, 0..rows);
    let count = (width as usize).div_ceil(8) * rows as usize;
    let (mut made, mut start, mut length) = (Vec::new(), 0, size);
    while made.len() < count {
        let end = data.len().min(start + length);
        let mut out = vec![0xAA; most.min(count - made.len())];
        let Progress { consumed, produced } = decoder.decode(&data[start..end], end == data.len(), &mut out, 0).unwrap();
        made.extend_from_slice(&out[..produced]);
        start += consumed;
        length = if consumed + produced > 0 { size } else { length + size };
        assert!(consumed + produced > 0 || end < data.len(), "nothing is done, and nothing will come");
    }
    (made, decoder.take_damage())
}

#[test]
fn rows_come_as_bytes_however_data_are_cut() {
    let mut numbers = Numbers(5);
    for round in 0..40 {
        let (width, height) = (1 + numbers.below([20, 3000][round % 2]), 1 + numbers.below(8));
        let rows = bitmap(&mut numbers, width as usize, height as usize);
        for kind in KINDS {
            let mut data = encode(&rows, kind, &mut numbers);
            match numbers.below(4) {
                0 => data.truncate(numbers.below(data.len() as u32) as usize),
                1 => {
                    // The uncompressed mode is no damage, but is not read.
                    let at = numbers.below(data.len() as u32) as usize;
                    data[at] ^= 1 << numbers.below(8);
                }
                _ => {}
            }
            let Ok(whole) = decode(&data, kind, width, 0..height, 0) else { continue };
            for (size, most) in [(1, 1000), (3, 1), (64, 7), (1000, 100_000)] {
                let pieces = bytes_of(&data, kind, width, height, size, most);
                assert!(pieces == whole, "{round} {kind:?} in pieces of {size}: {:?}, {:?}", pieces.1, whole.1);
            }
        }
    }
    // Rows that are missing after an end of block are white.
    let data = bits(&format!("{FIRST_BELOW} {EOL} {EOL}"));
    assert_eq!(bytes_of(&data, Fax::Group4, 8, 4, 1, 2), (vec![ROWS[0], 0, 0, 0], None));
}

#[test]
fn zeros_before_an_eol_need_not_be_kept() {
    let mut data = vec![0; 5000];
    data.extend(bits(&format!("{EOL} {FIRST}")));
    let mut decoder = RowDecoder::new(Fax::Group3OneDimensional, 8);
    let mut from = 0;
    for end in 1..=data.len() {
        match decoder.next_row(&Input { bytes: &data[from..end], start: from as u64, last: false }) {
            Outcome::Need { from: wanted } => from = wanted as usize,
            outcome => assert_eq!((outcome, end), (Outcome::Row, data.len())),
        }
        assert!(end - from <= 5 || end > 5000, "{from} of {end}");
    }
    let mut row = [0];
    decoder.write(&mut row);
    assert_eq!(row, [ROWS[0]]);
}

#[test]
fn states_of_no_row_are_refused() {
    for changes in [vec![3, 3], vec![4, 2], vec![8], vec![1, 9]] {
        assert!(RowDecoder::resume(Fax::Group4, 8, State { changes, ..State::default() }).is_none());
    }
    assert!(RowDecoder::resume(Fax::Group4, 8, State { changes: vec![0, 7], ..State::default() }).is_some());
}
