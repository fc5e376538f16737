//! PNG by the `png` crate, a row at a time.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::adam7::Adam7;
use super::png_chunks::{Checksums, File};
use super::{corrupt, filler, internal};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::incomplete::Incomplete;
use crate::options::PngCompression;
use crate::plan::{png_bytes, png_held};
use crate::profile::Profile;
use crate::render::{Alpha, Layout, Model, Raster, Row};

/// Bytes in an IDAT chunk.
const PIECE: usize = 64 << 10;

/// What a PNG's metadata may take that the decoder keeps: a palette and its transparency.
const METADATA: usize = 1 << 20;

/// A file whose rows are taken one after the other.
pub(super) struct Source {
    reader: png::Reader<File>,
    pub layout: Layout,
    pub profile: Option<Arc<Profile>>,
    wide: bool,
    /// Whether what can be decoded of a damaged file is given.
    show: bool,
    damage: Option<Incomplete>,
    /// Of an interlaced file all of its rows, which are made at once; and how many have been given.
    image: Option<(Vec<u8>, usize)>,
}

impl Source {
    /// Reads the headers of a file whose size is known to be `dimensions`. What can be decoded is given in spite of wrong checksums if incomplete files are to be
    /// `show`n.
    pub fn open(bytes: Vec<u8>, dimensions: Dimensions, show: bool) -> Result<Self> {
        let (file, profile) = File::new(bytes);
        let Checksums { header, wrong } = file.checksums();
        let wrong = wrong.filter(|_| header).map(|at| corrupt(SourceFormat::Png, at as u64, "a checksum of its pixels is wrong"));
        let damage = match wrong {
            Some(error) if !show => return Err(error),
            wrong => wrong.map(|error| Incomplete::below(dimensions.height(), error)).transpose()?,
        };
        // The decoder counts a row, too.
        let limits = Limits { bytes: METADATA.saturating_add(dimensions.width() as usize * 16) };
        let mut decoder = Decoder::new_with_limits(file, limits);
        decoder.set_transformations(Transformations::EXPAND);
        decoder.set_ignore_text_chunk(true);
        // They have been checked.
        decoder.ignore_checksums(header);
        let reader = decoder.read_info().map_err(failure)?;
        let (color, depth) = reader.output_color_type();
        let (model, alpha) = match color {
            ColorType::Grayscale => (Model::Gray, Alpha::None),
            ColorType::GrayscaleAlpha => (Model::Gray, Alpha::Straight),
            ColorType::Rgb | ColorType::Indexed => (Model::Rgb, Alpha::None),
            ColorType::Rgba => (Model::Rgb, Alpha::Straight),
        };
        if (reader.info().width, reader.info().height) != (dimensions.width(), dimensions.height()) {
            return Err(corrupt(SourceFormat::Png, 16, "its size is not that of its header"));
        }
        Ok(Self { reader, layout: Layout { model, alpha }, profile, wide: depth == BitDepth::Sixteen, show, damage, image: None })
    }

    /// Whether samples have 16 bits.
    pub fn is_wide(&self) -> bool {
        self.wide
    }

    /// What is wrong with rows that were given all the same.
    pub fn damage(&self) -> Option<&Incomplete> {
        self.damage.as_ref()
    }

    /// Gives the next row to `sink`; [`Error::SourceCorrupt`] if there is none.
    pub fn next(&mut self, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        let early = || corrupt(SourceFormat::Png, 0, "its pixels end early");
        if self.reader.info().interlaced {
            let stride = self.reader.output_line_size(self.reader.info().width).unwrap_or(0).max(1);
            let (image, given) = match &mut self.image {
                Some(image) => image,
                None => {
                    let mut image = vec![0; self.reader.output_buffer_size().ok_or_else(|| internal("a PNG too large to address"))?];
                    let mut adam7 = Adam7::new(self.reader.info().width, self.reader.info().height);
                    match adam7.read(&mut self.reader, &mut image, stride) {
                        Err(error) if self.show => {
                            let filler = filler::pixel(self.layout, false);
                            let filler = if self.wide { filler.iter().flat_map(|sample| [*sample; 2]).collect() } else { filler };
                            let rows = adam7.fill(&mut image, stride, &filler);
                            Incomplete::merge(&mut self.damage, Some(Incomplete::below(rows, error)?));
                        }
                        other => other?,
                    }
                    self.image.insert((image, 0))
                }
            };
            let row = image.chunks_exact(stride).nth(*given).ok_or_else(early)?;
            *given += 1;
            return give(row, self.wide, sink);
        }
        let row = self.reader.next_row().map_err(failure)?.ok_or_else(early)?;
        give(row.data(), self.wide, sink)
    }
}

fn give(row: &[u8], wide: bool, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
    if !wide {
        return sink(Row::U8(row));
    }
    let samples: Vec<u16> = row.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    sink(Row::U16(&samples))
}

pub(super) fn failure(error: png::DecodingError) -> Error {
    match error {
        png::DecodingError::LimitsExceeded => corrupt(SourceFormat::Png, 0, "its metadata would take more memory than the whole request may"),
        other => corrupt(SourceFormat::Png, 0, other),
    }
}

/// Writes a PNG row by row; `bitonal` gray of one bit.
pub(super) struct Rows {
    stream: png::StreamWriter<'static, Shared>,
    file: Shared,
    /// Pixels in a row, if they are packed eight to a byte.
    packed: Option<usize>,
}

impl Rows {
    pub fn new(dimensions: Dimensions, channels: usize, bitonal: bool, compression: PngCompression) -> Result<Self> {
        let one_bit = bitonal && channels == 1;
        let file = Shared { bytes: Arc::default(), room: png_held(png_bytes(dimensions, channels as u64, one_bit)) as usize };
        let mut encoder = png::Encoder::new(file.clone(), dimensions.width(), dimensions.height());
        encoder.set_color(match channels {
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
        let stream = encoder.write_header().and_then(|writer| writer.into_stream_writer_with_size(PIECE)).map_err(internal)?;
        Ok(Self { stream, file, packed: one_bit.then_some(dimensions.width() as usize) })
    }

    pub fn push(&mut self, rows: &Raster) -> Result<()> {
        let written = match self.packed {
            Some(width) => self.stream.write_all(&pack(&rows.data, width)),
            None => self.stream.write_all(&rows.data),
        };
        written.map_err(internal)
    }

    pub fn held(&self) -> usize {
        self.file.lock().len()
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.file.lock())
    }

    pub fn finish(self) -> Result<Vec<u8>> {
        // The end of the file is written when the writer is dropped.
        self.stream.finish().map_err(internal)?;
        Ok(std::mem::take(&mut self.file.lock()))
    }
}

/// What the encoder writes, within reach of whoever takes it away.
#[derive(Default, Clone)]
struct Shared {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// What is made room for at a time.
    room: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.lock();
        if file.capacity() - file.len() < bytes.len() {
            // For all that will be held, as a rule: growing would take twice as much.
            let room = self.room.saturating_sub(file.len());
            file.reserve_exact(bytes.len().max(room));
        }
        file.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Eight pixels to a byte, the first in the highest bit, each row from a new byte.
fn pack(samples: &[u8], width: usize) -> Vec<u8> {
    let pack = |pixels: &[u8]| pixels.iter().enumerate().fold(0, |byte, (index, pixel)| byte | (pixel >> 7) << (7 - index));
    samples.chunks_exact(width).flat_map(|row| row.chunks(8).map(pack)).collect()
}
