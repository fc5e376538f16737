//! One chunk: decompress, undo the predictor, read the samples, and give them the meaning the pipeline knows.

use std::borrow::Cow;

use super::{corrupt, decompress, fax, predictor, samples, ycbcr};
use crate::bytes::Endian;
use crate::codec::extra;
use crate::codec::jpeg::{self, Components, DecodedSamples};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::pyramid::tiff::{Association, Compression, Level, Model as Stored};
use crate::render::{Alpha, Layout, Model, Row};

/// Decoded pixels, as wide as the chunk, colours and alpha only.
#[derive(Debug)]
pub(crate) struct Block {
    pub samples: Samples,
}

#[derive(Debug)]
pub(crate) enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
}

impl Block {
    /// A range of the block's samples.
    pub fn row(&self, range: std::ops::Range<usize>) -> Row<'_> {
        match &self.samples {
            Samples::U8(samples) => Row::U8(&samples[range]),
            Samples::U16(samples) => Row::U16(&samples[range]),
        }
    }
}

/// What the samples of a level's blocks mean.
pub(crate) fn layout(level: &Level) -> Layout {
    let model = match level.model {
        Stored::WhiteIsZero | Stored::BlackIsZero => Model::Gray,
        Stored::Rgb | Stored::Palette(_) | Stored::YCbCr(..) => Model::Rgb,
        Stored::Cmyk => Model::Cmyk,
        Stored::CieLab | Stored::IccLab => Model::Lab,
    };
    let alpha = match level.samples.alpha {
        None => Alpha::None,
        Some(Association::Associated) => Alpha::Premultiplied,
        Some(Association::Unassociated) => Alpha::Straight,
    };
    Layout { model, alpha }
}

/// Decodes a chunk of `rows` rows from the bytes of its planes; a plane that was left out of a sparse file is empty. `at` is where it lies, for errors.
pub(crate) fn decode_chunk(level: &Level, endian: Endian, planes: &[Cow<'_, [u8]>], rows: u32, at: u64) -> Result<Block> {
    let stored = level.samples.count as usize;
    let pixels = level.chunk.width() as usize * rows as usize;
    let wide = samples::is_wide(level);
    let samples = if planes.iter().all(|plane| plane.is_empty()) {
        let count = pixels * stored;
        if wide { Samples::U16(vec![0; count]) } else { Samples::U8(vec![0; count]) }
    } else {
        let decoded: Result<Vec<Samples>> = planes.iter().map(|plane| decode_plane(level, endian, plane, rows, at)).collect();
        interleave(decoded?)
    };
    let layout = layout(level);
    let samples = match samples {
        Samples::U8(data) => Samples::U8(select(data, stored, layout, level)),
        Samples::U16(data) => Samples::U16(select(data, stored, layout, level)),
    };
    let block = Block { samples: samples::mean(samples, level) };
    let expected = pixels * layout.channels();
    let found = match &block.samples {
        Samples::U8(data) => data.len(),
        Samples::U16(data) => data.len(),
    };
    if found == expected { Ok(block) } else { Err(Error::Internal { what: format!("a chunk of {found} samples where {expected} belong") }) }
}

/// The samples of one plane, or of all if they are interleaved, as stored.
fn decode_plane(level: &Level, endian: Endian, bytes: &[u8], rows: u32, at: u64) -> Result<Samples> {
    let width = level.chunk.width();
    let expected = level.row_bytes() as usize * rows as usize;
    if level.compression == Compression::Jpeg {
        return decode_jpeg(level, bytes, rows, at);
    }
    if level.compression == Compression::WebP {
        return decode_webp(level, bytes, rows, at);
    }
    let turned;
    let bytes = if level.samples.reversed {
        turned = bytes.iter().map(|byte| byte.reverse_bits()).collect::<Vec<u8>>();
        turned.as_slice()
    } else {
        bytes
    };
    if let Compression::Fax(kind) = level.compression {
        let mut bits = fax::decode(bytes, kind, width, rows, at)?;
        bits.truncate(expected);
        return Ok(samples::unpack(&bits, level, endian, width as usize));
    }
    if let Stored::YCbCr(across, down) = level.model {
        let units = width.div_ceil(across.into()) as usize * rows.div_ceil(down.into()) as usize;
        let data = decompress::decompress(bytes, level.compression, units * (usize::from(across) * usize::from(down) + 2), at)?;
        return Ok(Samples::U8(ycbcr::to_rgb(&data, width as usize, rows as usize, across.into(), down.into())));
    }
    let mut data = decompress::decompress(bytes, level.compression, expected, at)?;
    predictor::undo(&mut data, level, endian);
    // The floating-point predictor leaves the most significant byte first.
    let endian = if level.samples.predictor == 3 { Endian::Big } else { endian };
    Ok(samples::unpack(&data, level, endian, width as usize))
}

/// A JPEG stream, abbreviated if the level has tables (TIFF Technical Note 2).
fn decode_jpeg(level: &Level, bytes: &[u8], rows: u32, at: u64) -> Result<Samples> {
    let stream = splice(level.jpeg_tables.as_deref(), bytes);
    let frame = jpeg::frame(&stream).map_err(|error| corrupt(at, error))?;
    let planes = if level.samples.planar { 1 } else { level.samples.count };
    // A chunk at the edge may be coded in whole blocks of 16, but not be another image.
    let (width, height) = (frame.dimensions.width(), frame.dimensions.height());
    let sensible = |found: u32, stated: u32, least: u32| (least..=stated.saturating_add(15)).contains(&found);
    let fits = sensible(width, level.chunk.width(), level.chunk.width()) && sensible(height, level.chunk.height(), rows);
    if !fits || u16::from(frame.channels) != planes {
        let found = format!("{} with {} components", frame.dimensions, frame.channels);
        return Err(corrupt(at, format!("a JPEG of {found} in a chunk of {} with {planes}", level.chunk)));
    }
    let components = if matches!(level.model, Stored::YCbCr(..)) { Components::YCbCr } else { Components::Raw };
    let decoded = jpeg::decode(&stream, 1, components, level.chunk_bytes().saturating_mul(2)).map_err(|error| relocate(error, at))?;
    let DecodedSamples::U8(data) = decoded.samples else {
        return Err(corrupt(at, "a lossless JPEG of more than 8 bits"));
    };
    let (from, to) = (width as usize * decoded.channels, level.chunk.width() as usize * decoded.channels);
    let mut cut = Vec::with_capacity(to * rows as usize);
    for row in data.chunks_exact(from).take(rows as usize) {
        cut.extend_from_slice(&row[..to]);
    }
    Ok(Samples::U8(cut))
}

/// A WebP file (libtiff's compression 50001): 3 samples a pixel, or 4 with alpha.
fn decode_webp(level: &Level, bytes: &[u8], rows: u32, at: u64) -> Result<Samples> {
    let size = Dimensions::at_least_one(level.chunk.width(), rows);
    let decoded = extra::decode(SourceFormat::WebP, bytes.to_vec(), size, level.chunk_bytes().saturating_mul(8)).map_err(|error| relocate(error, at))?;
    let stored = usize::from(level.samples.count);
    Ok(Samples::U8(match (decoded.channels, stored) {
        (found, stored) if found == stored => decoded.samples,
        // A file without a transparent pixel may leave alpha out.
        (3, _) => decoded.samples.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect(),
        _ => decoded.samples.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect(),
    }))
}

/// The tables' stream without its end, then the chunk's without its beginning.
fn splice<'a>(tables: Option<&[u8]>, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    match tables {
        Some(tables) if tables.len() > 4 && bytes.len() > 2 => {
            let tables = tables.strip_suffix(&[0xFF, 0xD9]).unwrap_or(tables);
            Cow::Owned([tables, &bytes[2..]].concat())
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// A codec's error within a chunk is the TIFF's, at the chunk.
fn relocate(error: Error, at: u64) -> Error {
    match error {
        Error::SourceCorrupt { what, .. } => corrupt(at, format!("in a chunk: {what}")),
        Error::SourceUnsupported { feature, .. } => crate::codec::unsupported(SourceFormat::Tiff, format!("a chunk with {feature}")),
        other => other,
    }
}

fn interleave(mut planes: Vec<Samples>) -> Samples {
    fn weave<S: Copy>(planes: &[&[S]]) -> Vec<S> {
        let pixels = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        (0..pixels).flat_map(|index| planes.iter().map(move |plane| plane[index])).collect()
    }
    if planes.len() == 1 {
        return planes.remove(0);
    }
    let narrow: Vec<&[u8]> = planes.iter().filter_map(|plane| if let Samples::U8(data) = plane { Some(data.as_slice()) } else { None }).collect();
    if narrow.len() == planes.len() {
        return Samples::U8(weave(&narrow));
    }
    let wide: Vec<&[u16]> = planes.iter().filter_map(|plane| if let Samples::U16(data) = plane { Some(data.as_slice()) } else { None }).collect();
    Samples::U16(weave(&wide))
}

/// Drops the extra samples that are not alpha.
fn select<S: Copy>(data: Vec<S>, stored: usize, layout: Layout, level: &Level) -> Vec<S> {
    // A palette's index stands for three colours that come later.
    let wanted = if matches!(level.model, Stored::Palette(_)) { 1 } else { layout.channels() };
    if stored == wanted {
        return data;
    }
    data.chunks_exact(stored).flat_map(|pixel| pixel[..wanted].iter().copied()).collect()
}
