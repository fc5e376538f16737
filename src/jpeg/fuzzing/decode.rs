//! Decoding of any part at any reduction, and parts against the whole.

use super::recipe::Bytes;
use super::{MEMORY, expect_fair, part, planes, recipe, rows, small};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::jpeg::{ColorModel, Decoder, Header, Plane, Rows, Wanted};

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
    let wanted = Wanted { region: Rows::region(header, crop, reduction), reduction, gray, memory: MEMORY };
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

/// What comes of a part is a part of what comes of the whole: planes, rows, and luminance alone.
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
    let reduced = header.dimensions.reduced(reduction.into());
    let crop = part(&mut choices, reduced);
    match rows(&header, &stream, reduced.rect(), reduction) {
        Ok(all) => {
            let channels = header.components.len();
            let whole =
                Plane { width: reduced.width() as usize * channels, height: reduced.height() as usize, stride: reduced.width() as usize * channels, data: all };
            let found = rows(&header, &stream, crop, reduction).unwrap();
            assert!(found == cut_pixels(&whole, crop, channels), "{crop} of {reduced} at 1/{reduction}");
        }
        Err(error) => assert!(matches!(error, Error::SourceTooCostly { .. }), "{error}"),
    }
}

fn cut_pixels(whole: &Plane, crop: Rect, channels: usize) -> Vec<u8> {
    cut(whole, crop.x() as usize * channels, crop.y() as usize, crop.width() as usize * channels, crop.height() as usize).data
}

/// A part of a plane.
pub(super) fn cut(plane: &Plane, left: usize, top: usize, width: usize, height: usize) -> Plane {
    let data = (top..top + height).flat_map(|y| plane.row(y)[left..left + width].to_vec()).collect();
    Plane { width, height, stride: width, data }
}
