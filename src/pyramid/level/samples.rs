//! How the pixels of a level are stored: compression, colour model, samples. The names are those of TIFF 6.0, the container with the most variants.

use std::sync::Arc;

use crate::bytes::Endian;

/// CCITT data are at most this many times as long as their pixels: where black and white alternate, a pixel is coded in up to six bits, and in a short row in
/// more.
pub(crate) const FAX_TIMES: u64 = 8;

/// The Compression tag, as far as it is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
    Zstandard,
    /// Each chunk is a whole WebP file.
    WebP,
    /// CCITT T.4 and T.6.
    Fax(Fax),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fax {
    /// The one-dimensional codes of T.4 without EOL; each row begins at a new byte (TIFF 6.0, section 10).
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
    /// Horizontal and vertical subsampling of the chroma, 1, 2 or 4. With JPEG compression, the sampling factors of the stream count instead.
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

/// The type of samples (SampleFormat).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleKind {
    Unsigned,
    Signed,
    Float,
}

/// How a pixel's samples are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Samples {
    /// Samples per pixel, extra samples included (SamplesPerPixel).
    pub count: u16,
    /// Bits per sample.
    pub bits: u8,
    pub kind: SampleKind,
    /// Each sample is stored in separate chunks (PlanarConfiguration 2).
    pub planar: bool,
    /// The Predictor tag: 1 none, 2 horizontal differencing, 3 floating point.
    pub predictor: u8,
    /// Byte order of samples of more than 8 bits.
    pub endian: Endian,
    /// FillOrder 2: the first pixel or code is in the lowest bits of a byte.
    pub reversed: bool,
    /// The first extra sample is alpha.
    pub alpha: Option<Association>,
}

impl Samples {
    /// Whether they are floating-point numbers: 0 is black and 1 is white unless a window says otherwise.
    pub fn is_float(&self) -> bool {
        self.kind == SampleKind::Float
    }
}

/// Whether colours are premultiplied by alpha (ExtraSamples).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Association {
    /// Colours are multiplied by alpha.
    Associated,
    Unassociated,
}
