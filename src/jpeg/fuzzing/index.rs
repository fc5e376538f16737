//! Positions in a stream: recorded out of pieces, followed, and false ones.

use std::sync::Arc;

use super::recipe::Bytes;
use super::{MEMORY, append, expect_fair, part, planes, recipe, small};
use crate::error::Result;
use crate::jpeg::{Grid, Header, Index, Input, Planes, Progress, Sequential, Wanted, seal};

/// An index is the same however the bytes come; with it, or a part of it, a region is what it is without; and an index of any bytes does no harm.
pub fn index(data: &[u8]) {
    let (stream, mut choices) = recipe::split(data);
    let Some(header) = small(&stream).filter(Header::is_streamable) else { return };
    let Ok(empty) = Index::new(&header, 1 + usize::from(choices.byte() % 9)) else { return };
    let wanted = Wanted {
        region: part(&mut choices, header.dimensions),
        reduction: choices.pick(&[1, 2, 4, 8]),
        gray: choices.now_and_then(64),
        memory: MEMORY,
        fill: false,
    };
    if Sequential::new(&header, &wanted).is_err() {
        return;
    }
    let pieces = [stream.len(), 1 + choices.below(200) as usize, 1 + usize::from(choices.byte() % 8)];
    let plain = planes(&header, &stream, &wanted);
    let whole = Wanted { reduction: 8, gray: true, memory: MEMORY, ..Wanted::whole(&header) };
    let learnt = pieces.map(|piece| with(&header, &stream, &whole, &Arc::new(empty.clone()), piece));
    let sound = learnt[0].0.is_ok();
    assert!(learnt.iter().all(|(found, _)| found.is_ok() == sound));
    let expect_same = |found, plain: &_| expect_same(sound, found, plain, &stream);
    expect_same(with(&header, &stream, &wanted, &Arc::new(empty.clone()), pieces[1]).0, &plain);
    // What a part teaches serves for another, and adds to it.
    let elsewhere = Wanted { region: part(&mut choices, header.dimensions), ..wanted };
    let (_, some) = with(&header, &stream, &elsewhere, &Arc::new(empty.clone()), pieces[2]);
    let (found, more) = with(&header, &stream, &wanted, &Arc::new(some), pieces[1]);
    expect_same(found, &plain);
    expect_same(with(&header, &stream, &elsewhere, &Arc::new(more), pieces[0]).0, &planes(&header, &stream, &elsewhere));
    for (found, index) in learnt {
        let index = Arc::new(index);
        if found.is_ok() {
            assert!(index.is_complete());
            let bytes = index.to_bytes(b"seal");
            assert_eq!(empty.read_like(&bytes, b"seal", stream.len() as u64).as_ref(), Some(&*index));
            assert_eq!(by_ranges(&header, &stream, &wanted, &index).unwrap(), *plain.as_ref().unwrap());
            hostile(&header, &stream, &wanted, &empty, &mut choices, bytes);
        }
        expect_same(with(&header, &stream, &wanted, &index, pieces[1]).0, &plain);
    }
    let cut = &stream[..choices.below(stream.len() as u32).max(header.scan.data as u32) as usize];
    let filled = Wanted { fill: true, ..wanted };
    let mut decoder = Sequential::new(&header, &filled).unwrap();
    assert_eq!(in_pieces(&mut decoder, cut, pieces[1]).ok(), planes(&header, cut, &filled).ok());
}

/// Of a sound stream the same. Where something is broken before a region, it may be passed over by an index or by restart markers, or noticed on the way.
fn expect_same(sound: bool, found: Result<Planes>, plain: &Result<Planes>, stream: &[u8]) {
    match (found, plain) {
        (Ok(found), Ok(plain)) => assert!(found == *plain),
        (Err(error), _) if !sound => expect_fair(&error, stream),
        (Ok(_), Err(_)) if !sound => {}
        (found, plain) => panic!("{:?} {:?}", found.err(), plain.as_ref().err()),
    }
}

/// All bands by an index, and what is learnt on the way.
fn with(header: &Header, stream: &[u8], wanted: &Wanted, index: &Arc<Index>, piece: usize) -> (Result<Planes>, Index) {
    let mut decoder = Sequential::new(header, wanted).unwrap();
    decoder.record(index.clone());
    let found = in_pieces(&mut decoder, stream, piece);
    let (first, entries) = decoder.recorded();
    let mut index = Index::clone(index);
    index.learn(first, &entries);
    (found, index)
}

/// What an index of bytes that are wrong leads to: anything but harm.
fn hostile(header: &Header, stream: &[u8], wanted: &Wanted, empty: &Index, choices: &mut Bytes<'_>, mut bytes: Vec<u8>) {
    bytes.truncate(bytes.len() - 8);
    for _ in 0..=choices.byte() % 4 {
        let at = choices.below(bytes.len() as u32) as usize;
        bytes[at] = choices.byte();
    }
    bytes.extend(seal(&[b"seal", &bytes]));
    let Some(index) = empty.read_like(&bytes, b"seal", stream.len() as u64) else { return };
    let grid = Grid::new(header, wanted).unwrap();
    assert!(index.ranges(&grid).iter().all(|range| range.start <= range.end));
    let (found, _) = with(header, stream, wanted, &Arc::new(index), 64);
    if let Err(error) = found {
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
fn by_ranges(header: &Header, stream: &[u8], wanted: &Wanted, index: &Arc<Index>) -> Result<Planes> {
    let mut decoder = Sequential::new(header, wanted)?;
    decoder.follow(index.clone());
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
                input = inputs.next().expect("more bytes than the index says");
                assert!(from >= input.start, "{from} lies before the range from {}", input.start);
            }
        }
    }
}
