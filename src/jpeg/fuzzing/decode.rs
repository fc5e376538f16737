//! Decoding of any part at any reduction, and parts against the whole.

use super::recipe::Bytes;
use super::{MEMORY, append, expect_fair, part, planes, recipe, rows, small};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::jpeg::header::Component;
use crate::jpeg::{ColorModel, Decoder, Header, Plane, Planes, Rows, Wanted};

/// Whatever is asked of whatever stream, all bands and rows come or a fair error does, in bounded memory.
pub fn decode(data: &[u8]) {
    let (stream, mut choices) = recipe::split(data);
    let Ok(header) = Header::read(None, &stream) else { return };
    if let Err(error) = whole_or_part(&header, &stream, &mut choices) {
        expect_fair(&error, &stream);
    }
}

fn whole_or_part(header: &Header, stream: &[u8], choices: &mut Bytes<'_>) -> Result<()> {
    let reduction = choices.pick(&[1, 2, 4, 8]);
    let reduced = header.dimensions.reduced(reduction.into());
    let crop = if choices.now_and_then(128) { part(choices, reduced) } else { reduced.rect() };
    let gray = choices.now_and_then(64);
    // What is made up takes no data, but time.
    let fill = choices.now_and_then(64) && header.dimensions.area() < 1 << 24;
    let wanted = Wanted { region: Rows::region(header, crop, reduction), reduction, gray, memory: MEMORY, fill };
    let mut decoder = Decoder::new(header, stream, &wanted)?;
    let model = if gray { ColorModel::Gray } else { header.color_model() };
    let mut rows = Rows::new(header, decoder.grid(), crop, model)?;
    let (mut next, end) = (decoder.grid().rows.start, decoder.grid().rows.end);
    let (mut made, channels) = (0, if model == ColorModel::Gray { 1 } else { header.components.len() });
    let mut sink = |row: &[u8]| {
        assert_eq!(row.len(), crop.width() as usize * channels);
        made += 1;
        Ok(())
    };
    loop {
        match decoder.next_band() {
            Ok(Some(band)) => {
                assert_eq!(band.mcu_row, next);
                next += 1;
                rows.push(&band, &mut sink)?;
            }
            Ok(None) => break,
            Err(error) => {
                // It may be asked again, but not for a band that there was not.
                assert!(next < end && !matches!(decoder.next_band(), Ok(None)), "{error}");
                return Err(error);
            }
        }
    }
    assert_eq!(next, end);
    rows.finish(&mut sink)?;
    assert_eq!(made, crop.height());
    Ok(())
}

/// What comes of a part is a part of what comes of the whole: planes, rows, and luminance alone; and of the first bytes of a stream come its first MCUs.
pub fn skip(data: &[u8]) {
    let (stream, mut choices) = recipe::split(data);
    let Some(header) = small(&stream) else { return };
    let reduction = choices.pick(&[1, 2, 4, 8]);
    let whole = Wanted { reduction, memory: MEMORY, ..Wanted::whole(&header) };
    let Ok(all) = planes(&header, &stream, &whole) else { return };
    let wanted = Wanted { region: part(&mut choices, header.dimensions), gray: choices.now_and_then(64), ..whole };
    let decoder = Decoder::new(&header, &stream, &wanted).unwrap();
    let found = planes(&header, &stream, &wanted).unwrap();
    assert_eq!(found.len(), if wanted.gray { 1 } else { all.len() });
    for ((found, all), component) in found.iter().zip(&all).zip(&header.components) {
        let place = decoder.grid().component(component.across.into(), component.down.into());
        assert_eq!(*found, cut(all, place.left, place.top, found.width, found.height));
    }
    let end = header.scan.data + choices.below((stream.len() - header.scan.data).max(1) as u32) as usize;
    cut_off(&header, &stream[..end], &Wanted { fill: true, ..whole }, &all);
    let reduced = header.dimensions.reduced(reduction.into());
    let crop = part(&mut choices, reduced);
    match rows(&header, &stream, reduced.rect(), reduction, MEMORY) {
        Ok(all) => {
            let channels = header.components.len();
            let whole =
                Plane { width: reduced.width() as usize * channels, height: reduced.height() as usize, stride: reduced.width() as usize * channels, data: all };
            let found = rows(&header, &stream, crop, reduction, MEMORY).unwrap();
            assert!(found == cut_pixels(&whole, crop, channels), "{crop} of {reduced} at 1/{reduction}");
        }
        Err(error) => assert!(matches!(error, Error::SourceTooCostly { .. }), "{error}"),
    }
}

/// One scan: up to some MCU it is as it was, and medium gray from there on. Several tell less of everything.
fn cut_off(header: &Header, stream: &[u8], wanted: &Wanted, all: &Planes) {
    let mut decoder = match Decoder::new(header, stream, wanted) {
        Ok(decoder) => decoder,
        Err(error) => return assert!(!header.is_streamable(), "{error}"),
    };
    let mut found = Planes::new();
    while let Some(band) = decoder.next_band().unwrap() {
        append(&mut found, band.planes);
    }
    assert_eq!(found.len(), all.len());
    if !header.is_streamable() {
        return;
    }
    let (grid, block) = (decoder.grid(), decoder.grid().block);
    let mut gone = false;
    for (y, x) in (0..grid.mcus.1).flat_map(|y| (0..grid.mcus.0).map(move |x| (y, x))) {
        let part = |plane: &Plane, component: &Component| {
            let (width, height) = (usize::from(component.across) * block, usize::from(component.down) * block);
            cut(plane, x * width, y * height, width, height).data
        };
        let pairs = found.iter().zip(all).zip(&header.components);
        let same = pairs.clone().all(|((found, all), component)| part(found, component) == part(all, component));
        let medium = pairs.clone().all(|((found, _), component)| part(found, component).iter().all(|sample| *sample == 128));
        gone |= !same;
        assert!(if gone { medium } else { same }, "MCU {x},{y}");
    }
    assert!(!gone || decoder.damage().is_some());
}

fn cut_pixels(whole: &Plane, crop: Rect, channels: usize) -> Vec<u8> {
    cut(whole, crop.x() as usize * channels, crop.y() as usize, crop.width() as usize * channels, crop.height() as usize).data
}

/// A part of a plane.
pub(super) fn cut(plane: &Plane, left: usize, top: usize, width: usize, height: usize) -> Plane {
    let data = (top..top + height).flat_map(|y| plane.row(y)[left..left + width].to_vec()).collect();
    Plane { width, height, stride: width, data }
}
