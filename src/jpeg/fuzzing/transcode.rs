//! From coefficients to coefficients.

use super::decode::cut;
use super::recipe::Bytes;
use super::{MEMORY, expect_fair, part, planes, recipe, small};
use crate::error::Error;
use crate::geometry::Rect;
use crate::jpeg::coefficients::Component;
use crate::jpeg::decode::coefficients;
use crate::jpeg::{Copied, Cut, Header, Input, Mosaic, Progress, Sequential, Tables, Transcode, Turn, Wanted, cut as copy_bits};

/// The result of each operation is a sound stream with the same coefficients, turned; the same samples, where nothing was turned; turned back it is what it was;
/// and it is the same if it is put together out of parts.
pub fn transcode(data: &[u8]) {
    let (stream, mut choices) = recipe::split(data);
    let Some(header) = small(&stream) else { return };
    let transcode = chosen(&header, &mut choices);
    any_part(&header, &stream, &transcode);
    let made = match transcode.run(&header, &stream) {
        Ok(made) => made,
        Err(Error::Internal { .. }) => return assert!(!transcode.is_lossless(&header)),
        Err(error) => return expect_fair(&error, &stream),
    };
    assert!(transcode.is_lossless(&header));
    let new = Header::read(None, &made).unwrap();
    let (size, turn) = (transcode.region.dimensions(), transcode.turn);
    assert_eq!(new.dimensions, if turn.transposed { size.transposed() } else { size });
    assert_eq!(new.components.len(), if transcode.gray { 1 } else { header.components.len() });

    let wanted = Wanted { region: transcode.region, reduction: 1, gray: transcode.gray, memory: MEMORY, fill: false };
    let before = coefficients(&header, &stream, &wanted, None).unwrap();
    if turn == Turn::default() && !transcode.gray {
        same_bits(&header, &stream, &wanted, &before);
    }
    let after = coefficients(&new, &made, &Wanted::whole(&new), None).unwrap();
    let mut sound = true;
    for (index, (mut before, after)) in before.into_iter().zip(&after).enumerate() {
        let stored = before.blocks.clone();
        before.make_sound();
        sound &= before.blocks == stored;
        let before = before.turned(turn);
        assert_eq!(before.quantization, after.quantization);
        assert!(blocks(&new, index, &before) == blocks(&new, index, after), "component {index}");
    }
    // What no samples have is shown as no other is.
    if turn == Turn::default() && sound {
        same_samples(&header, &stream, &wanted, &new, &made);
    }
    back(&transcode, &new, &made);
    assert!(in_parts(&header, &stream, &transcode) == made);
}

/// What is cut bit by bit, if it can be, has the same coefficients, even those of its padding; and so if its bytes come some at a time.
fn same_bits(header: &Header, stream: &[u8], wanted: &Wanted, before: &[Component]) {
    let made = match copy_bits(header, stream, wanted, None) {
        Ok(Some(made)) => made,
        Ok(None) => return,
        // A difference that no table has a code for.
        Err(error) => return expect_fair(&error, stream),
    };
    let new = Header::read(None, &made).unwrap();
    assert_eq!(new.dimensions, wanted.region.dimensions());
    assert!(coefficients(&new, &made, &Wanted::whole(&new), None).unwrap() == before);

    let cut = Cut::new(header, wanted.region.dimensions(), None).unwrap().unwrap();
    let mut sequential = Sequential::cutting(header, wanted, cut).unwrap();
    let mut end = header.scan.data;
    loop {
        let start = sequential.seek().unwrap_or(end);
        match sequential.next_band(&Input { bytes: stream.get(start..end).unwrap_or_default(), start, last: end >= stream.len() }).unwrap() {
            Progress::Band(_) => {}
            Progress::Need { .. } => end = (end + 61).min(stream.len()),
            Progress::Done => break,
        }
    }
    assert!(sequential.take_cut().unwrap().finish() == made);
}

/// The same region laid in four parts, which meet at some MCU.
fn in_parts(header: &Header, stream: &[u8], transcode: &Transcode<'_>) -> Vec<u8> {
    let region = transcode.region;
    let middle = |side: u32, factor: u8| side / 2 / (u32::from(factor) * 8) * u32::from(factor) * 8;
    let (across, down) = (middle(region.width(), header.most().0), middle(region.height(), header.most().1));
    let mut mosaic = Mosaic::new(region.dimensions());
    for (left, right) in [(0, across), (across, region.width())] {
        for (top, bottom) in [(0, down), (down, region.height())] {
            let part = Rect::from_edges(region.x() + left, region.y() + top, region.x() + right, region.y() + bottom);
            let Some(part) = part.filter(|_| left < right && top < bottom) else { continue };
            let wanted = Wanted { region: part, reduction: 1, gray: transcode.gray, memory: MEMORY, fill: false };
            assert_eq!(mosaic.lay(header, stream, &wanted, None, (left, top)), Ok(true));
        }
    }
    mosaic.write(transcode.turn, &transcode.copied).unwrap()
}

/// Whatever region is laid, as it may be asked for by a file of other chunks: it is laid or not, and what was laid can be written.
fn any_part(header: &Header, stream: &[u8], transcode: &Transcode<'_>) {
    let mut mosaic = Mosaic::new(transcode.region.dimensions());
    let wanted = Wanted { region: transcode.region, reduction: 1, gray: transcode.gray, memory: MEMORY, fill: false };
    match mosaic.lay(header, stream, &wanted, None, (0, 0)) {
        Ok(true) if mosaic.can_turn(transcode.turn) => drop(mosaic.write(transcode.turn, &transcode.copied).unwrap()),
        Ok(_) => {}
        Err(error) => expect_fair(&error, stream),
    }
}

/// Some operation, mostly one that can be done.
fn chosen(header: &Header, choices: &mut Bytes<'_>) -> Transcode<'static> {
    let (across, down) = header.most();
    let free = part(choices, header.dimensions);
    let bits = choices.byte();
    let turn = Turn { transposed: bits & 1 != 0, flipped_across: bits & 2 != 0, flipped_down: bits & 4 != 0 };
    let down_to = |at: u32, factor: u8| at / (u32::from(factor) * 8) * u32::from(factor) * 8;
    let edge = |at: u32, factor: u8, end: u32| if bits & 8 != 0 { down_to(at + u32::from(factor) * 8 - 1, factor).min(end) } else { at };
    let (right, bottom) = (edge(free.right(), across, header.dimensions.width()), edge(free.bottom(), down, header.dimensions.height()));
    let aligned = Rect::from_edges(down_to(free.x(), across), down_to(free.y(), down), right, bottom).unwrap();
    let region = if bits & 0xF0 == 0xF0 { free } else { aligned };
    Transcode {
        region,
        turn,
        gray: choices.now_and_then(64),
        copied: Copied {
            tables: choices.pick(&[Tables::Standard, Tables::Optimal { most: u64::MAX }]),
            restart_interval: if choices.now_and_then(64) { 1 + u16::from(choices.byte() % 8) } else { 0 },
            ..Copied::default()
        },
        memory: MEMORY,
        ..Transcode::whole(header)
    }
}

/// The blocks of a component that hold something of the image, row by row; others of its MCUs are padding, which is made anew.
pub(in crate::jpeg) fn blocks(header: &Header, index: usize, component: &Component) -> Vec<[i16; 64]> {
    let (most, factors) = (header.most(), &header.components[index]);
    let share = |side: u32, factor: u8, most: u8| (side as usize * usize::from(factor)).div_ceil(usize::from(most) * 8);
    let (across, down) = (share(header.dimensions.width(), factors.across, most.0), share(header.dimensions.height(), factors.down, most.1));
    component.blocks.chunks_exact(component.columns).take(down).flat_map(|row| row[..across].to_vec()).collect()
}

fn same_samples(header: &Header, stream: &[u8], wanted: &Wanted, new: &Header, made: &[u8]) {
    let (before, after) = (planes(header, stream, wanted).unwrap(), planes(new, made, &Wanted::whole(new)).unwrap());
    assert_eq!(before.len(), after.len());
    let most = new.most();
    for ((before, after), component) in before.iter().zip(&after).zip(&new.components) {
        let share = |side: u32, factor: u8, most: u8| (side as usize * usize::from(factor)).div_ceil(most.into());
        let (width, height) = (share(new.dimensions.width(), component.across, most.0), share(new.dimensions.height(), component.down, most.1));
        assert_eq!(cut(before, 0, 0, width, height), cut(after, 0, 0, width, height));
    }
}

/// The same the other way round, which can be done if whole MCUs were turned.
fn back(transcode: &Transcode<'_>, new: &Header, made: &[u8]) {
    let Turn { transposed, flipped_across, flipped_down } = transcode.turn;
    let (flipped_across, flipped_down) = if transposed { (flipped_down, flipped_across) } else { (flipped_across, flipped_down) };
    let inverse = Turn { transposed, flipped_across, flipped_down };
    let plain = Transcode { memory: MEMORY, ..Transcode::whole(new) };
    let back = Transcode { turn: inverse, ..plain };
    if !back.is_lossless(new) {
        return;
    }
    let back = back.run(new, made).unwrap();
    let header = Header::read(None, &back).unwrap();
    let forth = Transcode { turn: transcode.turn, ..Transcode { region: header.dimensions.rect(), ..plain } };
    if forth.is_lossless(&header) {
        assert_eq!(forth.run(&header, &back).unwrap(), plain.run(new, made).unwrap());
    }
}
