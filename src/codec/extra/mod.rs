//! Codecs that are heavy for how rarely a page asks for them: WebP, GIF, LZW and Zstandard within TIFF, small JPEGs, and TIFF as an
//! answer. With the feature `extra` they are compiled in ([`coder`]); without it [`installed`] calls those of a module that the host brought. Both are the same code in the end, and give the same bytes.

#[cfg(feature = "extra")]
pub(crate) mod coder;
#[cfg(not(feature = "extra"))]
pub(crate) mod installed;

#[cfg(feature = "extra")]
use coder as coding;
#[cfg(not(feature = "extra"))]
use installed as coding;

use super::{corrupt, internal, unsupported};
use crate::api::Format;
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::incomplete::Incomplete;
use crate::pyramid::level::Compression;
use crate::render::Raster;

/// The name of the module that has these codecs, where the engine is built without them.
#[cfg(feature = "web")]
pub(crate) const MODULE: &str = "extra";

/// Bytes of rows that are encoded at a time.
const ROWS: usize = 256 << 10;

/// A decoded file: 3 or 4 samples of 8 bits a pixel, rows without gaps.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// 3 (RGB) or 4 (RGBA, straight).
    pub channels: usize,
    /// All of them, row by row.
    pub samples: Vec<u8>,
    /// The embedded profile.
    pub icc: Option<Vec<u8>>,
    /// Of a damaged file, the rows above the first that could not be decoded, and what is wrong.
    pub damage: Option<(u32, String)>,
}

impl Decoded {
    /// What is missing of the file of a format; the error that it is unless incomplete files are shown.
    pub fn incomplete(&mut self, format: SourceFormat, show: bool) -> Result<Option<Incomplete>> {
        let Some((rows, what)) = self.damage.take() else { return Ok(None) };
        let error = corrupt(format, 0, what);
        if show { Incomplete::below(rows, error).map(Some) } else { Err(error) }
    }
}

/// What a streaming decoder took of its input, and what it made, bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub consumed: usize,
    pub produced: usize,
}

/// Runs a streaming decoder over data that are all here until `out` is full; how many bytes it made, and why no more.
pub(super) fn run<E>(data: &[u8], out: &mut [u8], mut decode: impl FnMut(&[u8], &mut [u8]) -> std::result::Result<Progress, E>) -> (usize, Option<E>) {
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        match decode(&data[read..], &mut out[written..]) {
            Ok(Progress { consumed: 0, produced: 0 }) => break,
            Ok(Progress { consumed, produced }) => (read, written) = (read + consumed, written + produced),
            Err(fault) => return (written, Some(fault)),
        }
    }
    (written, None)
}

/// What a coder may say.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The file is broken.
    Corrupt(String),
    /// The file is of a kind that is not read.
    Unsupported(String),
    /// Something that cannot be.
    Internal(String),
    /// Pixels are not those that came before.
    Changed,
}

impl Fault {
    /// As an error about a file whose data begin at a byte.
    fn of(self, format: SourceFormat, at: u64) -> Error {
        match self {
            Self::Corrupt(what) => corrupt(format, at, what),
            Self::Unsupported(what) => unsupported(format, what),
            other => other.of_encoding(),
        }
    }

    /// As an error of making a file.
    fn of_encoding(self) -> Error {
        match self {
            Self::Corrupt(what) | Self::Unsupported(what) | Self::Internal(what) => internal(what),
            Self::Changed => Error::SourceChanged,
        }
    }
}

/// The pixels of a file that its header says to have the dimensions `planned`; a coder takes at most `memory` bytes for itself.
pub(super) fn decode(format: SourceFormat, bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Decoded> {
    coding::decode(format, bytes, planned, memory).map_err(|fault| fault.of(format, 0))
}

/// At most `expected` bytes out of packed ones (LZW or Zstandard) that lie at a byte of a TIFF; fewer if they are wrong or end before.
pub(super) fn unpack(compression: Compression, bytes: &[u8], expected: usize, at: u64) -> Result<Vec<u8>> {
    coding::unpack(compression, bytes, expected).map_err(|fault| fault.of(SourceFormat::Tiff, at))
}

/// A decoder of packed bytes (LZW or Zstandard) of a TIFF that is fed pieces of them.
pub(super) struct Unpacker {
    unpacker: coding::Unpacker,
    /// The byte of the file at which they begin.
    at: u64,
}

impl Unpacker {
    /// For data at a byte of the file that are unpacked as far as to `content` bytes.
    pub fn new(compression: Compression, content: u64, at: u64) -> Result<Self> {
        let unpacker = coding::unpacker(compression, content).map_err(|fault| fault.of(SourceFormat::Tiff, at))?;
        Ok(Self { unpacker, at })
    }

    /// Decodes a piece of the data into `out`. If neither bytes are taken nor any made, it needs a longer piece; of the `last` one, the data have ended.
    pub fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress> {
        self.unpacker.decode(input, last, out).map_err(|fault| fault.of(SourceFormat::Tiff, self.at))
    }
}

/// A raster as lossy WebP (`quality` 0 to 100), small JPEG (1 to 100) or GIF.
pub(super) fn encode(format: Format, raster: Raster, quality: u8) -> Result<Vec<u8>> {
    coding::encode(format, raster, quality).map_err(Fault::of_encoding)
}

/// Rows of a lossless WebP, which come twice: for its length, which it begins with, and for what is in it.
pub(super) struct LosslessWebP(coding::LosslessWebP);

impl LosslessWebP {
    /// Of pixels with `channels` samples: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA; `bitonal` ones are 0 or 255.
    pub fn new(dimensions: Dimensions, channels: usize, bitonal: bool) -> Result<Self> {
        coding::lossless_webp(dimensions, channels, bitonal).map(Self).map_err(Fault::of_encoding)
    }

    /// The file of pixels that are all there.
    pub fn of(raster: &Raster, bitonal: bool) -> Result<Vec<u8>> {
        let mut rows = Self::new(raster.dimensions, raster.channels, bitonal)?;
        for _ in 0..2 {
            // A few at a time: a module of its own takes a copy.
            let some = (ROWS / raster.stride()).max(1) * raster.stride();
            raster.data.chunks(some).try_for_each(|samples| rows.push(samples))?;
        }
        rows.finish()
    }

    /// Adds the samples of rows. After the last one they begin anew: [`Error::SourceChanged`] if others come than before.
    pub fn push(&mut self, samples: &[u8]) -> Result<()> {
        self.0.push(samples).map_err(Fault::of_encoding)
    }

    /// Whether all rows have come, and are to come again.
    pub fn is_counted(&self) -> bool {
        self.0.is_counted()
    }

    /// Bytes of the file that are finished.
    pub fn held(&self) -> usize {
        self.0.held()
    }

    /// Takes what is finished of the file.
    pub fn take(&mut self) -> Vec<u8> {
        self.0.take()
    }

    /// The rest of the file, once all rows have come twice.
    pub fn finish(&mut self) -> Result<Vec<u8>> {
        self.0.finish().map_err(Fault::of_encoding)
    }
}
