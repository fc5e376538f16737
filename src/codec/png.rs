//! PNG by the `png` crate, a row at a time.

use std::cell::RefCell;
use std::io::{self, Cursor, Write};
use std::sync::Arc;

use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::{PngCompression, corrupt, internal};
use crate::error::{Error, Result, SourceFormat};
use crate::plan::Plan;
use crate::render::{Alpha, Layout, Model, Pipeline, Raster, Reuse, Row};

/// Bytes in an IDAT chunk.
const PIECE: usize = 64 << 10;

/// What a PNG's metadata may take, inflated: profiles are at most a few megabytes.
const METADATA: usize = 8 << 20;

/// The crop of a plan, through the pipeline.
pub(super) fn decode(bytes: &[u8], plan: &Plan) -> Result<Raster> {
    // The decoder counts a row, too.
    let limits = Limits { bytes: METADATA.saturating_add(plan.level.width() as usize * 16) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(failure)?;
    let (color, depth) = reader.output_color_type();
    let (model, alpha) = match color {
        ColorType::Grayscale => (Model::Gray, Alpha::None),
        ColorType::GrayscaleAlpha => (Model::Gray, Alpha::Straight),
        ColorType::Rgb | ColorType::Indexed => (Model::Rgb, Alpha::None),
        ColorType::Rgba => (Model::Rgb, Alpha::Straight),
    };
    let layout = Layout { model, alpha };
    let icc: Option<Arc<[u8]>> = reader.info().icc_profile.as_ref().map(|icc| Arc::from(icc.as_ref()));
    if (reader.info().width, reader.info().height) != (plan.level.width(), plan.level.height()) {
        return Err(corrupt(SourceFormat::Png, 16, "its size is not that of its header"));
    }
    let mut pipeline = Pipeline::new(plan, layout, icc.as_ref());
    pipeline.reserve();
    let sink = Sink { plan, channels: layout.channels(), wide: depth == BitDepth::Sixteen };
    if reader.info().interlaced {
        let mut image = vec![0; reader.output_buffer_size().ok_or_else(|| internal("a PNG too large to address"))?];
        let info = reader.next_frame(&mut image).map_err(failure)?;
        for (y, row) in image.chunks_exact(info.line_size).enumerate() {
            sink.push(y as u32, row, &mut pipeline)?;
        }
    } else {
        for y in 0..plan.crop.bottom() {
            let row = reader.next_row().map_err(failure)?.ok_or_else(|| corrupt(SourceFormat::Png, bytes.len() as u64, "its pixels end early"))?;
            sink.push(y, row.data(), &mut pipeline)?;
        }
    }
    pipeline.finish()
}

struct Sink<'a> {
    plan: &'a Plan,
    channels: usize,
    wide: bool,
}

impl Sink<'_> {
    fn push(&self, y: u32, row: &[u8], pipeline: &mut Pipeline) -> Result<()> {
        let crop = self.plan.crop;
        if !(crop.y()..crop.bottom()).contains(&y) {
            return Ok(());
        }
        let range = crop.x() as usize * self.channels..crop.right() as usize * self.channels;
        if self.wide {
            let samples: Vec<u16> = row.as_chunks::<2>().0[range].iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            pipeline.push(Row::U16(&samples))
        } else {
            pipeline.push(Row::U8(&row[range]))
        }
    }
}

fn failure(error: png::DecodingError) -> Error {
    match error {
        png::DecodingError::LimitsExceeded => corrupt(SourceFormat::Png, 0, "its metadata would take more memory than the whole request may"),
        other => corrupt(SourceFormat::Png, 0, other),
    }
}

/// A raster as PNG; `bitonal` of one bit.
pub(super) fn encode(mut raster: Raster, bitonal: bool, compression: PngCompression) -> Result<Vec<u8>> {
    let one_bit = bitonal && raster.channels == 1;
    let data = if one_bit { pack(&raster) } else { std::mem::take(&mut raster.data) };
    let file = RefCell::new(Reuse::new(data));
    let (width, height) = (raster.dimensions.width(), raster.dimensions.height());
    let mut encoder = png::Encoder::new(Shared(&file), width, height);
    encoder.set_color(match raster.channels {
        1 => ColorType::Grayscale,
        2 => ColorType::GrayscaleAlpha,
        3 => ColorType::Rgb,
        _ => ColorType::Rgba,
    });
    encoder.set_depth(if one_bit { BitDepth::One } else { BitDepth::Eight });
    encoder.set_compression(match compression {
        PngCompression::Fastest => png::Compression::Fastest,
        PngCompression::Fast => png::Compression::Fast,
        PngCompression::Balanced => png::Compression::Balanced,
        PngCompression::High => png::Compression::High,
    });
    let failure = |error: png::EncodingError| match error {
        png::EncodingError::IoError(error) if error.kind() == io::ErrorKind::OutOfMemory => file.borrow().shortage(),
        other => internal(other),
    };
    let mut writer = encoder.write_header().map_err(failure)?;
    let mut stream = writer.stream_writer_with_size(PIECE).map_err(failure)?;
    let mut row = Vec::new();
    let stride = if one_bit { raster.stride().div_ceil(8) } else { raster.stride() };
    for _ in 0..height {
        file.borrow_mut().take(stride, &mut row);
        stream.write_all(&row).map_err(|error| failure(error.into()))?;
    }
    stream.finish().map_err(failure)?;
    writer.finish().map_err(failure)?;
    file.replace(Reuse::new(Vec::new())).finish()
}

/// The file grows where the raster was read; the encoder writes from within while rows are taken from without.
struct Shared<'a>(&'a RefCell<Reuse>);

impl Write for Shared<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Eight pixels to a byte, the first in the highest bit, each row from a new byte.
fn pack(raster: &Raster) -> Vec<u8> {
    let pack = |pixels: &[u8]| pixels.iter().enumerate().fold(0, |byte, (index, pixel)| byte | (pixel >> 7) << (7 - index));
    raster.data.chunks_exact(raster.stride()).flat_map(|row| row.chunks(8).map(pack)).collect()
}
