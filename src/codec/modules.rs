//! The codecs of `azulejo-codecs`, in the terms of the core.

use std::borrow::Cow;

use azulejo_codecs::{Codec, Encoding, Fault, Rows, Size};
pub(crate) use azulejo_codecs::{Progress, run};

use super::{corrupt, internal, unsupported};
use crate::api::Format;
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::incomplete::Incomplete;
use crate::installed;
use crate::options::EncodeOptions;
#[cfg(feature = "web")]
use crate::profile::may_need_tables;
use crate::pyramid::level::Compression;
#[cfg(feature = "web")]
use crate::pyramid::{Body, Pyramid, level::Levels};
use crate::render::{Raster, Row};

/// Bytes of rows that are passed on at a time: a separate module takes a copy of them.
const ROWS: usize = 256 << 10;

impl From<Dimensions> for Size {
    fn from(dimensions: Dimensions) -> Self {
        Self { width: dimensions.width(), height: dimensions.height() }
    }
}

/// The error for a source file whose data begin at byte `at`.
fn reading(fault: Fault, format: SourceFormat, at: u64) -> Error {
    match fault {
        Fault::Corrupt(what) => corrupt(format, at, what),
        Fault::Unsupported(what) => unsupported(format, what),
        other => writing(other),
    }
}

/// The error for a file that is being encoded.
fn writing(fault: Fault) -> Error {
    match fault {
        Fault::Corrupt(what) | Fault::Unsupported(what) | Fault::Internal(what) => internal(what),
        Fault::Changed => Error::SourceChanged,
    }
}

/// The codec that decodes files of a format; `None` if the core does.
pub(crate) fn of_file(format: SourceFormat) -> Option<Codec> {
    match format {
        SourceFormat::Bmp => Some(Codec::Bmp),
        SourceFormat::Gif => Some(Codec::Gif),
        SourceFormat::WebP => Some(Codec::WebP),
        SourceFormat::Jpeg | SourceFormat::Png | SourceFormat::Tiff | SourceFormat::Level0 => None,
    }
}

/// The codec that decodes chunks of a compression; `None` if the core does.
pub(crate) fn of_chunks(compression: Compression) -> Option<Codec> {
    match compression {
        Compression::Lzw => Some(Codec::Lzw),
        Compression::Zstandard => Some(Codec::Zstandard),
        Compression::WebP => Some(Codec::WebP),
        Compression::None | Compression::Jpeg | Compression::Deflate | Compression::PackBits | Compression::Fax(_) => None,
    }
}

/// The codec that encodes answers of a format, of `area` px; `None` if the core does.
pub(crate) fn of_answer(format: Format, area: u64, options: &EncodeOptions) -> Option<Codec> {
    match format {
        Format::Png | Format::Tif => None,
        Format::Jpg => options.is_small(format, area).then_some(Codec::SmallJpeg),
        Format::WebP => Some(Codec::WebP),
        Format::Gif => Some(Codec::Gif),
    }
}

/// Names of the modules that are needed to plan a request of an image.
#[cfg(feature = "web")]
pub(crate) fn names_to_plan(pyramid: &Pyramid) -> Vec<&'static str> {
    let tables = pyramid.profile().is_some_and(|(profile, model)| profile.needs_tables(model));
    tables.then_some(Codec::Icc.module()).into_iter().collect()
}

/// Names of the modules that may be needed to decode an image, and to encode with a codec.
#[cfg(feature = "web")]
pub(crate) fn names(pyramid: &Pyramid, writing: Option<Codec>) -> Vec<&'static str> {
    let of_levels = |levels: &Levels| {
        let all = levels.iter().flat_map(|level| std::iter::once(level).chain(level.mask.as_deref()));
        all.filter_map(|level| of_chunks(level.compression)).collect::<Vec<_>>()
    };
    let reading = match &pyramid.body {
        Body::Levels(levels) => of_levels(levels),
        // Only the decoder finds the profile of such a file, which may need tables.
        Body::Whole(whole) => of_file(pyramid.format).into_iter().chain(may_need_tables(whole.colors).then_some(Codec::Icc)).collect(),
        Body::Scan(_) => Vec::new(),
    };
    let mut names: Vec<_> = reading.into_iter().chain(writing).map(Codec::module).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A decoder of a file, which gives its rows from the top.
pub(super) struct Decoder {
    decoder: Box<dyn azulejo_codecs::Decoder>,
    format: SourceFormat,
    /// Samples of a row, and how many rows are yet to come.
    stride: usize,
    left: u32,
}

impl Decoder {
    /// For a file whose header says that it has the dimensions `planned`. The codec allocates at most `memory` bytes for itself.
    pub fn new(format: SourceFormat, bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Self> {
        let codec = of_file(format).ok_or_else(|| internal(format!("{} is no format of a module", format.name())))?;
        let mut decoder = installed::decoder(codec, bytes, planned.into(), memory).map_err(|fault| reading(fault, format, 0))?;
        decoder.drop_needless_alpha();
        Self::checked(decoder, format, planned)
    }

    /// For a file of WebP that is a chunk of a TIFF. Alpha stays as it is stored.
    pub fn of_chunk(bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Self> {
        let format = SourceFormat::WebP;
        let decoder = installed::decoder(Codec::WebP, bytes, planned.into(), memory).map_err(|fault| reading(fault, format, 0))?;
        Self::checked(decoder, format, planned)
    }

    fn checked(decoder: Box<dyn azulejo_codecs::Decoder>, format: SourceFormat, planned: Dimensions) -> Result<Self> {
        let layout = decoder.layout();
        if !(1..=4).contains(&layout.channels) {
            return Err(internal(format!("a decoder of {} gives {} samples a pixel", format.name(), layout.channels)));
        }
        let stride = planned.width() as usize * layout.channels;
        Ok(Self { decoder, format, stride, left: planned.height() })
    }

    /// Samples of a pixel: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    pub fn channels(&self) -> usize {
        self.decoder.layout().channels
    }

    /// Whether samples have 16 bits.
    pub fn is_wide(&self) -> bool {
        self.decoder.layout().wide
    }

    /// Takes the embedded ICC profile.
    pub fn take_icc(&mut self) -> Option<Vec<u8>> {
        self.decoder.take_icc()
    }

    /// What the decoder has filled in a damaged file. If incomplete files are not shown, it is returned as an error.
    pub fn damage(&self, show: bool) -> Result<Option<Incomplete>> {
        let Some((rows, what)) = self.decoder.damage() else { return Ok(None) };
        let error = corrupt(self.format, 0, what);
        if show { Incomplete::below(rows, error).map(Some) } else { Err(error) }
    }

    /// Gives the next row to `sink`; whether there are more.
    pub fn next(&mut self, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<bool> {
        let row = self.rows(1)?;
        sink(row)?;
        Ok(self.left > 0)
    }

    /// All samples, of 8 bits.
    pub fn all(mut self) -> Result<Vec<u8>> {
        let mut all = Vec::with_capacity(self.stride * self.left as usize);
        while self.left > 0 {
            match self.rows(u32::MAX)? {
                Row::U8(rows) => all.extend_from_slice(rows),
                Row::U16(_) => return Err(internal("samples of 16 bits where 8 belong")),
            }
        }
        Ok(all)
    }

    /// The next rows, at least one and at most `most`.
    fn rows(&mut self, most: u32) -> Result<Row<'_>> {
        let (wide, stride) = (self.is_wide(), self.stride);
        let most = most.min(self.left);
        let rows = self.decoder.rows(most).map_err(|fault| reading(fault, self.format, 0))?;
        let (row, samples) = match rows {
            Rows::U8(samples) if !wide => (Row::U8(samples), samples.len()),
            Rows::U16(samples) if wide => (Row::U16(samples), samples.len()),
            _ => return Err(internal("a decoder gives samples of another depth than it says")),
        };
        let count = (samples / stride) as u32;
        if count == 0 || count > most || !samples.is_multiple_of(stride) {
            return Err(internal(format!("a decoder gives {samples} samples where up to {most} rows of {stride} belong")));
        }
        self.left -= count;
        Ok(row)
    }
}

/// A decoder of LZW or Zstandard data in a TIFF, which is fed with pieces of them.
pub(super) struct Unpacker {
    unpacker: Box<dyn azulejo_codecs::Unpacker>,
    /// Offset in the file at which the data begin.
    at: u64,
}

impl Unpacker {
    /// For the first `content` decompressed bytes of data that begin at byte `at` of the file.
    pub fn new(compression: Compression, content: u64, at: u64) -> Result<Self> {
        let codec = of_chunks(compression).ok_or_else(|| internal(format!("{compression:?} is no compression of a module")))?;
        let unpacker = installed::unpacker(codec, content).map_err(|fault| reading(fault, SourceFormat::Tiff, at))?;
        Ok(Self { unpacker, at })
    }

    /// Decodes a piece of the data into `out`. If no bytes are taken and none are made, it needs a longer piece; if this was the `last` one, the data have
    /// ended.
    pub fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress> {
        self.unpacker.decode(input, last, out).map_err(|fault| reading(fault, SourceFormat::Tiff, self.at))
    }

    /// Decompresses complete data into `out`. Returns how many bytes were made: fewer than fit if the data are damaged or end early.
    pub fn fill(mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        match run(data, out, |input, out| self.unpacker.decode(input, true, out)) {
            (_, Some(fault)) if !matches!(fault, Fault::Corrupt(_)) => Err(reading(fault, SourceFormat::Tiff, self.at)),
            (made, _) => Ok(made),
        }
    }
}

/// An encoder of a file, which is fed with its rows from the top. If it [counts](Self::is_counted), all rows are pushed twice: first to find the length of the
/// file, which stands at its beginning, then to write it.
pub(super) struct Encoder {
    encoder: Box<dyn azulejo_codecs::Encoder>,
    /// Whether all rows are to be pushed twice.
    counts: bool,
}

impl Encoder {
    /// For pixels with `channels` samples: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    pub fn new(codec: Codec, dimensions: Dimensions, channels: usize, encoding: Encoding) -> Result<Self> {
        let encoder = installed::encoder(codec, dimensions.into(), channels, encoding).map_err(writing)?;
        Ok(Self { encoder, counts: encoding.lossless })
    }

    /// An encoder of lossless WebP. `bitonal` samples are 0 or 255.
    pub fn lossless_webp(dimensions: Dimensions, channels: usize, bitonal: bool) -> Result<Self> {
        Self::new(Codec::WebP, dimensions, channels, Encoding { lossless: true, bitonal, ..Encoding::default() })
    }

    /// Encodes pixels that are all in memory.
    pub fn all(mut self, raster: Raster) -> Result<Vec<u8>> {
        // If the encoder counts, a few rows at a time are enough: a separate module takes a copy of them.
        let some = (ROWS / raster.stride()).max(1) * raster.stride();
        if self.counts {
            for _ in 0..2 {
                raster.data.chunks(some).try_for_each(|samples| self.push(samples.into()))?;
            }
        } else {
            self.push(raster.data.into())?;
        }
        self.finish()
    }

    /// Adds the samples of rows.
    pub fn push(&mut self, samples: Cow<'_, [u8]>) -> Result<()> {
        self.encoder.push(samples).map_err(writing)
    }

    /// Whether all rows have been counted, and must now be pushed again: [`Error::SourceChanged`] follows if they differ from those of the first pass.
    pub fn is_counted(&self) -> bool {
        self.encoder.is_counted()
    }

    /// Number of complete bytes of the file that can be taken.
    pub fn held(&self) -> usize {
        self.encoder.held()
    }

    /// Takes the complete bytes of the file.
    pub fn take(&mut self) -> Vec<u8> {
        self.encoder.take()
    }

    /// The rest of the file, once all rows have been pushed.
    pub fn finish(&mut self) -> Result<Vec<u8>> {
        self.encoder.finish().map_err(writing)
    }
}
