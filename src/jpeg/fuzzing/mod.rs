//! What holds of any bytes whatever. Fuzz targets (`fuzz/`) look for bytes that break one of these; those that once did lie in `tests/crashes` and are tried
//! at every `cargo test`, and so are the seeds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    reason = "to panic is how it says what is wrong"
)]

mod craft;
mod decode;
mod encode;
mod index;
mod parse;
mod recipe;
mod transcode;

pub use decode::{decode, skip};
pub use encode::encode;
pub use index::index;
pub use parse::parse;
#[cfg(test)]
pub(super) use transcode::blocks;
pub use transcode::transcode;

use super::{Copied, Decoder, Header, Plane, Planes, Rows, Tables, Transcode, Wanted};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Rect};
use recipe::Bytes;

/// Bytes of working memory in all of them.
const MEMORY: u64 = 4 << 20;

/// Pixels beyond which what takes several passes is not tried.
const MOST_PIXELS: u64 = 1 << 16;

/// A stream that another decoder may read as well, and what is in it.
#[doc(hidden)]
#[cfg_attr(not(fuzzing), allow(dead_code, reason = "the fuzz target compares them"))]
pub struct Picture {
    /// The JPEG.
    pub stream: Vec<u8>,
    /// Size, px.
    pub size: (usize, usize),
    /// The greatest sampling factors, across and down.
    pub most: (usize, usize),
    /// Each component's sampling factors, the width of its plane, and its rows.
    pub planes: Vec<((usize, usize), usize, Vec<u8>)>,
}

/// The picture that bytes stand for, if it is of gray or YCbCr. Its coefficients are coded anew, since of damage, and of runs that end behind a block, everyone
/// makes something else; and none is of a block with more energy than 8-bit samples have, beyond which everyone rounds and overflows in a way of his own.
#[doc(hidden)]
#[must_use]
pub fn picture(data: &[u8]) -> Option<Picture> {
    let mut recipe = Bytes(data);
    let drawn = recipe::sound(&mut recipe);
    let header = small(&drawn)?;
    let copied = Copied {
        tables: recipe.pick(&[Tables::Standard, Tables::Optimal { most: u64::MAX }]),
        restart_interval: u16::from(recipe.byte() % 8),
        ..Copied::default()
    };
    let stream = Transcode { copied, memory: MEMORY, ..Transcode::whole(&header) }.run(&header, &drawn).ok()?;
    let header = Header::read(None, &stream).unwrap();
    let wanted = Wanted { memory: MEMORY, ..Wanted::whole(&header) };
    let coefficients = super::decode::coefficients(&header, &stream, &wanted, None).unwrap();
    let sound = coefficients.iter().all(|component| {
        let energy =
            |block: &[i16; 64]| block.iter().zip(&component.quantization).map(|(value, step)| (i64::from(*value) * i64::from(*step)).pow(2)).sum::<i64>();
        component.blocks.iter().all(|block| energy(block) <= 64 * 128 * 128)
    });
    let (size, most) = (header.dimensions, header.most());
    let grid = super::Grid::new(&header, &wanted).unwrap();
    let planes = planes(&header, &stream, &wanted).ok().filter(|_| sound)?.into_iter().zip(&header.components).map(|(plane, component)| {
        let factors = (usize::from(component.across), usize::from(component.down));
        let place = grid.component(factors.0, factors.1);
        (factors, place.width, decode::cut(&plane, 0, 0, place.width, place.height).data)
    });
    let planes = planes.collect();
    Some(Picture { stream, size: (size.width() as usize, size.height() as usize), most: (most.0.into(), most.1.into()), planes })
}

/// The header of a stream whose pixels are few enough for several passes.
fn small(stream: &[u8]) -> Option<Header> {
    Header::read(None, stream).ok().filter(|header| header.dimensions.area() <= MOST_PIXELS)
}

/// An error that bytes may be the reason for; others are defects.
fn expect_fair(error: &Error, stream: &[u8]) {
    match error {
        Error::SourceCorrupt { at, .. } => assert!(*at <= stream.len() as u64, "{error} of {} bytes", stream.len()),
        Error::SourceUnsupported { .. } | Error::SourceTooCostly { .. } => {}
        other => panic!("{other:?}"),
    }
}

/// Some part of an image.
fn part(choices: &mut Bytes<'_>, size: Dimensions) -> Rect {
    let mut span = |side: u32| {
        let from = choices.below(side);
        (from, 1 + choices.below(side - from))
    };
    let ((x, width), (y, height)) = (span(size.width()), span(size.height()));
    Rect::new(x, y, width, height).unwrap()
}

/// The rows of a part, px at 1/`reduction`; the decoder takes at most `memory` bytes.
pub(super) fn rows(header: &Header, stream: &[u8], crop: Rect, reduction: u8, memory: u64) -> Result<Vec<u8>> {
    let wanted = Wanted { region: Rows::region(header, crop, reduction), reduction, gray: false, memory, fill: false };
    let mut decoder = Decoder::new(header, stream, &wanted)?;
    let mut rows = Rows::new(header, decoder.grid(), crop, header.color_model())?;
    let mut samples = Vec::new();
    let mut sink = |row: &[u8]| {
        samples.extend_from_slice(row);
        Ok(())
    };
    while let Some(band) = decoder.next_band()? {
        rows.push(&band, &mut sink)?;
    }
    rows.finish(&mut sink)?;
    assert_eq!(samples.len() as u64, crop.dimensions().area() * header.components.len() as u64);
    Ok(samples)
}

/// All bands, below each other.
fn planes(header: &Header, stream: &[u8], wanted: &Wanted) -> Result<Planes> {
    let mut decoder = Decoder::new(header, stream, wanted)?;
    let mut planes = Planes::new();
    while let Some(band) = decoder.next_band()? {
        append(&mut planes, band.planes);
    }
    Ok(planes)
}

/// Adds rows to planes.
fn append(planes: &mut Planes, band: &Planes) {
    planes.resize_with(band.len(), Plane::default);
    for (plane, rows) in planes.iter_mut().zip(band) {
        assert_eq!(rows.width, rows.stride);
        (plane.width, plane.stride, plane.height) = (rows.width, rows.stride, plane.height + rows.height);
        plane.data.extend_from_slice(&rows.data);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Numbers;
    use super::*;
    use std::path::Path;

    const TARGETS: [fn(&[u8]); 6] = [parse, decode, skip, index, transcode, encode];

    /// All files of a folder.
    fn files(folder: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
    }

    #[test]
    #[cfg_attr(target_family = "wasm", ignore = "it reads files")]
    fn what_once_broke_something_does_so_no_more() {
        let files = [files("fuzz/seeds"), files("tests/crashes")].concat();
        assert!(files.len() > 10);
        for file in &files {
            TARGETS.iter().for_each(|target| target(file));
            let _ = picture(file);
        }
    }

    #[test]
    fn any_bytes_will_do() {
        let mut numbers = Numbers(31);
        let (mut pictures, mut read) = (0, 0);
        for _ in 0..400 {
            let length = numbers.below(300);
            let data: Vec<u8> = (0..length).map(|_| numbers.below(256) as u8).collect();
            TARGETS.iter().for_each(|target| target(&data));
            let (stream, _) = recipe::split(&data);
            let whole = Header::read(None, &stream).and_then(|header| planes(&header, &stream, &Wanted { memory: MEMORY, ..Wanted::whole(&header) }));
            read += u32::from(whole.is_ok());
            pictures += u32::from(picture(&data).is_some());
        }
        // Not all of it can be read, but enough.
        assert!(read > 150 && pictures > 20, "{read} {pictures}");
    }
}
