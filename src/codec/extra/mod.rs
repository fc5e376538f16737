//! Codecs that are large for how rarely a page needs them: WebP, GIF, BMP, LZW and Zstandard within TIFF, and small JPEGs. With the feature `extra` they are
//! compiled in ([`coder`]). Without it, `installed` calls those of a module that the host has loaded. In the end both are the same code, and give the same
//! bytes.

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
    /// All samples, row by row.
    pub samples: Vec<u8>,
    /// The embedded ICC profile.
    pub icc: Option<Vec<u8>>,
    /// For a damaged file: how many rows lie above the first one that could not be decoded, and what is wrong.
    pub damage: Option<(u32, String)>,
}

impl Decoded {
    /// Takes the damage of a file of this format. If incomplete files are not shown, it is returned as an error.
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

/// Runs a streaming decoder over complete data until `out` is full. Returns how many bytes it made, and the fault that stopped it, if any.
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

/// What can go wrong in a codec.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The file is broken.
    Corrupt(String),
    /// The file is of a kind that is not supported.
    Unsupported(String),
    /// A state that should be impossible.
    Internal(String),
    /// Pixels differ from those that came before.
    Changed,
}

impl Fault {
    /// The error for a source file whose data begin at byte `at`.
    fn of(self, format: SourceFormat, at: u64) -> Error {
        match self {
            Self::Corrupt(what) => corrupt(format, at, what),
            Self::Unsupported(what) => unsupported(format, what),
            other => other.of_encoding(),
        }
    }

    /// The error for a file that is being encoded.
    fn of_encoding(self) -> Error {
        match self {
            Self::Corrupt(what) | Self::Unsupported(what) | Self::Internal(what) => internal(what),
            Self::Changed => Error::SourceChanged,
        }
    }
}

/// Decodes the pixels of a file, which according to its header has the dimensions `planned`. The codec allocates at most `memory` bytes for itself.
pub(super) fn decode(format: SourceFormat, bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Decoded> {
    coding::decode(format, bytes, planned, memory).map_err(|fault| fault.of(format, 0))
}

/// Decompresses LZW or Zstandard data that begin at byte `at` of a TIFF to at most `expected` bytes; fewer if the data are damaged or end early.
pub(super) fn unpack(compression: Compression, bytes: &[u8], expected: usize, at: u64) -> Result<Vec<u8>> {
    coding::unpack(compression, bytes, expected).map_err(|fault| fault.of(SourceFormat::Tiff, at))
}

/// A decoder of LZW or Zstandard data in a TIFF, which is fed with pieces of them.
pub(super) struct Unpacker {
    unpacker: coding::Unpacker,
    /// Offset in the file at which the data begin.
    at: u64,
}

impl Unpacker {
    /// For the first `content` decompressed bytes of data that begin at byte `at` of the file.
    pub fn new(compression: Compression, content: u64, at: u64) -> Result<Self> {
        let unpacker = coding::unpacker(compression, content).map_err(|fault| fault.of(SourceFormat::Tiff, at))?;
        Ok(Self { unpacker, at })
    }

    /// Decodes a piece of the data into `out`. If no bytes are taken and none are made, it needs a longer piece; if this was the `last` one, the data have
    /// ended.
    pub fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress> {
        self.unpacker.decode(input, last, out).map_err(|fault| fault.of(SourceFormat::Tiff, self.at))
    }
}

/// Encodes a raster as lossy WebP (`quality` 0 to 100), small JPEG (1 to 100) or GIF.
pub(super) fn encode(format: Format, raster: Raster, quality: u8) -> Result<Vec<u8>> {
    coding::encode(format, raster, quality).map_err(Fault::of_encoding)
}

/// An encoder of lossless WebP. All rows are pushed twice: first to find the length of the file, which stands at its beginning, then to write it.
pub(super) struct LosslessWebP(coding::LosslessWebP);

impl LosslessWebP {
    /// For pixels with `channels` samples: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. `bitonal` samples are 0 or 255.
    pub fn new(dimensions: Dimensions, channels: usize, bitonal: bool) -> Result<Self> {
        coding::lossless_webp(dimensions, channels, bitonal).map(Self).map_err(Fault::of_encoding)
    }

    /// Encodes pixels that are all in memory.
    pub fn of(raster: &Raster, bitonal: bool) -> Result<Vec<u8>> {
        let mut rows = Self::new(raster.dimensions, raster.channels, bitonal)?;
        for _ in 0..2 {
            // A few rows at a time, because a separate module takes a copy of them.
            let some = (ROWS / raster.stride()).max(1) * raster.stride();
            raster.data.chunks(some).try_for_each(|samples| rows.push(samples))?;
        }
        rows.finish()
    }

    /// Adds the samples of rows. After the last row, all rows must be pushed once more: [`Error::SourceChanged`] if they differ from those of the first pass.
    pub fn push(&mut self, samples: &[u8]) -> Result<()> {
        self.0.push(samples).map_err(Fault::of_encoding)
    }

    /// Whether all rows have been counted, and must now be pushed again.
    pub fn is_counted(&self) -> bool {
        self.0.is_counted()
    }

    /// Number of complete bytes of the file that can be taken.
    pub fn held(&self) -> usize {
        self.0.held()
    }

    /// Takes the complete bytes of the file.
    pub fn take(&mut self) -> Vec<u8> {
        self.0.take()
    }

    /// The rest of the file, once all rows have been pushed twice.
    pub fn finish(&mut self) -> Result<Vec<u8>> {
        self.0.finish().map_err(Fault::of_encoding)
    }
}
