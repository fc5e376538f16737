//! Positions in a stream: recorded out of pieces, followed, and false ones.

use std::sync::Arc;

use super::recipe::Bytes;
use super::{MEMORY, append, expect_fair, part, planes, recipe, small};
use crate::error::Result;
use crate::geometry::Rect;
use crate::jpeg::{Grid, Header, Index, Input, Planes, Progress, Sequential, Wanted, corrupt};

/// What a file is told from others by.
const SEAL: &[u8] = b"this";

/// An index is the same however the bytes come; with it a part is what it is without; and an index of any bytes does no harm.
pub fn index(data: &[u8]) {
    let (stream, mut choices) = recipe::split(data);
    let Some(header) = small(&stream).filter(Header::is_streamable) else { return };
    let step = 1 + usize::from(choices.byte() % 9);
    let Ok(fresh) = Index::new(&header, step) else { return };
    let piece = [stream.len(), 1 + choices.below(200) as usize, 1 + usize::from(choices.byte() % 8)];
    // Whoever wants the last pixel passes over all others, and records where they are, as far as the stream is sound.
    let (right, bottom) = (header.dimensions.width(), header.dimensions.height());
    let last = Wanted { region: Rect::new(right - 1, bottom - 1, 1, 1).unwrap(), memory: MEMORY, ..Wanted::whole(&header) };
    if Sequential::new(&header, &last).is_err() {
        return;
    }
    let recorded = |piece| {
        let (mut scanner, mut index) = (Sequential::new(&header, &last).unwrap(), fresh.clone());
        scanner.record(Arc::new(fresh.clone()));
        let outcome = in_pieces(&mut scanner, &stream, piece);
        let (first, entries) = scanner.recorded();
        index.learn(first, &entries);
        (outcome, index)
    };
    let scanned = |piece| -> Result<Index> {
        let (outcome, index) = recorded(piece);
        outcome.map(|_| index)
    };
    let whole = scanned(piece[0]);
    // Of what is wrong, one way may notice more than the other: who has the next restart marker at hand does not look at what lies before it.
    for piece in &piece[1..] {
        if let (Ok(found), Ok(whole)) = (scanned(*piece), &whole) {
            assert_eq!(found, *whole);
        }
    }
    let wanted =
        Wanted { region: part(&mut choices, header.dimensions), reduction: choices.pick(&[1, 2, 4, 8]), gray: choices.now_and_then(64), memory: MEMORY };
    let plain = planes(&header, &stream, &wanted);
    let mut decoder = Sequential::new(&header, &wanted).unwrap();
    if let (Ok(found), Ok(plain)) = (in_pieces(&mut decoder, &stream, piece[1]), &plain) {
        assert_eq!(found, *plain);
    }
    match whole {
        Ok(index) => {
            assert!(index.is_complete());
            let bytes = index.to_bytes(SEAL);
            assert_eq!(fresh.read_like(&bytes, SEAL, stream.len() as u64).as_ref(), Some(&index));
            match (by_ranges(&header, &stream, &wanted, &index), plain) {
                (Ok(found), Ok(plain)) => assert_eq!(found, plain),
                (Err(error), Err(_)) => expect_fair(&error, &stream),
                (Ok(_), Err(_)) => {}
                (Err(error), Ok(_)) => panic!("{error}"),
            }
            hostile(&header, &stream, &wanted, &fresh, &mut choices, bytes);
        }
        Err(error) => {
            expect_fair(&error, &stream);
            // As far as it was recorded, it serves as well.
            let mut decoder = Sequential::new(&header, &wanted).unwrap();
            decoder.follow(Arc::new(recorded(stream.len()).1));
            match (in_pieces(&mut decoder, &stream, piece[1]), plain) {
                (Ok(found), Ok(plain)) => assert_eq!(found, plain),
                (Err(error), Err(_)) => expect_fair(&error, &stream),
                // What is broken before the region is not looked at.
                (Ok(_), Err(_)) => {}
                (Err(error), Ok(_)) => panic!("{error}"),
            }
        }
    }
    hostile(&header, &stream, &wanted, &fresh, &mut Bytes(&[]), data.to_vec());
}

/// What an index of bytes that are wrong leads to: anything but harm.
fn hostile(header: &Header, stream: &[u8], wanted: &Wanted, fresh: &Index, choices: &mut Bytes<'_>, mut bytes: Vec<u8>) {
    for _ in 0..choices.byte() % 4 {
        let at = choices.below(bytes.len() as u32) as usize;
        bytes[at] = choices.byte();
    }
    let grid = Grid::new(header, wanted).unwrap();
    let Some(index) = fresh.read_like(&bytes, SEAL, stream.len() as u64) else { return };
    assert!(index.ranges(&grid).iter().all(|range| range.start <= range.end));
    let mut decoder = Sequential::new(header, wanted).unwrap();
    decoder.follow(Arc::new(index));
    if let Err(error) = in_pieces(&mut decoder, stream, 64) {
        expect_fair(&error, stream);
    }
}

/// All bands out of pieces of a stream, whose bytes are let go as soon as they may be.
fn in_pieces(sequential: &mut Sequential, stream: &[u8], piece: usize) -> Result<Planes> {
    let (mut start, mut end) = (0, piece.min(stream.len()));
    let mut planes = Planes::new();
    loop {
        let last = end >= stream.len();
        match sequential.next_band(&Input { bytes: &stream[start.min(end)..end], start, last })? {
            Progress::Band(band) => append(&mut planes, band.planes),
            Progress::Done => return Ok(planes),
            Progress::Need { from } => {
                assert!(!last && from >= start, "bytes from {from} on are asked for, those from {start} to the end {end} are there");
                start = from;
                end = (end.max(start) + piece).min(stream.len());
            }
        }
    }
}

/// All bands out of the bytes alone that an index says they lie in.
fn by_ranges(header: &Header, stream: &[u8], wanted: &Wanted, index: &Index) -> Result<Planes> {
    let mut decoder = Sequential::new(header, wanted)?;
    decoder.follow(Arc::new(index.clone()));
    let ranges = index.ranges(decoder.grid());
    let mut inputs = ranges.iter().map(|range| {
        let end = range.end.min(stream.len());
        Input { bytes: &stream[range.start..end], start: range.start, last: end == stream.len() }
    });
    let mut input = inputs.next().unwrap();
    let mut planes = Planes::new();
    loop {
        match decoder.next_band(&input)? {
            Progress::Band(band) => append(&mut planes, band.planes),
            Progress::Done => return Ok(planes),
            Progress::Need { from } => {
                // What is broken may lead on and on.
                input = inputs.next().ok_or_else(|| corrupt(from, "more bytes than the index says"))?;
                assert!(from >= input.start, "{from} lies before the range from {}", input.start);
            }
        }
    }
}
