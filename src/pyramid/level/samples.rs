//! How the pixels of a level are stored: compression, colour model, samples. The names are those of TIFF 6.0, which tells most of all containers.

use std::sync::Arc;

use crate::bytes::Endian;

/// The largest window that Zstandard decoders are expected to support (RFC 8878, 3.1.1.1.2); a larger one can only be meant to exhaust memory.
pub(crate) const ZSTANDARD_WINDOW: u64 = 8 << 20;

/// The window that the first `content` bytes of a Zstandard frame can need: nothing reaches back beyond its beginning, and a decoder goes on to the end of a block.
pub(crate) fn zstandard_window(content: u64) -> u64 {
    const BLOCK: u64 = 128 << 10;
    content.saturating_add(BLOCK)
}

/// How many times as long as its pixels CCITT data are at most: where black and white take turns, a pixel is coded in up to six bits, and a short row in more.
pub(crate) const FAX_TIMES: u64 = 8;

/// The Compression tag, as far as it is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
    Zstandard,
    /// A whole WebP file a chunk.
    WebP,
    /// CCITT T.4 and T.6.
    Fax(Fax),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fax {
    /// The one-dimensional codes of T.4 without EOLs, each row from a new byte (TIFF 6.0, section 10).
    ModifiedHuffman,
    Group3OneDimensional,
    Group3TwoDimensional,
    Group4,
}

/// What the samples of a pixel mean (PhotometricInterpretation).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Model {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    /// Red, green, blue tables of `2^bits` entries each, one after the other.
    Palette(Arc<[u16]>),
    Cmyk,
    /// Horizontal and vertical subsampling of the chroma, 1, 2 or 4. With JPEG compression the stream's own counts.
    YCbCr(u8, u8),
    CieLab,
    IccLab,
}

impl Model {
    /// Colour samples of a stored pixel.
    pub fn colors(&self) -> u16 {
        match self {
            Self::WhiteIsZero | Self::BlackIsZero | Self::Palette(_) => 1,
            Self::Rgb | Self::YCbCr(..) | Self::CieLab | Self::IccLab => 3,
            Self::Cmyk => 4,
        }
    }
}

/// SampleFormat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleKind {
    Unsigned,
    Signed,
    Float,
}

/// How a pixel's samples are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Samples {
    /// Per pixel, extra samples included.
    pub count: u16,
    /// Bits of each.
    pub bits: u8,
    pub kind: SampleKind,
    /// Each sample in chunks of its own (PlanarConfiguration 2).
    pub planar: bool,
    /// 1 none, 2 horizontal differences, 3 floating point.
    pub predictor: u8,
    /// Byte order of samples of more than 8 bits.
    pub endian: Endian,
    /// FillOrder 2: the lowest bit comes first.
    pub reversed: bool,
    /// The first sample beyond the colours is alpha.
    pub alpha: Option<Association>,
}

impl Samples {
    /// Whether they are fractions from 0 to 1.
    pub fn is_float(&self) -> bool {
        self.kind == SampleKind::Float
    }
}

/// How colours and alpha go together (ExtraSamples).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Association {
    /// Colours are multiplied by alpha.
    Associated,
    Unassociated,
}
