//! Decodes one chunk: decompresses it, undoes the predictor, unpacks the samples, and converts them to a colour model that the pipeline knows.

use std::borrow::Cow;
use std::ops::Range;

use super::decompress::{Unpacked, decompress};
use super::{corrupt, fax, predictor, samples, ycbcr};
use crate::bytes::Endian;
use crate::codec::jpeg::{Components, Part, Stream};
use crate::codec::modules::Decoder;
use crate::codec::{filler, internal};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::{Dimensions, Rect};
use crate::incomplete::Incomplete;
use crate::pyramid::level::{Association, Compression, Level, Location, Model as Stored};
use crate::render::{Alpha, Layout, Row};

/// Decoded pixels of a chunk, or of the wanted part of it; colours and alpha only.
#[derive(Debug)]
pub(crate) struct Block {
    samples: Samples,
    /// The wanted part of `samples`, px.
    wanted: Rect,
    /// Pixels in a row of `samples`.
    width: usize,
    channels: usize,
}

#[derive(Debug)]
pub(crate) enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
}

impl Block {
    /// The wanted rows.
    pub fn rows(&self) -> std::ops::Range<u32> {
        self.wanted.y()..self.wanted.bottom()
    }

    /// The wanted part, with an alpha sample after the colours of each pixel. `alpha` has one value per wanted pixel, row by row.
    pub fn with_alpha(self, alpha: &[u8]) -> Self {
        fn weave<S: Copy>(pixels: impl Iterator<Item = S>, channels: usize, alpha: impl Iterator<Item = S>, count: usize) -> Vec<S> {
            let (mut pixels, mut out) = (pixels, Vec::with_capacity(count * (channels + 1)));
            for alpha in alpha {
                out.extend(pixels.by_ref().take(channels));
                out.push(alpha);
            }
            out
        }
        let rows: Vec<Row<'_>> = self.rows().map(|y| self.row(y)).collect();
        let samples = match &self.samples {
            Samples::U8(_) => {
                let pixels = rows.iter().flat_map(|row| if let Row::U8(row) = row { *row } else { &[] }).copied();
                Samples::U8(weave(pixels, self.channels, alpha.iter().copied(), alpha.len()))
            }
            Samples::U16(_) => {
                let pixels = rows.iter().flat_map(|row| if let Row::U16(row) = row { *row } else { &[] }).copied();
                Samples::U16(weave(pixels, self.channels, alpha.iter().map(|alpha| u16::from(*alpha) * 257), alpha.len()))
            }
        };
        Self { samples, wanted: self.wanted.dimensions().rect(), width: self.wanted.width() as usize, channels: self.channels + 1 }
    }

    /// Sets all pixels from a row of `samples` on to this value.
    fn fill(&mut self, row: usize, pixel: &[u8]) {
        let from = row * self.width * self.channels;
        match &mut self.samples {
            Samples::U8(samples) => samples.iter_mut().skip(from).zip(pixel.iter().cycle()).for_each(|(sample, value)| *sample = *value),
            Samples::U16(samples) => samples.iter_mut().skip(from).zip(pixel.iter().cycle()).for_each(|(sample, value)| *sample = filler::widened(*value)),
        }
    }

    /// The wanted part of row `y` of `samples`.
    pub fn row(&self, y: u32) -> Row<'_> {
        let start = y as usize * self.width;
        let range = (start + self.wanted.x() as usize) * self.channels..(start + self.wanted.right() as usize) * self.channels;
        match &self.samples {
            Samples::U8(samples) => Row::U8(&samples[range]),
            Samples::U16(samples) => Row::U16(&samples[range]),
        }
    }
}

/// The meaning of the samples of a level's blocks. A mask counts as straight (unassociated) alpha.
pub(crate) fn layout(level: &Level) -> Layout {
    let stored = layout_as_stored(level);
    if level.mask.is_some() { Layout { alpha: Alpha::Straight, ..stored } } else { stored }
}

/// The same without the mask, which is stored separately.
fn layout_as_stored(level: &Level) -> Layout {
    let alpha = match level.samples.alpha {
        None => Alpha::None,
        Some(Association::Associated) => Alpha::Premultiplied,
        Some(Association::Unassociated) => Alpha::Straight,
    };
    Layout { model: level.colors(), alpha }
}

/// Decodes a chunk from the bytes of its planes. A plane is `None` if it was left out of a sparse file, and has no bytes if it lies beyond the end of the file.
/// `location` is that of the first plane. `wanted` is in px of the chunk; at least that part is decoded, and no more where the compression permits.
///
/// Rows that cannot be decoded are filled. The damage that is returned counts in rows of the chunk.
pub(crate) fn decode_chunk(level: &Level, planes: &[Option<Cow<'_, [u8]>>], location: Location, wanted: Rect) -> Result<(Block, Option<Incomplete>)> {
    let Location { offset: at, rows, .. } = location;
    let whole = Dimensions::at_least_one(level.chunk.width(), rows);
    let (found, size) = if level.compression == Compression::Jpeg {
        (wanted.dimensions().rect(), wanted.dimensions())
    } else if level.is_by_rows() {
        (Rect::new(wanted.x(), 0, wanted.width(), wanted.height()).unwrap_or(wanted), Dimensions::at_least_one(whole.width(), wanted.height()))
    } else {
        (wanted, whole)
    };
    let mut damage = None;
    let mut decode = |(plane, bytes): (usize, &Option<Cow<'_, [u8]>>)| match bytes {
        Some(bytes) => decode_plane(level, plane, bytes, location, wanted, &mut damage),
        None => Ok(samples::blank(level, plane, size.area() as usize)),
    };
    let decoded: Result<Vec<Samples>> = planes.iter().enumerate().map(&mut decode).collect();
    let decoded = match decoded {
        Ok(decoded) => decoded,
        // Nothing of the chunk could be decoded.
        Err(error) => {
            damage = Some(Incomplete::below(0, error)?);
            (0..planes.len()).map(|plane| samples::blank(level, plane, size.area() as usize)).collect()
        }
    };
    // Damage below the wanted rows does not matter.
    let damage = damage.filter(|damage| damage.rows < wanted.bottom());
    // The rows above the wanted ones may have been dropped from the samples.
    let above = wanted.y().saturating_sub(found.y());
    let missing = damage.as_ref().map(|damage| damage.rows.saturating_sub(above));
    let block = assemble(level, interleave(decoded, level.values.nodata.is_some()), found, size, missing, at)?;
    Ok((block, damage))
}

/// Decompressed rows of a chunk that is decoded a few rows at a time.
pub(crate) struct UnpackedRows {
    /// The decompressed bytes of each plane; `None` for a plane that was left out of the file.
    pub planes: Vec<Option<Vec<u8>>>,
    /// Number of rows.
    pub rows: u32,
    /// The first row of which bytes are missing, if there is one. Missing bytes are 0.
    pub missing: Option<u32>,
    /// Offset of the chunk in the file.
    pub at: u64,
}

/// Decodes such rows. Of each row, only `columns` are wanted, px of the chunk.
pub(crate) fn decode_rows(level: &Level, unpacked: UnpackedRows, columns: Range<u32>) -> Result<Block> {
    let UnpackedRows { planes, rows, missing, at } = unpacked;
    let size = Dimensions::at_least_one(level.chunk.width(), rows);
    let wanted = Rect::from_edges(columns.start, 0, columns.end, rows).ok_or_else(|| internal("rows of which nothing is wanted"))?;
    let samples = |(plane, data): (usize, Option<Vec<u8>>)| match data {
        Some(data) => samples_of(data, level, plane, rows),
        None => samples::blank(level, plane, size.area() as usize),
    };
    let planes = planes.into_iter().enumerate().map(samples).collect();
    assemble(level, interleave(planes, level.values.nodata.is_some()), wanted, size, missing, at)
}

/// Makes a block of `size` px from all samples as stored. `wanted` is the part of it that is wanted. The rows from `missing` on could not be decoded.
fn assemble(level: &Level, samples: Samples, wanted: Rect, size: Dimensions, missing: Option<u32>, at: u64) -> Result<Block> {
    let layout = layout_as_stored(level);
    let samples = match samples {
        Samples::U8(data) => Samples::U8(select(data, layout, level)),
        Samples::U16(data) => Samples::U16(select(data, layout, level)),
    };
    let mut block = Block { samples: samples::mean(samples, level), wanted, width: size.width() as usize, channels: layout.channels() };
    if let Some(row) = missing.filter(|_| !is_filled(level)) {
        block.fill(row as usize, &filler::pixel(layout, is_white(level)));
    }
    let expected = size.area() as usize * block.channels;
    let found = match &block.samples {
        Samples::U8(data) => data.len(),
        Samples::U16(data) => data.len(),
    };
    if found == expected { Ok(block) } else { Err(internal(format!("a chunk of {found} samples where {expected} belong, at {at}"))) }
}

/// Whether the decoder itself has filled what is missing: with white, and in the damaged row only after the pixels that could be decoded.
fn is_filled(level: &Level) -> bool {
    matches!(level.compression, Compression::Fax(_)) && level.model == Stored::WhiteIsZero
}

/// Whether rows that cannot be decoded are filled with white, because the image is a scanned page.
fn is_white(level: &Level) -> bool {
    level.samples.bits == 1 || level.model == Stored::WhiteIsZero
}

/// The samples of one plane, or of all if they are interleaved, as stored. If a chunk [is coded by rows](Level::is_by_rows), only those of the wanted rows. If
/// samples from some row on are of no use, that is recorded in `damage`.
fn decode_plane(level: &Level, plane: usize, bytes: &[u8], location: Location, wanted: Rect, damage: &mut Option<Incomplete>) -> Result<Samples> {
    let Location { offset: at, rows, .. } = location;
    let mut note = |found: Option<(usize, Error)>| match found {
        Some((made, error)) => Incomplete::below(level.rows_of(made as u64), error).map(|found| Incomplete::merge(damage, Some(found))),
        None => Ok(()),
    };
    let width = level.chunk.width();
    if level.compression == Compression::Jpeg {
        let (samples, found) = decode_jpeg(level, bytes, location, wanted)?;
        Incomplete::merge(damage, found);
        return Ok(samples);
    }
    if level.compression == Compression::WebP {
        let (samples, found) = decode_webp(level, bytes, rows, at)?;
        Incomplete::merge(damage, found);
        return Ok(samples);
    }
    let turned;
    let bytes = if level.samples.reversed {
        turned = bytes.iter().map(|byte| byte.reverse_bits()).collect::<Vec<u8>>();
        turned.as_slice()
    } else {
        bytes
    };
    if let Compression::Fax(kind) = level.compression {
        let (bits, found) = fax::decode(bytes, kind, width, wanted.y()..wanted.bottom(), at)?;
        Incomplete::merge(damage, found);
        return Ok(samples_of(bits, level, plane, wanted.height()));
    }
    if !level.is_by_rows() {
        let Unpacked { bytes, damage } = decompress(bytes, level.compression, level.plain_bytes(rows) as usize, at)?;
        note(damage)?;
        return Ok(samples_of(bytes, level, plane, rows));
    }
    let stride = level.row_bytes() as usize;
    let Unpacked { bytes: mut data, damage } = decompress(bytes, level.compression, stride * wanted.bottom() as usize, at)?;
    note(damage)?;
    data.drain(..stride * wanted.y() as usize);
    Ok(samples_of(data, level, plane, wanted.height()))
}

/// The samples of `rows` rows of one plane, or of all if they are interleaved, from their decompressed bytes.
fn samples_of(mut data: Vec<u8>, level: &Level, plane: usize, rows: u32) -> Samples {
    let width = level.chunk.width() as usize;
    if let Stored::YCbCr(across, down) = level.model
        && level.is_subsampled()
    {
        return Samples::U8(ycbcr::expand(&data, width, rows as usize, across.into(), down.into()));
    }
    predictor::undo(&mut data, level);
    // The floating-point predictor leaves the most significant byte first.
    let endian = if level.samples.predictor == 3 { Endian::Big } else { level.samples.endian };
    samples::unpack(data, level, endian, width, plane)
}

/// Opens a JPEG stream, which is abbreviated if the level has tables (TIFF Technical Note 2). It must have the size and the number of components of its chunk.
pub(super) fn open_jpeg<'a>(level: &'a Level, bytes: &'a [u8], Location { offset: at, rows, .. }: Location) -> Result<Stream<'a>> {
    let components = if matches!(level.model, Stored::YCbCr(..)) { Components::YCbCr } else { Components::Raw };
    let tables = level.jpeg_tables.as_deref().filter(|tables| tables.len() > 4);
    let stream = Stream::read(tables, bytes, components).map_err(|error| relocate(error, at))?;
    // An index is kept under the offset of its chunk. Here only the offset of the first plane is known, so planes that are stored apart have no index.
    let stream = if level.samples.planar { stream } else { stream.by(&level.indexes, at) };
    let planes = if level.samples.planar { 1 } else { level.samples.count };
    // A chunk at the edge may be padded to whole blocks of 16 px, but it must not be another image.
    let (width, height) = (stream.dimensions().width(), stream.dimensions().height());
    let sensible = |found: u32, stated: u32, least: u32| (least..=stated.saturating_add(15)).contains(&found);
    let fits = sensible(width, level.chunk.width(), level.chunk.width()) && sensible(height, level.chunk.height(), rows);
    if !fits || stream.channels() != usize::from(planes) {
        let found = format!("{} with {} components", stream.dimensions(), stream.channels());
        return Err(corrupt(at, format!("a JPEG of {found} in a chunk of {} with {planes}", level.chunk)));
    }
    Ok(stream)
}

/// Decodes the wanted part of a JPEG stream. What cannot be decoded is filled.
fn decode_jpeg(level: &Level, bytes: &[u8], location: Location, wanted: Rect) -> Result<(Samples, Option<Incomplete>)> {
    let (stream, at) = (open_jpeg(level, bytes, location)?.filling(true), location.offset);
    let mut samples = Vec::with_capacity(wanted.dimensions().area() as usize * stream.channels());
    let part = Part { crop: wanted, reduction: 1, gray: false, memory: level.chunk_bytes().saturating_mul(4).max(1 << 20) };
    let damage = stream
        .rows(part, &mut |row| match row {
            Row::U8(row) => {
                samples.extend_from_slice(row);
                Ok(())
            }
            Row::U16(_) => Err(corrupt(at, "a lossless JPEG of more than 8 bits")),
        })
        .map_err(|error| relocate(error, at))?;
    Ok((Samples::U8(samples), damage.map(|damage| relocated(damage, at))))
}

/// The same as [`relocate`], for damage.
pub(super) fn relocated(damage: Incomplete, at: u64) -> Incomplete {
    Incomplete { damage: relocate(damage.damage, at), ..damage }
}

/// Decodes a chunk that is a WebP file (compression 50001 of libtiff): 3 samples per pixel, or 4 with alpha. What cannot be decoded is filled.
fn decode_webp(level: &Level, bytes: &[u8], rows: u32, at: u64) -> Result<(Samples, Option<Incomplete>)> {
    let size = Dimensions::at_least_one(level.chunk.width(), rows);
    let memory = level.chunk_bytes().saturating_mul(8);
    let decoder = Decoder::of_chunk(bytes.to_vec(), size, memory).map_err(|error| relocate(error, at))?;
    let damage = decoder.damage(true)?.map(|damage| relocated(damage, at));
    let (found, stored) = (decoder.channels(), usize::from(level.samples.count));
    let decoded = decoder.all().map_err(|error| relocate(error, at))?;
    let samples = match (found, stored) {
        (found, stored) if found == stored => decoded,
        // A file without transparent pixels may have no alpha.
        (3, _) => decoded.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect(),
        _ => decoded.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect(),
    };
    Ok((Samples::U8(samples), damage))
}

/// Turns a codec's error within a chunk into an error of the TIFF file, at the offset of the chunk.
pub(super) fn relocate(error: Error, at: u64) -> Error {
    match error {
        Error::SourceCorrupt { what, .. } => corrupt(at, format!("in a chunk: {what}")),
        Error::SourceUnsupported { feature, .. } => crate::codec::unsupported(SourceFormat::Tiff, format!("a chunk with {feature}")),
        other => other,
    }
}

/// Interleaves the samples of planes, pixel by pixel. If planes have `alpha` after each sample, a pixel that is opaque in one plane is opaque in the result.
fn interleave(mut planes: Vec<Samples>, alpha: bool) -> Samples {
    fn weave<S: Copy + Ord>(planes: &[&[S]], alpha: bool) -> Vec<S> {
        let step = if alpha { 2 } else { 1 };
        let pixels = planes.iter().map(|plane| plane.len()).min().unwrap_or(0) / step;
        let mut out = Vec::with_capacity(pixels * (planes.len() + step - 1));
        for index in 0..pixels {
            out.extend(planes.iter().map(|plane| plane[index * step]));
            if alpha {
                out.extend(planes.iter().map(|plane| plane[index * step + 1]).max());
            }
        }
        out
    }
    if planes.len() == 1 {
        return planes.remove(0);
    }
    let narrow: Vec<&[u8]> = planes.iter().filter_map(|plane| if let Samples::U8(data) = plane { Some(data.as_slice()) } else { None }).collect();
    if narrow.len() == planes.len() {
        return Samples::U8(weave(&narrow, alpha));
    }
    let wide: Vec<&[u16]> = planes.iter().filter_map(|plane| if let Samples::U16(data) = plane { Some(data.as_slice()) } else { None }).collect();
    Samples::U16(weave(&wide, alpha))
}

/// Drops the extra samples that are not alpha.
fn select<S: Copy>(data: Vec<S>, layout: Layout, level: &Level) -> Vec<S> {
    let colors = usize::from(level.model.colors());
    let made = usize::from(level.values.nodata.is_some());
    let stored = usize::from(level.samples.count) + made;
    let alpha = layout.channels() - layout.colors();
    if stored == colors + alpha {
        return data;
    }
    // Stored alpha follows the colours. Alpha that was made from the nodata value follows all samples.
    let alpha = if made == 1 { stored - 1..stored } else { colors..colors + alpha };
    let mut out = Vec::with_capacity(data.len() / stored * (colors + alpha.len()));
    for pixel in data.chunks_exact(stored) {
        out.extend_from_slice(&pixel[..colors]);
        out.extend_from_slice(&pixel[alpha.clone()]);
    }
    out
}
